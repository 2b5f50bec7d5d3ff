"""What a task printed, as whole lines again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plait.logs.lines import LogLine, Stream


def iter_whole_lines(lines: Iterable[LogLine], stream: Stream) -> Iterator[tuple[float, bytes]]:
    """Give the lines of one stream, each with the time of its end, pieces put together.

    A last line without a newline is given like any other.
    """
    pieces: list[bytes] = []
    at = 0.0
    for line in lines:
        if line.stream == stream:
            pieces.append(line.text)
            at = line.at
            if line.ended:
                yield at, b"".join(pieces)
                pieces.clear()
    if pieces:
        yield at, b"".join(pieces)
