"""Makes a failing shape smaller, for as long as it still fails, within a limit of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from plait_harness.shapes import (
    Block,
    Branch,
    Foreach,
    Loop,
    Shape,
    Step,
    Switch,
    iter_parts,
    make_graph,
    replaced,
)


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest failing shape that was found.

    Args:
        shape: The shape.
        tries: How many shapes were run.
        seconds: How long that took.
        complete: Whether nothing smaller was left to try; False if the time was over before.
    """

    shape: Shape
    tries: int
    seconds: float
    complete: bool


def shrink(
    shape: Shape,
    fails: Callable[[Shape], bool],
    *,
    seconds: float = 60.0,
    clock: Callable[[], float] = time.monotonic,
) -> Shrunk:
    """Find a smallest shape that fails.

    The smallest candidates are tried first: one block by itself is often enough, and a case of it
    costs little. Each shape that fails takes the place of the one before, until none does.

    Args:
        shape: One that fails.
        fails: Runs a shape, and tells whether it fails.
        seconds: When to be content with what was found.
        clock: Gives the time.
    """
    began = clock()
    tried = {shape}

    def find_failing(current: Shape) -> Shape | None:
        for each in candidates(current):
            if each not in tried:
                if clock() - began > seconds:
                    raise TimeoutError
                tried.add(each)
                if fails(each):
                    return each
        return None

    complete = True
    try:
        while (found := find_failing(shape)) is not None:
            shape = found
    except TimeoutError:
        complete = False
    return Shrunk(shape, len(tried) - 1, clock() - began, complete)


def candidates(shape: Shape) -> list[Shape]:
    """Give shapes that are smaller than *shape* and made from it, the smallest first."""
    size = size_of(shape)
    found = {*_iter_alone(shape), *iter_smaller(shape)}
    sizes = {each: size_of(each) for each in found}
    return sorted((each for each in found if sizes[each] < size), key=lambda each: sizes[each])


def size_of(shape: Shape) -> tuple[int, int, str]:
    """Give what shapes are ordered by: steps, then widths and rounds, then how they are written."""
    return len(make_graph(shape, "size").nodes), _weigh(shape), repr(shape)


def iter_smaller(shape: Shape) -> Iterator[Shape]:
    """Give every shape with one thing less than *shape*, at any depth."""
    for place, block in enumerate(shape):
        yield replaced(shape, place)
        for part in iter_parts(block):
            yield replaced(shape, place, *part)
        for smaller in _iter_smaller_blocks(block):
            yield replaced(shape, place, smaller)


def _iter_alone(shape: Shape) -> Iterator[Shape]:
    for block in shape:
        yield (block,)
        yield (_bare(block),)
        for part in iter_parts(block):
            yield part
            yield from _iter_alone(part)


def _bare(block: Block) -> Block:
    """Give the block without what is in it."""
    match block:
        case Branch(arms):
            return Branch(((),) * len(arms))
        case Switch(arms):
            return replace(block, arms=tuple(None if arm is None else () for arm in arms))
        case Foreach() | Loop():
            return replace(block, body=())
        case Step():
            return block


def _iter_smaller_blocks(block: Block) -> Iterator[Block]:
    match block:
        case Branch():
            yield from _iter_smaller_branches(block)
        case Switch():
            yield from _iter_smaller_switches(block)
        case Foreach(width, body):
            for less in sorted({0, 1, 2, 3, width // 2, width - 1}):
                if 0 <= less < width:
                    yield replace(block, width=less)
            if block.elements != "range":
                yield replace(block, elements="range")
            yield from (replace(block, body=each) for each in iter_smaller(body))
        case Loop(rounds, body):
            yield from (replace(block, rounds=less) for less in range(1, rounds))
            yield from (replace(block, body=each) for each in iter_smaller(body))


def _iter_smaller_branches(block: Branch) -> Iterator[Block]:
    arms = block.arms
    if len(arms) > 2:
        yield from (Branch(replaced(arms, place)) for place in range(len(arms)))
    for place, arm in enumerate(arms):
        yield from (Branch(replaced(arms, place, each)) for each in iter_smaller(arm))
    # As many parts of one step each.
    yield from (Foreach(len(arms), arm) for arm in dict.fromkeys(arms))


def _iter_smaller_switches(block: Switch) -> Iterator[Block]:
    arms = block.arms
    if len(arms) > 1:
        yield from (replace(block, arms=replaced(arms, place)) for place in range(len(arms)))
    for place, arm in enumerate(arms):
        smaller = () if arm is None else iter_smaller(arm)
        yield from (replace(block, arms=replaced(arms, place, each)) for each in smaller)
    if block.shift:
        yield replace(block, shift=0)
    if block.by != "index":
        yield replace(block, by="index")


def _weigh(shape: Shape) -> int:
    weight = 0
    for block in shape:
        weight += sum(map(_weigh, iter_parts(block)))
        match block:
            case Foreach(width, _, elements):
                weight += width + (elements != "range")
            case Loop(rounds):
                weight += rounds
            case Switch(arms, by, shift):
                weight += len(arms) + shift + (by != "index")
            case Branch(arms):
                weight += len(arms)
            case Step():
                weight += 1
    return weight
