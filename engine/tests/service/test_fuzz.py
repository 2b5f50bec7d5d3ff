"""Requests made by chance from the service's own description: each is answered as it says.

It runs where schemathesis is installed and PLAIT_TEST_FUZZ says how many requests to try for each
operation: `tox -e service-fuzz` does. Each answer is held against the description: what fits it is
taken, what does not is refused with 4xx, nothing is answered with 5xx.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from plait.base.pathspec import TaskKey
from plait.metadata.guests import Entry, Guests
from plait.metadata.protocol import AttemptStarted, NewRun
from plait.metadata.sqlite import SQLiteMetadata
from plait_harness.services import METADATA, start

EXAMPLES = os.environ.get("PLAIT_TEST_FUZZ")

CONFIG = """
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422]
"""
"""Of the usual statuses, those that refuse; and 413, by which more than the limit is."""

PLACES = """
[parameters]
flow = "A"
run = "1"
step = "start"
task = "2"
artifact = "x"
attempt = "0"
"""
"""What is there, so that requests get as far as to what they change."""

TOKEN = "t0ken-that-nobody-is-to-see"


def fill(store: SQLiteMetadata) -> None:
    """Put a run with a task into a store, of plait's own and of a guest's."""
    key = store.create_run(NewRun("A", 1.0, system_tags=frozenset({"user:ada"})))
    store.record([AttemptStarted(TaskKey(*key, "start", "2"), 0, 2.0)])
    guests = Guests(store.database)
    facts = {"user_name": None, "tags": [], "system_tags": ["user:ada"]}
    guests.add(("A",), facts)
    run = guests.add_numbered(("A",), None, facts)
    step = guests.add((*run.path, "start"), facts)
    task = guests.add_numbered(step.path, None, facts)
    guests.tell(task.path, "artifact", [Entry("x", 0, {"sha": "1"})])
    assert task.path == ("A", "1", "start", "2")


@pytest.mark.skipif(
    EXAMPLES is None or importlib.util.find_spec("schemathesis") is None,
    reason="schemathesis is not installed, or PLAIT_TEST_FUZZ not set: tox -e service-fuzz",
)
@pytest.mark.parametrize("places", ["", PLACES], ids=["anything", "what-is-there"])
def test_every_answer_is_as_described(
    places: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schemathesis finds nothing, and the service goes on."""
    monkeypatch.setenv("PLAIT_SERVICE_TOKEN", TOKEN)
    (tmp_path / "schemathesis.toml").write_text(CONFIG + places, encoding="utf-8")
    with closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store:
        fill(store)
    with start(METADATA, str(tmp_path)) as service:
        words = (
            *("--config-file", "schemathesis.toml", "run", f"{service.url}/openapi.json"),
            *("--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color"),
            *("--phases", "examples,coverage,fuzzing", "-H", f"Authorization: Bearer {TOKEN}"),
        )
        ended = subprocess.run(
            [sys.executable, "-c", "from schemathesis.cli import schemathesis as m; m()", *words],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert service.process.poll() is None
    said = Path(service.log).read_text(encoding="utf-8")

    print(ended.stdout[-3000:])
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Traceback" not in said
    assert TOKEN not in said
