"""What sidecars are told, what a package implements to be one, and what their line promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

Kind = Literal["event-logger", "monitor"]
"""The two kinds of sidecars; each is the name of the option that chooses one."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened in a run; what an event logger is told.

    Args:
        name: `run-started`, `run-ended`, `task-started`, `task-ended`, `task-failed`,
            `task-retried` or `task-cloned`.
        at: Seconds since 1970.
        flow: The flow's name.
        run: The run's id.
        step: The step, of an event of a task; else None.
        task: The task's id, of an event of a task; else None.
        attempt: Which attempt at the task, from 0, of an event of a task; else None.
        details: What else there is to say, by the names that the guide lists for each event.
    """

    name: str
    at: float
    flow: str
    run: str
    step: str | None = None
    task: str | None = None
    attempt: int | None = None
    details: Mapping[str, str | float | None] = field(default_factory=dict)

    @property
    def pathspec(self) -> str:
        """The run or task that it is about: `HelloFlow/17` or `HelloFlow/17/greet/4`."""
        return "/".join(part for part in (self.flow, self.run, self.step, self.task) if part)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        # By hand: `dataclasses.asdict` copies deeply, which takes as long as all the rest of it.
        return {
            "name": self.name,
            "at": self.at,
            "flow": self.flow,
            "run": self.run,
            "step": self.step,
            "task": self.task,
            "attempt": self.attempt,
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number about a run; what a monitor is told.

    Args:
        kind: `counter` (how much to add), `gauge` (how much there is now) or `timer` (how long
            something took, in seconds).
        name: What was measured, such as `plait.tasks.waiting`.
        value: The number.
        at: Seconds since 1970.
        labels: What it is about: `flow`, `run`, and of a task `step`.
    """

    kind: Literal["counter", "gauge", "timer"]
    name: str
    value: float
    at: float
    labels: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "value": self.value,
            "at": self.at,
            "labels": dict(self.labels),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        return cls(**data)


Message = RunEvent | Measurement


class EventLogger(Protocol):
    """What a package offers under the entry point group `plait.event_loggers`: a class like this.

    It is made and called in the sidecar's own process, by one thread. What it raises costs the
    message that it was told, is counted, and said when the run ends.
    """

    def __init__(self, argument: str) -> None:
        """Take what the option has after the name: `db:5432` of `--event-logger mine:db:5432`."""
        ...

    def log(self, event: RunEvent) -> None:
        """Take one event. The process is this class's own, so it may wait."""
        ...

    def close(self) -> None:
        """Let go of what is open. The run is over, and the process ends a second later."""
        ...


class Monitor(Protocol):
    """What a package offers under the entry point group `plait.monitors`: a class like this.

    The same holds as for an `EventLogger`.
    """

    def __init__(self, argument: str) -> None:
        """Take what the option has after the name: `db:5432` of `--monitor mine:db:5432`."""
        ...

    def measure(self, measurement: Measurement) -> None:
        """Take one number. The process is this class's own, so it may wait."""
        ...

    def close(self) -> None:
        """Let go of what is open. The run is over, and the process ends a second later."""
        ...


@dataclass(frozen=True, slots=True)
class Losses:
    """How many messages a sidecar was not told.

    Args:
        sent: How many there were.
        lost: How many of them it did not take.
        why: What happened to it, in the middle of a sentence; empty if nothing was lost.
    """

    sent: int
    lost: int = 0
    why: str = ""


class Sidecar(Protocol):
    """One line to a sidecar, held by the run's process.

    Nothing here raises or waits for the sidecar, but for `close`, which has a limit.
    """

    kind: Kind
    name: str

    def send(self, message: Message) -> None:
        """Hand over a message, or drop it if the sidecar is behind, hung or gone."""
        ...

    def close(self) -> Losses:
        """Let the sidecar take what is on its way, for a moment at most, and end it.

        Called once or more; it gives the same each time. What is sent after it is lost.
        """
        ...
