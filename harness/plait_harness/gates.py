"""The gates: what makes a run of the harness fail although it came to its end."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from plait_harness.cover import Coverage
from plait_harness.crossing import Case
from plait_harness.home import KEEPS
from plait_harness.matrix import Matrix
from plait_harness.schemas import read_json
from plait_harness.timing import Suspect

TALLY_FILE = os.path.join(KEEPS, "tally.json")
"""How many cases each context had when that was last written down."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A gate that is not passed: its name as in docs/harness.md, and why."""

    gate: str
    why: str


def check_cases(
    ran: Mapping[str, int], matrix: Matrix, tally: Mapping[str, int], named: Sequence[str]
) -> Iterator[Breach]:
    """Find out whether enough cases ran.

    Args:
        ran: How many cases ran in each context.
        matrix: What was to run.
        tally: How many ran when the tally was kept.
        named: The contexts that were asked for by name.
    """
    if not sum(ran.values()):
        yield Breach("cases", "no case ran")
    for context, kept in tally.items():
        if context in matrix.full and ran.get(context, 0) < kept:
            yield Breach(
                "cases", f"{context}: {ran.get(context, 0)} cases ran, the tally kept is {kept}"
            )
    wanted = {name.lower() for name in named}
    for context, lack in matrix.not_run.items():
        if context.lower() in wanted:
            yield Breach("cases", f"{context} was asked for and can't run: {lack}")


def check_fit(matrix: Matrix) -> Iterator[Breach]:
    """Find out whether every template has a graph, and every graph a template."""
    for sentence in matrix.lonely:
        yield Breach("fit", sentence)


def check_cover(covered: Coverage) -> Iterator[Breach]:
    """Find out whether what ran has every combination that it was drawn for."""
    if covered.reached < covered.allowed:
        yield Breach("cover", f"{covered.allowed - covered.reached} combinations did not run")


def check_flaky(suspects: Sequence[Suspect]) -> Iterator[Breach]:
    """Find out whether a case that ran several times always ended alike."""
    for suspect in suspects:
        yield Breach("flaky", suspect.describe())


def count_by_context(cases: Sequence[Case]) -> dict[str, int]:
    """Count cases by the name of their context."""
    return dict(Counter(case.context.name for case in cases))


def read_tally(path: str = TALLY_FILE) -> dict[str, int]:
    """Read the tally that was kept; empty if none was."""
    if not os.path.exists(path):
        return {}
    tally: dict[str, int] = read_json(path)
    return tally


def write_tally(
    ran: Mapping[str, int], full: frozenset[str], path: str = TALLY_FILE
) -> dict[str, int]:
    """Keep the counts of the contexts that ran in full; give the new tally."""
    tally = {**read_tally(path), **{name: ran[name] for name in sorted(full) if name in ran}}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(tally, file, indent=2, sort_keys=True)
        file.write("\n")
    return tally
