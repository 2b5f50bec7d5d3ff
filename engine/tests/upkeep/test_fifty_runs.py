"""`plait gc` on a store of fifty runs of every kind: what nothing refers to goes, and no more."""

from __future__ import annotations

import io
import os
import random
from contextlib import redirect_stdout
from dataclasses import dataclass, field

import pytest
from upkeep.house import FLOW, House, large

from plait.base.layout import REMOVED_FILE, RUN_FILE, log_key, run_file_key, seal_key
from plait.base.pathspec import PARAMETERS_STEP, AttemptKey, RunKey
from plait.base.process import describe_process
from plait.cli.plait import call_plait
from plait.metadata.protocol import Status
from plait.upkeep.claim import share_values

RUNS = 50
KEPT = 10


@dataclass
class Made:
    """What was made by hand, written down beside the store."""

    house: House
    values: dict[AttemptKey, dict[str, object]] = field(default_factory=dict)
    origins: dict[AttemptKey, AttemptKey] = field(default_factory=dict)
    garbage: int = 0

    def of(self, run: str) -> list[AttemptKey]:
        """Give the tasks of a run."""
        return [key for key in self.values if key.run == run]

    def check(self, run: str) -> None:
        """Check that each task of a run has its values, and its log or that of its origin."""
        for key in self.of(run):
            for name, value in self.values[key].items():
                assert self.house.load(key, name) == value, f"{name} of {key}"
            ran = self.origins.get(key, key)
            lines = self.house.stores.logs.read(ran)
            assert [line.text for line in lines] == [f"{ran}".encode()], key

    def places(self, keys: list[str], run: str) -> list[str]:
        """Give those of some storage keys that are of a run."""
        return [key for key in keys if key.startswith(f"{FLOW}/runs/{run}/")]


@pytest.fixture
def made(house: House) -> Made:
    """Fifty runs: done, failed, lost, resumed, with shared and with own values; and garbage."""
    drawn = random.Random(50)
    made = Made(house)
    for number in range(1, RUNS + 1):
        resumes = number > 2 and number % 5 == 0
        origin = str(drawn.randint(max(1, number - 12), number - 1)) if resumes else None
        lost = {"process": {**describe_process(), "start": "1"}} if number % 7 == 0 else {}
        run = house.begin(origin=origin, parameters={"p": number}, facts=lost)
        taken = {} if origin is None else dict(enumerate(made.of(origin), 1))
        for task in range(1, 4):
            key = AttemptKey(*run, "work", str(task), 0)
            old = taken.get(task) if task < 3 else None
            if old is not None:
                ran = made.origins.get(old, old)
                house.task(run, str(task), carried=house.refs(old), origin=ran)
                made.values[key], made.origins[key] = made.values[old], ran
                continue
            values: dict[str, object] = {
                "small": (number, task),
                "shared": large(drawn.choice("abc")),
                "own": large("o") + f"{number}/{task}".encode(),
            }
            house.task(run, str(task), values, ok=number % 6 != 0 or task < 3)
            house.print(key, f"{key}".encode())
            made.values[key] = values
        if not lost:
            house.end(run, 100.0 + number, Status.FAILED if number % 6 == 0 else Status.DONE)
        if number % 10 == 0:
            # Written by a task that was killed before it could seal.
            house.stores.artifacts(FLOW).encode("lost", large("z") + bytes(number))
            made.garbage += 1
    return made


def gc(house: House, *arguments: str) -> str:
    """Call `plait gc`, which has to end well."""
    said = io.StringIO()
    with redirect_stdout(said):
        assert call_plait(["gc", f"--datastore-root={house.root}", "--files", *arguments]) == 0
    return said.getvalue()


def files_named(said: str) -> set[str]:
    """Give the storage keys of the files that `plait gc --files` named."""
    lines = [line.strip().replace(os.sep, "/") for line in said.splitlines()]
    return {line[line.index(f"{FLOW}/") :] for line in lines if f"store/{FLOW}/" in line}


