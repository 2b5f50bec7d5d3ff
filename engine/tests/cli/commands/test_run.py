"""`run`: parameters, options, exit codes, and what is kept of a run."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from plait.base.pathspec import RunKey
from plait.cli.main import ENTRIES
from plait.flow.declarations import RESERVED_NAMES
from plait.metadata.protocol import Status
from plait.wiring.stores import open_source


def values(project, pathspec: str) -> dict[str, dict[str, object]]:
    """Give what `dump --file` gives of *pathspec*."""
    file = project.folder / "values.pickle"
    assert project.call("dump", pathspec, "--file", str(file)).code == 0
    loaded: dict[str, dict[str, object]] = pickle.loads(file.read_bytes())
    return loaded


def user_tags(project) -> frozenset[str]:
    """Give the tags that run 1 was given."""
    stores = open_source(f"local@{project.store}")
    run = stores.metadata.find_run(RunKey("TrialFlow", "1"))
    stores.close()
    assert run is not None
    return run.user_tags


def test_a_run_that_goes_well_ends_with_0(project):
    """Tasks' lines are on the console with their task, and the run says how it ended."""
    said = project.start("run", "--count", "2")

    assert said.code == 0
    assert said.err == ""
    lines = said.out.splitlines()
    assert "TrialFlow run 1 began: tasks by fork, results in" in lines[0]
    assert any("[1/work/2 (pid " in line and line.endswith(" out 0") for line in lines)
    assert "TrialFlow run 1 is done after" in lines[-1]


def test_a_failed_run_ends_with_1(past):
    """The first failure comes on stderr, with the traceback from the user's first frame on."""
    said = past.start("--datastore-root", str(past.folder / "other"), "run", "--bad", "2")

    assert said.code == 1
    assert said.err.splitlines()[:3] == [
        "error[task-failed]: step 'work' failed: task 1/work/4, attempt 0 (trial.py:39)",
        "  why: ValueError: 2 is bad",
        "  fix: 'python trial.py logs 1/work/4' shows what it printed",
    ]
    assert said.err.splitlines()[4] == "Traceback (most recent call last):"
    assert f'File "{past.script}", line 39, in work' in said.err
    assert said.err.count("  File ") == 1


HEEDING = """
import os, signal, sys
# What was started in the background has it ignored, and hands that on.
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_an_interrupted_run_ends_with_130(project):
    """Ctrl-C stops the run in an orderly way."""
    process = subprocess.Popen(
        [sys.executable, "-c", HEEDING, "trial.py", "run", "--bad", "1", "--how", "sleep"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "err 1" in line:
            break
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "was interrupted" in out
    assert "Traceback" not in err
    assert time.monotonic() - begun < 20


BEGUN = """
import os, signal, sys
from plait.cli.console import Console
from plait.runtime.reporter import RunBegan

report = Console.report

def report_and_end(self, event):
    if isinstance(event, RunBegan):
        os.kill(os.getpid(), number)
    report(self, event)

