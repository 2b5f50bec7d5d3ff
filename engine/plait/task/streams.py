"""A task's standard streams: UTF-8 and line by line, whatever the run's process had."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from typing import TextIO


def open_streams() -> None:
    """Make `sys.stdout` and `sys.stderr` write UTF-8, a line at a time, to descriptors 1 and 2.

    The existing objects are kept where they can be, since the user's code may hold on to them
    (a logging handler does).
    """
    sys.stdout = _lines_to(sys.stdout, 1)
    sys.stderr = _lines_to(sys.stderr, 2)


def flush_streams() -> None:
    """Write out what the user's code printed; nobody is told if that cannot be done any more."""
    for stream in (sys.stdout, sys.stderr):
        # The user's code may have closed it, or put an object there that raises what it likes.
        with suppress(Exception):
            stream.flush()


def _lines_to(stream: TextIO, fd: int) -> TextIO:
    if isinstance(stream, io.TextIOWrapper):
        try:
            if stream.fileno() == fd:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
                return stream
        except (OSError, ValueError):
            pass  # closed, or without a descriptor: a new one takes its place
    return open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
