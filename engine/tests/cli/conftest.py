"""A small project with a flow, its command line called in this process or in one of its own."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from plait.cli.main import call_command_line
from plait.cli.session import Session

FLOW = '''
"""A flow for the tests of the command line."""

import os
import sys

from plait import FlowSpec, Parameter, step


class TrialFlow(FlowSpec):
    """Try the command line."""

    count = Parameter("count", default=3, help="How many.")
    bad = Parameter("bad", default=-1, help="Which one fails.")
    how = Parameter("how", default="raise")
    fast = Parameter("fast", default=False)
    user_title = Parameter("user_title", default="")
    unit = {"of": "length"}

    @step
    def start(self):
        """Begin."""
        self.items = list(range(self.count))
        self.next(self.work, foreach="items")

    @step
    def work(self):
        """Work on one."""
        self.square = self.input**2
        print("out", self.input)
        print("err", self.input, file=sys.stderr)
        if self.input == self.bad:
            if self.how == "exit":
                os._exit(7)
            if self.how == "sleep":
                import threading

                threading.Event().wait(60)
            raise ValueError(f"{self.input} is bad")
        self.next(self.join)

    @step
    def join(self, inputs):
        """Put it together."""
        self.squares = [i.square for i in inputs]
        self.big = list(range(1000))
        self.next(self.end)

    @step
    def end(self):
        """Say it."""
        print("caf\\u00e9", self.squares, self.user_title, self.fast)


if __name__ == "__main__":
    TrialFlow()
'''


@dataclass
class Said:
    """What a call of a command line gave."""

    code: int
    out: str
    err: str


class Project:
    """A folder with a flow and its store."""

    def __init__(self, folder: Path, source: str = FLOW, name: str = "TrialFlow") -> None:
        self.folder = folder
        self.script = folder / "trial.py"
        self.script.write_text(source)
        self.name = name
        self.store = folder / ".plait"

    def session(self) -> Session:
        """Give a fresh session of the flow, as its script would make it."""
        spec = importlib.util.spec_from_file_location("trial", self.script)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        command = (sys.executable, str(self.script))
        return Session(getattr(module, self.name), "python trial.py", command)

    def call(self, *arguments: str) -> Said:
        """Call the command line in this process, on the project's store."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = call_command_line(self.session(), [f"--datastore-root={self.store}", *arguments])
        return Said(code, out.getvalue(), err.getvalue())

    def start(self, *arguments: str, text: str | None = None, **env: str) -> Said:
        """Call the command line in a process of its own, in the project's folder."""
        done = subprocess.run(
            [sys.executable, "trial.py", *arguments],
            cwd=self.folder,
            env={**os.environ, **env},
            input=text,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def project(tmp_path) -> Project:
    """A project that has not run."""
    return Project(tmp_path)


@pytest.fixture(scope="session")
def past(tmp_path_factory) -> Project:
    """A project with two runs behind it, to read only: run 1 is done, run 2 failed in `work`."""
    project = Project(tmp_path_factory.mktemp("past"))
    assert project.start("run").code == 0
    assert (
        project.start("--with", "retry:times=1,minutes_between_retries=0", "run", "--bad", "1").code
        == 1
    )
    return project
