"""What a run's events are to its sidecars: events with ids, and numbers."""

from __future__ import annotations

from collections.abc import Iterator

from plait.base.clock import Clock
from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import Failure
from plait.runtime.reporter import (
    AttemptBegan,
    AttemptOver,
    Event,
    MessagesLost,
    Reporter,
    RunBegan,
    RunOver,
    TaskCloned,
    TasksWaiting,
)
from plait.sidecars.protocol import Measurement, RunEvent, Sidecar


class SidecarReporter:
    """A reporter that tells sidecars, and another reporter before them.

    Args:
        reporter: Who is told first.
        sidecars: The lines to the sidecars.
        clock: The time, for what is said at the end.
    """

    def __init__(self, reporter: Reporter, sidecars: tuple[Sidecar, ...], clock: Clock) -> None:
        self._reporter = reporter
        self._loggers = [each for each in sidecars if each.kind == "event-logger"]
        self._monitors = [each for each in sidecars if each.kind == "monitor"]
        self._clock = clock
        self._meter = _Meter()

    def report(self, event: Event) -> None:
        """Tell the other reporter, then the sidecars."""
        self._reporter.report(event)
        if self._loggers:
            message = describe_event(event)
            if message is not None:
                for logger in self._loggers:
                    logger.send(message)
        if self._monitors:
            for measurement in self._meter.measure(event):
                for monitor in self._monitors:
                    monitor.send(measurement)

    def close(self) -> None:
        """End the sidecars, and tell the other reporter of each that was not told everything."""
        for sidecar in (*self._loggers, *self._monitors):
            losses = sidecar.close()
            if losses.lost:
                words = f"{sidecar.kind.replace('-', ' ')} '{sidecar.name}'"
                self._reporter.report(
                    MessagesLost(self._clock.now(), words, losses.sent, losses.lost, losses.why)
                )


def describe_event(event: Event) -> RunEvent | None:
    """Give what an event logger is told of *event*; None if that is nothing."""
    match event:
        case RunBegan():
            details = {"workers": event.workers, "place": event.place, "origin": event.origin}
            return RunEvent("run-started", event.at, *event.key, details=details)
        case AttemptBegan():
            return _of_task("task-started", event.at, event.key, {"pid": event.pid})
        case AttemptOver():
            return _describe_end_of_attempt(event)
        case TaskCloned():
            origin = str(event.origin)
            return _of_task("task-cloned", event.at, event.key, {"origin": origin})
        case RunOver():
            return _describe_end_of_run(event)
    return None


def _describe_end_of_attempt(event: AttemptOver) -> RunEvent:
    details: dict[str, str | float | None] = {"seconds": event.seconds}
    if event.failure is None:
        return _of_task("task-ended", event.at, event.key, details)
    details |= _describe_failure(event.failure)
    if event.retry_in is None:
        return _of_task("task-failed", event.at, event.key, details)
    details["retry_in"] = event.retry_in
    return _of_task("task-retried", event.at, event.key, details)


def _describe_end_of_run(event: RunOver) -> RunEvent:
    details: dict[str, str | float | None] = {
        "status": event.status.value,
        "seconds": event.seconds,
        "tasks": event.tasks,
    }
    if event.failure is not None:
        details |= _describe_failure(event.failure)
    if event.failed is not None:
        details["failed_task"] = str(event.failed.task_key)
    return RunEvent("run-ended", event.at, *event.key, details=details)


def _of_task(
    name: str, at: float, key: AttemptKey, details: dict[str, str | float | None]
) -> RunEvent:
    return RunEvent(name, at, *key, details=details)


def _describe_failure(failure: Failure) -> dict[str, str | float | None]:
    return {"kind": failure.kind.value, "failure": failure.summary, "where": failure.where or None}


class _Meter:
    """Makes numbers of events, and counts what runs and waits on the way."""

    def __init__(self) -> None:
        self._running: set[AttemptKey] = set()
        self._waiting: dict[str, int] = {}
        self._all_waiting = 0

    def measure(self, event: Event) -> Iterator[Measurement]:
        """Give the numbers that *event* comes to."""
        match event:
            case RunBegan():
                yield self._count("runs.started", event.at, event.key)
            case AttemptBegan():
                self._running.add(event.key)
                yield self._count("tasks.started", event.at, event.key)
                yield self._gauge("tasks.running", len(self._running), event.at, event.key.run_key)
            case AttemptOver():
                yield self._count(f"tasks.{_outcome(event)}", event.at, event.key)
                seconds = event.seconds
                yield Measurement(
                    "timer", "plait.task.seconds", seconds, event.at, _labels(event.key)
                )
                if event.key in self._running:  # else it could not be started
                    self._running.remove(event.key)
                    running = len(self._running)
                    yield self._gauge("tasks.running", running, event.at, event.key.run_key)
            case TaskCloned():
                yield self._count("tasks.cloned", event.at, event.key)
            case TasksWaiting():
                for step, count in event.steps.items():
                    self._all_waiting += count - self._waiting.get(step, 0)
                    self._waiting[step] = count
                yield self._gauge("tasks.waiting", self._all_waiting, event.at, event.run)
            case RunOver():
                yield self._count(f"runs.{event.status.value}", event.at, event.key)
                seconds = event.seconds
                yield Measurement(
                    "timer", "plait.run.seconds", seconds, event.at, _labels(event.key)
                )

    def _count(self, name: str, at: float, key: RunKey | AttemptKey) -> Measurement:
        return Measurement("counter", f"plait.{name}", 1, at, _labels(key))

    def _gauge(self, name: str, value: int, at: float, run: RunKey) -> Measurement:
        return Measurement("gauge", f"plait.{name}", value, at, _labels(run))


def _outcome(event: AttemptOver) -> str:
    if event.failure is None:
        return "done"
    return "failed" if event.retry_in is None else "retried"


def _labels(key: RunKey | AttemptKey) -> dict[str, str]:
    labels = {"flow": key.flow, "run": key.run}
    if isinstance(key, AttemptKey):
        labels["step"] = key.step
    return labels
