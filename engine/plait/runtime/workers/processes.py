"""Workers whose attempts are processes of their own: children of a keeper, forked or spawned."""

from __future__ import annotations

import errno
import json
import os
import selectors
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from plait.base.pathspec import AttemptKey
from plait.base.records import TaskOrder
from plait.runtime.workers import wire
from plait.runtime.workers.keeper import RunTask, start_keeper
from plait.runtime.workers.protocol import (
    AttemptExited,
    AttemptStarted,
    LaunchFailed,
    OutputArrived,
    Stream,
    WorkerEvent,
)

_READ = 1 << 16
_CONTROL = "control"
_WAKE = "wake"
_KEEPER_GONE = "the process that starts tasks was killed"


@dataclass(slots=True)
class _Attempt:
    key: AttemptKey
    pid: int = 0
    pipes: dict[int, Stream] = field(default_factory=dict)


class ProcessWorkers:
    """Attempts as processes under a keeper; see `Workers` for what is promised.

    Args:
        run_task: What a forked child does with its order.
        prepare: Called in the keeper before each fork.
        command: The program that runs one attempt when given `step NAME --order -`; None to fork.
        environment: Variables that a spawned program has beside the run's own.
        variables: Gives those of one attempt.
    """

    def __init__(
        self,
        run_task: RunTask,
        *,
        prepare: Callable[[TaskOrder], None] = lambda _order: None,
        command: tuple[str, ...] | None = None,
        environment: Mapping[str, str] | None = None,
        variables: Callable[[TaskOrder], Mapping[str, str]] = lambda _order: {},
    ) -> None:
        self._command = command
        self._environment = dict(environment or {})
        self._variables = variables
        self._sock, self._warden = start_keeper(run_task, prepare)
        self._receiver = wire.Receiver(self._sock)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._sock, selectors.EVENT_READ, _CONTROL)
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, _WAKE)
        self._attempts: dict[str, _Attempt] = {}
        self._pending: list[WorkerEvent] = []
        self._keeper_gone = False
        self._closed = False

    def launch(self, order: TaskOrder) -> None:
        """Ask the keeper for a process; how it went comes with `poll`."""
        attempt = _Attempt(order.key)
        if self._keeper_gone:
            self._pending.append(LaunchFailed(order.key, _KEEPER_GONE))
            return
        theirs: list[int] = []
        try:
            streams: tuple[Stream, Stream] = ("stdout", "stderr")
            for stream in streams:
                read, write = os.pipe()
                theirs.append(write)
                attempt.pipes[read] = stream
                os.set_blocking(read, False)
            message = {"do": "run", "task": order.key.task, "fds": 2}
            if self._command is None:
                message["order"] = order.to_json()
            else:
                message["spawn"] = [*self._command, "step", order.key.step, "--order", "-"]
                message["environment"] = {**self._environment, **self._variables(order)}
                message["fds"] = 3
                theirs.append(_file_with(json.dumps(order.to_json()).encode()))
            self._attempts[order.key.task] = attempt
            wire.send(self._sock, message, tuple(theirs))
        except (BrokenPipeError, ConnectionResetError):
            self._lose_keeper(self._pending)
            return
        except OSError as error:
            self._forget(attempt)
            self._pending.append(LaunchFailed(order.key, _explain(error)))
            return
        finally:
            for fd in theirs:
                os.close(fd)

    def poll(self, timeout: float | None) -> Sequence[WorkerEvent]:
        """Wait for output, starts and exits."""
        if self._pending:
            events, self._pending = self._pending, []
            return events
        events = []
        control = False
        for ready, _mask in self._selector.select(timeout):
            if ready.data is _CONTROL:
                control = True
            elif ready.data is _WAKE:
                os.read(self._wake_read, 4096)
            else:
                self._read(ready.data, ready.fd, events)
        # Last, so that what an attempt wrote comes before its exit.
        if control:
            self._hear(events)
        return events

    def wake(self) -> None:
        """Make a waiting `poll` return."""
        try:
            os.write(self._wake_write, b"w")
        except BlockingIOError:
            pass  # it is full of wake-ups already

    def stop(self, *, kill: bool) -> None:
        """Signal every running attempt and what it started in its session."""
        self._ask({"do": "signal", "signal": int(signal.SIGKILL if kill else signal.SIGTERM)})

    def kill(self, key: AttemptKey) -> None:
        """Kill one attempt and what it started in its session."""
        self._ask({"do": "kill", "task": key.task})

    def close(self) -> None:
        """End the keeper, which ends all that is left, and wait for it and its warden; once."""
        if self._closed:
            return
        self._closed = True
        for attempt in list(self._attempts.values()):
            self._forget(attempt)
        self._selector.close()
        self._sock.close()
        for end in (self._wake_read, self._wake_write):
            os.close(end)
        try:
            os.waitpid(self._warden, 0)
        except ChildProcessError:
            pass  # whoever embeds plait has reaped it: it is gone, which is what counts

    def _ask(self, message: object) -> None:
        """Send the keeper a message that names no new attempt."""
        try:
            wire.send(self._sock, message)
        except (BrokenPipeError, ConnectionResetError):
            self._lose_keeper(self._pending)

    def _hear(self, events: list[WorkerEvent]) -> None:
        messages = self._receiver.receive()
        if messages is None:
            self._lose_keeper(events)
            return
        for message in messages:
            if "started" in message:
                attempt = self._attempts[message["started"]]
                attempt.pid = message["pid"]
                # Only now, so that nobody hears of an attempt's output before its start.
                for read in attempt.pipes:
                    self._selector.register(read, selectors.EVENT_READ, attempt)
                events.append(AttemptStarted(attempt.key, attempt.pid))
            elif "exited" in message:
                self._finish(self._attempts[message["exited"]], message["code"], events)
            else:
                attempt = self._attempts[message["failed"]]
                self._forget(attempt)
                events.append(LaunchFailed(attempt.key, message["reason"]))

    def _read(self, attempt: _Attempt, fd: int, events: list[WorkerEvent]) -> bool:
        """Read once from a pipe; False when there is nothing more to be had now."""
        if fd not in attempt.pipes:
            return False
        try:
            data = os.read(fd, _READ)
        except BlockingIOError:
            return False
        if data:
            events.append(OutputArrived(attempt.key, attempt.pipes[fd], data))
            return True
        self._close_pipe(attempt, fd)
        return False

    def _finish(self, attempt: _Attempt, code: int, events: list[WorkerEvent]) -> None:
        for fd in list(attempt.pipes):
            # No more than is there now. What fled from the attempt may go on writing, and without
            # end faster than it is read.
            for _ in range(-(-_waiting(fd) // _READ)):
                self._read(attempt, fd, events)
        self._forget(attempt)
        events.append(AttemptExited(attempt.key, code))

    def _forget(self, attempt: _Attempt) -> None:
        for fd in list(attempt.pipes):
            self._close_pipe(attempt, fd)
        self._attempts.pop(attempt.key.task, None)

    def _close_pipe(self, attempt: _Attempt, fd: int) -> None:
        del attempt.pipes[fd]
        try:
            self._selector.unregister(fd)
        except KeyError:
            pass  # it never started, so nobody has listened to it
        os.close(fd)

    def _lose_keeper(self, events: list[WorkerEvent]) -> None:
        """The keeper was killed, and its children with it: end what they may have left."""
        if not self._keeper_gone:
            self._keeper_gone = True
            self._selector.unregister(self._sock)
        for attempt in list(self._attempts.values()):
            if attempt.pid:
                try:
                    os.killpg(attempt.pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass  # nothing of it is left
                self._finish(attempt, -signal.SIGKILL, events)
            else:
                self._forget(attempt)
                events.append(LaunchFailed(attempt.key, _KEEPER_GONE))


def _explain(error: OSError) -> str:
    """Say why there is nothing to start a process with."""
    reason = error.strerror or str(error)
    if error.errno != errno.EMFILE:
        return reason
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return f"{reason}; each task that runs takes 2 of {limit} (ulimit -n), so lower --max-workers"


def _waiting(fd: int) -> int:
    """Give how many bytes a pipe holds."""
    import fcntl
    import termios

    answer = fcntl.ioctl(fd, termios.FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)


def _file_with(data: bytes) -> int:
    """Give a descriptor of a nameless file that holds *data*, to be read from its start."""
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        fd = os.dup(file.fileno())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
