"""Where the time of a run went: the rate per core, the parts of cases, the slowest, the flaky."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plait_harness.report import CaseRow

SLOWEST = 10
"""How many of the slowest cases are shown."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of cases, such as the run itself or a judge: its seconds in all and its share."""

    name: str
    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """A case that was run several times and did not always end alike.

    Args:
        id: The case's id.
        outcomes: How often it had each outcome.
    """

    id: str
    outcomes: dict[str, int]

    def describe(self) -> str:
        """Say it in a line."""
        ended = ", ".join(f"{count}x {outcome}" for outcome, count in self.outcomes.items())
        return f"{self.id} ended {ended}"


def find_suspects(rows: Sequence[CaseRow]) -> list[Suspect]:
    """Find the cases with several outcomes, in the order in which they first ran."""
    outcomes: dict[str, Counter[str]] = {}
    for row in rows:
        outcomes.setdefault(row.id, Counter())[row.outcome] += 1
    return [
        Suspect(name, dict(sorted(counts.items())))
        for name, counts in outcomes.items()
        if len(counts) > 1
    ]


def find_slowest(rows: Sequence[CaseRow]) -> list[CaseRow]:
    """Give the slowest cases, the slowest first."""
    return sorted(rows, key=lambda row: -row.seconds)[:SLOWEST]


def sum_parts(rows: Sequence[CaseRow]) -> list[Part]:
    """Sum up each part of all cases, the longest first; what is in no part is called `the rest`."""
    seconds: Counter[str] = Counter()
    for row in rows:
        seconds.update(dict(row.phases))
    total = sum(row.seconds for row in rows)
    seconds["the rest"] = max(0.0, total - sum(seconds.values()))  # type: ignore[assignment]  # a Counter counts in floats, too
    return [
        Part(name, spent, spent / total if total else 0.0) for name, spent in seconds.most_common()
    ]


def rate_per_core(cases: int, seconds: float, workers: int) -> float:
    """Give how many cases a minute each of so many workers did, each of which has a core."""
    return 60 * cases / (seconds * workers) if seconds else 0.0


def describe_timing(rows: Sequence[CaseRow], seconds: float, workers: int) -> Iterator[str]:
    """Say in lines how fast the run was, where the time went, and which cases were the slowest.

    Args:
        rows: How its cases went.
        seconds: How long all of it took, from the first case's beginning.
        workers: How many cases ran at once.
    """
    rate = rate_per_core(len(rows), seconds, workers)
    yield f"speed: {rate:.0f} cases a minute per core, {workers} at once, {seconds:.0f} s in all"
    parts = ", ".join(f"{part.name} {part.share:.0%}" for part in sum_parts(rows))
    yield f"a case's time: {parts}"
    slowest = ", ".join(f"{row.id} {row.seconds:.1f} s" for row in find_slowest(rows)[:3])
    yield f"slowest: {slowest}"
