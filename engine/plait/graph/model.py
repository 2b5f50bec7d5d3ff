"""The graph as records: nodes, what each does next, and what its splits and joins match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plait.base.records import TransitionKind
from plait.graph.names import END, START

CaseValue = str | int
"""What the key of a case can be: text, a whole number, or a truth value."""

Case = tuple[CaseValue, str]
"""One case of a switch: the value of its condition, and the step that this leads to."""


@dataclass(frozen=True, slots=True)
class Node:
    """One step, as written.

    Args:
        name: The step's name.
        doc: Its docstring, cleaned; may be empty.
        file: The file it is written in, as messages show it: relative to the working directory
            if it is below that.
        line: The line of its `def`, from 1.
        is_join: Whether it takes `inputs`.
        kind: The form of its `self.next`; None for `end`.
        targets: The steps after it, in the order of `self.next`, each once.
        foreach: The artifact fanned out over; only for a foreach.
        condition: The artifact that chooses among the cases; only for a switch.
        cases: Each value that *condition* may have, with the step that it leads to, in the order
            of `self.next`; only for a switch.
        next_line: The line of its `self.next`; None for `end`.
        decorators: The names of its decorators as written, outermost first.
        parents: The steps before it, in the order of the graph; for the join of a branch, that is
            the order of the branches. A loop's last step is among those of its first.
        splits: The split steps open around it, outermost first. A join is outside of the split
            that it joins; a split step is outside of itself.
        joined_by: For a branch or foreach: the step that joins it.
        joins: For a join: the split step that it joins.
    """

    name: str
    doc: str
    file: str
    line: int
    is_join: bool
    kind: TransitionKind | None
    targets: tuple[str, ...] = ()
    foreach: str | None = None
    condition: str | None = None
    cases: tuple[Case, ...] = ()
    next_line: int | None = None
    decorators: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    joined_by: str | None = None
    joins: str | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """A valid flow's steps by name, in the order of a walk from the first.

    Each step stands after those before it, and the first branch of a split before the second; the
    steps of a loop stand in the order of its first round.

    Args:
        flow: The flow's name.
        doc: Its docstring, cleaned; may be empty.
        nodes: Its steps by name.
        start: The step at which a run begins.
        end: The step at which a run ends; in a flow of one step, the same.
    """

    flow: str
    doc: str
    nodes: Mapping[str, Node]
    start: str = START
    end: str = END

    def __getitem__(self, step: str) -> Node:
        return self.nodes[step]
