"""A run of the harness, as the process sees it that gathers results: counts, gates, report."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plait_harness.cover import PAIRS, Coverage, measure_cover
from plait_harness.differences import check_differences
from plait_harness.gates import (
    Breach,
    check_cases,
    check_cover,
    check_fit,
    check_flaky,
    read_tally,
    write_tally,
)
from plait_harness.generated import describe_generated
from plait_harness.lock import Lock
from plait_harness.matrix import Matrix
from plait_harness.measure import (
    GATES_FILE,
    Measurement,
    check_floors,
    find_engine,
    format_measured,
    raise_floors,
    read_floors,
)
from plait_harness.measure import write_page as write_coverage_page
from plait_harness.mistakes import describe_refusal, is_refused
from plait_harness.options import RunOptions
from plait_harness.overview import Overview, write_page
from plait_harness.progress import Progress, format_table
from plait_harness.report import (
    CaseRow,
    forget_stale_cases,
    make_report_folder,
    summarize,
    write_rows,
)
from plait_harness.servers import Servers
from plait_harness.timing import describe_timing, find_suspects


class Session:
    """Gathers how cases went, and judges the run as a whole.

    Args:
        options: What was asked for.
        find_matrix: Gives the matrix; called once there is a case or the cases were asked for.
    """

    def __init__(self, options: RunOptions, find_matrix: Callable[[], Matrix]) -> None:
        self.options = options
        self.rows: list[CaseRow] = []
        self.expected = 0
        self.servers = find_servers(options)
        self.workers = 1
        self._began = self._ended = time.monotonic()
        self._find_matrix = find_matrix
        # Not the stream that pytest may have put in its place.
        self._progress = Progress(sys.__stderr__ or sys.stderr, is_terminal=_is_terminal())
        self._lock: Lock | None = None
        self._floor_breaches: list[Breach] = []
        self.measurement = Measurement(options.report, find_engine()) if options.coverage else None

    def prepare(self) -> None:
        """Make room for what is measured, before any worker starts. Raises Mistake."""
        if self.measurement is not None:
            self.measurement.prepare()

    def expect(self, count: int) -> None:
        """Learn how many cases there will be."""
        if count and self._lock is None:
            make_report_folder(self.options.report)
            self._lock = Lock(self.options.report)
            # No case has begun yet; what runs was left by a session that was killed.
            self.servers.stop()
            self._began = time.monotonic()
        self.expected = self._progress.total = count

    def add(self, row: Mapping[str, Any]) -> None:
        """Take how a case went."""
        self.rows.append(CaseRow(**row))
        self._ended = time.monotonic()
        self._progress.count(failed=row["outcome"] != "passed")

    def finish(self, *, wanted: bool) -> tuple[list[Breach], list[str]]:
        """Judge the run and write the report.

        Args:
            wanted: Whether cases were asked for, so that none is a failure.

        Returns:
            The gates that are not passed, and the lines to show.
        """
        self._progress.close()
        if not self.rows and not wanted:
            return [], []
        matrix = self._find_matrix()
        order = {case.id: number for number, case in enumerate(matrix.cases)}
        self.rows.sort(key=lambda row: (order.get(row.id, 0), row.turn))
        # Run again, a case is still one.
        ran = Counter(row.context for row in self.rows if not row.turn)
        is_whole = self.expected >= len(matrix.cases) * self.options.repeat
        full = matrix.full if is_whole else frozenset[str]()
        counts = self.options.update_tally and full and not self._unfinished
        tally = write_tally(ran, full) if counts else read_tally()
        whole = replace(matrix, full=full)
        breaches = [
            *check_cases(ran, whole, tally, self.options.selection.contexts),
            *check_fit(matrix),
            *check_differences(whole),
        ]
        covered = self._measure_cover(matrix) if self.rows else None
        breaches += check_flaky(find_suspects(self.rows))
        if covered and self.options.selection.cover and is_whole:
            breaches += check_cover(covered)
        measured = self._measure(full) if self.options.coverage and self.rows else []
        if self.options.coverage:
            breaches += self._floor_breaches
        if self.rows:
            breaches += self._write(matrix, breaches, covered)
        lines = [
            *measured,
            *self._describe(whole, tally, covered),
            *(f"gate {b.gate}: {b.why}" for b in breaches),
        ]
        return breaches, lines

    def close(self) -> None:
        """Stop the servers, and let another run write to the report."""
        if self._lock is not None:
            self.servers.stop()
            self._lock.release()
            self._lock = None

    def _write(
        self, matrix: Matrix, breaches: Sequence[Breach], covered: Coverage | None
    ) -> list[Breach]:
        """Write the report, and say what kept it from being written whole."""
        try:
            write_rows(self.options.report, self.rows)
            write_page(
                self.options.report,
                Overview(
                    rows=self.rows,
                    excluded=matrix.excluded,
                    breaches=breaches,
                    covered=covered,
                    unfinished=self._unfinished,
                    seconds=self._ended - self._began,
                    workers=self.workers,
                    measured=self.options.coverage,
                ),
            )
        except OSError as error:
            if not is_refused(error):
                raise
            why = describe_refusal(error)
            return [Breach("report", f"{self.options.report} is not whole: {why}")]
        if not self.options.rerun_failed:
            forget_stale_cases(self.options.report, self.rows)
        return []

    def _measure(self, full: frozenset[str]) -> list[str]:
        assert self.measurement is not None
        floors = read_floors()
        measured = self.measurement.gather(self.options.coverage_with, floors.exclude)
        if self.options.update_floors:
            with open(GATES_FILE, "w", encoding="utf-8") as file:
                file.write(raise_floors(measured, floors))
            floors = read_floors()
        write_coverage_page(self.options.report, measured, floors)
        lines = format_measured(measured, floors)
        if floors.contexts and full.issuperset(floors.contexts):
            self._floor_breaches = list(check_floors(measured, floors))
        else:
            needed = ", ".join(floors.contexts)
            lines.append(f"the floors hold for a whole run of: {needed}; this was not one")
        return [*lines, ""]

    @property
    def _unfinished(self) -> str:
        """Say how many cases were to run and did not; empty if all did."""
        lack = self.expected - len(self.rows)
        return f"unfinished: {lack} of {self.expected} cases did not run" if lack > 0 else ""

    def _measure_cover(self, matrix: Matrix) -> Coverage:
        return measure_cover(
            matrix.whole, (row.id for row in self.rows), self.options.selection.cover or PAIRS
        )

    def _describe(
        self, matrix: Matrix, tally: Mapping[str, int], covered: Coverage | None
    ) -> Iterator[str]:
        if self.rows:
            # A row for each generated graph would say what the line about all of them does.
            yield from format_table(
                summarize(
                    replace(row, graph="generated") if row.graph in matrix.shapes else row
                    for row in self.rows
                )
            )
            yield ""
        ran = Counter(row.context for row in self.rows if not row.turn)
        for context in dict.fromkeys(row.context for row in self.rows):
            rows = [row for row in self.rows if row.context == context]
            checks = Counter(check["outcome"] for row in rows for check in row.checks)
            said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(checks.items()))
            kept = f"{tally[context]} kept" if context in tally else "none kept"
            scope = "all" if context in matrix.full else "some"
            yield f"tally {context}: {ran[context]} cases ({scope} of it; {kept}); checks: {said}"
        if self.options.update_tally and (self._unfinished or not matrix.full):
            yield "tally: nothing was written down, since no context of plait's ran whole"
        if matrix.shapes:
            graphs = {case.graph.name: case.graph for case in matrix.cases}
            yield describe_generated(matrix.shapes, graphs, {row.graph for row in self.rows})
        if covered is not None:
            yield covered.describe()
        for context, lack in matrix.not_run.items():
            yield f"not run: {context}: {lack}"
        if self._unfinished:
            yield self._unfinished
        if self.rows:
            yield from describe_timing(self.rows, self._ended - self._began, self.workers)
            page = os.path.join(self.options.report, "index.html")
            yield f"report: {page}"


def find_servers(options: RunOptions) -> Servers:
    """Give the servers of a session; each of its processes makes its own picture of them."""
    return Servers(os.path.join(os.path.abspath(options.report), "servers"))


def _is_terminal() -> bool:
    stream = sys.__stderr__
    return stream is not None and stream.isatty() and not os.environ.get("CI")
