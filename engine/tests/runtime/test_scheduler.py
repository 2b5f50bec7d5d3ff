"""The loop of a run, with scripted workers and stores in memory: what is kept and told."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from plait.artifacts.store import ArtifactStore
from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.records import AttemptFacts, Failure, FailureKind, TaskOrder, Transition
from plait.base.records import TransitionKind as Kind
from plait.graph.model import Graph, Node
from plait.hooks.step import AttemptPlan
from plait.logs.lines import text_of
from plait.logs.store import LogStore
from plait.metadata.memory import MemoryMetadata
from plait.metadata.protocol import NewRun, Status
from plait.runtime import reporter as told
from plait.runtime.options import RunOutcome
from plait.runtime.scheduler import GRACE_SECONDS, RunPlaces, Scheduler
from plait.runtime.state import RunState
from plait.runtime.workers.protocol import (
    AttemptExited,
    AttemptStarted,
    LaunchFailed,
    OutputArrived,
    WorkerEvent,
)
from plait.storage.memory import MemoryStorage
from plait.upkeep.liveness import BEAT_SECONDS


def node(name: str, *targets: str, line: int = 1) -> Node:
    """Give a node of a row of steps."""
    kind = Kind.LINEAR if targets else None
    return Node(name, "", "f.py", line, is_join=False, kind=kind, targets=targets)


ROW = Graph("F", "", {"start": node("start", "end"), "end": node("end")})


@dataclass
class FakeClock:
    """A clock that is moved by hand."""

    time: float = 1000.0

    def now(self) -> float:
        return self.time

    def elapsed(self) -> float:
        return self.time


@dataclass
class Told:
    """A reporter that remembers."""

    events: list[told.Event] = field(default_factory=list)

    def report(self, event: told.Event) -> None:
        self.events.append(event)

    def of(self, kind: type) -> list[told.Event]:
        return [event for event in self.events if isinstance(event, kind)]


Script = Callable[[TaskOrder], Sequence[WorkerEvent]]


class ScriptedWorkers:
    """Workers whose attempts do what a script says, one event at a poll."""

    def __init__(self, script: Script, clock: FakeClock) -> None:
        self.script = script
        self.clock = clock
        self.events: deque[WorkerEvent] = deque()
        self.stops: list[bool] = []
        self.waits: list[float | None] = []
        self.on_stop: Callable[[bool], Sequence[WorkerEvent]] = lambda _kill: ()
        self.on_kill: Callable[[AttemptKey], Sequence[WorkerEvent]] = lambda _key: ()

    def launch(self, order: TaskOrder) -> None:
        self.events.extend(self.script(order))

    def poll(self, timeout: float | None) -> Sequence[WorkerEvent]:
        self.waits.append(timeout)
        if self.events:
            return [self.events.popleft()]
        assert timeout is not None
        assert len(self.waits) < 1000, "the run waits for nothing"
        self.clock.time += timeout
        return ()

    def wake(self) -> None:
        pass

    def stop(self, *, kill: bool) -> None:
        self.stops.append(kill)
        self.events.extend(self.on_stop(kill))

    def kill(self, key: AttemptKey) -> None:
        self.events.extend(self.on_kill(key))

    def close(self) -> None:
        pass


class World:
    """A run with stores in memory."""

    def __init__(self, *, plans: dict[str, AttemptPlan] | None = None) -> None:
        storage = MemoryStorage()
        self.clock = FakeClock()
        self.artifacts = ArtifactStore(storage, "F")
        self.logs = LogStore(storage)
        self.metadata = MemoryMetadata()
        self.told = Told()
        self.key = self.metadata.create_run(NewRun("F", self.clock.now()))
        self.workers = ScriptedWorkers(self.work, self.clock)
        self.state = RunState(self.key, ROW, plans or {}, max_workers=4, max_num_splits=10)

    def work(self, order: TaskOrder) -> Sequence[WorkerEvent]:
        """Do as a good task does."""
        self.seal(order)
        return [AttemptStarted(order.key, 4711), AttemptExited(order.key, 0)]

    def seal(self, order: TaskOrder, failure: Failure | None = None) -> None:
        """Seal an attempt as its process would."""
        at = ROW[order.key.step]
        going = Transition(Kind.LINEAR, at.targets) if at.targets and failure is None else None
        self.artifacts.seal(
            AttemptFacts(order.key, failure is None, 1.0, 2.0, transition=going, failure=failure),
            {},
            {},
        )

    def run(self) -> RunOutcome:
        places = RunPlaces(self.artifacts, self.logs, self.metadata, self.told, self.clock)
        return Scheduler(self.key, self.state, self.workers, places).run()


def start(attempt: int = 0) -> AttemptKey:
    """Give the key of an attempt at `start`."""
    return AttemptKey("F", "1", "start", "1", attempt)


def test_a_good_run_is_recorded_and_told() -> None:
    """Each attempt's begin and end, and the run's, are recorded and told in order."""
    world = World()

    assert world.run() == RunOutcome(RunKey("F", "1"), Status.DONE)
    run = world.metadata.find_run(world.key)
    assert run is not None
    assert run.status is Status.DONE
    (task,) = world.metadata.list_tasks(world.key, "end")
    assert (task.status, task.attempt, task.attempts) == (Status.DONE, 0, 1)
    kinds = [type(event).__name__ for event in world.told.events]
    assert kinds == ["AttemptBegan", "AttemptOver", "AttemptBegan", "AttemptOver", "RunOver"]


def test_lines_are_kept_and_told_up_to_the_last() -> None:
    """Output ends up in the log, also a last line without its end; shown output is not told."""
    world = World()

    def work(order: TaskOrder) -> Sequence[WorkerEvent]:
        world.seal(order)
        return [
            AttemptStarted(order.key, 1),
            OutputArrived(order.key, "stdout", b"one\ntw"),
            OutputArrived(order.key, "stderr", b"seen\n", shown=True),
            OutputArrived(order.key, "stdout", b"o"),
            AttemptExited(order.key, 0),
        ]

    world.workers.script = work
    world.run()

    assert text_of(world.logs.read(start()), "stdout") == "one\ntwo"
    assert text_of(world.logs.read(start()), "stderr") == "seen\n"
    lines = [line.text for e in world.told.of(told.LinesPrinted) for line in e.lines]  # type: ignore[attr-defined]  # LinesPrinted
    assert lines == [b"one", b"two"] * 2


def test_a_death_without_a_seal_is_sealed_as_a_failure() -> None:
    """The run's process seals on behalf of the dead, and the run fails with its words."""
    world = World()
    world.workers.script = lambda order: [
        AttemptStarted(order.key, 1),
        AttemptExited(order.key, -signal.SIGSEGV),
    ]
    outcome = world.run()

    assert (outcome.status, outcome.failed) == (Status.FAILED, start())
    sealed = world.artifacts.find_facts(start())
    assert sealed is not None
    assert sealed.failure == outcome.failure
    assert outcome.failure is not None
    assert outcome.failure.summary == "killed by SIGSEGV (a crash in native code)"
    run = world.metadata.find_run(world.key)
    assert run is not None
    assert run.failed_task == TaskKey("F", "1", "start", "1")


