"""Where a case of another engine is to come out otherwise than with plait: a list that is kept.

A difference that is not listed fails its case. So does one that is listed and no longer shows, and
so does the whole run if one is not in the page for people.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from plait_harness.crossing import Case
from plait_harness.gates import Breach
from plait_harness.leftovers import OWN_FOLDER
from plait_harness.matrix import Matrix
from plait_harness.mistakes import Mistake
from plait_harness.result import CaseResult, CheckResult

_ANY = "*"

_KEYS = {"test", "graph", "shows", "reason", "documented"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry of the list.

    Args:
        test: The template.
        graph: The graph; `*` for each that the template runs on.
        shows: What the failure says, so that another failure is not taken for this one.
        reason: What the two do.
        documented: What the first cell of its row says, in the page for people.
    """

    test: str
    graph: str
    shows: str
    reason: str
    documented: str


@dataclass(frozen=True, slots=True)
class Differences:
    """The list.

    Args:
        file: Where it was read from.
        page: The page for people.
        entries: The entries by template and graph.
    """

    file: str
    page: str
    entries: Mapping[tuple[str, str], Difference]

    def find(self, test: str, graph: str) -> Difference | None:
        """Give what is listed of a template on a graph."""
        return self.entries.get((test, graph)) or self.entries.get((test, _ANY))


@cache
def load_differences(file: str) -> Differences:
    """Read a list.

    Raises:
        Mistake: It is not one, an entry lacks something, or is there twice.
    """
    try:
        with open(file, "rb") as source:
            data = tomllib.load(source)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Mistake(f"{file} can't be read", str(error)) from error
    entries: dict[tuple[str, str], Difference] = {}
    for number, entry in enumerate(data.get("difference", ()), start=1):
        if entry.keys() != _KEYS or not all(entry.values()):
            wanted = ", ".join(sorted(_KEYS))
            raise Mistake(f"{file}: difference {number} does not say each of {wanted}")
        difference = Difference(**entry)
        key = (difference.test, difference.graph)
        if key in entries:
            raise Mistake(f"{file}: {key[0]} on {key[1]} is there twice")
        entries[key] = difference
    page = os.path.normpath(os.path.join(os.path.dirname(file), data.get("page", "")))
    return Differences(file, page, entries)


def differences_of(case: Case) -> Differences | None:
    """Give the list that a case is held against; None if it is to come out as with plait."""
    name = case.context.differences
    if not name:
        return None
    return load_differences(os.path.join(os.path.dirname(case.context.file), name))


def hold_against_list(case: Case, result: CaseResult) -> CaseResult:
    """Judge anew a case that may be listed.

    Returns:
        The result, in which failures that are listed are differences, and in which an entry that
        is none is a failure.
    """
    listed = differences_of(case)
    if listed is None:
        return result
    entry = listed.find(case.template.name, case.graph.name)
    if entry is None:
        if result.failed:
            message = f"it differs from plait, and {listed.file} does not list it"
            return _with(result, CheckResult("differences", "failed", message))
        return result
    if not result.failed:
        message = (
            f"{listed.file} lists it ({entry.documented}), and it does not differ: take it out"
        )
        return _with(result, CheckResult("differences", "failed", message))
    if not any(entry.shows in text for text in _read_failure(result)):
        message = f"it fails, but not as {listed.file} says: nothing shows {entry.shows!r}"
        return _with(result, CheckResult("differences", "failed", message))
    checks = tuple(
        dataclasses.replace(check, outcome="differs") if check.outcome == "failed" else check
        for check in result.checks
    )
    return dataclasses.replace(result, checks=checks)


def check_differences(matrix: Matrix) -> Iterator[Breach]:
    """Find entries that are about no case, or that the page for people does not explain."""
    for file, cases in _cases_by_list(matrix).items():
        listed = load_differences(file)
        rows = read_reasons(listed.page)
        for entry in listed.entries.values():
            where = f"{os.path.basename(file)}: {entry.test} on {entry.graph}"
            about = [
                case
                for case in cases
                if case.template.name == entry.test and entry.graph in (_ANY, case.graph.name)
            ]
            if not about and {case.context.name for case in cases} <= matrix.full:
                yield Breach("differences", f"{where}: there is no such case")
            if rows is not None and not rows.get(entry.documented):
                page = os.path.basename(listed.page)
                what = f"'{entry.documented}' has no row with a reason in {page}"
                yield Breach("differences", f"{where}: {what}")


def read_reasons(page: str) -> dict[str, str] | None:
    """Give the reason of each row of the tables of a page, by what its first cell says.

    None where there is no such page, as where only the package is installed.
    """
    if not os.path.isfile(page):
        return None
    with open(page, encoding="utf-8") as file:
        lines = file.read().splitlines()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("|")]
    # What it is, what the other does, what plait does, and why.
    return {cells[0].strip(): cells[3].strip() for cells in rows if len(cells) == 4}


def _cases_by_list(matrix: Matrix) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in matrix.cases:
        listed = differences_of(case)
        if listed is not None:
            found.setdefault(listed.file, []).append(case)
    return found


def _read_failure(result: CaseResult) -> Iterator[str]:
    for check in result.failed:
        yield check.message
        yield check.traceback
    for name in ("run.out", "run.err"):
        path = os.path.join(result.folder, OWN_FOLDER, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="backslashreplace") as file:
                yield file.read()


def _with(result: CaseResult, check: CheckResult) -> CaseResult:
    return dataclasses.replace(result, checks=(*result.checks, check))
