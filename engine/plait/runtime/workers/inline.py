"""Workers that run each attempt in the run's own process, one after another, for debuggers."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any

from plait.base.pathspec import AttemptKey
from plait.base.records import TaskOrder
from plait.runtime.workers.keeper import RunTask
from plait.runtime.workers.protocol import (
    AttemptExited,
    AttemptStarted,
    OutputArrived,
    Stream,
    WorkerEvent,
)


class InlineWorkers:
    """Attempts without processes: `breakpoint()` and `pdb` have the terminal, a crash ends the run.

    Output goes to the terminal as it is, unstamped, and is kept in the log as well.
    """

    def __init__(self, run_task: RunTask) -> None:
        self._run_task = run_task
        self._waiting: deque[TaskOrder] = deque()
        self._dropped: list[WorkerEvent] = []
        self._busy = False

    def launch(self, order: TaskOrder) -> None:
        """Keep the order for the next `poll`."""
        self._waiting.append(order)

    def poll(self, timeout: float | None) -> Sequence[WorkerEvent]:
        """Run one attempt, start to end, and give all its events; wait if there is none."""
        if self._dropped:
            dropped, self._dropped = self._dropped, []
            return dropped
        if not self._waiting:
            if timeout:
                import time

                time.sleep(timeout)
            return ()
        order = self._waiting.popleft()
        events: list[WorkerEvent] = [AttemptStarted(order.key, os.getpid())]
        kept = sys.stdout, sys.stderr
        sys.stdout = _Tee(kept[0], "stdout", order, events)
        sys.stderr = _Tee(kept[1], "stderr", order, events)
        self._busy = True
        try:
            code = self._run_task(order)
        except KeyboardInterrupt:
            code = -signal.SIGINT
        finally:
            self._busy = False
            sys.stdout, sys.stderr = kept
        events.append(AttemptExited(order.key, code))
        return events

    def wake(self) -> None:
        """Break off the user's code, if it runs: this is called from a signal handler then."""
        if self._busy:
            raise KeyboardInterrupt

    def stop(self, *, kill: bool) -> None:  # noqa: ARG002  # nothing runs while anybody can ask
        """Drop what has not begun; what runs is this very thread."""
        self._dropped += [AttemptExited(order.key, -signal.SIGTERM) for order in self._waiting]
        self._waiting.clear()

    def kill(self, key: AttemptKey) -> None:
        """Do nothing: it would be the run's own process."""

    def close(self) -> None:
        """Do nothing: there are no processes."""


class _Tee:
    """A text stream that hands on to another and keeps what was written."""

    def __init__(
        self, real: Any, stream: Stream, order: TaskOrder, events: list[WorkerEvent]
    ) -> None:
        self._real = real
        self._stream: Stream = stream
        self._order = order
        self._events = events
        self.closed = False

    def write(self, text: str) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        if self._real is not None:  # as it is where the program was started without one
            self._real.write(text)
        data = text.encode("utf-8", "backslashreplace")
        self._events.append(OutputArrived(self._order.key, self._stream, data, shown=True))
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Close this one alone: the real stream is the run's, which has more to say."""
        self.closed = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