Console.report = report_and_end
number = int(sys.argv.pop())
# What was started in the background, or by nohup, has them ignored.
signal.signal(number, signal.SIG_DFL)
sys.argv.pop(0)
import runpy
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has none of these signals to send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_as_it_begins_is_interrupted(project, number):
    """It is recorded by then, and has not begun to count signals; it does not seem lost."""
    done = subprocess.run(
        [sys.executable, "-c", BEGUN, "trial.py", "run", str(int(number))],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 130, done.stderr
    with closing(open_source(f"local@{project.store}")) as stores:
        run = stores.metadata.find_run(RunKey("TrialFlow", "1"))
    assert run is not None
    assert run.status is Status.INTERRUPTED


def test_tags_come_from_the_environment(project):
    """One variable holds many tags, quoted as in a shell."""
    said = project.start("run", "--count", "0", PLAIT_RUN_TAG="nightly 'second try'")

    assert said.code == 0
    assert user_tags(project) == {"nightly", "second try"}


@pytest.mark.parametrize("workers", ["fork", "spawn", "inline"])
def test_parameters_reach_the_flow(project, workers):
    """Values come from options, written with `_` or `-`; a truth value may stand alone."""
    said = project.start(
        *("--workers", workers, "run", "--count", "1"), *("--user-title", "a b", "--fast")
    )

    assert said.code == 0, said.err
    assert "café [0] a b True" in said.out


def test_a_run_in_this_process(project):
    """A run with --workers inline, called as a function, keeps its results like any other."""
    said = project.call(*("--workers", "inline", "run"), "--fast=false", "--user_title=x")

    assert said.code == 0, said.err
    (end,) = values(project, "1/join").values()
    assert end["squares"] == [0, 1, 4]
    assert (end["fast"], end["user_title"]) == (False, "x")


def test_a_failure_in_this_process(project):
    """The exit code of the function is that of the program."""
    assert project.call("--workers", "inline", "--quiet", "run", "--bad", "0").code == 1


def test_parameters_come_from_the_environment(project):
    """PLAIT_RUN_<NAME> gives a parameter's value; the command line wins over it."""
    said = project.start("run", "--count", "1", PLAIT_RUN_COUNT="2", PLAIT_RUN_USER_TITLE="env")

    assert "café [0] env False" in said.out


def test_quiet_prints_what_tasks_print(project):
    """With --quiet, plait itself says nothing of a run that goes well."""
    said = project.start("--quiet", "run", "--count", "1")

    assert said.code == 0
    assert [line.split("] ", 1)[1] for line in said.out.splitlines()] == [
        "out 0",
        "err 0",
        "café [0]  False",
    ]


def test_tags_and_the_id_are_recorded(project):
    """Tags may have spaces, and the id is in the file that was asked for."""
    file = project.folder / "id"
    said = project.call(
        *("--workers", "inline", "run", "--count", "1"),
        *("--tag", "a b", "--tag", "é", "--run-id-file", str(file)),
    )

    assert said.code == 0
    assert file.read_text().strip() == "1"
    assert user_tags(project) == {"a b", "é"}


def test_decorators_on_both_sides_of_the_command_add_up(project):
    """`--with` may stand before the command, after it, or both."""
    said = project.start("--with", "retry:times=5", "run", "--with", "catch:var=c", "--count", "1")

    assert said.code == 1
    assert "error[too-many-attempts]" in said.err


def test_the_log_has_a_limit(project):
    """--max-log-size keeps that much of each attempt's output, in megabytes."""
    said = project.start("run", "--count", "1", "--max-log-size", "0.000002")

    assert said.code == 0
    assert "has reached its limit of 2 bytes" in project.call("logs", "1/work/2").out


@pytest.mark.parametrize("size", ["nan", "inf"])
def test_a_limit_of_the_log_is_a_size(project, size):
    """What is a float and no number of megabytes is refused."""
    said = project.call("run", "--max-log-size", size)

    assert said.code == 2
    assert f"{size} is not a size" in said.err


def test_an_id_that_cannot_be_written_leaves_no_draft(project):
    """The file that was asked for is a folder; nothing else is left beside it."""
    folder = project.folder / "taken"
    folder.mkdir()
    before = {path.name for path in project.folder.iterdir()}
    said = project.call("run", "--run-id-file", str(folder))

    assert (said.code, "unwritable-run-id-file" in said.err) == (1, True)
    left = {path.name for path in project.folder.iterdir()} - before
    assert left <= {".plait", "__pycache__"}


@pytest.mark.parametrize("file", ["", "missing/id"])
def test_a_run_whose_id_cannot_be_told_does_not_begin(project, file):
    """A folder, and a file in a folder that is not there, are refused before there is a run."""
    said = project.call("run", "--run-id-file", str(project.folder / file))

    assert (said.code, "unwritable-run-id-file" in said.err) == (1, True)
    assert "has no run '1'" in project.call("dump", "1").err


def test_bad_values_are_told_all_at_once(project):
    """Every parameter with a bad value is named."""
    said = project.call("run", "--count", "x", "--fast", "perhaps")

    assert said.code == 2
    assert "'count'" in said.err
    assert "'fast'" in said.err


def test_every_option_of_run_is_a_reserved_parameter_name(project):
    """No parameter can hide an option of the command line."""
    from plait.cli.commands.init import init
    from plait.cli.commands.run import run

    names = {
        name.removeprefix("--")
        for command in (run, init)
        for option in command.params
        for name in option.opts
        if name.startswith("--")
    }
    assert names <= RESERVED_NAMES
    assert "run" in {entry.name for entry in ENTRIES}


def test_the_run_goes_on_when_the_reader_leaves(project):
    """`run | head -1` ends the printing, not the run."""
    command = f"{sys.executable} trial.py run | head -1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=project.folder, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("0\n", "")
    assert list(values(project, "1/end")) == ["TrialFlow/1/end/6"]
