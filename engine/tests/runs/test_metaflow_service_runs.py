"""Flows whose facts are behind a metadata service that speaks Metaflow's interface alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plait_harness.services import METAFLOW_METADATA, Service, start

FLOW = """
import os

from plait import FlowSpec, retry, step


class HelloFlow(FlowSpec):
    @step
    def start(self):
        self.names = ["ada", "grace"]
        self.next(self.greet, foreach="names")

    @retry(times=1, minutes_between_retries=0)
    @step
    def greet(self):
        if self.input == "ada" and not os.path.exists("tried"):
            open("tried", "w").close()
            raise ValueError("not yet")
        self.line = f"Hi, {self.input}"
        print(self.line)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.lines = [i.line for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        if "FAILS" in os.environ:
            raise ValueError("it was told to")


if __name__ == "__main__":
    HelloFlow()
"""

READER = """
import json

from plait import Flow, Plait, PlaitNotFound, Run, metadata, namespace

metadata(URL)
namespace(None)
flow = Flow("HelloFlow")
failed, done = Run("HelloFlow/1"), flow.latest_successful_run
greet = sorted(done["greet"], key=lambda task: task.index)
found = {
    "flows": [flow.id for flow in Plait()],
    "runs": [[run.id, str(run.status), run.origin_run_id] for run in flow],
    "failure": failed.end_task.exception.message,
    "steps": [[step.id, len(list(step))] for step in done],
    "greet": [[task.data.line, task.index, task.stdout] for task in greet],
    "tries": sorted(task.attempts for task in failed["greet"]),
    "lines": done.data.lines,
    "tagged": [run.id for run in flow.runs("nightly")],
    "in order": flow.created_at == failed.created_at < done.created_at < done.finished_at,
}
done.add_tag("seen")
done.remove_tag("nightly")
found["tags"] = sorted(Run(done.pathspec).user_tags)
try:
    Run("HelloFlow/99")
except PlaitNotFound as error:
    found["no run"] = type(error).__name__
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, as its command starts it."""
    with start(METAFLOW_METADATA, str(tmp_path_factory.mktemp("service"))) as running:
        yield running


def test_a_flow_lives_behind_a_service_of_metaflow(tmp_path: Path, service: Service) -> None:
    """A flow fails, is resumed, read, tagged and looked at, and its runs are cleaned."""
    (tmp_path / "hello.py").write_text(FLOW, encoding="utf-8")
    (tmp_path / "reader.py").write_text(f"URL = {service.url!r}\n{READER}", encoding="utf-8")
    env = {
        **os.environ,
        **service.env,
        "PLAIT_METADATA": "service",
        "PLAIT_DATASTORE_ROOT": str(tmp_path / "store"),
        "PLAIT_HOME": str(tmp_path / "home"),
        "PLAIT_USER": "ada",
    }

    def run(*words: str, code: int = 0, **more: str) -> str:
        ended = subprocess.run(
            words, cwd=tmp_path, env={**env, **more}, capture_output=True, text=True, check=False
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr or code, ended.stderr
        return ended.stdout

    flow = (sys.executable, "hello.py")
    plait = os.path.join(os.path.dirname(sys.executable), "plait")
    run(*flow, "run", code=1, FAILS="yes")
    run(*flow, "resume", "--tag", "nightly")
    found = json.loads(run(sys.executable, "reader.py"))
    run(*flow, "tag", "add", "--run-id", "2", "kept")
    tags = run(*flow, "tag", "list", "--run-id", "2")
    logs = run(*flow, "logs", "2/greet")
    status = run(plait, "status")
    run(*flow, "run")
    cleaned = run(plait, "gc", "--keep-runs", "1")
    left = run(plait, "status")
    verified = run(plait, "verify")

    assert found == {
        "flows": ["HelloFlow"],
        "runs": [["2", "done", "1"], ["1", "failed", None]],
        "failure": "it was told to",
        "steps": [["end", 1], ["join", 1], ["greet", 2], ["start", 1]],
        "greet": [["Hi, ada", 0, "Hi, ada\n"], ["Hi, grace", 1, "Hi, grace\n"]],
        "tries": [1, 2],
        "lines": ["Hi, ada", "Hi, grace"],
        "tagged": ["2"],
        "in order": True,
        "tags": ["seen"],
        "no run": "PlaitNotFound",
    }
    assert tags.split() == ["kept", "seen"]
    assert [line.partition("] ")[2] for line in logs.splitlines()] == ["Hi, ada", "Hi, grace"]
    assert [line.split()[:2] for line in status.splitlines()[1:]] == [
        ["2", "done"],
        ["1", "failed"],
    ]
    assert "runs: 2, 1" in cleaned
    assert [line.split()[:2] for line in left.splitlines()[1:]] == [["3", "done"]]
    assert "of 1 run in" in verified
