"""Lines of output: cut from chunks as they come, and written and read back byte for byte.

The form on disk is described in docs/log-format.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Stream = Literal["stdout", "stderr"]
"""The two outputs of a process."""

LINE_LIMIT = 65536
"""The most bytes in one piece of a line; what is longer is kept in several."""

_CODES: dict[Stream, bytes] = {"stdout": b"out", "stderr": b"err"}
_STREAMS: dict[bytes, Stream] = {code: stream for stream, code in _CODES.items()}
_ENDED, _OPEN = b".", b"+"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of output, or a piece of one.

    Args:
        at: When its last byte arrived; seconds since 1970.
        stream: Where it was written to.
        text: Its bytes, whatever they are, without the newline.
        ended: Whether a newline followed; if not, the stream's next line goes on where this stops.
    """

    at: float
    stream: Stream
    text: bytes
    ended: bool


class LineAssembler:
    """Makes lines of one stream's chunks; the same lines, however its bytes were cut in chunks."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._rest = bytearray()
        self.waiting_since: float | None = None
        """When the first byte arrived of the line that has no end yet; None if there is none."""

    def feed(self, data: bytes, at: float) -> list[LogLine]:
        """Take a chunk and give the lines that it ends, and the full pieces of longer ones.

        Args:
            data: Bytes as they were read.
            at: When; seconds since 1970.
        """
        *ended, rest = data.split(b"\n")
        lines: list[LogLine] = []
        for text in ended:
            if self._rest or len(text) > LINE_LIMIT:
                self._rest += text
                self._cut(lines, at)
                text = bytes(self._rest)  # noqa: PLW2901  # the same line, its beginning included
                self._rest.clear()
            lines.append(LogLine(at, self._stream, text, ended=True))
        if ended:
            self.waiting_since = None
        if rest:
            self._rest += rest
            self._cut(lines, at)
            if self.waiting_since is None:
                self.waiting_since = at
        return lines

    def flush(self, at: float) -> list[LogLine]:
        """Give what came after the last newline, if anything did, as a piece of a line."""
        if not self._rest:
            return []
        line = LogLine(at, self._stream, bytes(self._rest), ended=False)
        self._rest.clear()
        self.waiting_since = None
        return [line]

    def _cut(self, lines: list[LogLine], at: float) -> None:
        """Move full pieces out of the rest; a character of UTF-8 is not cut in two."""
        start = 0
        while len(self._rest) - start > LINE_LIMIT:
            end = start + LINE_LIMIT
            # A character has at most 4 bytes, all but its first of the form 10xxxxxx.
            for back in range(4):
                if self._rest[end - back] & 0xC0 != 0x80:
                    end -= back
                    break
            lines.append(LogLine(at, self._stream, bytes(self._rest[start:end]), ended=False))
            start = end
        del self._rest[:start]


def format_lines(lines: Iterable[LogLine]) -> bytes:
    """Give lines as the bytes that are kept, one record a line."""
    records: list[bytes] = []
    for line in lines:
        assert b"\n" not in line.text, "a line of output holds a newline"
        flag = _ENDED if line.ended else _OPEN
        # `repr`, because no shorter form gives the same number back.
        head = b"%a %s %s " % (float(line.at), _CODES[line.stream], flag)
        records.extend((head, line.text, b"\n"))
    return b"".join(records)


def parse_lines(data: bytes) -> list[LogLine]:
    """Read what `format_lines` gave, or what is left of it.

    A last record that was cut off, because its writer was killed, counts as a piece of a line as
    far as it goes, if it goes as far as its text. A record that is none, because the file was
    damaged, becomes a line of its own that shows it as it is, at the time of the one before.
    """
    *records, torn = data.split(b"\n")
    lines: list[LogLine] = []
    at = 0.0
    for record in records:
        line = _parse_record(record)
        if line is None:
            line = LogLine(at, "stdout", record, ended=True)
        lines.append(line)
        at = line.at
    last = _parse_record(torn)
    if last is not None and last.text:
        lines.append(LogLine(last.at, last.stream, last.text, ended=False))
    return lines


def _parse_record(record: bytes) -> LogLine | None:
    try:
        time, code, flag, text = record.split(b" ", 3)
        at, stream = float(time), _STREAMS[code]
    except (ValueError, KeyError):
        # Not a record: the caller knows what that means where it stands.
        return None
    return LogLine(at, stream, text, flag == _ENDED) if flag in (_ENDED, _OPEN) else None


def text_of(lines: Iterable[LogLine], stream: Stream | None = None) -> str:
    r"""Give lines as text; bytes that are not UTF-8 are shown as `\xff`.

    For one stream this is what was written to it, to the byte. With both, a piece of a line is
    ended where the other stream goes on, so that the two never share a line.

    Args:
        lines: The lines, in the order in which they arrived.
        stream: Only this one's; both by default.
    """
    parts: list[bytes] = []
    open_stream: Stream | None = None
    for line in lines:
        if stream not in (None, line.stream):
            continue
        if open_stream not in (None, line.stream):
            parts.append(b"\n")
        parts.append(line.text)
        if line.ended:
            parts.append(b"\n")
        open_stream = None if line.ended else line.stream
    return b"".join(parts).decode("utf-8", "backslashreplace")
