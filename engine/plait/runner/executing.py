"""What was started from Python: how it goes, what it prints, and the client's view of it."""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Self

from plait.base.errors import UsageError, nearest
from plait.base.exits import INTERRUPTED
from plait.runner.process import STREAMS, RunProcess, Stream

if TYPE_CHECKING:
    from plait.client.run import Run
    from plait.client.source import Connection
    from plait.client.task import Task

_PAUSE = 0.02
"""Seconds between two looks at what a run has written."""


_read_by: weakref.WeakKeyDictionary[Connection, RunProcess] = weakref.WeakKeyDictionary()
"""Processes by who reads what they left beside their output, which goes with the process: so
whoever holds nothing but the task, or an artifact of it, can still read it."""


class NoSuchStream(UsageError, ValueError):
    """Something other than `stdout` or `stderr` was asked for."""

    slug = "no-such-stream"

    def __init__(self, name: object) -> None:
        super().__init__(
            f"a run has no stream {name!r}",
            why=nearest(str(name), STREAMS),
            fix="name one of: 'stdout', 'stderr'",
        )


class Executing:
    """The process of a flow that was started from Python, going on or ended.

    Args:
        process: Its process.
        stop_on_exit: Whether leaving the context stops it.
    """

    _PARTS: tuple[str, ...] = ("flow", "run")
    """What its pathspec is made of, in what the process said when it began."""

    def __init__(self, process: RunProcess, *, stop_on_exit: bool = False) -> None:
        self._process = process
        self._stop_on_exit = stop_on_exit
        self._timed_out = False

    @property
    def status(self) -> str:
        """How it goes: `running`, `successful`, `failed`, `interrupted` or `timeout`.

        `timeout` is one that `wait` stopped because its time was up.
        """
        code = self.returncode
        if self._timed_out:
            return "timeout"
        if code is None:
            return "running"
        return {0: "successful", INTERRUPTED: "interrupted"}.get(code, "failed")

    @property
    def returncode(self) -> int | None:
        """What its process ended with, negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    @property
    def stdout(self) -> str:
        """What its process has printed so far."""
        return _text(self._process.read("stdout"))

    @property
    def stderr(self) -> str:
        """What its process has printed so far to standard error."""
        return _text(self._process.read("stderr"))

    async def wait(self, timeout: float | None = None, stream: str | None = None) -> Self:
        """Wait until it has ended.

        Args:
            timeout: The most seconds to wait; then it is stopped, and its `status` is `timeout`.
            stream: `stdout` or `stderr`, to print it meanwhile.

        Returns:
            This object.

        Raises:
            NoSuchStream: *stream* is something else.
        """
        import asyncio

        deadline = None if timeout is None else time.monotonic() + timeout
        printing = None if stream is None else asyncio.create_task(self._print(_checked(stream)))
        try:
            while not self._process.ended.is_set():
                if deadline is not None and time.monotonic() >= deadline:
                    self._timed_out = True
                    await asyncio.to_thread(self._process.stop)
                    break
                await asyncio.sleep(_PAUSE)
            if printing is not None:
                await printing
        finally:
            if printing is not None:
                printing.cancel()
        return self

    async def stream_log(
        self, stream: str, position: int | None = None
    ) -> AsyncIterator[tuple[int, str]]:
        """Give the lines of its output as they are printed, from the first on, until it ends.

        Args:
            stream: `stdout` or `stderr`.
            position: Where to begin: what came with the last line that was read before.

        Yields:
            The position behind a line, and the line without its end.

        Raises:
            NoSuchStream: *stream* is something else.
        """
        import asyncio

        name = _checked(stream)
        at = position or 0
        while True:
            # Asked first: what is written after the look, and before the end, is not lost so.
            over = self._process.ended.is_set()
            data = self._process.read(name, at)
            whole = len(data) if over else data.rfind(b"\n") + 1
            for line in data[:whole].splitlines(keepends=True) if whole else ():
                at += len(line)
                yield at, _text(line).rstrip("\r\n")
            if over:
                return
            await asyncio.sleep(_PAUSE)

    async def _print(self, stream: Stream) -> None:
        async for _, line in self.stream_log(stream):
            print(line, flush=True)

    def stop(self, grace: float = 10.0) -> None:
        """End it as Ctrl-C would, or by force if it has not ended after *grace* seconds."""
        self._process.stop(grace)

    def cleanup(self) -> None:
        """Remove the files that hold its output, if it has ended; the output can still be read."""
        if self._stop_on_exit and not self._process.ended.is_set():
            self._process.stop()
        self._process.clean_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        import asyncio

        await asyncio.to_thread(self.cleanup)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._pathspec()}: {self.status}>"

    def _pathspec(self) -> str:
        said = self._process.announced
        return "/".join(said[part] for part in self._PARTS)


class ExecutingRun(Executing):
    """A run that was started from Python, going on or ended.

    As a context manager it removes the files of an ended run when it is left. A run that still
    goes on is left alone, unless its Runner was told `stop_on_exit=True`.
    """

    _run: Run | None = None

    @property
    def run(self) -> Run:
        """The run, as the client shows it, from the store that it writes to."""
        if self._run is None:
            # Here, because who only starts runs and looks at their exit codes needs no client.
            from plait.client.opening import open_run
            from plait.client.run import Run
            from plait.client.source import connect_to

            connection = connect_to(self._process.announced["metadata"])
            self._run = Run(open_run(connection, self._pathspec(), any_namespace=True))
        return self._run


class ExecutingTask(Executing):
    """A step that is spun from Python, going on or ended.

    As a context manager it removes its files when it is left, what the step set among them, unless
    that is kept by `persist=True`.
    """

    _PARTS = ("flow", "run", "step", "task")
    _task: Task | None = None

    @property
    def task(self) -> Task:
        """The task, as the client shows it, from a store of its own; once it has ended.

        Raises:
            PlaitNotFound: It still goes on.
        """
        if self._task is None:
            from plait.client.opening import open_task
            from plait.client.source import connect_to
            from plait.client.task import Task

            connection = connect_to(self._process.announced["metadata"])
            self._task = Task(open_task(connection, self._pathspec(), any_namespace=True))
            _read_by[connection] = self._process
        return self._task


def show(stream: Stream, data: bytes) -> None:
    """Print what a run printed, to the same stream of this process."""
    target: Any = sys.stdout if stream == "stdout" else sys.stderr
    if target is None:
        return  # a program without a console has none to show anything in
    if (raw := getattr(target, "buffer", None)) is not None:
        target.flush()
        raw.write(data)
        raw.flush()
    else:  # a notebook's, or a test's: text only
        target.write(_text(data))
        target.flush()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _checked(stream: str) -> Stream:
    for known in STREAMS:
        if stream == known:
            return known
    raise NoSuchStream(stream)
