"""Hunting seeded bugs: each in an engine of its own, with the cases that are to notice it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from plait_harness.case import CaseRunner
from plait_harness.crossing import Case
from plait_harness.planting import Bug, plant
from plait_harness.result import CaseResult
from plait_harness.starter import PreparedProcess, StarterLost
from plait_harness.surroundings import make_base_env

_CASE_SECONDS = 30.0
"""The most that one command of a case may take: with a bug, some would never end."""

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")

Outcome = Literal["killed", "killed by another", "survived", "does not start"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of the hunt for one bug.

    Args:
        bug: Its name.
        subsystem: Where it was planted.
        outcome: `killed` by a case that it names; by another, so that this one is to be named;
            not at all; or the engine could not even be imported, which is no bug worth seeding.
        case: The case that noticed it; empty if none did.
        check: The judge of that case.
        message: What the judge said, its first line.
        seconds: How long it took, planting included.
        ran: How many cases ran.
    """

    bug: str
    subsystem: str
    outcome: Outcome
    case: str = ""
    check: str = ""
    message: str = ""
    seconds: float = 0.0
    ran: int = 0


@dataclass(frozen=True, slots=True)
class Hunt:
    """Plants bugs and runs cases with each, several bugs at once.

    Args:
        engine: The folder that holds the package `plait`.
        root: The folder that cases run in.
        cases: All cases, by id, in the order in which to try those that a bug does not name.
        bound: For so many seconds others are tried, if the named ones notice nothing.
        workers: How many bugs at once.
        stopped: Set once the hunt is to end, so that no bug waits for more than a case.
    """

    engine: str
    root: str
    cases: Mapping[str, Case]
    bound: float
    workers: int
    stopped: threading.Event = field(default_factory=threading.Event)

    def find_broken(self, ids: Sequence[str]) -> dict[str, str]:
        """Run cases with the engine as it is, and give what those say that fail."""
        shares = [ids[start :: self.workers] for start in range(self.workers)]

        def run(number: int) -> dict[str, str]:
            folder = os.path.join(self.root, f"without-a-bug-{number}")
            with _Folder(folder):
                results = self._run(
                    self.engine, folder, map(self.cases.__getitem__, shares[number])
                )
                return {each.id: _describe(each) for each in results if each.failed}

        found: dict[str, str] = {}
        for part in self._at_once(run, range(self.workers)):
            found.update(part)
        return found

    def hunt_all(self, bugs: Sequence[Bug]) -> Iterator[Verdict]:
        """Give the verdict on each bug, in their order."""
        return self._at_once(self.hunt, bugs)

    def hunt(self, bug: Bug) -> Verdict:
        """Plant a bug and run cases until one notices it.

        Raises:
            BugDoesNotApply: The engine is not as the bug expects it.
        """
        began = time.monotonic()
        others = [case for name, case in self.cases.items() if name not in bug.killed_by]
        folder = os.path.join(self.root, bug.name)
        ran = 0
        found: CaseResult | None = None
        with tempfile.TemporaryDirectory(prefix="plait-bug-") as copy, _Folder(folder):
            engine = plant(bug, self.engine, copy)
            try:
                for result in self._run(engine, folder, self._in_turn(bug, others, began)):
                    ran += 1
                    if result.failed:
                        found = result
                        break
            except StarterLost as lost:
                said = str(lost).strip().splitlines()[-1]
                seconds = time.monotonic() - began
                return Verdict(
                    bug.name, bug.subsystem, "does not start", message=said, seconds=seconds
                )
        seconds = time.monotonic() - began
        if found is None:
            return Verdict(bug.name, bug.subsystem, "survived", seconds=seconds, ran=ran)
        first = found.failed[0]
        return Verdict(
            bug=bug.name,
            subsystem=bug.subsystem,
            outcome="killed" if found.id in bug.killed_by else "killed by another",
            case=found.id,
            check=first.checker,
            message=_first_line(first.message),
            seconds=seconds,
            ran=ran,
        )

    def _in_turn(self, bug: Bug, others: Iterable[Case], began: float) -> Iterator[Case]:
        for name in bug.killed_by:
            yield self.cases[name]
        for case in others:
            if time.monotonic() - began >= self.bound:
                return
            yield case

    def _run(self, engine: str, folder: str, cases: Iterable[Case]) -> Iterator[CaseResult]:
        env = make_base_env(inherit=False)
        # Before the path that there is, on which the harness itself may be.
        env["PYTHONPATH"] = os.pathsep.join([engine, *filter(None, [env.get("PYTHONPATH")])])
        with PreparedProcess(env) as process:
            runner = CaseRunner(process, env, folder, env)
            for case in cases:
                if self.stopped.is_set():
                    return
                yield runner.run(_hurried(case))

    def _at_once(self, work: Callable[[_Item], _Found], items: Iterable[_Item]) -> Iterator[_Found]:
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                yield from pool.map(work, items)
            except BaseException:
                self.stopped.set()
                raise


class _Folder:
    """A folder that is there as long as it is entered, and empty at first."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        shutil.rmtree(self._path, ignore_errors=True)
        os.makedirs(self._path)

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


def _hurried(case: Case) -> Case:
    context = case.context
    if context.timeout <= _CASE_SECONDS:
        return case
    return dataclasses.replace(case, context=dataclasses.replace(context, timeout=_CASE_SECONDS))


def _describe(result: CaseResult) -> str:
    return "; ".join(f"{each.checker}: {_first_line(each.message)}" for each in result.failed)


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
