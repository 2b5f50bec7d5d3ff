"""`dump`: the artifacts of tasks that are done and of those that failed, as text and as a file."""

from __future__ import annotations

import pickle

import pytest

from plait.base.text import show_name
from plait.cli.commands.dump import show_value


def test_a_step_is_dumped_task_by_task(past):
    """The tasks of a step come in order of their ids, each with its artifacts by name."""
    said = past.call("dump", "1/work", "--include", "square,count")

    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "1/work/2\n  square  int  0\n  count   int  3\n"
        "\n1/work/3\n  square  int  1\n  count   int  3\n"
        "\n1/work/4\n  square  int  4\n  count   int  3\n"
    )


def test_a_task_shows_what_it_sees(past):
    """Parameters, class attributes and artifacts from the steps before are there too."""
    said = past.call("dump", "TrialFlow/1/work/3")

    assert said.out.splitlines() == [
        "1/work/3",
        "  bad         int   -1",
        "  count       int   3",
        "  fast        bool  False",
        "  how         str   'raise'",
        "  items       list  [0, 1, 2]",
        "  square      int   1",
        "  unit        dict  {'of': 'length'}",
        "  user_title  str   ''",
    ]


@pytest.mark.parametrize("run", ["1", "TrialFlow/1"])
def test_a_run_is_dumped_task_by_task(past, run):
    """The tasks of all steps come in order of their ids."""
    said = past.call("dump", run, "--include", "count")

    heads = [line for line in said.out.splitlines() if line.startswith("1/")]
    assert heads == ["1/start/1", "1/work/2", "1/work/3", "1/work/4", "1/join/5", "1/end/6"]


def test_private_artifacts_are_shown_on_request(past):
    """plait's own artifacts begin with an underscore."""
    assert "_foreach" not in past.call("dump", "1/work/3").out
    assert "_foreach" in past.call("dump", "1/work/3", "--private").out


def test_large_values_are_left_out(past):
    """A large value is shown only when it is asked for; the line says how."""
    said = past.call("dump", "1/join", "--include", "big")
    assert "bytes; --max-value-size " in said.out
    size = said.out.rsplit("--max-value-size ", 1)[1].split()[0]

    said = past.call("dump", "1/join", "--include", "big", "--max-value-size", size)
    assert "998, 999]" in said.out


def test_a_failed_task_is_dumped_with_its_failure(past):
    """What a failed task had set is there, and so is why it failed."""
    said = past.call("dump", "2/work", "--include", "square")

    assert said.code == 0
    assert "2/work/3  failed: ValueError: 1 is bad\n  square  int  1\n" in said.out


def test_a_file_holds_every_value(past, tmp_path):
    """--file writes a pickle of {pathspec: {name: value}}, large values included."""
    file = tmp_path / "out.pickle"
    said = past.call("dump", "1/join", "--file", str(file))

    assert said.out == f"the artifacts of 1 task are in {file}\n"
    loaded = pickle.loads(file.read_bytes())
    assert list(loaded) == ["TrialFlow/1/join/5"]
    assert loaded["TrialFlow/1/join/5"]["squares"] == [0, 1, 4]
    assert len(loaded["TrialFlow/1/join/5"]["big"]) == 1000
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_may_leave_large_values_out(past, tmp_path):
    """--max-value-size counts for files if it is given."""
    file = tmp_path / "out.pickle"
    past.call("dump", "1/join", "--file", str(file), "--max-value-size", "1000")

    assert "big" not in pickle.loads(file.read_bytes())["TrialFlow/1/join/5"]


