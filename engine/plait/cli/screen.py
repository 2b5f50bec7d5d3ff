"""A stream to write for people or programs: whole whatever its encoding, coloured if it helps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class ReaderGone(Exception):  # an event, not a mistake: `| head` has read enough
    """Nobody reads the stream any more."""


class Screen:
    """Where the command line writes.

    Args:
        stream: A text stream, such as `sys.stdout`; None, as Python has it where a program was
            started without one, takes what is written and drops it.
        environ: The environment, for `NO_COLOR` and `TERM`; the process's own by default.
    """

    def __init__(self, stream: TextIO | None, environ: Mapping[str, str] | None = None) -> None:
        env = os.environ if environ is None else environ
        # One that the user's code has closed is as good as none.
        self.stream = None if stream is None or getattr(stream, "closed", False) else stream
        self.is_terminal = _is_terminal(stream)
        self.in_colour = (
            self.is_terminal and not env.get("NO_COLOR") and env.get("TERM", "") != "dumb"
        )

    def paint(self, text: str, *styles: str) -> str:
        """Give *text* with the codes for *styles* around it, where this screen shows colours.

        Args:
            text: What to paint.
            styles: Any of `bold`, `dim`, `red`, `green`, `yellow`, `cyan`.
        """
        if not self.in_colour or not styles:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    def line(self, text: str = "") -> None:
        """Write *text* and a newline."""
        self.write(text + "\n")

    def write(self, text: str) -> None:
        """Write *text* at once; characters that the stream cannot encode are shown as escapes.

        Raises:
            ReaderGone: The other end of the pipe is closed.
        """
        stream = self.stream
        if stream is None:
            return
        try:
            try:
                stream.write(text)
            except UnicodeEncodeError:
                encoding = stream.encoding or "ascii"
                stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except BrokenPipeError as error:
            _discard(stream)
            raise ReaderGone from error


def _discard(stream: TextIO) -> None:
    """Drop what is left in the buffer: it would fail again, noisily, when *stream* is closed."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass  # a stream without a file descriptor has nothing to flush at exit


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # a closed stream is no terminal
        return False