def test_what_no_run_refers_to_goes_and_nothing_else(made: Made) -> None:
    """All fifty runs stay; `--dry-run` says what goes, and touches nothing."""
    before = set(made.house.files())
    planned = gc(made.house, "--dry-run")
    assert set(made.house.files()) == before
    done = gc(made.house)

    assert files_named(planned) == files_named(done) == before - set(made.house.files())
    assert len(files_named(done)) == made.garbage == 5
    assert made.house.verify() == []
    for number in range(1, RUNS + 1):
        made.check(str(number))
    assert "nothing to remove" in gc(made.house)


def test_removed_runs_take_along_what_only_they_need(made: Made) -> None:
    """Of forty removed runs stay the seals and logs that a kept one's clones need."""
    kept = [str(number) for number in range(RUNS - KEPT + 1, RUNS + 1)]
    before = set(made.house.files())
    planned = gc(made.house, "--dry-run", f"--keep-runs={KEPT}")
    assert set(made.house.files()) == before
    done = gc(made.house, f"--keep-runs={KEPT}")
    after = made.house.files()

    assert files_named(planned) == files_named(done) == before - set(after)
    assert made.house.runs() == kept[::-1]
    assert made.house.verify() == []
    for run in kept:
        made.check(run)
    clones = [key for key in made.origins if key.run in kept]
    needed = {made.origins[key] for key in clones if made.origins[key].run not in kept}
    assert needed, "the runs were made so that some kept ones need a removed one"
    left = {key for run in range(1, RUNS - KEPT + 1) for key in made.places(after, str(run))}
    claims = {
        run_file_key(key.run_key, name) for key in needed for name in (RUN_FILE, REMOVED_FILE)
    }
    assert left == claims | {of(key) for key in needed for of in (seal_key, log_key)}
    values = {
        value
        for run in kept
        for key in made.of(run)
        for value in made.values[key].values()
        if isinstance(value, bytes)
    }
    assert len(made.house.keys(f"{FLOW}/data")) == len(values)


def test_a_run_that_goes_on_loses_nothing(made: Made) -> None:
    """While it makes its tasks, the store is cleaned before and after each of them."""
    house = made.house
    origin = made.of("12")
    shared = share_values(str(house.root), FLOW)
    going = house.begin(origin="12", facts={"process": describe_process()})
    for task in range(1, 9):
        gc(house, "--keep-runs=1")
        key = AttemptKey(*going, "work", str(task), 0)
        if task <= len(origin):
            old = origin[task - 1]
            ran = made.origins.get(old, old)
            house.task(going, str(task), carried=house.refs(old), origin=ran)
            made.values[key], made.origins[key] = made.values[old], ran
        else:
            values = {"own": large("g") + bytes(task), "shared": large("a")}
            # Its value is written, and cleaned over, before anything refers to it.
            house.stores.artifacts(FLOW).encode("own", values["own"])
            gc(house)
            house.task(going, str(task), values)
            house.print(key, f"{key}".encode())
            made.values[key] = values
    assert house.runs() == [going.run, *sorted(_chain("12", made), key=int, reverse=True)]
    assert shared is not None
    os.close(shared)
    house.end(going, 200.0)
    gc(house, "--keep-runs=1")

    assert house.runs() == [going.run]
    assert house.verify() == []
    made.check(going.run)
    parameters = house.stores.artifacts(FLOW).get(AttemptKey(*going, PARAMETERS_STEP, "0", 0))
    assert parameters.facts.ok


def _chain(run: str, made: Made) -> list[str]:
    """Give a run and all that it resumes, one by way of another."""
    found = []
    at: str | None = run
    while at is not None:
        found.append(at)
        record = made.house.stores.metadata.find_run(RunKey(FLOW, at))
        at = None if record is None else record.origin_run
    return found
