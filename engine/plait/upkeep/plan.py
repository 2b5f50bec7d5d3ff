"""What cleaning may remove; decided from listings, without touching anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from plait.artifacts.store import SealedAttempt
from plait.base.layout import (
    REMOVED_FILE,
    RUN_FILE,
    data_key,
    log_key,
    parse_code_key,
    parse_data_key,
)
from plait.base.pathspec import RunKey
from plait.metadata.protocol import RunRecord, Status


@dataclass(frozen=True, slots=True)
class Policy:
    """Which runs a person wants to be rid of; of nothing, if nothing is given.

    Args:
        keep_runs: So many of the newest runs of each flow stay.
        older_than: Only runs that ended longer ago go; in seconds.
        unknown: Whether the values of runs go, too, of which the facts know nothing.
    """

    keep_runs: int | None = None
    older_than: float | None = None
    unknown: bool = False

    @property
    def removes_runs(self) -> bool:
        """Whether whole runs go at all."""
        return self.keep_runs is not None or self.older_than is not None


@dataclass(frozen=True, slots=True)
class Sweep:
    """Which keys of a flow's storage to remove.

    Args:
        run_files: Files of runs that are not known, and that no known run refers to.
        data: Values and code packages that no known run refers to.
        waiting: Such that stay for now, because a process may be about to refer to one.
    """

    run_files: tuple[str, ...]
    data: tuple[str, ...]
    waiting: tuple[str, ...]


def plan_removals(runs: Sequence[RunRecord], policy: Policy, now: float) -> list[RunKey]:
    """Decide which runs of a flow go as a whole.

    A run that goes on stays, and so does each that it resumes, directly or by way of others.

    Args:
        runs: All of the flow's runs, newest first.
        policy: What the person wants. A run goes if all that is given says so.
        now: Seconds since 1970.
    """
    if not policy.removes_runs:
        return []
    needed = find_needed(runs)
    removed = []
    for position, run in enumerate(runs):
        kept = position < (policy.keep_runs or 0)
        ended = run.created if run.finished is None else run.finished
        young = policy.older_than is not None and now - ended <= policy.older_than
        if not (kept or young or run.key.run in needed):
            removed.append(run.key)
    return removed


def find_needed(runs: Iterable[RunRecord]) -> frozenset[str]:
    """Give the ids of the runs that go on, and of all that they resume."""
    known = {run.key.run: run for run in runs}
    needed: set[str] = set()
    for run in known.values():
        at: RunRecord | None = run if run.status is Status.RUNNING else None
        while at is not None and at.key.run not in needed:
            needed.add(at.key.run)
            at = known.get(at.origin_run or "")
    return frozenset(needed)


def find_references(sealed: SealedAttempt, flow: str) -> set[str]:
    """Give the keys of all that an attempt needs beside itself.

    Args:
        sealed: The attempt.
        flow: The flow's name.
    """
    keys = {ref.home or data_key(flow, ref.address) for ref in sealed.artifacts.values()}
    if sealed.facts.origin is not None:
        # What a task printed that was taken over is in the log of the attempt that really ran.
        keys.add(log_key(sealed.facts.origin))
    return keys


def plan_sweep(
    run_files: Mapping[str, Iterable[str]],
    data: Iterable[str],
    *,
    known: Collection[str],
    referred: Collection[str],
    idle: bool,
) -> Sweep:
    """Decide which keys of a flow's storage go.

    Args:
        run_files: The storage keys of runs' files, by the run's id.
        data: The storage keys of large values and of code packages.
        known: The ids of the runs that stay.
        referred: The keys that attempts of these refer to.
        idle: Whether no process is at work on the flow, now and until the keys are removed.
    """
    unneeded = tuple(
        key
        for key in data
        if key not in referred and (parse_data_key(key) or parse_code_key(key)) is not None
    )
    return Sweep(
        tuple(
            key
            for run, keys in run_files.items()
            if run not in known
            for key in _order_removal(tuple(keys), referred)
        ),
        unneeded if idle else (),
        () if idle else unneeded,
    )


def _order_removal(keys: Sequence[str], referred: Collection[str]) -> Iterator[str]:
    """Give those of a run's files that nothing refers to; the last is the one that claims them.

    As long as anything is left in a folder, no other run may come into it.
    """
    marks = [key for key in keys if key.rpartition("/")[2] in (RUN_FILE, REMOVED_FILE)]
    rest = [key for key in keys if key not in marks]
    yield from (key for key in rest if key not in referred)
    if not any(key in referred for key in rest):
        yield from sorted(marks)  # the claim sorts last
