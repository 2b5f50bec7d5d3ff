"""Runs that are killed at random instants, and resumed: as if nobody had killed them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from waiting import PATIENCE

from plait import Flow, Run, default_metadata, default_namespace, metadata, namespace
from plait.base.settings import StoreChoice
from plait.upkeep.verify import verify
from plait.wiring.stores import open_stores

KILLS = int(os.environ.get("PLAIT_TEST_KILLS", "4"))
"""How many instants to try; `tox -e torture` tries fifty."""

FLOW = '''
import os

from plait import FlowSpec, current, retry, step


def mark(flow):
    """Leave word that a task ran, with its place, before it has finished."""
    flow.place = (current.step_name, *(frame[0] for frame in flow.foreach_stack()))
    name = "-".join(map(str, [current.run_id, *flow.place]))
    with open(os.path.join("marks", name), "a") as file:
        file.write("x")


class Killed(FlowSpec):
    @step
    def start(self):
        mark(self)
        self.big = bytes(range(256)) * 400
        self.xs = list(range(6))
        self.next(self.fan, foreach="xs")

    @step
    def fan(self):
        mark(self)
        self.x = self.input
        self.ys = list(range(self.x % 4))
        self.next(self.leaf, foreach="ys")

    @retry(times=1, minutes_between_retries=0)
    @step
    def leaf(self):
        mark(self)
        if self.input == 1 and current.retry_count == 0:
            os._exit(7)
        self.y = self.x * 10 + self.input
        self.row = bytes([self.x, self.input]) * 40_000
        self.next(self.gather)

    @step
    def gather(self, inputs):
        mark(self)
        self.rows = [i.row for i in inputs]
        self.sums = [i.y for i in inputs]
        self.next(self.split)

    @step
    def split(self):
        mark(self)
        self.next(self.left, self.right)

    @step
    def left(self):
        mark(self)
        self.way = ("left", sum(self.sums))
        self.next(self.meet)

    @step
    def right(self):
        mark(self)
        self.way = ("right", len(self.rows))
        self.next(self.meet)

    @step
    def meet(self, inputs):
        mark(self)
        self.ways = [i.way for i in inputs]
        self.next(self.join)

    @step
    def join(self, inputs):
        mark(self)
        self.all = [i.ways for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        mark(self)


if __name__ == "__main__":
    Killed()
'''


class Place:
    """A folder with the flow in it, read by the client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "marks").mkdir(parents=True)
        (folder / ".plait").mkdir()
        (folder / "flow.py").write_text(FLOW, encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PLAIT_")}
        return subprocess.Popen(
            [sys.executable, "flow.py", *arguments, "--max-workers", "4"],
            cwd=self.folder,
            env={**kept, "PLAIT_USER": "t", "PLAIT_DATASTORE_ROOT": str(self.folder / ".plait")},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def call(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, said

    def read(self) -> None:
        """Let the client read here."""
        metadata(f"local@{self.folder}")
        namespace(None)

    def places(self, run: str) -> set[str]:
        """Give where the code of tasks ran in a run."""
        return {
            mark.name.partition("-")[2]
            for mark in (self.folder / "marks").iterdir()
            if mark.name.startswith(f"{run}-")
        }


def values_of(run: Run) -> dict[str, dict[str, Any]]:
    """Give all artifacts of all tasks of a run that succeeded, by their places."""
    tasks = [task for step in run for task in step if task.successful]
    found = {task: {artifact.id: artifact.data for artifact in task} for task in tasks}
    return {"-".join(map(str, values["place"])): values for values in found.values()}


@dataclass(frozen=True)
class Whole:
    """A run that nobody killed: what it left, and how long it took with its program's start."""

    values: dict[str, dict[str, Any]]
    seconds: float


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Run the flow to its end."""
    place = Place(tmp_path_factory.mktemp("whole") / "project")
    begun = time.monotonic()
    code, said = place.call("run")
    seconds = time.monotonic() - begun
    assert code == 0, said
    place.read()
    return Whole(values_of(Run("Killed/1")), seconds)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a place in which the client reads."""
    made = Place(tmp_path / "project")
    made.read()
    yield made
    default_metadata()
    default_namespace()


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_run_killed_at_any_instant_is_resumed_as_if_it_had_not_been(
    place: Place, whole: Whole, seed: int
) -> None:
    """All that it finished is taken over, all else runs, and every value is the same."""
    instant = random.Random(seed).uniform(0, whole.seconds)
    process = place.start("run")
    try:
        process.communicate(timeout=instant)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
    code, said = place.call("resume")
    if code == 2 and "error[nothing-to-resume]" in said:
        assert place.places("1") == set()
        code, said = place.call("run")
    assert code == 0, said

    place.read()
    latest = Flow("Killed").latest_run
    assert latest is not None
    assert values_of(latest) == whole.values
    if latest.origin_run_id is not None:
        finished = set(values_of(Run(f"Killed/{latest.origin_run_id}")))
        assert place.places(latest.id) == set(whole.values) - finished
    assert list(verify(open_stores(StoreChoice(str(place.folder / ".plait"))))) == []
