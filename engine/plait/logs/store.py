"""The logs of attempts, kept in a storage as their output arrives."""

from __future__ import annotations

from collections.abc import Iterable

from plait.base.layout import log_key
from plait.base.pathspec import AttemptKey
from plait.logs.lines import LineAssembler, LogLine, Stream, format_lines, parse_lines
from plait.storage.protocol import MissingKey, Storage


class LogStore:
    """Logs by attempt, over a storage; an attempt that printed nothing has none.

    Args:
        storage: Where they are kept.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def append(self, key: AttemptKey, lines: Iterable[LogLine]) -> None:
        """Add lines to the end of an attempt's log; without any, nothing is written."""
        data = format_lines(lines)
        if data:
            self._storage.append(log_key(key), data)

    def flush(self, key: AttemptKey) -> None:
        """Make all that was added to an attempt's log readable by everybody."""
        self._storage.flush(log_key(key))

    def read(self, key: AttemptKey) -> list[LogLine]:
        """Give an attempt's lines, in the order in which they arrived; none if it has no log."""
        try:
            return parse_lines(self._storage.get(log_key(key)))
        except MissingKey:
            return []  # What printed nothing has no log.

    def read_tail(self, key: AttemptKey, size: int) -> tuple[list[LogLine], bool]:
        """Give the lines in the last *size* bytes of a log, and whether these are all there are."""
        name = log_key(key)
        try:
            whole = self._storage.size(name)
            data = self._storage.get_range(name, max(whole - size, 0), size)
        except MissingKey:
            return [], True  # What printed nothing has no log.
        if whole <= size:
            return parse_lines(data), True
        # The first line is very likely cut.
        return parse_lines(data[data.find(b"\n") + 1 :]), False

    def read_from(self, key: AttemptKey, offset: int) -> tuple[list[LogLine], int]:
        """Give the lines after *offset* that are whole by now, and the offset behind them.

        For following a log while it grows: begin with 0, and go on with what came back.
        """
        name = log_key(key)
        try:
            data = self._storage.get_range(name, offset, self._storage.size(name) - offset)
        except MissingKey:
            return [], offset  # Nothing was printed yet.
        whole = data[: data.rfind(b"\n") + 1]
        return parse_lines(whole), offset + len(whole)


class LogWriter:
    """Writes one attempt's output as it arrives: at most one append to the storage per chunk.

    Args:
        store: Where the log is kept.
        key: The attempt.
        limit_bytes: The most bytes of output to keep, or None for all. The line that would be over
            it, and all that follow, are replaced by one line that says so.
    """

    def __init__(self, store: LogStore, key: AttemptKey, limit_bytes: int | None = None) -> None:
        self._store = store
        self._key = key
        self._limit = limit_bytes
        self._kept = 0
        self._full = False
        self._assemblers: dict[Stream, LineAssembler] = {
            "stdout": LineAssembler("stdout"),
            "stderr": LineAssembler("stderr"),
        }

    def write(self, stream: Stream, data: bytes, at: float) -> list[LogLine]:
        """Take a chunk, keep the lines that it ends, and give the lines to show.

        Past the limit, lines are still given to show, but not kept.
        """
        return self._keep(self._assemblers[stream].feed(data, at))

    def close(self, at: float) -> list[LogLine]:
        """Keep what came without a newline at its end, and give it to show."""
        # In the order in which what is left began to arrive.
        assemblers = sorted(
            self._assemblers.values(), key=lambda assembler: assembler.waiting_since or 0.0
        )
        lines = self._keep([line for assembler in assemblers for line in assembler.flush(at)])
        self._store.flush(self._key)
        return lines

    def _keep(self, lines: list[LogLine]) -> list[LogLine]:
        if self._full or not lines:
            return lines
        if self._limit is None:
            self._store.append(self._key, lines)
            return lines
        for position, line in enumerate(lines):
            size = len(line.text) + line.ended
            if self._kept + size > self._limit:
                self._full = True
                notice = LogLine(
                    line.at,
                    line.stream,
                    f"[plait] the log has reached its limit of {self._limit} bytes "
                    "(--max-log-size); what follows is not kept".encode(),
                    ended=True,
                )
                self._store.append(self._key, [*lines[:position], notice])
                return [*lines[:position], notice, *lines[position:]]
            self._kept += size
        self._store.append(self._key, lines)
        return lines
