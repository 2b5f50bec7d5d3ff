"""The option --coverage: which lines of a flow are reached, and where that can't be measured."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from coverage import CoverageData

from plait.wiring.measuring import VARIABLE, CannotMeasure, measured_command, start_over


@pytest.mark.parametrize("workers", ["fork", "spawn"])
def test_a_run_is_measured_in_all_its_processes(project, workers) -> None:
    """Lines of the module and of tasks are reached; what no task came to is not."""
    said = project.start("--coverage", "--workers", workers, "run", "--count", "1")

    data = CoverageData(str(project.folder / ".coverage"))
    data.read()
    reached = {
        line.strip()
        for number, line in enumerate(project.script.read_text().splitlines(), 1)
        if number in (data.lines(str(project.script)) or ())
    }
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1].startswith("coverage of the flow's code: ")
    assert {"class TrialFlow(FlowSpec):", "self.square = self.input**2", "TrialFlow()"} <= reached
    assert "os._exit(7)" not in reached


def test_a_quiet_run_says_nothing_of_it(project) -> None:
    """A resume is measured, too; the environment asks for it as well."""
    project.start("--quiet", "run", "--count", "1")
    said = project.start("--quiet", "resume", "end", PLAIT_COVERAGE="1")

    assert (said.code, said.err) == (0, "")
    assert len(said.out.splitlines()) == 1
    assert (project.folder / ".coverage").exists()


def test_a_flow_that_is_no_file_cannot_be_measured() -> None:
    """It could not be started over."""
    with pytest.raises(CannotMeasure, match="came from a pipe"):
        start_over((), ["run"])


def test_without_the_package_nothing_can_be_measured(project, monkeypatch) -> None:
    """The message says what to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    said = project.call("--coverage", "run")

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "error[cannot-measure]: the coverage of this run cannot be measured\n"
        "  why: it is measured by the package 'coverage', which is not installed\n"
        "  fix: install it: pip install 'plait[coverage]'\n"
    )


def test_the_program_is_started_over_with_its_arguments(monkeypatch) -> None:
    """The folder of the pieces is new, and the processes of the run learn of it."""
    called = []
    monkeypatch.setattr(os, "execv", lambda *given: called.append(given))
    monkeypatch.setenv(VARIABLE, "")
    assert measured_command(("python", "f.py")) == ("python", "f.py")
    start_over((sys.executable, "-m", "pack.flow"), ["--coverage", "run"])
    folder = os.environ[VARIABLE]
    shutil.rmtree(folder)

    ((program, arguments),) = called
    assert program == sys.executable
    module = arguments.index("plait.wiring.measuring")
    assert arguments[module - 1 :] == [
        "-m", "plait.wiring.measuring", folder, "-m", "pack.flow", "--coverage", "run",
    ]  # fmt: skip


def test_a_flow_in_a_package_is_measured(project) -> None:
    """As it was started, by its name."""
    package = project.folder / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    project.script.rename(package / "flow.py")
    done = subprocess.run(
        [sys.executable, "-m", "pack.flow", "--coverage", "run", "--count", "1"],
        cwd=project.folder, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    data = CoverageData(str(project.folder / ".coverage"))
    data.read()
    assert str(package / "flow.py") in data.measured_files()
