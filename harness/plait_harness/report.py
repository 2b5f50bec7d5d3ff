"""How each case went, as `cases.jsonl` keeps it for programs; what stays of the cases' folders."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plait_harness.crossing import Case
from plait_harness.engines import ENGINES
from plait_harness.leftovers import OWN_FOLDER
from plait_harness.mistakes import Mistake
from plait_harness.progress import Cell
from plait_harness.result import CaseResult

CASES_FILE = "cases.jsonl"
CASES_FOLDER = "cases"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case and how it went, as a line of `cases.jsonl`.

    Args:
        id: The case's id.
        context: Its context.
        executor: Its executor.
        graph: Its graph.
        template: Its template.
        outcome: `passed` or `failed`; `error` if the harness itself failed on it.
        seconds: How long it took in all.
        exit_code: What the run's command ended with.
        folder: Its folder, relative to the report.
        checks: Each judge's outcome, message and seconds.
        phases: How long each part took.
        turn: Which time it was that the case ran, from 0; see `--repeat`.
        command: What repeats it, if it failed.
    """

    id: str
    context: str
    executor: str
    graph: str
    template: str
    outcome: str
    seconds: float
    exit_code: int
    folder: str
    checks: Sequence[Mapping[str, Any]]
    phases: Mapping[str, float]
    turn: int = 0
    command: str = ""


def make_row(case: Case, result: CaseResult) -> CaseRow:
    """Describe how a case went."""
    return CaseRow(
        id=case.id,
        context=case.context.name,
        executor=case.executor,
        graph=case.graph.name,
        template=case.template.name,
        outcome="failed" if result.failed else "passed",
        seconds=round(result.seconds, 4),
        exit_code=result.exit_code,
        folder=os.path.join(CASES_FOLDER, case.folder),
        checks=[
            {
                "checker": check.checker,
                "outcome": check.outcome,
                "message": check.message,
                "seconds": round(check.seconds, 4),
            }
            for check in result.checks
        ],
        phases={name: round(seconds, 4) for name, seconds in result.phases.items()},
        turn=case.turn,
    )


def make_report_folder(folder: str) -> None:
    """Make the folder of a report and that of its cases. Raises Mistake if they can't be used."""
    for place in (folder, os.path.join(folder, CASES_FOLDER)):
        try:
            os.makedirs(place, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            why = error.strerror or str(error)
            raise Mistake(f"--report {place}: nothing can be written there", why) from error


def write_rows(folder: str, rows: Iterable[CaseRow]) -> None:
    """Write `cases.jsonl`."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, CASES_FILE), "w", encoding="utf-8") as file:
        for row in rows:
            json.dump(dataclasses.asdict(row), file)
            file.write("\n")


def read_failed(folder: str) -> list[str]:
    """Give the ids of the cases that failed when the report was last written. Raises Mistake."""
    path = os.path.join(folder, CASES_FILE)
    if not os.path.exists(path):
        return []
    try:
        with open(path, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return list(dict.fromkeys(row["id"] for row in rows if row["outcome"] != "passed"))
    except (ValueError, LookupError, TypeError) as error:
        raise Mistake(f"{path} is not whole", "run without --rerun-failed once") from error


def summarize(rows: Iterable[CaseRow]) -> list[Cell]:
    """Count the cases of each context on each graph."""
    grouped: dict[tuple[str, str], list[CaseRow]] = {}
    for row in rows:
        grouped.setdefault((row.context, row.graph), []).append(row)
    return [
        Cell(
            context,
            graph,
            passed=sum(row.outcome == "passed" for row in own),
            failed=sum(row.outcome != "passed" for row in own),
            seconds=sum(row.seconds for row in own),
        )
        for (context, graph), own in grouped.items()
    ]


def tidy_case(folder: str) -> None:
    """Take away the store and the harness's own notes of a case that passed; the rest is small."""
    for engine in ENGINES.values():
        shutil.rmtree(os.path.join(folder, engine.store), ignore_errors=True)
    own = os.path.join(folder, OWN_FOLDER)
    for name in os.listdir(own):
        path = os.path.join(own, name)
        if os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
        elif name.endswith(".json"):
            os.unlink(path)


def forget_stale_cases(folder: str, rows: Iterable[CaseRow]) -> None:
    """Take away the folders of cases that an earlier run left and this one did not have."""
    cases = os.path.join(folder, CASES_FOLDER)
    current = {os.path.basename(row.folder) for row in rows}
    for name in os.listdir(cases) if os.path.isdir(cases) else ():
        stale = os.path.join(cases, name)
        if name not in current and os.path.isdir(os.path.join(stale, OWN_FOLDER)):
            shutil.rmtree(stale, ignore_errors=True)
