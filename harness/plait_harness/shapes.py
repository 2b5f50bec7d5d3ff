"""The grammar of all graphs as a tree of blocks, which is valid whatever stands in it.

A graph file names steps and says where each goes, so that most random ones are no graph of any
flow. A tree of blocks has no names and no way to be wrong: every split is joined, every loop ends.
So a tree can be drawn at random, or have any part cut out, and still be a graph.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from plait_harness.graphs import GraphSpec, parse_valid_graph

Elements = Literal["range", "letters", "uneven"]
"""What a foreach is over: numbers; texts; or numbers, how many by the index in the outer one."""

Chooser = Literal["index", "turn"]
"""What a switch chooses by: the place in the foreach, or how often it ran before."""

_CASES = "xyzuvw"
"""The values of a condition, one for each way; so there are at most six ways."""

MOST_WAYS = len(_CASES)
"""The most ways of a switch."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step that does nothing but lead on."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A static split and its join: two arms or more, each a step with the blocks behind it."""

    arms: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Foreach:
    """A foreach and its join, around a step with the blocks behind it.

    Args:
        width: How many elements; for `uneven`, the most.
        elements: What they are.
        body: The blocks behind the inner step.
    """

    width: int
    body: Shape = ()
    elements: Elements = "range"


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch, whose ways meet again behind it.

    Args:
        arms: A way each: a step with the blocks behind it, or None for the way straight on, which
            is there at most once.
        by: What it chooses by.
        shift: Which way is the first.
    """

    arms: tuple[Shape | None, ...]
    by: Chooser = "index"
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Loop:
    """A step, the blocks behind it, and a switch that leads back to the step.

    Args:
        rounds: How often it leads back, each time that it is come to.
        body: The blocks between.
    """

    rounds: int
    body: Shape = ()


Block = Step | Branch | Foreach | Switch | Loop

Shape = tuple[Block, ...]
"""Blocks one behind the other; as a whole graph, those between `start` and `end`."""


def iter_parts(block: Block) -> Iterator[Shape]:
    """Give the shapes within a block, in order."""
    match block:
        case Branch(arms):
            yield from arms
        case Switch(arms):
            yield from (arm for arm in arms if arm is not None)
        case Foreach(body=body) | Loop(body=body):
            yield body


def depth_of(shape: Shape) -> int:
    """Give how many blocks are within each other at most; a step alone is none."""
    return max(
        (
            0 if isinstance(block, Step) else 1 + max(map(depth_of, iter_parts(block)), default=0)
            for block in shape
        ),
        default=0,
    )


def width_of(shape: Shape) -> int:
    """Give the width of the widest foreach; 0 without one."""
    return max(
        (
            max(
                block.width if isinstance(block, Foreach) else 0,
                *map(width_of, iter_parts(block)),
                0,
            )
            for block in shape
        ),
        default=0,
    )


def outline_of(graph: GraphSpec) -> str:
    """Give what two graphs have in common that differ only in widths, values and conditions."""
    nodes = [(node.name, node.kind, node.targets, node.join) for node in graph]
    return json.dumps(nodes)


def digest_of(graph: GraphSpec) -> str:
    """Give a word by which a graph is told from others, whatever its name."""
    nodes = json.dumps(graph.to_json()["graph"], sort_keys=True)
    return hashlib.sha256(nodes.encode()).hexdigest()[:8]


def make_graph(shape: Shape, name: str, shows: str = "Generated.") -> GraphSpec:
    """Make the graph of a shape: the same steps with the same names for the same shape.

    Args:
        shape: The blocks between `start` and `end`. Steps are shared wherever that is possible:
            the step before a split is the split, and a join may itself be the next one.
        name: The graph's name.
        shows: What it is there for.
    """
    nodes = _Maker().make(shape)
    return parse_valid_graph({"name": name, "shows": shows, "graph": nodes})


@dataclass(frozen=True, slots=True)
class _Place:
    """What a step stands in: the kinds of the blocks around it, outermost first."""

    around: tuple[str, ...] = ()

    def within(self, kind: str) -> _Place:
        return _Place((*self.around, kind))

    def quals(self) -> set[str]:
        kinds = set(self.around)
        found = {"loop"} & kinds
        if "foreach" in kinds:
            found.add("foreach-inner")
        splits = [kind for kind in self.around if kind in ("foreach", "branch")]
        if splits[-1:] == ["branch"]:
            found.add("branch-inner")
        if "switch" in kinds:
            found.add("switch-arm")
        if not kinds & {"foreach", "loop", "switch"}:
            found.add("once")
        return found


@dataclass(slots=True)
class _Draft:
    """A node of which it may not be known yet where it goes."""

    name: str
    place: _Place
    joins: bool = False
    goes: dict[str, Any] = field(default_factory=dict)
    quals: set[str] = field(default_factory=set)


_Edge = tuple[_Draft, str | None]
"""A way that leads nowhere yet: a node that has no transition, or a node and a case of it."""


