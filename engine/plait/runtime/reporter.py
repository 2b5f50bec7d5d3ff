"""What a run tells whoever watches it: the console, a notebook, or nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.records import Failure
from plait.logs.lines import LogLine
from plait.metadata.protocol import Status


@dataclass(frozen=True, slots=True)
class RunBegan:
    """A run has its id and is about to start its first task.

    Args:
        key: The run.
        at: Seconds since 1970.
        steps: The flow's steps in order of the graph.
        place: Where its results are kept.
        workers: How its tasks' processes start: `fork`, `spawn` or `inline`.
        origin: The run that it resumes, if any.
        notes: What the person should know, a sentence each, such as why tasks are not forked.
    """

    key: RunKey
    at: float
    steps: tuple[str, ...]
    place: str
    workers: str
    origin: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptBegan:
    """An attempt has a process."""

    key: AttemptKey
    pid: int
    at: float


@dataclass(frozen=True, slots=True)
class LinesPrinted:
    """An attempt printed lines; they are kept already."""

    key: AttemptKey
    pid: int
    lines: Sequence[LogLine]


@dataclass(frozen=True, slots=True)
class AttemptOver:
    """An attempt ended.

    Args:
        key: The attempt.
        pid: Its process; 0 if it never had one.
        at: Seconds since 1970.
        seconds: How long it took.
        failure: Why it failed; None if it is done.
        retry_in: Seconds until the next attempt starts; None if none follows.
    """

    key: AttemptKey
    pid: int
    at: float
    seconds: float
    failure: Failure | None = None
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class TaskCloned:
    """A finished task of the run being resumed was taken over."""

    key: AttemptKey
    at: float
    origin: TaskKey


@dataclass(frozen=True, slots=True)
class TasksWaiting:
    """How many tasks wait to be started has changed.

    Args:
        run: The run.
        at: Seconds since 1970.
        steps: How many there are now, by step; steps where it has not changed are left out.
    """

    run: RunKey
    at: float
    steps: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RunOver:
    """A run ended; `failure` is its first one, in the attempt `failed`."""

    key: RunKey
    at: float
    seconds: float
    status: Status
    tasks: int
    failure: Failure | None = None
    failed: AttemptKey | None = None


@dataclass(frozen=True, slots=True)
class MessagesLost:
    """A sidecar was not told everything; comes after the run's end.

    Args:
        at: Seconds since 1970.
        sidecar: Which, in words: `event logger 'debug'`.
        sent: How many messages there were.
        lost: How many of them it did not take.
        why: What happened to it, in the middle of a sentence.
    """

    at: float
    sidecar: str
    sent: int
    lost: int
    why: str


Event = (
    RunBegan
    | AttemptBegan
    | LinesPrinted
    | AttemptOver
    | TaskCloned
    | TasksWaiting
    | RunOver
    | MessagesLost
)


class Reporter(Protocol):
    """Whoever watches a run. It is called in the run's process, in the order of events."""

    def report(self, event: Event) -> None:
        """Take note of one event; must not raise, and must not wait for a person."""
        ...


class SilentReporter:
    """The reporter of a run that nobody watches."""

    def report(self, event: Event) -> None:
        """Do nothing."""
