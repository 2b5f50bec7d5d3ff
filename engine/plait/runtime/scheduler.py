"""The only loop of a run: carries out what the deciding core says, and tells it what happened."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from plait.artifacts.store import ArtifactStore, SealedAttempt
from plait.base.clock import Clock
from plait.base.garbage import collection_paused
from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import ArtifactRef, AttemptFacts, Failure, FailureKind, TaskOrder
from plait.hooks.step import TimeLimit
from plait.logs.store import LogStore, LogWriter
from plait.metadata import protocol as facts
from plait.metadata.protocol import MetadataStore
from plait.runtime import reporter as told
from plait.runtime import state as core
from plait.runtime.deaths import describe_exit
from plait.runtime.interrupts import Interrupts
from plait.runtime.options import RunOutcome
from plait.runtime.reporter import Reporter
from plait.runtime.workers import protocol as work
from plait.runtime.workers.protocol import Workers
from plait.upkeep.liveness import BEAT_SECONDS

GRACE_SECONDS = 5.0
"""How long an attempt has after SIGTERM before it is killed."""

_KILL_AT_SIGNAL = 2
_CLONES = 256
"""So many tasks that are taken over are sealed at once."""


TakeOver = Callable[[AttemptKey], SealedAttempt]
"""Gives, for a finished attempt of the run being resumed, what the resumed run seals for it."""


def take_over_nothing(attempt: AttemptKey) -> SealedAttempt:
    """Refuse, as a run does that resumes no other."""
    raise AssertionError(f"{attempt} is taken over by a run that resumes none")


@dataclass(frozen=True, slots=True)
class RunPlaces:
    """Where a run's results and facts go, and who is told."""

    artifacts: ArtifactStore
    logs: LogStore
    metadata: MetadataStore
    reporter: Reporter
    clock: Clock
    take_over: TakeOver = take_over_nothing


@dataclass(slots=True)
class _Running:
    """An attempt that was launched and has not ended."""

    order: TaskOrder
    begun: float
    log: LogWriter
    limit: TimeLimit | None = None
    pid: int = 0
    timed_out: bool = False