@pytest.mark.parametrize(
    ("code", "summary", "retry"),
    [
        (0, "its process left with exit code 0 before the step ended", True),
        (3, "its process left with exit code 3 before the step ended", True),
        (202, "its process left with exit code 202 before the step ended", False),
        (-9, "killed by SIGKILL (by a person, or by the system when memory ran out)", True),
        (-40, "killed by signal 40", True),
    ],
)
def test_every_exit_has_its_meaning(code: int, summary: str, retry: bool) -> None:
    """An exit without a result is a failure whatever its code, and says the code."""
    world = World()
    world.workers.script = lambda order: [AttemptExited(order.key, code)]
    failure = world.run().failure

    assert failure is not None
    assert (failure.summary, failure.retry) == (summary, retry)


def test_a_seal_made_at_the_last_moment_holds() -> None:
    """A process that sealed and then was killed has done its work."""
    world = World()

    def work(order: TaskOrder) -> Sequence[WorkerEvent]:
        world.seal(order)
        return [AttemptExited(order.key, -signal.SIGKILL)]

    world.workers.script = work

    assert world.run().status is Status.DONE


def test_a_launch_that_fails_is_a_failed_attempt() -> None:
    """It is sealed, told and retried like any other."""
    world = World(plans={"start": AttemptPlan(retries=1)})

    def work(order: TaskOrder) -> Sequence[WorkerEvent]:
        if order.key.attempt == 0 and order.key.step == "start":
            return [LaunchFailed(order.key, "Cannot allocate memory")]
        return world.work(order)

    world.workers.script = work

    assert world.run().status is Status.DONE
    sealed = world.artifacts.find_facts(start())
    assert sealed is not None
    assert sealed.failure is not None
    assert sealed.failure.kind is FailureKind.LAUNCH
    assert "Cannot allocate memory" in sealed.failure.summary


