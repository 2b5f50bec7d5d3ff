"""An installed Metaflow keeps its facts with our service, and reads them from it.

It runs where Metaflow can be imported: by this interpreter, or by the one that
PLAIT_TEST_METAFLOW names.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from serving import serving

from plait.metadata.sqlite import SQLiteMetadata

PYTHON = os.environ.get("PLAIT_TEST_METAFLOW") or (
    sys.executable if importlib.util.find_spec("metaflow") else None
)

HELLO = """
import os

from metaflow import FlowSpec, step


class HelloFlow(FlowSpec):
    @step
    def start(self):
        self.names = ["ada", "grace"]
        self.next(self.greet, foreach="names")

    @step
    def greet(self):
        self.line = f"Hi, {self.input}"
        self.next(self.join)

    @step
    def join(self, inputs):
        self.lines = [i.line for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        if "FAILS" in os.environ:
            raise ValueError("it was told to")
        print(self.lines)


if __name__ == "__main__":
    HelloFlow()
"""

READER = """
import json

from metaflow import DataArtifact, Flow, Metaflow, Run, Task, namespace
from metaflow.exception import MetaflowNotFound, MetaflowTaggingError

namespace(None)
run = Flow("HelloFlow").latest_run
greet = sorted(run["greet"], key=lambda task: int(task.id))[1]
found = {
    "flows": [flow.id for flow in Metaflow()],
    "run": [run.pathspec, run.successful, sorted(run.user_tags), run.data.lines],
    "steps": [[step.id, len(list(step))] for step in run],
    "greet": [greet.data.line, greet.index, greet.metadata_dict["attempt"]],
    "parents": [task.path_components[2] for task in greet.parent_tasks],
    "children": [task.path_components[2] for task in greet.child_tasks],
    "attempt": Task(greet.pathspec, attempt=0).data.line,
    "artifact": DataArtifact(f"{greet.pathspec}/line").data,
    "tagged": [len(list(Flow("HelloFlow").runs(tag))) for tag in ("nightly", "else")],
}
run.add_tag("seen")
run.remove_tag("nightly")
found["tags"] = sorted(Run(run.pathspec).user_tags)
for name, act in {
    "system tag": lambda: run.remove_tag("user:ada"),
    "no run": lambda: Run("HelloFlow/99"),
}.items():
    try:
        act()
    except (MetaflowNotFound, MetaflowTaggingError) as error:
        found[name] = type(error).__name__
print(json.dumps(found))
"""


@pytest.mark.skipif(PYTHON is None, reason="Metaflow is not installed; see PLAIT_TEST_METAFLOW")
def test_hello_runs_against_our_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hello flow fails, is resumed and runs; its client reads values and changes tags."""
    assert PYTHON is not None
    (tmp_path / "hello_mf.py").write_text(HELLO, encoding="utf-8")
    (tmp_path / "reader.py").write_text(READER, encoding="utf-8")
    with closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store, serving(store, "t") as url:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "USERNAME": "ada",
            "METAFLOW_USER": "ada",
            "METAFLOW_DEFAULT_METADATA": "service",
            "METAFLOW_SERVICE_URL": url,
            "METAFLOW_SERVICE_AUTH_KEY": "t",
        }
        run = _runner(tmp_path, env)

        words = ("hello_mf.py", "--no-pylint", "--metadata", "service")
        with monkeypatch.context() as patch:
            patch.setitem(env, "FAILS", "yes")
            run(*words, "run", fails=True)
        resumed = run(*words, "resume")
        said = run(*words, "run", "--tag", "nightly")
        found = json.loads(run("reader.py"))

    assert "['Hi, ada', 'Hi, grace']" in said
    assert "['Hi, ada', 'Hi, grace']" in resumed
    assert "Cloning previously run task 1/join/" in resumed
    assert found == {
        "flows": ["HelloFlow"],
        "run": ["HelloFlow/3", True, ["nightly"], ["Hi, ada", "Hi, grace"]],
        "steps": [["end", 1], ["join", 1], ["greet", 2], ["start", 1]],
        "greet": ["Hi, grace", 1, "0"],
        "parents": ["start"],
        "children": ["join"],
        "attempt": "Hi, grace",
        "artifact": "Hi, grace",
        "tagged": [1, 0],
        "tags": ["seen"],
        "system tag": "MetaflowTaggingError",
        "no run": "MetaflowNotFound",
    }


def _runner(folder: Path, env: dict[str, str]) -> Callable[..., str]:
    def run(*words: str, fails: bool = False) -> str:
        ended = subprocess.run(
            [str(PYTHON), *words],
            cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert (ended.returncode != 0) is fails, ended.stdout + ended.stderr
        return ended.stdout

    return run
