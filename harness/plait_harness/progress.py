"""One line that says how far a run of the harness is, and the table at its end."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

_EVERY_ON_TERMINAL = 0.2
_EVERY_IN_LOG = 15.0


class Progress:
    """Keeps one line up to date on a terminal, and writes one now and then elsewhere.

    Args:
        stream: Where to write.
        is_terminal: Whether a line can be written over.
    """

    def __init__(self, stream: TextIO, *, is_terminal: bool) -> None:
        self._stream = stream
        self._is_terminal = is_terminal
        self._every = _EVERY_ON_TERMINAL if is_terminal else _EVERY_IN_LOG
        self._began = time.monotonic()
        self._written = self._began
        self._width = 0
        self.total = 0
        self.done = 0
        self.failed = 0

    def count(self, *, failed: bool) -> None:
        """Count a case that has ended, and show the line if it is time."""
        self.done += 1
        self.failed += failed
        now = time.monotonic()
        if now - self._written >= self._every or self.done == self.total:
            self._written = now
            self._write(self.line(now - self._began))

    def line(self, seconds: float) -> str:
        """Give the line: done, failed, left, rate."""
        rate = 60 * self.done / seconds if seconds else 0.0
        left = max(0, self.total - self.done)
        return f"{self.done} done, {self.failed} failed, {left} left, {rate:.0f} cases a minute"

    def close(self) -> None:
        """Leave the line, so that what follows begins on one of its own."""
        if self._is_terminal and self._width:
            self._stream.write("\n")
            self._stream.flush()

    def _write(self, line: str) -> None:
        if self._is_terminal:
            self._stream.write(f"\r{line:<{self._width}}")
            self._width = len(line)
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()


@dataclass(frozen=True, slots=True)
class Cell:
    """How the cases of a context on a graph went."""

    context: str
    graph: str
    passed: int
    failed: int
    seconds: float


def format_table(cells: Sequence[Cell]) -> list[str]:
    """Give the lines of the table by graph (down) and context (across).

    A cell says how many passed and, after a `!`, how many failed.
    """
    contexts = list(dict.fromkeys(cell.context for cell in cells))
    by_place = {(cell.graph, cell.context): cell for cell in cells}
    graphs = sorted({cell.graph for cell in cells}, key=natural_key)
    width = max([len("graph"), *map(len, graphs)])
    columns = [max(len(context), 9) for context in contexts]
    head = [f"{name:>{size}}" for name, size in zip(contexts, columns, strict=True)]
    lines = ["  ".join([f"{'graph':<{width}}", *head])]
    for graph in graphs:
        row = [f"{graph:<{width}}"]
        for context, size in zip(contexts, columns, strict=True):
            row.append(f"{_cell_text(by_place.get((graph, context))):>{size}}")
        lines.append("  ".join(row))
    totals = [f"{'all':<{width}}"]
    for context, size in zip(contexts, columns, strict=True):
        own = [cell for cell in cells if cell.context == context]
        total = Cell(
            context,
            "all",
            sum(cell.passed for cell in own),
            sum(cell.failed for cell in own),
            sum(cell.seconds for cell in own),
        )
        totals.append(f"{_cell_text(total):>{size}}")
    return [*lines, "  ".join(totals)]


def _cell_text(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return f"{cell.passed} !{cell.failed}" if cell.failed else str(cell.passed)


def natural_key(name: str) -> list[tuple[int, str]]:
    """Give what sorts names as people do: `g2` before `g10`."""
    parts = re.split(r"(\d+)", name.lower())
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in parts]