def test_a_retry_waits_its_time() -> None:
    """The next attempt is launched when the wait is over, on the clock, and not before."""
    world = World(plans={"start": AttemptPlan(retries=1, minutes_between=2)})

    def work(order: TaskOrder) -> Sequence[WorkerEvent]:
        if order.key == start():
            return [AttemptExited(order.key, 1)]
        return world.work(order)

    world.workers.script = work
    world.run()

    assert sum(wait for wait in world.workers.waits if wait) >= 120.0
    first = world.told.of(told.AttemptOver)[0]
    assert isinstance(first, told.AttemptOver)
    assert first.retry_in == 120.0
    (task,) = world.metadata.list_tasks(world.key, "start")
    assert (task.attempt, task.attempts) == (1, 2)


def test_a_run_that_waits_says_that_it_goes_on() -> None:
    """Every ten seconds, so that others can tell that it is not lost; a short run says nothing."""
    world = World(plans={"start": AttemptPlan(retries=1, minutes_between=2)})
    begun = world.clock.time

    def work(order: TaskOrder) -> Sequence[WorkerEvent]:
        if order.key == start():
            return [AttemptExited(order.key, 1)]
        return world.work(order)

    world.workers.script = work
    world.run()

    run = world.metadata.find_run(world.key)
    assert run is not None
    assert run.heartbeat == begun + 12 * BEAT_SECONDS
    short = World()
    short.run()
    record = short.metadata.find_run(short.key)
    assert record is not None
    assert record.heartbeat is None


def interrupt(world: World, times: int) -> Script:
    """Give a script whose first attempt goes on while somebody presses Ctrl-C."""

    def work(order: TaskOrder) -> Sequence[WorkerEvent]:
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
        return [AttemptStarted(order.key, 1)]

    del world
    return work


def test_ctrl_c_asks_and_then_kills() -> None:
    """Attempts get SIGTERM, and SIGKILL when their grace is over; the run is interrupted."""
    world = World()
    world.workers.script = interrupt(world, 1)
    world.workers.on_stop = lambda kill: [AttemptExited(start(), -9)] if kill else ()
    outcome = world.run()

    assert outcome.status is Status.INTERRUPTED
    assert world.workers.stops == [False, True]
    assert GRACE_SECONDS in world.workers.waits
    run = world.metadata.find_run(world.key)
    assert run is not None
    assert run.status is Status.INTERRUPTED


def test_what_ctrl_c_broke_off_has_not_failed() -> None:
    """An attempt that runs inline ends with the signal itself; the run is interrupted."""
    world = World()

    def work(order: TaskOrder) -> Sequence[WorkerEvent]:
        os.kill(os.getpid(), signal.SIGINT)
        return [AttemptExited(order.key, -signal.SIGINT)]

    world.workers.script = work
    outcome = world.run()

    assert (outcome.status, outcome.failure) == (Status.INTERRUPTED, None)


def test_a_signal_to_a_process_that_a_step_forked_is_its_own() -> None:
    """The handlers of the run are not for the children of a step that runs inline."""
    world = World()
    codes = []

    def work(order: TaskOrder) -> Sequence[WorkerEvent]:
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        return world.work(order)

    world.workers.script = work

    assert world.run().status is Status.DONE
    assert set(codes) == {-signal.SIGTERM}


def test_a_second_ctrl_c_kills_at_once() -> None:
    """Nobody waits for the grace when a person insists."""
    world = World()
    world.workers.script = interrupt(world, 2)
    world.workers.on_stop = lambda kill: [AttemptExited(start(), -9)] if kill else ()
    began = world.clock.now()

    assert world.run().status is Status.INTERRUPTED
    assert world.clock.now() == began
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
