"""The map of a context on a report's page: what goes across and down, and what each cell shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plait_harness.progress import natural_key
from plait_harness.report import CaseRow

FEW = 4
"""So few columns make a narrow table, of which several stand beside one another."""

BLOCK = 25
"""How many rows each of these has."""


@dataclass(frozen=True, slots=True)
class CaseTurns:
    """A case, and how it went each time that it ran.

    Args:
        id: Its id.
        turns: How it went, in the order of the turns.
    """

    id: str
    turns: Sequence[CaseRow]

    @property
    def worst(self) -> CaseRow:
        """The turn that is shown for all: one that failed, or else the slowest."""
        return find_worst(self.turns)

    @property
    def failed(self) -> int:
        """How many turns did not pass."""
        return sum(row.outcome != "passed" for row in self.turns)

    def describe(self) -> str:
        """Say how it went: `failed`, or `2 of 5 failed` where it ran several times."""
        if len(self.turns) == 1:
            return self.turns[0].outcome
        if self.failed:
            return f"{self.failed} of {len(self.turns)} failed"
        return f"passed {len(self.turns)} times"


@dataclass(frozen=True, slots=True)
class HeatCell:
    """The cases of a template on a graph in a context: of every executor, and every turn."""

    rows: Sequence[CaseRow]

    @property
    def worst(self) -> CaseRow:
        """The case that the cell leads to."""
        return find_worst(self.rows)

    def describe(self) -> str:
        """Give what the cell shows: the worst one's seconds, or how many of several failed."""
        failed = sum(row.outcome != "passed" for row in self.rows)
        if failed and len(self.rows) > 1:
            return f"{failed}/{len(self.rows)}"
        return f"{self.worst.seconds:.2f}"


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The cases of one context.

    Args:
        context: Its name.
        graphs: The graphs, in natural order.
        templates: The templates, in the order in which they ran.
        cells: The cell of each template and graph that has one.
    """

    context: str
    graphs: Sequence[str]
    templates: Sequence[str]
    cells: dict[tuple[str, str], HeatCell]

    @property
    def graphs_down(self) -> bool:
        """Whether graphs are rows. The fewer go across, as a page is read from top to bottom."""
        return len(self.graphs) > len(self.templates)

    @property
    def across(self) -> Sequence[str]:
        """The columns."""
        return self.templates if self.graphs_down else self.graphs

    @property
    def blocks(self) -> list[Sequence[str]]:
        """The rows, in the tables that stand beside one another where they are narrow."""
        down = self.graphs if self.graphs_down else self.templates
        size = BLOCK if self.is_narrow else len(down)
        return [down[start : start + size] for start in range(0, len(down), size)]

    @property
    def is_narrow(self) -> bool:
        """Whether there are so few columns that several tables stand beside one another."""
        return len(self.across) <= FEW

    def find_cell(self, down: str, across: str) -> HeatCell | None:
        """Give what is in a row and a column."""
        return self.cells.get((across, down) if self.graphs_down else (down, across))


def map_rows(rows: Iterable[CaseRow]) -> list[HeatMap]:
    """Give the map of each context, in the order in which they ran."""
    by_context: dict[str, dict[tuple[str, str], list[CaseRow]]] = {}
    for row in rows:
        cells = by_context.setdefault(row.context, {})
        cells.setdefault((row.template, row.graph), []).append(row)
    return [
        HeatMap(
            context,
            sorted({graph for _, graph in cells}, key=natural_key),
            list(dict.fromkeys(template for template, _ in cells)),
            {place: HeatCell(own) for place, own in cells.items()},
        )
        for context, cells in by_context.items()
    ]


def group_turns(rows: Iterable[CaseRow]) -> list[CaseTurns]:
    """Give each case with its turns, in the order in which they ran."""
    turns: dict[str, list[CaseRow]] = {}
    for row in rows:
        turns.setdefault(row.id, []).append(row)
    return [CaseTurns(name, own) for name, own in turns.items()]


def find_worst(rows: Sequence[CaseRow]) -> CaseRow:
    """Give one that failed, or else the slowest."""
    return max(rows, key=lambda row: (row.outcome != "passed", row.seconds))
