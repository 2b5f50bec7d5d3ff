"""The gate `mutants`: every seeded bug is noticed by a case that it names."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from plait_harness.crossing import Case
from plait_harness.gates import Breach
from plait_harness.hunt import Hunt, Verdict
from plait_harness.lock import Lock
from plait_harness.matrix import Selection, build_matrix
from plait_harness.mistakes import Mistake, suggest
from plait_harness.planting import (
    Bug,
    BugDoesNotApply,
    choose_bugs,
    find_engine_folder,
    load_bugs,
    read_with_bug,
)
from plait_harness.sources import choose_contexts
from plait_harness.termination import EXIT_CODE, INTERRUPTED, Termination

_TRIED = "dev-local"
"""The context whose cases are tried on a bug that the cases it names do not notice."""

_BOUND = 120.0
"""Seconds for which they are."""


def run_mutants(
    wanted: Sequence[str],
    report: str,
    *,
    workers: int = 0,
    bound: float = _BOUND,
    folder: str | None = None,
) -> int:
    """Hunt seeded bugs, show what came of it, and give the exit code.

    Args:
        wanted: Names of bugs or subsystems; `all` is every one.
        report: The folder of the report.
        workers: How many bugs at once; by default as many as there are cores.
        bound: Seconds for which cases are tried that a bug does not name.
        folder: Where the bugs are described; by default the harness's own folder.

    Raises:
        Mistake: A description is wrong, does not apply any more, or names a case that there is
            not, or one that fails without any bug.
    """
    bugs = choose_bugs(load_bugs(folder), wanted)
    engine = find_engine_folder()
    check_bugs(bugs, engine)
    cases = find_cases(bugs)
    began = time.monotonic()
    root = os.path.join(os.path.abspath(report), "mutants")
    lock = Lock(root)
    verdicts: list[Verdict] = []
    is_ended = False
    termination = Termination()
    termination.watch()
    try:
        hunt = Hunt(engine, root, cases, bound, workers or os.cpu_count() or 1)
        named = list(dict.fromkeys(name for bug in bugs for name in bug.killed_by))
        broken = hunt.find_broken(named)
        if broken:
            lines = "\n".join(f"{name}: {said}" for name, said in broken.items())
            raise Mistake("cases that are to notice bugs fail without one", lines)
        for verdict in hunt.hunt_all(bugs):
            verdicts.append(verdict)
            print(format_verdict(verdict), flush=True)
    except KeyboardInterrupt:
        is_ended = True
    finally:
        termination.release()
        lock.release()
    breaches = list(check_mutants(verdicts))
    summary = format_summary(verdicts, time.monotonic() - began)
    if is_ended:
        lack = len(bugs) - len(verdicts)
        summary.append(f"unfinished: {lack} of {len(bugs)} seeded bugs were not tried to the end")
    _write(root, verdicts, [*summary, *(f"gate {b.gate}: {b.why}" for b in breaches)])
    print("\n".join(["", *summary]))
    for breach in breaches:
        print(f"gate {breach.gate}: {breach.why}", file=sys.stderr)
    if is_ended:
        return EXIT_CODE if termination.came else INTERRUPTED
    return 1 if breaches else 0


def find_cases(bugs: Sequence[Bug]) -> dict[str, Case]:
    """Give all cases to try, by id; those that bugs name are among them.

    Raises:
        Mistake: Bugs name cases that there are not, or that can't run here; tells of each.
    """
    # All contexts, by name, so that those are there too that run only when they are asked for.
    matrix = build_matrix(Selection(contexts=tuple(choose_contexts(()).known)))
    known = {case.id: case for case in matrix.cases}
    wanted = {name: bug.name for bug in bugs for name in bug.killed_by}
    unknown = [
        f"{bug}: {name}: {_find_lack(name, matrix.not_run) or suggest(name, known)}"
        for name, bug in wanted.items()
        if name not in known
    ]
    if unknown:
        raise Mistake("seeded bugs name cases that there are not", "\n".join(unknown))
    return {
        name: case for name, case in known.items() if case.context.name == _TRIED or name in wanted
    }


def check_bugs(bugs: Sequence[Bug], engine: str) -> None:
    """Find out whether each bug still finds what it replaces.

    Raises:
        Mistake: Some do not; tells of each.
    """
    stale = []
    for bug in bugs:
        try:
            read_with_bug(bug, engine)
        except BugDoesNotApply as mistake:
            stale.append(str(mistake))
    if stale:
        raise Mistake("the engine is not as seeded bugs expect it", "\n".join(stale))


def _find_lack(name: str, not_run: Mapping[str, str]) -> str:
    lacks = (
        f"{context} can't run here: {why}"
        for context, why in not_run.items()
        if f"-{context}-" in name
    )
    return next(lacks, "")


def check_mutants(verdicts: Sequence[Verdict]) -> Iterator[Breach]:
    """Find out which bugs were not noticed as they should be."""
    if not verdicts:
        yield Breach("mutants", "no bug was planted")
    for each in verdicts:
        if each.outcome == "killed by another":
            yield Breach(
                "mutants", f"{each.bug}: none of its cases notices it, but {each.case}: name that"
            )
        elif each.outcome != "killed":
            said = f": {each.message}" if each.message else ""
            yield Breach("mutants", f"{each.bug}: {each.outcome}, after {each.ran} cases{said}")


def format_verdict(verdict: Verdict) -> str:
    """Give the line of one bug: what came of it, by which case and judge, in how many seconds."""
    by = f"  {verdict.case}  {verdict.check}: {_shorten(verdict.message)}" if verdict.case else ""
    head = f"{verdict.outcome:<8}{verdict.seconds:6.1f} s  {verdict.subsystem:<10} {verdict.bug}"
    return f"{head}{by}"


def format_summary(verdicts: Sequence[Verdict], seconds: float) -> list[str]:
    """Give the last lines: how many were killed, of each subsystem and in all."""
    planted = Counter(each.subsystem for each in verdicts)
    killed = Counter(each.subsystem for each in verdicts if each.outcome == "killed")
    by = ", ".join(f"{name} {killed[name]}/{count}" for name, count in sorted(planted.items()))
    return [by, f"{killed.total()} of {len(verdicts)} seeded bugs killed, in {seconds:.0f} s"]


def _shorten(text: str, most: int = 100) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def _write(folder: str, verdicts: Sequence[Verdict], summary: Sequence[str]) -> None:
    lines = [*map(format_verdict, verdicts), "", *summary]
    with open(os.path.join(folder, "mutants.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.path.join(folder, "mutants.jsonl"), "w", encoding="utf-8") as file:
        for verdict in verdicts:
            row: Mapping[str, object] = dataclasses.asdict(verdict)
            file.write(json.dumps(row) + "\n")
