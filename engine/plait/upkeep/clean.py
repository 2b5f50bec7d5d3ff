"""Cleaning a store: reads what the plan needs, does what the plan says, flow by flow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from plait.artifacts.store import ArtifactStore
from plait.base.clock import Clock, SystemClock
from plait.base.errors import PlaitError
from plait.base.layout import code_key, code_prefix, data_prefix, run_prefix, runs_prefix
from plait.base.pathspec import RunKey
from plait.metadata.protocol import MetadataStore, Status
from plait.storage.protocol import MissingKey, Storage
from plait.upkeep.claim import claim_values
from plait.upkeep.plan import Policy, Sweep, find_references, plan_removals, plan_sweep
from plait.upkeep.rescue import find_own, iter_runs, rescue_run

_SCRATCH = "scratch"
_YOUNG_SECONDS = 86_400.0
"""A value in a shared store that is younger may be one that another machine is yet to refer to."""


class FactsMissing(PlaitError):
    """A store holds values of runs, and no facts about any run at all."""

    slug = "facts-missing"

    def __init__(self, flows: Collection[str], place: str) -> None:
        super().__init__(
            f"nothing is known of any run in {place}, and yet it holds results of "
            f"{', '.join(sorted(flows))}",
            why="without the facts about runs, all of their results would count as garbage",
            fix="restore metadata.db from a copy; or remove the folder if all of it may go",
        )


class Stores(Protocol):
    """The stores that are kept in order, with the folder that they lie in."""

    @property
    def root(self) -> str:
        """The folder of the local store."""
        ...

    @property
    def storage(self) -> Storage:
        """Bytes."""
        ...

    @property
    def metadata(self) -> MetadataStore:
        """Facts."""
        ...

    def artifacts(self, flow: str) -> ArtifactStore:
        """Values."""
        ...


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was removed of a flow, or would be.

    Args:
        flow: Its name.
        runs: Whole runs, newest first.
        files: Where the removed files are, below the store's folder.
        size: Their bytes.
        waiting: How many values nothing refers to, and stay until no run goes on.
        waiting_size: Their bytes.
    """

    flow: str
    runs: tuple[RunKey, ...]
    files: tuple[str, ...]
    size: int
    waiting: int
    waiting_size: int


def list_flows(stores: Stores) -> list[str]:
    """Give the names of all flows that have facts or values, sorted."""
    return sorted({*stores.metadata.iter_flows(), *stores.storage.iter_folders()})


def clean(
    stores: Stores, policy: Policy, *, dry_run: bool, clock: Clock | None = None
) -> Iterator[Cleaned]:
    """Remove what no run refers to, and the runs that *policy* says, one flow after another.

    Runs may go on, begin and end meanwhile.

    Args:
        stores: What to clean.
        policy: Which whole runs to remove.
        dry_run: Whether to remove nothing, and only tell.
        clock: Where the time comes from.

    Raises:
        FactsMissing: There are values, and no facts at all.
        PlaitError: Something can't be read, so that nobody knows what is needed; nothing of that
            flow was removed then. Or something can't be removed.
    """
    flows = list_flows(stores)
    if not stores.metadata.iter_flows():
        orphans = [flow for flow in flows if any(stores.storage.iter_keys(runs_prefix(flow)))]
        # A first run may have begun between the two: it is recorded before its folder is there.
        if orphans and not stores.metadata.iter_flows():
            raise FactsMissing(orphans, stores.root)
    now = (clock or SystemClock()).now()
    for flow in flows:
        with claim_values(stores.root, flow) as claimed:
            yield _clean_flow(stores, flow, policy, now, claimed=claimed, dry_run=dry_run)


