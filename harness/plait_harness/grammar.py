"""Draws shapes of graphs: from a seed, the same ones everywhere, or from Hypothesis's choices."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plait_harness.graphs import GraphSpec
from plait_harness.shapes import (
    MOST_WAYS,
    Block,
    Branch,
    Chooser,
    Elements,
    Foreach,
    Loop,
    Shape,
    Step,
    Switch,
    make_graph,
)

if TYPE_CHECKING:
    # Imported where a strategy is made: a run of the harness without one does not need it.
    from hypothesis.strategies import SearchStrategy

Pick = Callable[[int], int]
"""Picks one of so many things; 0 is the simplest."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a shape may become.

    Args:
        tasks: About how many tasks a run of it has at most.
        depth: How many blocks may be within each other.
        length: How many blocks may follow each other.
        width: The widest foreach.
    """

    tasks: int
    depth: int
    length: int
    width: int


SIZES = (
    Size(tasks=14, depth=2, length=2, width=3),
    Size(tasks=30, depth=3, length=3, width=4),
    Size(tasks=45, depth=5, length=1, width=3),
    Size(tasks=110, depth=2, length=2, width=50),
)
"""Small ones, those of some of everything, deep ones, and wide ones."""

_WIDTHS = (2, 3, 1, 0, 4, 7, 20, 50)
_BLOCKS = ("foreach", "branch", "switch", "loop", "foreach", "step")


def draw_shape(pick: Pick, size: Size) -> Shape:
    """Draw one shape.

    Args:
        pick: Makes every choice. Lower choices make simpler shapes.
        size: How large it may become.
    """
    return _Drawing(pick, size).shape(size.tasks, size.depth, least=1)


def draw_shapes(seed: int, count: int) -> tuple[Shape, ...]:
    """Draw shapes of all sizes: of one seed always the same, and each one once.

    Python's own generator makes the choices rather than Hypothesis, whose draws differ from
    version to version: workers have to agree on them, and a seed is to mean the same next year.
    """
    rng = random.Random(seed)  # noqa: S311  # shapes, not secrets
    drawn: dict[Shape, None] = {}
    # By turns, so that many are drawn although there are only so many small ones.
    sizes = itertools.cycle(SIZES)
    while len(drawn) < count:
        drawn[draw_shape(rng.randrange, next(sizes))] = None
    return tuple(drawn)


def generate_graphs(seed: int, count: int) -> dict[str, tuple[Shape, GraphSpec]]:
    """Generate graphs: of one seed always the same, by name, in the order in which they run."""
    made = {}
    for number, shape in enumerate(draw_shapes(seed, count), start=1):
        name = f"generated-{seed}-{number}"
        made[name] = shape, make_graph(shape, name, f"Number {number} of seed {seed}.")
    return made


def shapes(size: Size = SIZES[1]) -> SearchStrategy[Shape]:
    """Give the Hypothesis strategy of all shapes of a size; it shrinks to simpler ones."""
    from hypothesis import strategies as st

    @st.composite
    def drawn(draw: Any) -> Shape:
        return draw_shape(lambda count: int(draw(st.integers(0, count - 1))), size)

    return drawn()


class _Drawing:
    """Draws one shape, with an eye on how many tasks there is still room for."""

    def __init__(self, pick: Pick, size: Size) -> None:
        self.pick = pick
        self.size = size
        self.is_wide = size.width == max(_WIDTHS)

    def shape(self, room: int, depth: int, least: int = 0) -> Shape:
        if room < 1:
            return ()
        # A deep shape has few blocks in a row, so it has to have one to become deep at all.
        most = min(self.size.length, room)
        least = max(least, 1 if self.size.length == 1 and depth > 1 else 0)
        length = least + self.pick(most - least + 1) if most > least else most
        return tuple(self.block(room // length, depth) for _ in range(length))

    def block(self, room: int, depth: int) -> Block:
        if depth < 1 or room < 3:
            return Step()
        # Where blocks stand alone, a step would end the nesting.
        kinds = _BLOCKS if self.size.length > 1 else _BLOCKS[:-1]
        kind = kinds[self.pick(len(kinds))]
        is_outermost = depth == self.size.depth
        if kind == "foreach" or (self.is_wide and is_outermost and self.pick(2)):
            return self.foreach(room, depth)
        if kind == "branch":
            arms = 2 + self.pick(min(3, room - 2))
            return Branch(tuple(self.shape((room - 2) // arms - 1, depth - 1) for _ in range(arms)))
        if kind == "switch":
            return self.switch(room, depth)
        if kind == "loop":
            rounds = 1 + self.pick(3)
            return Loop(rounds, self.shape(room // (rounds + 1) - 1, depth - 1))
        return Step()

    def foreach(self, room: int, depth: int) -> Foreach:
        widths = [width for width in _WIDTHS if width <= min(self.size.width, room - 2)]
        width = widths[self.pick(len(widths))]
        if self.is_wide and depth == self.size.depth and self.pick(2):
            width = widths[-1]
        kinds: tuple[Elements, ...] = ("range", "letters", "uneven")
        elements = kinds[self.pick(len(kinds))]
        body = self.shape((room - 2) // max(width, 1) - 1, depth - 1)
        return Foreach(width, body, elements)

    def switch(self, room: int, depth: int) -> Switch:
        count = 2 + self.pick(min(3, MOST_WAYS - 1))
        straight = self.pick(count + 1)
        arms = tuple(
            None if place == straight - 1 else self.shape(room - 2, depth - 1)
            for place in range(count)
        )
        by: tuple[Chooser, ...] = ("index", "turn")
        return Switch(arms, by[self.pick(len(by))], self.pick(count))
