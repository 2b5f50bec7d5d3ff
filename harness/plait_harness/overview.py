"""`index.html` of a report: maps of templates by graphs, where the time went, and every case."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from plait_harness.cover import Coverage
from plait_harness.gates import Breach
from plait_harness.heatmap import group_turns, map_rows
from plait_harness.leftovers import OWN_FOLDER
from plait_harness.matrix import Excluded
from plait_harness.pages import write_html
from plait_harness.report import CaseRow
from plait_harness.timing import find_slowest, find_suspects, rate_per_core, sum_parts

MOST_BROKEN = 50
"""How many cases that failed are listed on top of the page."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows.

    Args:
        rows: How the cases went.
        excluded: What did not run, and why.
        breaches: The gates that were not passed.
        unfinished: Says how many cases were to run and did not; empty if all did.
        covered: How much of the matrix ran; None if that was not counted.
        seconds: How long the run took.
        workers: How many cases ran at once.
        measured: Whether `coverage.html` lies beside it.
    """

    rows: Sequence[CaseRow]
    excluded: Sequence[Excluded] = ()
    breaches: Sequence[Breach] = ()
    unfinished: str = ""
    covered: Coverage | None = None
    seconds: float = 0.0
    workers: int = 1
    measured: bool = False


def write_page(folder: str, overview: Overview) -> None:
    """Write `index.html`: what failed, and for each context a map of templates by graphs."""
    rows = overview.rows
    cases = group_turns(rows)
    write_html(
        os.path.join(folder, "index.html"),
        "report.html.j2",
        maps=map_rows(rows),
        cases=cases,
        broken=[case for case in cases if case.failed],
        most=MOST_BROKEN,
        reasons={(each.context, each.template, each.graph): each.why for each in overview.excluded},
        breaches=overview.breaches,
        unfinished=overview.unfinished,
        own=OWN_FOLDER,
        longest=max((row.seconds for row in rows), default=1.0),
        passed=sum(row.outcome == "passed" for row in rows),
        failed=sum(row.outcome != "passed" for row in rows),
        seconds=overview.seconds,
        workers=overview.workers,
        rate=rate_per_core(len(rows), overview.seconds, overview.workers),
        parts=sum_parts(rows),
        slowest=find_slowest(rows),
        suspects=find_suspects(rows),
        covered=overview.covered,
        measured=overview.measured,
    )