def _clean_flow(
    stores: Stores, flow: str, policy: Policy, now: float, *, claimed: bool, dry_run: bool
) -> Cleaned:
    """Clean one flow; the order in which things are read is what makes it safe.

    A run is recorded before its folder is there. So a folder that was listed *before* the records,
    and is of none of them, is of no run that goes on. And once a run is removed from the records,
    no other can begin to resume it; those that did are among the records read *after* that, with
    their references.
    """
    storage, metadata, artifacts = stores.storage, stores.metadata, stores.artifacts(flow)
    folders = list(storage.iter_folders(runs_prefix(flow)))
    data = [*storage.iter_keys(data_prefix(flow)), *storage.iter_keys(code_prefix(flow))]
    runs = [rescue_run(run, metadata, artifacts) for run in iter_runs(metadata, flow)]
    # Runs whose values are in another store are not this one's to remove.
    removed = plan_removals(find_own(runs, metadata, folders), policy, now)
    if not dry_run and removed:
        removed = [key for key in removed if metadata.delete_run(key)]
        runs = list(iter_runs(metadata, flow))
    known = {run.key.run for run in runs} - {key.run for key in removed}
    # What a run refers to whose values are in another store is there, too.
    own = [run for run in find_own(runs, metadata, folders) if run.key.run in known]
    referred = {code_key(flow, run.facts["code"]) for run in own if run.facts.get("code")}
    for run in own:
        for attempt in artifacts.iter_attempts(run.key.run):
            sealed = artifacts.find(attempt)
            if sealed is not None:
                referred |= find_references(sealed, flow)
    unknown = [run for run in folders if run not in known]
    shared, alone = _is_shared(storage.place), metadata.place.startswith("local@")
    if shared and alone:
        # Other machines keep runs here whose facts are in folders of theirs.
        unknown = [key.run for key in removed]
    files = {run: list(storage.iter_keys(run_prefix(RunKey(flow, run)))) for run in unknown}
    idle = claimed and not any(run.status is Status.RUNNING for run in runs)
    young = _find_young(storage, data, referred, now, all_of_them=alone) if shared else frozenset()
    old = [key for key in data if key not in young]
    sweep = plan_sweep(files, old, known=known, referred=referred, idle=idle)
    later = plan_sweep({}, sorted(young), known=known, referred=referred, idle=False)
    sweep = replace(sweep, waiting=(*sweep.waiting, *later.waiting))
    scratch = list(_find_scratch(stores.root, flow)) if idle else []
    return _carry_out(stores, flow, sweep, tuple(removed), unknown, scratch, dry_run=dry_run)


def _carry_out(
    stores: Stores,
    flow: str,
    sweep: Sweep,
    removed: tuple[RunKey, ...],
    unknown: Iterable[str],
    scratch: Iterable[str],
    *,
    dry_run: bool,
) -> Cleaned:
    storage = stores.storage
    size, files = 0, []
    for key in (*sweep.run_files, *sweep.data):
        found = _find_size(storage, key)
        if found is None:
            continue  # somebody else cleans at the same time
        if not dry_run:
            storage.delete(key)
        size += found
        files.append(f"store/{key}")
    for folder in scratch:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            size += entry.stat().st_size
            files.append(os.path.relpath(entry.path, stores.root))
        if not dry_run:
            shutil.rmtree(folder)
    if not dry_run:
        for run in unknown:
            storage.prune(run_prefix(RunKey(flow, run)))
    waiting = [_find_size(storage, key) or 0 for key in sweep.waiting]
    return Cleaned(flow, removed, tuple(files), size, len(waiting), sum(waiting))


def _is_shared(place: str) -> bool:
    """Say whether other machines may write to a store, whom no lock of this one keeps from it."""
    return "://" in place


def _find_young(
    storage: Storage,
    data: Iterable[str],
    referred: Collection[str],
    now: float,
    *,
    all_of_them: bool,
) -> frozenset[str]:
    """Give the values that nothing known refers to, and that another machine may be at work on."""
    return frozenset(
        key
        for key in data
        if key not in referred
        and (all_of_them or now - (storage.modified(key) or now) < _YOUNG_SECONDS)
    )


def _find_size(storage: Storage, key: str) -> int | None:
    try:
        return storage.size(key)
    except MissingKey:
        return None


def _find_scratch(root: str, flow: str) -> Iterator[str]:
    """Give the folders of unfinished uploads that runs of *flow* left when they were killed."""
    folder = os.path.join(root, _SCRATCH)
    names = os.listdir(folder) if os.path.isdir(folder) else []
    for name in sorted(names):
        # The name of a run's own folder: flow, process, and a random number.
        if name.rsplit("-", 2)[0] == flow:
            yield os.path.join(folder, name)
