"""Objects that finished steps of a run have put are found by the runs that resume it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plait import Run, default_metadata, default_namespace, metadata, namespace
from plait_harness.services import Service

FLOW = """
import os
from plait import S3, FlowSpec, Run, S3NotFound, current, step


class PutFlow(FlowSpec):
    @step
    def start(self):
        with S3(run=self) as s3:
            self.url = s3.put("table", "of the first run")
        self.next(self.end)

    @step
    def end(self):
        if os.environ["FAILS"] == "yes":
            raise ValueError("not yet")
        try:
            with S3(run=self) as s3:
                s3.get("table")
        except S3NotFound as error:
            self.said = str(error)
        if os.environ["BY_RUN"] == "yes":
            with S3(run=Run(f"{current.flow_name}/{current.origin_run_id}")) as s3:
                self.by_run = s3.get("table").text
        with S3() as s3:
            self.by_url = s3.get(self.url).text


if __name__ == "__main__":
    PutFlow()
"""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a client that reads whatever run, and goes back to its defaults."""
    namespace(None)
    yield monkeypatch
    default_metadata()
    default_namespace()


@pytest.mark.parametrize("datastore", ["s3", "local"])
def test_objects_of_the_origin(
    moto: Service, tmp_path: Path, client: pytest.MonkeyPatch, datastore: str
) -> None:
    """By its id in a run that resumes it, and by URL however often it is resumed."""
    (tmp_path / "put.py").write_text(FLOW)
    given = {
        **moto.env,
        "HOME": str(tmp_path),
        "PLAIT_DATASTORE_SYSROOT_S3": f"s3://plait-tests/resumed-{datastore}",
        "PLAIT_DATASTORE": datastore,
    }

    def flow(command: str, *, fails: bool, by_run: bool = False) -> int:
        told = {"FAILS": "yes" if fails else "no", "BY_RUN": "yes" if by_run else "no"}
        return subprocess.run(
            [sys.executable, "put.py", command],
            cwd=tmp_path,
            env={**os.environ, **given, **told},
            check=False,
            capture_output=True,
        ).returncode

    assert flow("run", fails=True) == 1
    assert flow("resume", fails=False, by_run=True) == 0
    assert flow("run", fails=True) == 1
    assert flow("resume", fails=True) == 1
    assert flow("resume", fails=False) == 0

    for name, value in given.items():
        client.setenv(name, value)
    metadata(f"local@{tmp_path}")
    once, twice = Run("PutFlow/2").data, Run("PutFlow/5").data
    assert "S3(run=Run('PutFlow/1'))" in once.said
    assert (once.by_run, once.by_url) == ("of the first run", "of the first run")
    assert "S3(run=Run('PutFlow/4'))" in twice.said
    assert twice.by_url == "of the first run"
