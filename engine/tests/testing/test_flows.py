"""`run_flow`, and the fixtures that pytest finds: whole flows in a test."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from plait import FlowSpec, Parameter, step
from plait.flow.parameters import InvalidParameters
from plait.testing import run_flow

calls: list[int] = []


class Squares(FlowSpec):
    """Squares of some numbers."""

    count = Parameter("count", default=3)

    @step
    def start(self):
        """Fan out."""
        self.numbers = list(range(self.count))
        self.next(self.square, foreach="numbers")

    @step
    def square(self):
        """Do one."""
        calls.append(self.input)
        print("squaring", self.input)
        self.result = 6 / (self.input - 5) if self.count > 5 else self.input**2
        self.next(self.join)

    @step
    def join(self, inputs):
        """Collect."""
        self.results = [i.result for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        """End."""


def test_a_whole_flow_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, with the client's run, and not a file."""
    monkeypatch.chdir(tmp_path)
    calls.clear()

    run = run_flow(Squares, count=4, tags=["test"])

    assert run.successful
    assert run.data is not None
    assert run.data.results == [0, 1, 4, 9]
    assert calls == [0, 1, 2, 3]
    assert run.user_tags == {"test"}
    assert {task.stdout for task in run["square"]} == {f"squaring {n}\n" for n in range(4)}
    assert list(tmp_path.iterdir()) == []


def test_a_flow_that_fails_gives_its_run() -> None:
    """As the client shows any; decorators for all steps may be given."""
    failed = run_flow(Squares, parameters={"count": 6})
    caught = run_flow(Squares, parameters={"count": 6}, with_=["retry:times=0"])

    assert (failed.status, caught.status) == ("failed", "failed")
    assert failed.data is None
    with pytest.raises(InvalidParameters, match="did you mean 'count'"):
        run_flow(Squares, cuont=1)


def test_every_run_has_a_store_of_its_own() -> None:
    """So no test sees another's."""
    assert [run_flow(Squares).id for _ in range(2)] == ["1", "1"]


TESTS = '''
from plait import FlowSpec, Parameter, step

class Hello(FlowSpec):
    name = Parameter("name", default="you")

    @step
    def start(self):
        self.greeting = f"hello {self.name}"
        self.next(self.end)

    @step
    def end(self):
        pass


def test_class(plait_flow):
    """In memory."""
    assert plait_flow(Hello, name="ada").data.greeting == "hello ada"


def test_file(flow_runner, tmp_path, request):
    """In a process."""
    file = tmp_path / "hello.py"
    file.write_text(request.path.read_text() + "\\nif __name__ == '__main__': Hello()")
    running = flow_runner(file).run(name="eve")
    assert running.run.data.greeting == "hello eve"
    assert (tmp_path / ".plait").is_dir()


def test_nothing_is_loaded_for_nothing():
    """The plugin costs nothing where it is not used."""
    import plait.testing

    assert sorted(plait.testing.__all__) == dir(plait.testing)
'''


def test_the_fixtures_of_the_plugin(tmp_path: Path) -> None:
    """As a user's tests get them, who has plait installed."""
    (tmp_path / "test_hello.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "plait.testing.plugin",
         "-p", "no:cacheprovider", "test_hello.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )  # fmt: skip

    assert "3 passed" in done.stdout, done.stdout
    assert not (tmp_path / ".plait").exists()


def test_the_fixtures_in_this_process(
    plait_flow: Any, flow_runner: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One in memory, one by a process whose output is not shown."""
    script = tmp_path / "hello.py"
    script.write_text(TESTS + "\nif __name__ == '__main__':\n    Hello()\n", encoding="utf-8")

    assert plait_flow(Squares, count=2).data.results == [0, 1]
    assert capfd.readouterr().out == "squaring 0\nsquaring 1\n"
    assert flow_runner(script).run().run.data.greeting == "hello you"
    assert capfd.readouterr().out == ""


def test_the_entry_point_names_the_plugin() -> None:
    """What pytest looks for in an installed plait; loading it loads no flow machinery."""
    project = Path(__file__).parents[3] / "pyproject.toml"
    points = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"]
    plugin = import_module(points["pytest11"]["plait"])

    assert plugin.plait_flow
    assert plugin.flow_runner
    code = (
        "import sys, pytest; before = set(sys.modules); import plait.testing.plugin\n"
        "print(*sorted(n for n in set(sys.modules) - before if n.startswith('plait')))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8", check=True
    ).stdout.split()
    assert {name.split(".")[1] for name in loaded if "." in name} == {
        "base", "client", "metadata", "testing",
    }  # fmt: skip


def test_a_name_that_testing_has_not() -> None:
    """As for any module."""
    import plait.testing

    with pytest.raises(AttributeError, match="has no attribute 'run_stop'"):
        _ = plait.testing.run_stop