def test_a_file_that_cannot_be_written_leaves_nothing(past, tmp_path):
    """An error of the system is told as one, and no draft is left."""
    (tmp_path / "taken").mkdir()
    said = past.call("dump", "1/join", "--file", str(tmp_path / "taken"))

    assert said.code == 1
    assert said.err.startswith("error[system-refused]: the system refused: ")
    assert f"'{tmp_path / 'taken'}'" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("pathspec", "error"),
    [
        (
            "1/work/3/0",
            "error[bad-pathspec]: '1/work/3/0' is not a pathspec of the form run[/step[/task]]",
        ),
        ("30", "error[no-such-run]: TrialFlow has no run '30'\n"),
        ("1//2", "error[bad-pathspec]"),
        (
            "30/work",
            "error[no-such-run]: TrialFlow has no run '30'\n  why: its latest runs are 2, 1; ",
        ),
        (
            "1/wrok",
            "error[no-such-step]: run '1' has no task of a step 'wrok'\n  why: did you mean",
        ),
        ("2/join", "error[no-such-step]: run '2' has no task of a step 'join'\n"),
        ("1/wrok/2", "error[no-such-step]"),
        (
            "1/work/9",
            (
                "error[no-such-task]: step 'work' of run '1' has no task '9'\n"
                "  why: its tasks are 2, 3, 4\n"
            ),
        ),
        ("1/work/x", "error[no-such-task]"),
        (
            "OtherFlow/1",
            (
                "error[no-such-run]: 'OtherFlow' is no run of TrialFlow\n"
                "  why: a run's id is a number; the latest are "
            ),
        ),
    ],
)
@pytest.mark.parametrize("command", ["dump", "logs"])
def test_what_is_not_there_is_told_with_what_is(past, command, pathspec, error):
    """A name that leads nowhere is answered with the nearest one."""
    said = past.call(command, pathspec)

    assert said.err.startswith(error)
    assert (said.code, said.out) == (2, "")


def test_a_flow_that_never_ran_says_so(project):
    """Reading before the first run makes no store."""
    (project.folder / ".plait").mkdir()

    said = project.call("dump", "1/work")

    assert "why: it has not run yet; looked in " in said.err
    assert "fix: 'python trial.py run' runs it" in said.err


def test_a_folder_that_is_no_store_is_an_error(project):
    """--datastore-root has to lead somewhere."""
    assert project.call("dump", "1/work").err.startswith("error[no-such-store]")


def test_an_unknown_artifact_is_told_with_the_nearest(past):
    """--include names artifacts that at least one task has."""
    said = past.call("dump", "1/work", "--include", "squares")

    assert said.code == 2
    assert said.err.startswith(
        "error[no-such-artifact]: '1/work' has no artifact 'squares'\n"
        "  why: did you mean 'square'?\n"
    )


def test_a_value_that_cannot_be_read_does_not_hide_the_others(past, tmp_path):
    """Where one value is damaged, the others are shown, and the exit code tells."""
    import shutil

    project = type(past)(tmp_path)
    shutil.copytree(past.store, project.store)
    (seal,) = project.store.glob("store/TrialFlow/runs/1/join/*.attempt")
    data = bytearray(seal.read_bytes())
    data[-3] ^= 255
    seal.chmod(0o644)
    seal.write_bytes(data)

    said = project.call("dump", "1/join", "--max-value-size", "100000")

    assert said.code == 1
    assert said.err.startswith("error[damaged-")
    assert "<cannot be read>" in said.out
    assert "count" in said.out


def test_a_name_is_one_line():
    """Names set by `setattr` may hold anything; what a terminal obeys is shown as an escape."""
    assert show_name("wörter, zwei") == "wörter, zwei"
    assert show_name("a\nb\x1b[31m") == "a\\nb\\x1b[31m"


def test_values_are_shown_as_python_writes_them():
    """Short values take one line; what needs more begins on a line of its own."""
    assert list(show_value({"b": 1, "a": 2})) == ["{'b': 1, 'a': 2}"]
    first, *rest = show_value(["x" * 60] * 3)
    assert first == ""
    assert len(rest) == 3


def test_a_value_that_cannot_show_itself():
    """A repr() that raises is told, not passed on."""

    class Shy:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    (line,) = show_value(Shy())
    assert "Shy, whose repr() raised RuntimeError: no>" in line