class Scheduler:
    """Runs one run to its end.

    Args:
        run: The run.
        state: Its deciding core, before its first event.
        workers: What starts processes.
        places: Where results go.
        max_log_bytes: The most that is kept of one attempt's log; None for all.
        start_seconds: How long a process may take until the user's code begins, which counts
            towards no limit.
    """

    def __init__(
        self,
        run: RunKey,
        state: core.RunState,
        workers: Workers,
        places: RunPlaces,
        *,
        max_log_bytes: int | None = None,
        start_seconds: float = 0.0,
    ) -> None:
        self._run = run
        self._state = state
        self._workers = workers
        self._places = places
        self._clock = places.clock
        self._max_log_bytes = max_log_bytes
        self._start_seconds = start_seconds
        self._running: dict[AttemptKey, _Running] = {}
        self._timers: list[tuple[float, str]] = []
        # When to kill what runs; whether it still does is looked up when the time has come.
        self._limits: list[tuple[float, AttemptKey]] = []
        self._facts: list[facts.Fact] = []
        # Taken over, and not yet sealed; no longer than it takes to hear the core out.
        self._clones: list[tuple[AttemptFacts, Mapping[str, ArtifactRef]]] = []
        self._tasks: set[str] = set()
        self._kill_at: float | None = None
        self._beat_at = 0.0
        self._end: core.EndRun | None = None

    def run(self) -> RunOutcome:
        """Run until nothing is left to do, and give how it ended."""
        begun = self._clock.elapsed()
        self._beat_at = begun + BEAT_SECONDS
        with Interrupts(self._workers.wake) as interrupts:
            heeded = 0
            # All that is taken over is so now, and stays.
            with collection_paused():
                self._decide(core.RunStarted())
            while self._end is None:
                self._record()
                self._tell_waiting()
                events = self._workers.poll(self._timeout())
                # Before the events: an attempt that a signal to this process broke off, as it does
                # one that runs inline, has not failed by itself.
                if interrupts.count > heeded:
                    heeded = interrupts.count
                    self._interrupt(heeded)
                for event in events:
                    self._take(event)
                self._heed_time()
            return self._finish(self._end, self._clock.elapsed() - begun)

    # What the core decided

    def _decide(self, event: core.Event) -> None:
        for action in self._state.handle(event):
            match action:
                case core.LaunchAttempt(order, limit):
                    self._launch(order, limit)
                case core.CloneTask(order, origin):
                    self._clone(order, origin.attempt)
                case core.ReportAttempt():
                    self._report(action)
                case core.AwaitRetry(task, seconds):
                    heapq.heappush(self._timers, (self._clock.elapsed() + seconds, task))
                case core.StopAttempts():
                    self._workers.stop(kill=False)
                    self._kill_at = self._clock.elapsed() + GRACE_SECONDS
                case core.EndRun():
                    self._end = action
        self._seal_clones()

    def _launch(self, order: TaskOrder, limit: TimeLimit | None) -> None:
        self._seal_clones()  # which it may be to read
        now = self._clock.now()
        log = LogWriter(self._places.logs, order.key, self._max_log_bytes)
        self._running[order.key] = _Running(order, now, log, limit)
        index = next((f.index for f in reversed(order.frames) if f.foreach is not None), None)
        self._facts.append(facts.AttemptStarted(order.key.task_key, order.key.attempt, now, index))
        self._workers.launch(order)

    def _clone(self, order: TaskOrder, origin: AttemptKey) -> None:
        """Seal a task by reference: what the origin's task left, under this run's key."""
        now = self._clock.now()
        left = self._places.take_over(origin)
        root = left.facts.origin or origin
        sealed = AttemptFacts(
            key=order.key,
            ok=True,
            started=now,
            finished=now,
            parents=order.parents,
            frames=order.frames,
            transition=left.facts.transition,
            handled=left.facts.handled,
            origin=root,
            system=left.facts.system,
        )
        self._clones.append((sealed, left.artifacts))
        if len(self._clones) >= _CLONES:
            self._seal_clones()
        self._facts.append(
            facts.TaskCloned(
                order.key.task_key, order.key.attempt, now, root.task_key, _index(order)
            )
        )
        self._tell(told.TaskCloned(order.key, now, root.task_key))

    def _seal_clones(self) -> None:
        """Seal what was taken over, many at once."""
        if self._clones:
            batch, self._clones = self._clones, []
            self._places.artifacts.seal_all(batch)

    def _report(self, action: core.ReportAttempt) -> None:
        running = self._running.pop(action.key)
        now = self._clock.now()
        final = action.retry_in is None
        self._facts.append(
            facts.AttemptEnded(
                action.key.task_key,
                action.key.attempt,
                now,
                ok=action.failure is None,
                final=final,
                failure=action.failure,
            )
        )
        seconds = now - running.begun
        self._places.reporter.report(
            told.AttemptOver(action.key, running.pid, now, seconds, action.failure, action.retry_in)
        )

    def _record(self) -> None:
        """Write what has happened since the last time, in one transaction."""
        if self._facts:
            batch, self._facts = self._facts, []
            self._places.metadata.record(batch)

    # What happened

    def _take(self, event: work.WorkerEvent) -> None:
        running = self._running.get(event.key)
        if running is None:
            return  # it was stopped and reported while its last events were on their way
        match event:
            case work.AttemptStarted(key, pid):
                running.pid = pid
                self._set_limit(running)
                self._tell(told.AttemptBegan(key, pid, self._clock.now()))
            case work.OutputArrived():
                lines = running.log.write(event.stream, event.data, self._clock.now())
                if lines and not event.shown:
                    self._tell(told.LinesPrinted(event.key, running.pid, lines))
            case work.AttemptExited(key, code):
                self._close_log(running)
                sealed = self._places.artifacts.find_facts(key)
                if sealed is None:
                    sealed = self._seal_for_the_dead(running, _describe(running, code))
                self._decide(core.AttemptFinished(key, sealed.transition, sealed.failure))
            case work.LaunchFailed(key, reason):
                failure = Failure(FailureKind.LAUNCH, f"its process could not start: {reason}")
                self._close_log(running)
                self._seal_for_the_dead(running, failure)
                self._decide(core.AttemptFinished(key, None, failure))

    def _close_log(self, running: _Running) -> None:
        lines = running.log.close(self._clock.now())
        if lines:
            self._tell(told.LinesPrinted(running.order.key, running.pid, lines))

    def _seal_for_the_dead(self, running: _Running, failure: Failure) -> AttemptFacts:
        """Seal a failed attempt on behalf of a process that could not do so itself."""
        order = running.order
        sealed = AttemptFacts(
            key=order.key,
            ok=False,
            started=running.begun,
            finished=self._clock.now(),
            parents=order.parents,
            frames=order.frames,
            failure=failure,
        )
        if self._places.artifacts.seal(sealed, {}, {}):
            return sealed
        # A process of the attempt was there first, at the last moment; what it sealed holds.
        found = self._places.artifacts.find_facts(order.key)
        assert found is not None, f"{order.key} is sealed and yet is not"
        return found

    def _tell(self, event: told.Event) -> None:
        self._places.reporter.report(event)

    def _tell_waiting(self) -> None:
        """Say how long the queue is: once a turn, and of the steps where that has changed."""
        steps = self._state.take_waiting()
        if steps:
            self._tell(told.TasksWaiting(self._run, self._clock.now(), steps))

    # Time and signals

    def _timeout(self) -> float | None:
        due = [self._beat_at]
        due.extend(timers[0][0] for timers in (self._timers, self._limits) if timers)
        if self._kill_at is not None:
            due.append(self._kill_at)
        return max(0.0, min(due) - self._clock.elapsed())

    def _set_limit(self, running: _Running) -> None:
        if running.limit is not None:
            seconds = running.limit.seconds + running.limit.grace_seconds + self._start_seconds
            heapq.heappush(self._limits, (self._clock.elapsed() + seconds, running.order.key))

    def _heed_time(self) -> None:
        now = self._clock.elapsed()
        while self._timers and self._timers[0][0] <= now and self._end is None:
            _due, task = heapq.heappop(self._timers)
            self._decide(core.RetryDue(task))
        while self._limits and self._limits[0][0] <= now:
            running = self._running.get(heapq.heappop(self._limits)[1])
            if running is not None:
                running.timed_out = True
                self._workers.kill(running.order.key)
        if self._kill_at is not None and self._kill_at <= now:
            self._kill_at = None
            self._workers.stop(kill=True)
        if self._beat_at <= now:
            self._beat_at = now + BEAT_SECONDS
            self._facts.append(facts.RunBeat(self._run, self._clock.now()))

    def _interrupt(self, count: int) -> None:
        """Stop in an orderly way at the first signal, at once at the second."""
        if self._end is not None:
            return
        if count >= _KILL_AT_SIGNAL:
            self._workers.stop(kill=True)
        if not self._state.is_interrupted:
            self._decide(core.RunInterrupted())

    def _finish(self, end: core.EndRun, seconds: float) -> RunOutcome:
        now = self._clock.now()
        failed = None if end.failed is None else end.failed.task_key
        self._facts.append(facts.RunEnded(self._run, now, end.status, end.failure, failed))
        self._record()
        self._tell_waiting()
        self._tell(
            told.RunOver(
                self._run,
                now,
                seconds,
                end.status,
                self._state.finished_tasks,
                end.failure,
                end.failed,
            )
        )
        return RunOutcome(self._run, end.status, end.failure, end.failed)


def _describe(running: _Running, code: int) -> Failure:
    """Say how an attempt ended that left no result."""
    failure = describe_exit(code)
    if running.limit is None or not running.timed_out:
        return failure
    grace = running.limit.grace_seconds
    return replace(
        failure,
        summary=f"timed out after {running.limit}, and was killed because it went on for {grace:g} "
        "s after that",
    )


def _index(order: TaskOrder) -> int | None:
    """Give the position in the innermost foreach; None outside one."""
    return next((f.index for f in reversed(order.frames) if f.foreach is not None), None)
