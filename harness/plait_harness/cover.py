"""Covering arrays: few cases of a matrix in which every combination of T values still occurs.

The cases are drawn by a greedy cover of the matrix itself, and not by a library: those that there
are draw rows from lists of values and reject what a filter forbids, and here most of what could be
drawn is forbidden, as a template fits few graphs. On twelve contexts, allpairspy reached 85% of the
pairs that are allowed, in eleven seconds, and covertable 45% in a minute.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from plait_harness.crossing import Case

Value: TypeAlias = tuple[str, str]
"""An axis of the matrix, and a value on it."""

Combination: TypeAlias = tuple[Value, ...]
"""Values on different axes, in the order of `values_of`."""

PAIRS = 2
"""What is counted where no T was given."""

LARGEST = 4
"""The largest T: beyond it, a cover is nearly the whole matrix."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the combinations that a matrix allows were in what ran.

    Args:
        strength: How many values a combination has.
        allowed: How many combinations occur in the whole matrix; others can't be.
        reached: How many of these occurred in the cases that ran.
        matrix: How many cases the whole matrix has.
        ran: How many of them ran.
    """

    strength: int
    allowed: int
    reached: int
    matrix: int
    ran: int

    def describe(self) -> str:
        """Say it in a line."""
        kind = {1: "values", 2: "pairs"}.get(self.strength, f"combinations of {self.strength}")
        part = 100 * self.ran / self.matrix if self.matrix else 0.0
        # Not rounded up: a hundred says that nothing is missing.
        reached = 1000 * self.reached // self.allowed / 10 if self.allowed else 100.0
        return (
            f"cover: {self.reached} of {self.allowed} {kind} that are allowed ({reached:g}%), "
            f"counted from the {self.ran} cases that ran, of {self.matrix} in the matrix "
            f"({part:.0f}%)"
        )


def values_of(case: Case) -> tuple[Value, ...]:
    """Give what a case has on each axis: context, what that varies, executor, graph, template."""
    return (
        ("context", case.context.family or case.context.name),
        *case.context.settings.items(),
        ("executor", case.executor),
        ("graph", case.graph.name),
        ("template", case.template.name),
    )


def combinations_of(case: Case, strength: int) -> tuple[Combination, ...]:
    """Give every combination of *strength* values that a case has."""
    return tuple(combinations(values_of(case), strength))


def choose_cover(cases: Sequence[Case], strength: int, seed: int) -> tuple[Case, ...]:
    """Draw cases in which every combination occurs that occurs in all of them.

    The case that brings the most combinations is taken first, and so on, as in Johnson's greedy
    algorithm for set cover; then those are left out whose combinations others have, too.

    Args:
        cases: The whole matrix.
        strength: How many values a combination has, from 1 to `LARGEST`.
        seed: Draws among cases that bring as many.

    Returns:
        The cases, in the order in which they were given; the same for the same arguments.
    """
    held = [combinations_of(case, strength) for case in cases]
    drawn = list(range(len(cases)))
    random.Random(seed).shuffle(drawn)  # noqa: S311  # an order, not a secret
    left = {each for combination in held for each in combination}
    # How many new ones a case brings only falls, so what is on top of the heap and still brings
    # what it says there brings the most.
    heap = [(-len(held[number]), place) for place, number in enumerate(drawn)]
    heapq.heapify(heap)
    chosen: list[int] = []
    while left:
        brought, place = heapq.heappop(heap)
        number = drawn[place]
        new = sum(each in left for each in held[number])
        if new == -brought:
            chosen.append(number)
            left.difference_update(held[number])
        elif new:
            heapq.heappush(heap, (-new, place))
    times = Counter(each for number in chosen for each in held[number])
    kept = set(chosen)
    for number in chosen:
        if all(times[each] > 1 for each in held[number]):
            kept.remove(number)
            times.subtract(held[number])
    return tuple(case for number, case in enumerate(cases) if number in kept)


def measure_cover(whole: Sequence[Case], ran: Iterable[str], strength: int) -> Coverage:
    """Count the combinations of what ran.

    Args:
        whole: The whole matrix.
        ran: The ids of the cases that ran.
        strength: How many values a combination has.
    """
    ids = set(ran)
    allowed: set[Combination] = set()
    reached: set[Combination] = set()
    count = 0
    for case in whole:
        held = combinations_of(case, strength)
        allowed.update(held)
        if case.id in ids:
            count += 1
            reached.update(held)
    return Coverage(strength, len(allowed), len(reached), len(whole), count)
