"""Attempts that go on after their time limit, seen by the loop of a run."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.test_scheduler import World, start

from plait.base.pathspec import AttemptKey
from plait.base.records import FailureKind, TaskOrder
from plait.hooks.step import AttemptPlan, TimeLimit
from plait.metadata.protocol import Status
from plait.runtime.scheduler import RunPlaces, Scheduler
from plait.runtime.workers.protocol import AttemptExited, AttemptStarted, WorkerEvent

LIMIT = AttemptPlan(retries=1, limit=TimeLimit(60.0, 5.0))


class Timed(World):
    """A run whose first attempt goes on until it is killed."""

    def __init__(self, *, plan: AttemptPlan = LIMIT) -> None:
        super().__init__(plans={"start": plan})
        self.killed: list[tuple[AttemptKey, float]] = []
        self.workers.script = self.hang
        self.workers.on_kill = self.kill

    def hang(self, order: TaskOrder) -> Sequence[WorkerEvent]:
        """Begin, and do not end at the first attempt."""
        if order.key == start():
            return [AttemptStarted(order.key, 1)]
        return self.work(order)

    def kill(self, key: AttemptKey) -> Sequence[WorkerEvent]:
        """Kill an attempt as workers do."""
        self.killed.append((key, self.clock.now()))
        return [AttemptExited(key, -9)]


def test_what_goes_on_after_its_grace_is_killed_and_tried_again() -> None:
    """The failure says the limit, and the next attempt has a time of its own."""
    world = Timed()

    assert world.run().status is Status.DONE
    assert world.killed == [(start(), 1065.0)]
    sealed = world.artifacts.find_facts(start())
    assert sealed is not None
    assert sealed.failure is not None
    assert (sealed.failure.kind, sealed.failure.signal) == (FailureKind.SIGNAL, 9)
    assert sealed.failure.summary == (
        "timed out after 60 s, and was killed because it went on for 5 s after that"
    )


def test_what_ends_in_time_is_left_alone() -> None:
    """And its limit is nobody's any more, also when another attempt waits past it."""
    world = Timed(plan=AttemptPlan(retries=1, minutes_between=2, limit=TimeLimit(60.0)))

    def fail(order: TaskOrder) -> Sequence[WorkerEvent]:
        if order.key == start():
            return [AttemptStarted(order.key, 1), AttemptExited(order.key, 3)]
        return world.work(order)

    world.workers.script = fail

    assert world.run().status is Status.DONE
    assert world.killed == []
    sealed = world.artifacts.find_facts(start())
    assert sealed is not None
    assert sealed.failure is not None
    assert "exit code 3" in sealed.failure.summary


def test_the_time_until_the_code_begins_does_not_count() -> None:
    """As that of a spawned task, which imports the flow first."""
    world = Timed()
    places = RunPlaces(world.artifacts, world.logs, world.metadata, world.told, world.clock)
    Scheduler(world.key, world.state, world.workers, places, start_seconds=10.0).run()

    assert world.killed == [(start(), 1075.0)]


def test_a_result_that_was_sealed_at_the_last_moment_holds() -> None:
    """It is done, although its process was killed."""
    world = Timed()

    def seal_and_kill(key: AttemptKey) -> Sequence[WorkerEvent]:
        world.seal(TaskOrder(key))
        return [AttemptExited(key, -9)]

    world.workers.on_kill = seal_and_kill

    assert world.run().status is Status.DONE
    sealed = world.artifacts.find_facts(start())
    assert sealed is not None
    assert sealed.ok
