"""What sidecars are told of a run: events in, messages out."""

from __future__ import annotations

from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.records import Failure, FailureKind
from plait.metadata.protocol import Status
from plait.runtime.reporter import (
    AttemptBegan,
    AttemptOver,
    Event,
    LinesPrinted,
    MessagesLost,
    RunBegan,
    RunOver,
    TaskCloned,
    TasksWaiting,
)
from plait.runtime.sidecars import SidecarReporter
from plait.sidecars.memory import MemorySidecar
from plait.sidecars.protocol import Measurement, RunEvent

RUN = RunKey("F", "7")
ONE = AttemptKey("F", "7", "start", "1", 0)
AGAIN = AttemptKey("F", "7", "start", "1", 1)
ERROR = Failure(FailureKind.EXCEPTION, "ValueError: no", traceback="...", where="f.py:3")
EVENTS: list[Event] = [
    RunBegan(RUN, 1.0, ("start", "end"), "/data", "fork", origin="3"),
    TaskCloned(AttemptKey("F", "7", "zero", "9", 0), 1.5, TaskKey("F", "3", "zero", "2")),
    TasksWaiting(RUN, 2.0, {"start": 4, "end": 1}),
    AttemptBegan(ONE, 11, 2.0),
    LinesPrinted(ONE, 11, []),
    AttemptOver(ONE, 11, 3.0, 1.0, failure=ERROR, retry_in=60.0),
    TasksWaiting(RUN, 3.0, {"start": 0}),
    AttemptBegan(AGAIN, 12, 4.0),
    AttemptOver(AGAIN, 12, 6.0, 2.0),
    AttemptOver(AttemptKey("F", "7", "end", "2", 0), 0, 7.0, 0.0, failure=ERROR),
    RunOver(RUN, 8.0, 7.0, Status.FAILED, 1, ERROR, ONE),
]


class Watcher:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    def report(self, event: Event) -> None:
        self.told.append(event)


class Clock:
    """It is always nine."""

    def now(self) -> float:
        return 9.0

    def elapsed(self) -> float:
        return 9.0


def test_an_event_logger_is_told_each_event_with_its_ids() -> None:
    """What tasks print, and how many wait, is none of its business."""
    logger, watcher = MemorySidecar("event-logger"), Watcher()
    reporter = SidecarReporter(watcher, (logger,), Clock())
    for event in EVENTS:
        reporter.report(event)
    reporter.close()

    failure = {"kind": "exception", "failure": "ValueError: no", "where": "f.py:3"}
    started = {"workers": "fork", "place": "/data", "origin": "3"}
    ended = {"status": "failed", "seconds": 7.0, "tasks": 1, **failure}
    assert watcher.told == EVENTS
    assert logger.told == [
        RunEvent("run-started", 1.0, "F", "7", details=started),
        RunEvent("task-cloned", 1.5, "F", "7", "zero", "9", 0, {"origin": "F/3/zero/2"}),
        RunEvent("task-started", 2.0, "F", "7", "start", "1", 0, {"pid": 11}),
        RunEvent(
            "task-retried", 3.0, "F", "7", "start", "1", 0,
            {"seconds": 1.0, **failure, "retry_in": 60.0},
        ),
        RunEvent("task-started", 4.0, "F", "7", "start", "1", 1, {"pid": 12}),
        RunEvent("task-ended", 6.0, "F", "7", "start", "1", 1, {"seconds": 2.0}),
        RunEvent("task-failed", 7.0, "F", "7", "end", "2", 0, {"seconds": 0.0, **failure}),
        RunEvent("run-ended", 8.0, "F", "7", details={**ended, "failed_task": "F/7/start/1"}),
    ]  # fmt: skip


def test_a_run_that_ends_well_ends_without_a_failure() -> None:
    """Only what there is to say is said."""
    logger = MemorySidecar("event-logger")
    reporter = SidecarReporter(Watcher(), (logger,), Clock())
    reporter.report(RunOver(RUN, 8.0, 7.0, Status.DONE, 3))

    (event,) = logger.told
    assert isinstance(event, RunEvent)
    assert (event.pathspec, event.details) == (
        "F/7",
        {"status": "done", "seconds": 7.0, "tasks": 3},
    )


def test_a_monitor_is_told_counters_gauges_and_timers() -> None:
    """Each number has its labels; gauges are of the whole run."""
    monitor = MemorySidecar("monitor")
    reporter = SidecarReporter(Watcher(), (monitor,), Clock())
    for event in EVENTS:
        reporter.report(event)

    told = [m for m in monitor.told if isinstance(m, Measurement)]
    assert [
        (m.kind, m.name.removeprefix("plait."), m.value, m.labels.get("step")) for m in told
    ] == [
        ("counter", "runs.started", 1, None),
        ("counter", "tasks.cloned", 1, "zero"),
        ("gauge", "tasks.waiting", 5, None),
        ("counter", "tasks.started", 1, "start"),
        ("gauge", "tasks.running", 1, None),
        ("counter", "tasks.retried", 1, "start"),
        ("timer", "task.seconds", 1.0, "start"),
        ("gauge", "tasks.running", 0, None),
        ("gauge", "tasks.waiting", 1, None),
        ("counter", "tasks.started", 1, "start"),
        ("gauge", "tasks.running", 1, None),
        ("counter", "tasks.done", 1, "start"),
        ("timer", "task.seconds", 2.0, "start"),
        ("gauge", "tasks.running", 0, None),
        ("counter", "tasks.failed", 1, "end"),
        ("timer", "task.seconds", 0.0, "end"),
        ("counter", "runs.failed", 1, None),
        ("timer", "run.seconds", 7.0, None),
    ]
    assert {(m.labels["flow"], m.labels["run"]) for m in told} == {("F", "7")}


def test_what_was_lost_is_said_once_at_the_end() -> None:
    """Of a sidecar that took everything nothing is said."""
    logger, monitor, watcher = MemorySidecar("event-logger"), MemorySidecar("monitor"), Watcher()
    reporter = SidecarReporter(watcher, (logger, monitor), Clock())
    reporter.report(EVENTS[0])
    logger.is_hung = True
    reporter.report(EVENTS[-1])
    reporter.close()

    assert watcher.told[2:] == [MessagesLost(9.0, "event logger 'memory'", 2, 1, "it took no more")]
