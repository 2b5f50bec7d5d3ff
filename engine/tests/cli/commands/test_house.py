"""`plait status`, `verify` and `gc`: what has run here, whether it is whole, what may go."""

from __future__ import annotations

import io
import json
import os
import shutil
from contextlib import redirect_stderr, redirect_stdout

import pytest

from plait.base.settings import StoreChoice
from plait.cli.commands.verify import _ProgressLine
from plait.cli.house import Age, format_size
from plait.cli.plait import call_plait
from plait.cli.screen import Screen
from plait.upkeep.verify import Progress
from plait.wiring.stores import open_stores


class Plait:
    """The command `plait` on one store."""

    def __init__(self, store) -> None:
        self.store = store

    def __call__(self, command: str, *arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = call_plait([command, f"--datastore-root={self.store}", *arguments])
        return code, out.getvalue(), err.getvalue()


@pytest.fixture
def plait(past, tmp_path) -> Plait:
    """A copy of the store with two runs: run 1 is done, run 2 failed in `work`."""
    shutil.copytree(past.store, tmp_path / ".plait")
    return Plait(tmp_path / ".plait")


def test_status_shows_the_latest_runs(plait) -> None:
    """Each with its status, begin, duration, user, tags and failure."""
    from plait.base.pathspec import RunKey

    open_stores(StoreChoice(str(plait.store))).metadata.change_tags(
        RunKey("TrialFlow", "1"), add=frozenset({"nightly"})
    )
    code, out, err = plait("status")

    assert (code, err) == (0, "")
    name, second, first = out.splitlines()
    assert name == "TrialFlow"
    assert second.split()[:2] == ["2", "failed"]
    assert second.endswith("ValueError: 1 is bad")
    assert first.split()[:2] == ["1", "done"]
    assert first.endswith("nightly")
    assert plait("status", "TrialFlow", "--limit=1")[1].splitlines() == [name, second]


def test_status_takes_no_number_that_no_database_knows(plait) -> None:
    """It is refused as an option's value."""
    code, _, err = plait("status", "--limit", "9" * 30)

    assert code == 2
    assert err.startswith("error[bad-option]: --limit: ")


def test_status_tells_programs(plait) -> None:
    """`--json` has all of it."""
    said = json.loads(plait("status", "--json")[1])

    assert said["place"] == str(plait.store)
    second, first = said["runs"]
    assert set(first) == {
        "flow", "run", "status", "created", "finished", "seconds", "user", "tags", "origin_run",
        "failure", "failed_task",
    }  # fmt: skip
    assert (first["run"], first["status"], first["failure"]) == ("1", "done", None)
    assert second["failed_task"].startswith("TrialFlow/2/work/")
    assert first["finished"] - first["created"] == pytest.approx(first["seconds"])


def test_status_of_nothing(plait, tmp_path) -> None:
    """A flow that has not run, a folder where nothing has."""
    code, _, err = plait("status", "TrailFlow")
    assert code == 2
    assert err.startswith("error[no-such-flow]: flow 'TrailFlow' has no runs here\n")
    assert "did you mean 'TrialFlow'?" in err
    (tmp_path / "empty").mkdir()
    empty = Plait(tmp_path / "empty")
    assert empty("status") == (0, f"no flow has run in {empty.store}\n", "")
    assert "no flow has run here" in empty("status", "F")[2]
    assert empty("verify")[0] == 0
    assert empty("gc") == (0, f"nothing to remove in {empty.store}\n", "")
    assert plait("status", "--datastore-root", str(tmp_path / "none"))[0] == 2


def test_status_records_a_lost_run(plait) -> None:
    """And says what it is even where that can't be recorded."""
    from plait.base.process import describe_process
    from plait.metadata.protocol import NewRun

    gone = {"process": {**describe_process(), "start": "1"}}
    stores = open_stores(StoreChoice(str(plait.store)))
    key = stores.metadata.create_run(NewRun("TrialFlow", 1.0, facts=gone))

    assert plait("status")[1].splitlines()[1].split()[:2] == ["3", "lost"]
    assert stores.metadata.find_run(key).status == "lost"

    key = stores.metadata.create_run(NewRun("TrialFlow", 1.0, facts=gone))
    seal = plait.store / "store" / "TrialFlow" / "runs" / key.run / "s" / "1.0.attempt"
    seal.parent.mkdir(parents=True)
    seal.write_bytes(b"?")
    code, out, err = plait("status")
    assert code == 0
    assert out.splitlines()[1].split()[:2] == ["4", "lost"]
    assert err.startswith("error[damaged-attempt]")
    assert stores.metadata.find_run(key).status == "running"


def test_verify_names_what_is_damaged(plait) -> None:
    """The exit code says whether anything is."""
    code, out, err = plait("verify")
    assert (code, err) == (0, "")
    assert out.startswith("all is well: ")

    seal = plait.store / "store" / "TrialFlow" / "runs" / "1" / "end"
    (file,) = seal.glob("*.attempt")
    file.write_bytes(b"?")
    code, out, err = plait("verify")
    assert (code, err) == (1, "")
    first, last = out.splitlines()
    assert first.startswith(f"{file} is not a seal as it was written")
    assert last.startswith("1 problem in ")


def test_gc_tells_before_it_removes(plait) -> None:
    """`--dry-run` says the same as what is done then, and does nothing."""
    assert plait("gc")[1] == f"nothing to remove in {plait.store}\n"
    code, planned, _ = plait("gc", "--dry-run", "--keep-runs=1", "--files")
    assert code == 0
    lines = planned.splitlines()
    assert lines[0].startswith("TrialFlow: 1 run, ")
    assert lines[1] == "  runs: 1"
    assert "  store/TrialFlow/runs/1/run.json" in lines
    assert "would be removed" in lines[-1]

    done = plait("gc", "--keep-runs=1", "--files")[1]
    assert done == planned.replace("would be removed", "removed")
    assert plait("status")[1].splitlines()[1].split()[0] == "2"
    assert plait("verify")[0] == 0
    assert plait("gc", "--older-than", "1d")[1] == f"nothing to remove in {plait.store}\n"


def keep_spins(plait, *, count: int) -> None:
    """Put spins that somebody kept into the store: each a copy of it as it is."""
    for number in range(1, count + 1):
        shutil.copytree(
            plait.store,
            plait.store / "spins" / str(number),
            ignore=shutil.ignore_patterns("spins"),
        )


def test_gc_removes_kept_spins_as_it_does_runs(plait) -> None:
    """By number and by age, told before, counted by themselves."""
    keep_spins(plait, count=3)
    assert plait("gc")[1] == f"nothing to remove in {plait.store}\n"
    code, planned, _ = plait("gc", "--dry-run", "--keep-runs=2", "--files")
    assert code == 0
    first, second, *files, last = planned.splitlines()
    assert first.startswith("TrialFlow: 1 kept spin, ")
    assert second == "  spins: 1"
    assert "  spins/1/metadata.db" in files
    assert "would be removed" in last
    assert (plait.store / "spins" / "1").exists()

    done = plait("gc", "--keep-runs=2", "--files")[1]
    assert done == planned.replace("would be removed", "removed")
    assert sorted(path.name for path in (plait.store / "spins").iterdir()) == ["2", "3"]
    assert plait("gc", "--older-than", "1d")[1] == f"nothing to remove in {plait.store}\n"
    assert plait("gc", "--older-than", "0s")[1].count("\n  spins: 3, 2\n") == 1
    assert list((plait.store / "spins").iterdir()) == []


def test_gc_removes_what_killed_spins_left(plait) -> None:
    """One whose process is gone, and one that had not come to anything, unless it just began."""
    from plait.base.process import describe_process
    from plait.metadata.protocol import NewRun

    for name in ("1", "7", "8", "odd"):
        (plait.store / "spins" / name).mkdir(parents=True)
    gone = {**describe_process(), "start": "0"}
    lost = open_stores(StoreChoice(str(plait.store / "spins" / "1")))
    lost.metadata.create_run(NewRun("TrialFlow", 1.0, facts={"process": gone}))
    lost.close()
    os.utime(plait.store / "spins" / "7", (1.0, 1.0))

    out = plait("gc")[1].splitlines()
    assert out[0] == "killed as they began: 1 kept spin, 0 files, 0 bytes"
    assert out[1] == "  spins: 7"
    assert out[2].startswith("TrialFlow: 1 kept spin, ")
    assert out[3] == "  spins: 1"
    assert sorted(path.name for path in (plait.store / "spins").iterdir()) == ["8", "odd"]


def test_gc_says_what_waits(plait) -> None:
    """Values that nothing refers to stay while a run goes on."""
    from plait.metadata.protocol import NewRun

    stores = open_stores(StoreChoice(str(plait.store)))
    stores.artifacts("TrialFlow").encode("x", b"x" * 70_000)
    stores.metadata.create_run(NewRun("TrialFlow", 1.0))

    out = plait("gc")[1]
    assert out.startswith("  1 value (70.0 kB) can go when no run of TrialFlow goes on\n")


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1 year", ""])
def test_an_age_needs_a_unit(plait, age) -> None:
    """What is no age is said."""
    code, _, err = plait("gc", f"--older-than={age}")

    assert code == 2
    assert err.startswith("error[bad-option]: --older-than: ")


AGES = {"90s": 90, "1.5m": 90, "12h": 43200, "30d": 2592000, "2w": 1209600}


@pytest.mark.parametrize(("text", "seconds"), AGES.items())
def test_ages_are_read(text, seconds) -> None:
    """A number and a unit."""
    assert Age().convert(text, None, None) == seconds


def test_sizes_are_told() -> None:
    """With the unit that suits."""
    sizes = [0, 1, 999, 1000, 999_900, 999_999, 5 * 10**9, 7 * 10**15]
    assert [format_size(size) for size in sizes] == [
        "0 bytes", "1 byte", "999 bytes", "1.0 kB", "999.9 kB", "1.0 MB", "5.0 GB", "7000.0 TB",
    ]  # fmt: skip


def test_progress_is_for_terminals() -> None:
    """One line, written over, taken away in the end; nothing in a pipe."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream in (Terminal(), io.StringIO()):
        line = _ProgressLine(Screen(stream))
        line.show(Progress("F", 1, 4))
        line.show(Progress("F", 2, 4))
        line.clear()
        line.clear()
        shown = "\r\x1b[KF: 1 of 4 files (25 %)\r\x1b[K"
        assert stream.getvalue() == (shown if stream.isatty() else "")
