"""A token goes to the service and nowhere else: no file, no argument, no output, no pickle."""

from __future__ import annotations

import os
import pickle
import secrets
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from serving import serving

from plait.metadata.http import HTTPMetadata
from plait.metadata.sqlite import SQLiteMetadata

TOKEN = secrets.token_hex(16)

FLOW = '''
import glob

from plait import Flow, FlowSpec, Run, current, get_metadata, step


class Told(FlowSpec):
    """Keeps what it can get hold of that has to do with the service."""

    @step
    def start(self):
        self.here = get_metadata()
        self.run_seen = Run(f"{current.flow_name}/{current.run_id}")
        self.flow_seen = Flow(current.flow_name)
        self.reprs = [repr(self.run_seen), repr(self.flow_seen)]
        self.commands = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    self.commands.append(file.read())
            except OSError:
                continue  # it has ended meanwhile
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    Told()
'''


def test_a_token_is_in_nothing_that_a_run_leaves(tmp_path: Path) -> None:
    """Not in the store, the code package, the logs or the database; nor can a process see it."""
    (tmp_path / "flow.py").write_text(FLOW, encoding="utf-8")
    env = {
        **os.environ,
        "PLAIT_SERVICE_TOKEN": TOKEN,
        "PLAIT_DATASTORE_ROOT": str(tmp_path / "store"),
        "PLAIT_HOME": str(tmp_path / "home"),
    }
    reader = "from plait import Run; d = Run('Told/1')['start'].task.data; "
    reader += "print(d.here, d.run_seen, d.flow_seen, d.reprs, d.commands)"
    with closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store, serving(store, TOKEN) as url:
        env |= {"PLAIT_SERVICE_URL": url, "PLAIT_METADATA": "service"}
        said = ""
        for words in (["flow.py", "--workers", "spawn", "run"], ["-c", reader]):
            ended = subprocess.run(
                [sys.executable, *words],
                cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert ended.returncode == 0, ended.stdout + ended.stderr
            said += ended.stdout + ended.stderr

    assert "service@http://127.0.0.1" in said
    assert "flow.py" in said
    assert TOKEN not in said
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 3
    assert [str(file) for file in files if TOKEN.encode() in file.read_bytes()] == []


def test_a_store_behind_a_service_is_not_pickled() -> None:
    """What knows the token cannot become a value."""
    with closing(HTTPMetadata("http://127.0.0.1:1", TOKEN)) as store:
        with pytest.raises(TypeError, match="metadata service"):
            pickle.dumps(store)
        assert TOKEN not in repr(vars(store)) + repr(store)
