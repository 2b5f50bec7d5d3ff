"""The graph as records: nodes, what each does next, and what its splits and joins match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plait.base.records import TransitionKind


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
        targets: The steps after it, in the order of `self.next`.
        foreach: The artifact fanned out over; only for a foreach.
        next_line: The line of its `self.next`; None for `end`.
        decorators: The names of its decorators as written, outermost first.
        parents: The steps before it, in the order of the graph; for the join of a branch, that is
            the order of the branches.
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
    next_line: int | None = None
    decorators: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    joined_by: str | None = None
    joins: str | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """A valid flow's steps by name, in the order of a walk from `start`.

    Each step stands after those before it, and the first branch of a split before the second.

    Args:
        flow: The flow's name.
        doc: Its docstring, cleaned; may be empty.
        nodes: Its steps by name.
    """

    flow: str
    doc: str
    nodes: Mapping[str, Node]

    def __getitem__(self, step: str) -> Node:
        return self.nodes[step]
