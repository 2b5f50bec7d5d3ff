"""What starts, watches and ends tasks' processes promises, however it does so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from plait.base.pathspec import AttemptKey
from plait.base.records import TaskOrder

Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """An attempt has a process."""

    key: AttemptKey
    pid: int


@dataclass(frozen=True, slots=True)
class OutputArrived:
    """An attempt wrote bytes; *shown* if a person has seen them already."""

    key: AttemptKey
    stream: Stream
    data: bytes
    shown: bool = False


@dataclass(frozen=True, slots=True)
class AttemptExited:
    """An attempt's process is gone, and all that it wrote has been handed over.

    Args:
        key: The attempt.
        code: Its exit code; negative for the number of the signal that killed it.
    """

    key: AttemptKey
    code: int


@dataclass(frozen=True, slots=True)
class LaunchFailed:
    """An attempt could not be given a process."""

    key: AttemptKey
    reason: str


WorkerEvent = AttemptStarted | OutputArrived | AttemptExited | LaunchFailed


class Workers(Protocol):
    """Processes for attempts.

    Each attempt's events come in this order: `AttemptStarted`, any `OutputArrived`,
    `AttemptExited`; or only `LaunchFailed`. No process of an attempt, nor one that it started in
    its session, is left after its `AttemptExited`; none at all after `close`, nor after the run's
    process is killed.
    """

    def launch(self, order: TaskOrder) -> None:
        """Start a process for *order*; does not wait for it."""
        ...

    def poll(self, timeout: float | None) -> Sequence[WorkerEvent]:
        """Wait for something to happen, up to *timeout* seconds (None: as long as it takes).

        Returns early, with nothing, after `wake`.
        """
        ...

    def wake(self) -> None:
        """Make a `poll` that waits return; may be called from a signal handler."""
        ...

    def stop(self, *, kill: bool) -> None:
        """Ask every running attempt to end (SIGTERM), or end it (SIGKILL) if *kill*."""
        ...

    def kill(self, key: AttemptKey) -> None:
        """End one attempt (SIGKILL) and what it started in its session; nothing if it has ended.

        An attempt without a process of its own cannot be ended and goes on.
        """
        ...

    def close(self) -> None:
        """End everything that is left, and wait until it is gone; a second time, do nothing."""
        ...