class _Maker:
    """Makes the nodes of one graph."""

    def __init__(self) -> None:
        self.drafts: dict[str, _Draft] = {}

    def make(self, shape: Shape) -> Mapping[str, Mapping[str, Any]]:
        start = self.add(_Place(), "start")
        ways = self.blocks([(start, None)], shape, _Place())
        self.connect(ways, self.add(_Place(), "end"))
        return {draft.name: self.node_of(draft) for draft in self.drafts.values()}

    def node_of(self, draft: _Draft) -> dict[str, Any]:
        node = dict(draft.goes)
        if draft.joins:
            node["join"] = True
        node["quals"] = sorted(draft.quals | draft.place.quals())
        return node

    def add(self, place: _Place, name: str = "") -> _Draft:
        draft = _Draft(name or _name(len(self.drafts)), place)
        self.drafts[draft.name] = draft
        return draft

    def connect(self, ways: Sequence[_Edge], target: _Draft) -> None:
        for draft, case in ways:
            if case is None:
                draft.goes["linear"] = target.name
            else:
                draft.goes["switch"][case] = target.name

    def blocks(self, ways: list[_Edge], shape: Shape, place: _Place) -> list[_Edge]:
        for block in shape:
            match block:
                case Step():
                    step = self.add(place)
                    self.connect(ways, step)
                    ways = [(step, None)]
                case Branch():
                    ways = self.branch(ways, block, place)
                case Foreach():
                    ways = self.foreach(ways, block, place)
                case Switch():
                    ways = self.switch(ways, block, place)
                case Loop():
                    ways = self.loop(ways, block, place)
        return ways

    def open(self, ways: list[_Edge], place: _Place) -> _Draft:
        """Give the one step that all ways lead to: the last one if that still goes nowhere."""
        if len(ways) == 1 and ways[0][1] is None:
            return ways[0][0]
        step = self.add(place)
        self.connect(ways, step)
        return step

    def part(self, shape: Shape, place: _Place) -> tuple[_Draft, list[_Edge]]:
        head = self.add(place)
        return head, self.blocks([(head, None)], shape, place)

    def branch(self, ways: list[_Edge], block: Branch, place: _Place) -> list[_Edge]:
        split = self.open(ways, place)
        parts = [self.part(arm, place.within("branch")) for arm in block.arms]
        split.goes["branch"] = [head.name for head, _ in parts]
        return self.join(split, [way for _, ends in parts for way in ends], place, "branch-join")

    def foreach(self, ways: list[_Edge], block: Foreach, place: _Place) -> list[_Edge]:
        split = self.open(ways, place)
        split.quals.add("foreach-split")
        head, ends = self.part(block.body, place.within("foreach"))
        split.goes |= {
            "foreach": head.name,
            "foreach_var": "items",
            "foreach_var_default": _elements(block, in_loop="loop" in place.around),
        }
        return self.join(split, ends, place, "foreach-join")

    def join(self, split: _Draft, ends: list[_Edge], place: _Place, qual: str) -> list[_Edge]:
        join = self.add(place, f"{split.name}_join")
        join.joins = True
        join.quals.add(qual)
        self.connect(ends, join)
        return [(join, None)]

    def switch(self, ways: list[_Edge], block: Switch, place: _Place) -> list[_Edge]:
        ask = self.open(ways, place)
        cases = _CASES[: len(block.arms)]
        number = "turn" if block.by == "turn" else "(self.index or 0)"
        ask.goes |= {
            "switch": dict.fromkeys(cases, ""),
            "condition": "kind",
            "condition_default": f"{cases!r}[({number} + {block.shift}) % {len(cases)}]",
        }
        ends: list[_Edge] = []
        for case, arm in zip(cases, block.arms, strict=True):
            if arm is None:
                ends.append((ask, case))
                continue
            head, arm_ends = self.part(arm, place.within("switch"))
            ask.goes["switch"][case] = head.name
            ends += arm_ends
        return ends

    def loop(self, ways: list[_Edge], block: Loop, place: _Place) -> list[_Edge]:
        inner = place.within("loop")
        head = self.open(ways, place)
        if head.name == "start" or head.joins:
            # Nothing leads back to the first step, nor to a join.
            self.connect([(head, None)], new := self.add(place))
            head = new
        head.place = inner
        ask = self.open(self.blocks([(head, None)], block.body, inner), inner)
        ask.goes |= {
            "switch": {"again": head.name, "done": ""},
            "condition": "kind",
            # Each time that it is come to, in a loop around it, it goes round as often.
            "condition_default": f"'again' if (turn + 1) % {block.rounds + 1} else 'done'",
        }
        return [(ask, "done")]


def _elements(block: Foreach, *, in_loop: bool) -> str:
    # What counts the rounds of a loop is an artifact, and the join of an empty foreach finds none,
    # so in a loop each foreach has an element.
    least = 1 if in_loop else 0
    width = max(least, block.width)
    if block.elements == "letters":
        return (
            f"[str(letter) for letter in range({width})]" if width > 3 else repr([*"abc"[:width]])
        )
    if block.elements == "uneven":
        varying = f"((self.index or 0) + 1) % {width + 1 - least}"
        return f"list(range({least} + {varying}))" if least else f"list(range({varying}))"
    return f"list(range({width}))"


def _name(count: int) -> str:
    letters, number = "abcdefghijklmnopqrstuvwxyz", count - 1
    return letters[number % 26] + (str(number // 26) if number >= 26 else "")


_Part = TypeVar("_Part")


def replaced(parts: tuple[_Part, ...], place: int, *new: _Part) -> tuple[_Part, ...]:
    """Give *parts* with others in the place of one."""
    return (*parts[:place], *new, *parts[place + 1 :])
