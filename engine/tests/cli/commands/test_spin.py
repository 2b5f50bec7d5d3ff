"""`spin`: one step alone, on what a past task had before it; nothing of it in any run."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from plait.base.errors import UsageError
from plait.base.pathspec import AttemptKey, RunKey
from plait.base.settings import StoreChoice
from plait.cli.main import call_command_line
from plait.metadata.sqlite import SQLiteMetadata
from plait.upkeep.verify import verify
from plait.wiring import spins
from plait.wiring.stores import open_stores


@pytest.fixture
def spun(tmp_path, past):
    """A project with two runs behind it: run 1 is done, run 2 failed in `work` at element 1."""
    shutil.copytree(past.store, tmp_path / ".plait")
    return type(past)(tmp_path)


def read_all(store: Path) -> dict[str, bytes]:
    """Give every file of the results and facts of runs."""
    files = [path for path in store.glob("store/**/*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


def said_by(project, *arguments: str) -> list[str]:
    """Spin, and give what is printed but for the lines with a time."""
    said = project.call("--workers", "inline", "spin", *arguments)
    assert (said.code, "error" in said.err) == (0, False)
    return [line for line in said.out.splitlines() if not line.startswith("20")]


def test_a_step_is_spun_on_the_inputs_of_a_task(spun) -> None:
    """It prints what was set and where it would go, and leaves no trace among the runs."""
    before = read_all(spun.store)
    lines = said_by(spun, "work", "--origin-run-id", "1")

    assert lines == [
        "spins work on the inputs of 1/work/2, the first of 3; --index chooses another",
        "out 0",
        "  square  int  0",
        "would go to join",
    ]
    assert read_all(spun.store) == before
    assert list((spun.store / "scratch").iterdir()) == []
    assert not (spun.store / "spins").exists()
    metadata = SQLiteMetadata(str(spun.store / "metadata.db"))
    assert [run.key.run for run in metadata.list_runs("TrialFlow")] == ["2", "1"]
    metadata.close()


def test_a_task_has_a_process_of_its_own(spun) -> None:
    """With its output on the console, the task that was there before named as its own."""
    said = spun.call("spin", "work", "--spin-pathspec", "TrialFlow/1/work/4")

    assert said.code == 0
    assert "/work/4 (pid " in said.out
    assert "] out 2\n" in said.out
    assert "  square  int  4\n" in said.out


def test_a_join_has_all_inputs(spun) -> None:
    """Of every element; large values are told by their size."""
    lines = said_by(spun, "join", "--origin-run-id=1")

    assert lines[1].startswith("  big      list  <")
    assert lines[2:] == ["  squares  list  [0, 1, 4]", "would go to end"]


def test_the_first_and_the_last_step_can_be_spun(spun) -> None:
    """The one has nothing before it, the other goes nowhere; both come to what they came to."""
    lines = said_by(spun, "start")
    assert lines[1:] == ["  items  list  [0, 1, 2]", "would go to work, 3 tasks"]
    lines = said_by(spun, "end")
    assert lines[0] == "spins end on the inputs of 1/end/6"
    assert lines[2:] == ["  it set nothing"]


def test_an_element_is_chosen_by_its_index(spun) -> None:
    """In the latest run that came to the step, which here failed at another."""
    assert said_by(spun, "work", "--index", "2")[0] == "spins work on the inputs of 2/work/4"
    assert "out 2" in said_by(spun, "--index=2", "work")


def test_a_program_is_told_of_the_task_and_finds_it(spun) -> None:
    """Where and what it is, in a file, and its store in the folder that the program asked for."""
    told = spun.folder / "told"
    kept = spun.folder / "kept"
    lines = said_by(spun, "work", "--index=2", "--announce-file", str(told), "--keep-in", str(kept))

    said = json.loads(told.read_text(encoding="utf-8"))
    assert said == {
        "flow": "TrialFlow",
        "run": "3",
        "step": "work",
        "task": "4",
        "metadata": f"local@{kept / 'metadata.db'}",
    }
    assert lines[-1] == "would go to join"
    stores = open_stores(StoreChoice(str(kept)))
    key = AttemptKey(said["flow"], said["run"], said["step"], said["task"], 0)
    artifacts = stores.artifacts("TrialFlow")
    assert artifacts.load(artifacts.get(key).artifacts["square"]) == 4
    stores.close()


def test_a_place_for_what_is_kept_that_is_none_is_told(spun) -> None:
    """As for any other part of the store."""
    (spun.store / "spins").write_text("in the way")

    said = spun.call("spin", "work", "--persist")

    assert said.code == 1
    assert said.err.startswith("error[storage-failed]: plait could not write '")


def test_a_failure_is_told_and_tried_once(spun) -> None:
    """With the traceback on the console, exit code 1, and no second attempt."""
    said = spun.call("--with", "retry", "spin", "work", "--index", "1")

    assert said.code == 1
    assert said.out.count("ValueError: 1 is bad") == 2  # its traceback, and the attempt's end
    assert said.err == (
        "error[spin-failed]: step 'work' failed\n"
        "  why: ValueError: 1 is bad\n"
        "  fix: mend it and spin it again; no run knows of this\n"
    )


def test_decorators_take_part_unless_left_out(spun) -> None:
    """`@catch` deals with a failure as it would in a run."""
    said = spun.call("--with", "catch:var=why", "spin", "work", "--index", "1")
    assert said.code == 0
    assert "failed, and was caught: ValueError: 1 is bad\n" in said.out
    assert spun.call("--with", "catch", "spin", "work", "--index=1", "--skip-decorators").code == 1


def test_values_can_be_replaced(spun) -> None:
    """By ARTIFACTS of a Python file: of what was before the step, in each input of a join."""
    module = spun.folder / "values.py"
    module.write_text("ARTIFACTS = {'square': 10 * 10}\n")
    assert "  squares  list  [100, 100, 100]" in said_by(
        spun, "join", "--artifacts-module", str(module)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ARTIFACTS = [1]", "sets no ARTIFACTS"),
        ("ARTIFACTS = {1: 2}", "sets no ARTIFACTS"),
        ("x = 1", "sets no ARTIFACTS"),
        ("1 / 0", "cannot be run\n  why: ZeroDivisionError: division by zero"),
    ],
)
def test_a_module_without_values_is_refused(spun, text, said) -> None:
    """With what is wrong with it, before anything runs."""
    module = spun.folder / "values.py"
    module.write_text(text)
    failed = spun.call("spin", "join", "--artifacts-module", str(module))
    assert failed.code == 2
    assert said in failed.err
    none = spun.call("spin", "start", "--artifacts-module", str(module))
    assert "nothing is before it that could be replaced" in none.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("wrk",), "error[bad-spin]: step 'wrk' cannot be spun: the flow has no such step"),
        (("work", "--index", "7"), "has no task of it at index 7\n  why: there is: 0, 1, 2"),
        (("work", "--index", "x"), "'x' is no index"),
        (("end", "--index", "0"), "has no task of it at index 0\n  why: the step is in no for"),
        (("work", "--spin-pathspec", "1/join/5"), "'1/join/5' is a task of step 'join'"),
        (("work", "--spin-pathspec", "1/work/9"), "error[no-such-task]"),
        (("work", "--spin-pathspec", "1/work"), "error[bad-pathspec]"),
        (("work", "--spin-pathspec=1/work/2", "--index=0"), "names the task already"),
        (("work", "--origin-run-id", "9"), "error[no-such-run]"),
        (("end", "--origin-run-id", "2"), "error[no-such-step]"),
    ],
)
def test_what_cannot_be_is_said(spun, arguments, said) -> None:
    """With the step, what is there instead, and what to write."""
    failed = spun.call("spin", *arguments)
    assert failed.code == 2
    assert said in failed.err


def test_a_flow_that_never_came_to_it(project) -> None:
    """No run at all, or none that came to the step."""
    project.store.mkdir()
    assert "error[no-such-run]" in project.call("spin", "work").err
    project.call("init")
    assert "none of the latest 50 runs came to it" in project.call("spin", "work").err


def test_results_are_kept_if_one_says_so(spun, monkeypatch) -> None:
    """In a store of their own, whole by itself: with its inputs, its log and its code."""
    module = ModuleType("trial")
    module.__file__ = str(spun.script)
    monkeypatch.setitem(sys.modules, "trial", module)  # as when the script is started
    spun.call("run")
    said = spun.call("spin", "join", "--origin-run-id", "1", "--persist")
    assert f"kept in {spun.store}/spins/1; read it with" in said.out
    spun.call("spin", "work", "--persist")
    shutil.rmtree(spun.store / "store")
    session = spun.session()
    dumped = [f"--datastore-root={spun.store}/spins/1", "dump", "4/join"]

    assert call_command_line(session, dumped) == 0
    stores = open_stores(StoreChoice(str(spun.store / "spins" / "1")))
    (task,) = stores.metadata.list_tasks(RunKey("TrialFlow", "4"), "join")
    assert task.key.task == "5"
    values = stores.artifacts("TrialFlow")
    sealed = values.get(AttemptKey(*task.key, 0))
    assert values.load(sealed.artifacts["squares"]) == [0, 1, 4]
    assert list(verify(stores)) == []
    assert stores.metadata.find_run(RunKey("TrialFlow", "4")).facts["code"]
    stores.close()
    assert sorted(path.name for path in (spun.store / "spins").iterdir()) == ["1", "2"]


def test_a_failure_is_kept_too_and_what_never_began_is_not(spun, monkeypatch) -> None:
    """What a failed step had set can be looked at; a spin that could not start leaves none."""
    said = spun.call("spin", "work", "--index", "1", "--persist")
    assert said.code == 1
    stores = open_stores(StoreChoice(str(spun.store / "spins" / "1")))
    assert list(verify(stores)) == []
    stores.close()

    def refuse(*_: object, **__: object) -> None:
        raise UsageError("no")

    monkeypatch.setattr(spins, "open_workers", refuse)
    assert spun.call("spin", "work", "--persist").code == 2
    assert [path.name for path in (spun.store / "spins").iterdir()] == ["1"]


def test_a_step_that_ends_hard_is_told(spun) -> None:
    """Its process left nothing; the spin says how it ended."""
    source = spun.script.read_text().replace('print("out", self.input)', "os._exit(7)")
    spun.script.write_text(source)
    said = spun.call("spin", "work", "--index", "0")

    assert said.code == 1
    assert "exit" in said.err
    assert "it set nothing" in said.out


def test_spawned_tasks_are_spun_too(spun) -> None:
    """In a new interpreter, which finds the store below, without decorators if so chosen."""
    said = spun.start("--workers=spawn", "spin", "join", "--origin-run-id=1", "--skip-decorators")
    assert (said.code, said.err) == (0, "")
    assert "  squares  list  [0, 1, 4]" in said.out


def test_the_folder_of_a_spin_is_claimed(spun, monkeypatch) -> None:
    """Two that begin at once get two folders."""
    (spun.store / "spins" / "1").mkdir(parents=True)
    monkeypatch.setattr(spins.os, "listdir", lambda _path: [])
    assert spins._claim(str(spun.store)).endswith("spins/2")
