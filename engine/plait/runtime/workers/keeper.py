"""The keeper: a small process, forked early, that forks a child per task and never starts a thread.

It is forked from the run's process when that has imported the flow and nothing else: no thread, no
database, no connection. So a child costs a fork, and inherits no lock or socket that somebody
holds. When the run's process is gone, however it went, the keeper ends all that it started.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from plait.base import lifeline
from plait.base.records import TaskOrder
from plait.runtime.workers import wire

if TYPE_CHECKING:
    from socket import socket

CANNOT_EXECUTE = 126
"""The exit code of a child whose program could not be started, as shells have it."""

RunTask = Callable[[TaskOrder], int]


class Keeper:
    """The loop of the keeper's process.

    Args:
        sock: Its end of the socket to the run's process.
        run_task: What a forked child does with its order; gives the exit code.
        prepare: Called before a fork with the order, to load what many children share.
        guard: A descriptor that is at its end once the warden is gone.
    """

    def __init__(
        self, sock: socket, run_task: RunTask, prepare: Callable[[TaskOrder], None], guard: int
    ) -> None:
        self._sock = sock
        self._guard = guard
        self._run_task = run_task
        self._prepare = prepare
        self._receiver = wire.Receiver(sock)
        self._outgoing = bytearray()
        self._tasks: dict[int, str] = {}
        self._devnull = os.open(os.devnull, os.O_RDWR)
        self._wake_read, self._wake_write = os.pipe()
        self._pid = os.getpid()

    def run(self) -> NoReturn:
        """Serve until the run's process closes its end or is gone, or the warden is."""
        import gc

        os.setsid()
        lifeline.adopt_orphans()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._sock.setblocking(False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # A signal to all processes of a job, as schedulers send it, is for the run to heed; the
        # keeper ends when the run does.
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        # Blocked and not ignored, so that a child that is told to stop as it starts hears of it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        gc.collect()
        # Frozen objects are not visited by a child's collector, so their pages stay shared.
        gc.freeze()
        try:
            self._serve()
        finally:
            self._end_all()
            os._exit(0)

    def _serve(self) -> None:
        import selectors

        # Not `select`, which knows no descriptor from 1024 on, and the flow's module may have
        # opened that many files before there was a keeper.
        with selectors.PollSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            selector.register(self._guard, selectors.EVENT_READ)
            socket = selector.register(self._sock, selectors.EVENT_READ)
            while True:
                wanted = selectors.EVENT_READ
                if self._outgoing:
                    wanted |= selectors.EVENT_WRITE
                if socket.events != wanted:
                    socket = selector.modify(self._sock, wanted)
                ready = {key.fd: events for key, events in selector.select()}
                if self._wake_read in ready:
                    os.read(self._wake_read, 4096)
                    self._reap()
                if self._guard in ready:
                    return
                if ready.get(socket.fd, 0) & selectors.EVENT_READ:
                    messages = self._receiver.receive()
                    if messages is None:
                        return
                    for message in messages:
                        self._obey(message)
                if self._outgoing:
                    self._flush()

    def _obey(self, message: Mapping[str, Any]) -> None:
        match message["do"]:
            case "run":
                self._start(message)
            case "signal":
                for pid in self._tasks:
                    _signal_group(pid, message["signal"])
            case "kill":
                # By its task, of which one attempt runs at a time: the next one is only asked for
                # when this one's exit has been heard of.
                for pid, task in self._tasks.items():
                    if task == message["task"]:
                        _signal_group(pid, signal.SIGKILL)
            case other:
                raise AssertionError(f"the keeper does not know '{other}'")

    def _start(self, message: Mapping[str, Any]) -> None:
        task, spawn = message["task"], message.get("spawn")
        environment = message.get("environment", {})
        fds = self._receiver.take_fds(message["fds"])
        order = None
        if spawn is None:
            order = TaskOrder.from_json(message["order"])
            self._prepare(order)
        try:
            pid = os.fork()
        except OSError as error:
            self._tell({"failed": task, "reason": f"fork: {error.strerror}"})
            return
        finally:
            # In the parent only: the child needs them, and closes them itself.
            if os.getpid() == self._pid:
                for fd in fds:
                    os.close(fd)
        if pid == 0:
            self._become_task(order, spawn, environment, fds)
        self._tasks[pid] = task
        self._tell({"started": task, "pid": pid})

    def _become_task(
        self,
        order: TaskOrder | None,
        spawn: list[str] | None,
        environment: Mapping[str, str],
        fds: list[int],
    ) -> NoReturn:
        code = CANNOT_EXECUTE
        try:
            os.setsid()
            lifeline.die_with_parent(self._pid)
            signal.set_wakeup_fd(-1)
            for usual in (signal.SIGCHLD, signal.SIGHUP):
                signal.signal(usual, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            stdout, stderr, *stdin = fds
            os.dup2(stdin[0] if stdin else self._devnull, 0)
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)
            for fd in (*fds, self._devnull, self._wake_read, self._wake_write, self._guard):
                os.close(fd)
            self._sock.close()
            if spawn is not None:
                os.execvpe(spawn[0], spawn, {**os.environ, **environment})
            assert order is not None, "a forked task needs its order"
            code = self._run_task(order)
            _wait_for_threads()
        except BaseException as error:  # noqa: BLE001  # the loop of the keeper is not for a child
            _tell_last(spawn, error)
        finally:
            try:
                for stream in (sys.stdout, sys.stderr):
                    _flush(stream)
            finally:
                os._exit(code)

    def _reap(self) -> None:
        for pid, status in _iter_gone(self._tasks):
            task = self._tasks.pop(pid, None)
            if task is not None:
                self._tell({"exited": task, "code": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: object) -> None:
        import json

        body = json.dumps(message, separators=(",", ":")).encode()
        self._outgoing += len(body).to_bytes(4, "big") + body
        self._flush()

    def _flush(self) -> None:
        # Never blocks: the run's process may itself be waiting for the keeper to read.
        try:
            while self._outgoing:
                sent = self._sock.send(self._outgoing)
                del self._outgoing[:sent]
        except BlockingIOError:
            pass  # `_serve` goes on when there is room
        except (BrokenPipeError, ConnectionResetError):
            self._outgoing.clear()  # the run's process is gone, as `_serve` is about to see

    def _end_all(self) -> None:
        for pid in self._tasks:
            _signal_group(pid, signal.SIGKILL)
        lifeline.end_children()


def _iter_gone(leaders: Container[int]) -> Iterator[tuple[int, int]]:
    """Reap every child that has ended, and end what is left in the groups that *leaders* lead."""
    while True:
        try:
            if hasattr(os, "waitid"):
                # The zombie is left in place first, so that its process group's number cannot go
                # to somebody else before the group is ended.
                gone = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if gone is None:
                    return
                if gone.si_pid in leaders:
                    _signal_group(gone.si_pid, signal.SIGKILL)
                yield os.waitpid(gone.si_pid, 0)
                continue
            # macOS before Python 3.13 has no waitid: there the group is ended a moment later.
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in leaders:
            _signal_group(pid, signal.SIGKILL)
        yield pid, status


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        # Before its `setsid` a child leads no group yet; it is still there by its own number.
        try:
            os.kill(group, number)
        except ProcessLookupError:
            pass  # it is gone, which is what is wanted


def _wait_for_threads() -> None:
    """Wait for threads that the user's code left running, as a program of its own would."""
    threading = sys.modules.get("threading")
    if threading is None:
        return
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def _tell_last(spawn: list[str] | None, error: BaseException) -> None:
    """Write what kept a child from its work to its standard error."""
    if isinstance(error, OSError) and spawn is not None:
        text = f"plait cannot start {spawn}: {error}\n"
    else:
        import traceback

        text = "".join(traceback.format_exception(error))
    try:
        os.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # closed by the user's code: the exit code has to say it


def _flush(stream: Any) -> None:
    # The user's code may have closed it, or put an object there that raises whatever it likes; and
    # there is nobody left to tell.
    with suppress(Exception):
        stream.flush()


def start_keeper(run_task: RunTask, prepare: Callable[[TaskOrder], None]) -> tuple[socket, int]:
    """Fork a keeper off this process, with a warden between the two.

    Args:
        run_task: What a forked child does with its order; gives the exit code.
        prepare: Called in the keeper before each fork.

    Returns:
        This process's end of the socket, and the warden's process id; it ends after the keeper.
    """
    import socket as sockets
    import warnings

    from plait.runtime.workers.warden import stand_guard

    def keep(sock: socket, guard: int) -> None:
        Keeper(sock, run_task, prepare, guard).run()

    ours, theirs = sockets.socketpair()
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    with warnings.catch_warnings():
        # Python 3.12 warns when a library such as OpenBLAS runs threads of its own. Those have
        # fork handlers; Python's threads, which have none, are looked for before a keeper starts.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            stand_guard(theirs, keep)
        finally:
            os._exit(1)
    theirs.close()
    return ours, pid
