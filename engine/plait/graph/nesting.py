"""Which splits are open around each step, and where each is joined."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from plait.base.records import TransitionKind
from plait.graph.outline import Edge, Outline
from plait.graph.source import StepSource


class Part(NamedTuple):
    """One part of a split: the branch at *position*, from 0, or any element of a foreach (0)."""

    split: str
    position: int


Stack = tuple[Part, ...]
"""The parts of splits that are open somewhere, outermost first."""


class Arrival(NamedTuple):
    """One way into a step: the step before it, and what is open on the way."""

    parent: str
    stack: Stack

    @property
    def split(self) -> str | None:
        """The innermost split that is open; None if none is."""
        return self.stack[-1].split if self.stack else None


@dataclass(slots=True)
class Nesting:
    """What the walk along the splits found.

    A wrong join would make everything behind it look wrong too. Where one is found it is noted
    once, and the walk goes on as if it had been right.

    Args:
        stacks: What is open around each step; a step is missing where that can't be told.
        joins: For each join, the split that it joins.
        ends_at: For each split and each of its parts, by position, the join of it, or `end`; more
            than one where a switch lets the part end in several places.
        settled: Splits whose joining was found wrong already.
        unrelated: Joins of different splits, with the ways into each.
        splitless: Joins where no split is open.
        direct: Splits with a join that one of their parts goes to at once.
        merging: Steps that take no inputs, but are reached from different parts.
        across: Ways back that lead out of a split or into one.
    """

    stacks: dict[str, Stack] = field(default_factory=dict)
    joins: dict[str, str] = field(default_factory=dict)
    ends_at: dict[str, dict[int, tuple[str, ...]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    settled: set[str] = field(default_factory=set)
    unrelated: dict[str, tuple[Arrival, ...]] = field(default_factory=dict)
    splitless: list[str] = field(default_factory=list)
    direct: list[tuple[str, str]] = field(default_factory=list)
    merging: dict[str, tuple[Arrival, ...]] = field(default_factory=dict)
    across: list[Edge] = field(default_factory=list)


def find_nesting(outline: Outline) -> Nesting:
    """Walk the flow from its first step along its splits."""
    walk = _Walk(outline)
    for name in outline.order:
        walk.visit(name)
    for edge in outline.back:
        if edge.target != outline.source.start:
            walk.go_back(edge)
    return walk.nesting


def takes_inputs(step: StepSource) -> bool | None:
    """Tell whether a step is a join; None if its arguments leave that open."""
    if step.missing or step.takes_more or len(step.arguments) not in (1, 2):
        return None
    return len(step.arguments) == 2  # `self` and `inputs`


def places(ends: Mapping[int, tuple[str, ...]]) -> tuple[str, ...]:
    """Give the joins, or `end`, in which the parts of one split end, each once."""
    return tuple(dict.fromkeys(place for position in sorted(ends) for place in ends[position]))


def behind(outline: Outline, nesting: Nesting, edge: Edge) -> Stack:
    """Give what is open on a way from a step whose own splits are known."""
    stack = nesting.stacks[edge.source]
    if outline.forms[edge.source].kind in (TransitionKind.LINEAR, TransitionKind.SWITCH):
        return stack
    return (*stack, Part(edge.source, edge.position))


class _Walk:
    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.nesting = Nesting()
        self.into: dict[str, list[Edge]] = defaultdict(list)
        # In the order of the walk, so that the ways into a join are in the order of its branches.
        for name in dict.fromkeys((*outline.order, *outline.edges)):
            for edge in outline.edges[name]:
                self.into[edge.target].append(edge)

    def visit(self, name: str) -> None:
        """Work out what is open around a step, all steps before it having been visited."""
        arrivals = tuple(
            Arrival(edge.source, behind(self.outline, self.nesting, edge))
            for edge in self.into[name]
            if self._is_clear(edge.source)
        )
        # Not sure: some way into this step begins at a mistake, which may be the cause of whatever
        # looks wrong here.
        is_sure = len(arrivals) == len(self.into[name])
        arrivals = self._leave_splits(name, arrivals)
        stack = self._arrive(self.outline.steps[name], arrivals, is_sure=is_sure)
        if stack is not None:
            self.nesting.stacks[name] = stack

    def go_back(self, edge: Edge) -> None:
        """Look at a way back, all steps having been visited: what is open must be the same."""
        stacks = self.nesting.stacks
        # A branch of which one way leads back is looked at, too, although what is behind its other
        # ways can't be told: that it leads back is the mistake.
        is_known = edge.target in stacks and edge.source in stacks
        if is_known and self.outline.forms[edge.source].kind is not None:
            is_join = takes_inputs(self.outline.steps[edge.target]) is True
            if is_join or behind(self.outline, self.nesting, edge) != stacks[edge.target]:
                self.nesting.across.append(edge)

    def _leave_splits(self, name: str, arrivals: tuple[Arrival, ...]) -> tuple[Arrival, ...]:
        """Note the cases of switches that leave a split behind its join, and leave them out."""
        ends_at = self.nesting.ends_at
        stacks = {arrival.stack for arrival in arrivals}
        gone = [
            arrival
            for arrival in arrivals
            if self.outline.is_switch(arrival.parent)
            and arrival.stack
            and arrival.stack[-1].position in ends_at.get(arrival.stack[-1].split, ())
            and (len(stacks) > 1 or name == self.outline.source.end)
        ]
        if len(gone) == len(arrivals):
            return arrivals
        for arrival in gone:
            self._end_part(arrival.stack[-1], name)
        return tuple(arrival for arrival in arrivals if arrival not in gone)

    def _end_part(self, part: Part, place: str) -> None:
        ends = self.nesting.ends_at[part.split]
        ends[part.position] = tuple(dict.fromkeys((*ends.get(part.position, ()), place)))

    def _is_clear(self, name: str) -> bool:
        kind = self.outline.forms[name].kind
        if name not in self.nesting.stacks or kind is None:
            return False
        # Of a branch with one way left it can't be told whether it was meant to be one.
        return kind is not TransitionKind.BRANCH or len(self.outline.edges[name]) > 1

    def _arrive(
        self, step: StepSource, arrivals: tuple[Arrival, ...], *, is_sure: bool
    ) -> Stack | None:
        is_join = takes_inputs(step)
        if not arrivals:
            if is_join and step.name == self.outline.source.start:
                self.nesting.splitless.append(step.name)
            return () if is_sure else None
        if step.name == self.outline.source.end:
            return self._finish(arrivals, is_join=bool(is_join))
        several = len({arrival.stack for arrival in arrivals}) > 1
        if is_join:
            return self._join(step.name, arrivals, is_sure=is_sure)
        if several:
            if is_sure and is_join is False:
                self.nesting.merging[step.name] = arrivals
                if any(self.outline.is_switch(arrival.parent) for arrival in arrivals):
                    # Whether the switch or the other way was wrong, no join can be told from it.
                    self.nesting.settled.update(a.split for a in arrivals if a.split is not None)
            return self._join(step.name, arrivals, is_sure=False)
        stack = arrivals[0].stack
        if is_join is None:
            return None if stack else ()  # it may or may not be the join of what is open
        return stack if is_sure else None

    def _join(self, name: str, arrivals: tuple[Arrival, ...], *, is_sure: bool) -> Stack | None:
        first = arrivals[0]
        if len({arrival.split for arrival in arrivals}) > 1:
            return self._join_unrelated(name, arrivals, is_sure=is_sure)
        if first.split is None:
            # Several ways in with nothing open: the cases of a switch, or a split before this was
            # joined in several places, which is noted there.
            is_known = len(self.into[name]) > 1 and (
                bool(self.nesting.settled)
                or any(len(places(ends)) > 1 for ends in self.nesting.ends_at.values())
            )
            if is_sure and not is_known and self.outline.entry == self.outline.source.start:
                self.nesting.splitless.append(name)
            return ()
        if is_sure and any(arrival.parent == first.split for arrival in arrivals):
            self.nesting.direct.append((first.split, name))
            if len(arrivals) == 1:
                # It may be the join, or a step that was not meant to take inputs. Of a branch it
                # is the latter, since the others lead elsewhere.
                kind = self.outline.forms[first.split].kind
                return None if kind is TransitionKind.FOREACH else first.stack
        self.nesting.joins[name] = first.split
        for arrival in arrivals:
            self._end_part(arrival.stack[-1], name)
        return first.stack[:-1]

    def _join_unrelated(self, name: str, arrivals: tuple[Arrival, ...], *, is_sure: bool) -> Stack:
        nesting = self.nesting
        common = _common([arrival.stack for arrival in arrivals])
        closed = [part for arrival in arrivals for part in arrival.stack[len(common) :]]
        late = [part for part in closed if part.split in nesting.ends_at]
        for part in late:
            # Another join took in the other parts of this split, without waiting for this one.
            self._end_part(part, name)
        if len(late) < len(closed):
            if is_sure:
                nesting.unrelated[name] = arrivals
            nesting.settled.update(part.split for part in closed)
        return common

    def _finish(self, arrivals: tuple[Arrival, ...], *, is_join: bool) -> Stack:
        """Note what is open at `end`; if that takes `inputs`, it meant to join the innermost."""
        for arrival in arrivals:
            if is_join and arrival.split is not None:
                self.nesting.settled.add(arrival.split)
            for part in arrival.stack:
                self._end_part(part, self.outline.source.end)
        return ()


def _common(stacks: Iterable[Stack]) -> Stack:
    shared: list[Part] = []
    for parts in zip(*stacks, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return tuple(shared)
