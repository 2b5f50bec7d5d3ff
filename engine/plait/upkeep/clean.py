"""Cleaning a store: reads what the plan needs, does what the plan says, flow by flow."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from math import inf
from typing import Protocol

from plait.artifacts.run_file import RunFile, is_removed, mark_removed, unmark_removed
from plait.artifacts.store import ArtifactStore
from plait.base.clock import Clock, SystemClock
from plait.base.errors import PlaitError
from plait.base.layout import (
    REMOVED_FILE,
    RUN_FILE,
    code_key,
    code_prefix,
    data_prefix,
    parse_code_key,
    run_file_key,
    run_prefix,
    runs_prefix,
)
from plait.base.pathspec import RunKey
from plait.metadata.protocol import MetadataStore, RunRecord, Status
from plait.storage.errors import StorageFull
from plait.storage.protocol import YOUNG_SECONDS, MissingKey, Storage, is_shared
from plait.upkeep.claim import claim_values
from plait.upkeep.liveness import may_go_on
from plait.upkeep.ownership import find_own, read_files, shares_facts
from plait.upkeep.plan import Policy, Sweep, find_references, plan_removals, plan_sweep
from plait.upkeep.rescue import iter_runs, rescue_run

_SCRATCH = "scratch"


class FactsMissing(PlaitError):
    """A store holds values of runs, and no facts about any run at all."""

    slug = "facts-missing"

    def __init__(self, flows: Collection[str], place: str) -> None:
        super().__init__(
            f"nothing is known of any run in {place}, and yet it holds results of "
            f"{', '.join(sorted(flows))}",
            why="what may go is decided by what is known of runs",
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
        files: Where the removed files are: below the store's folder, or by URL.
        size: Their bytes.
        waiting: How many values nothing refers to, and stay until no run goes on.
        waiting_size: Their bytes.
        unknown: Runs of which the facts know nothing, and which stay.
    """

    flow: str
    runs: tuple[RunKey, ...]
    files: tuple[str, ...]
    size: int
    waiting: int
    waiting_size: int
    unknown: tuple[str, ...] = ()


def list_flows(stores: Stores) -> list[str]:
    """Give the names of all flows that have values here, or should have, sorted."""
    known = stores.metadata.iter_flows()
    if shares_facts(stores.metadata) and not is_shared(stores.storage.place):
        known = ()  # others' flows, whose values are in folders of theirs
    return sorted({*known, *stores.storage.iter_folders()})


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
    if not stores.metadata.iter_flows() and _needs_facts(stores, policy):
        orphans = [flow for flow in flows if any(stores.storage.iter_keys(runs_prefix(flow)))]
        # A first run may have begun between the two: it is recorded before its folder is there.
        if orphans and not stores.metadata.iter_flows():
            raise FactsMissing(orphans, stores.root)
    now = (clock or SystemClock()).now()
    for flow in flows:
        with claim_values(stores.root, flow) as claimed:
            yield _clean_flow(stores, flow, policy, now, claimed=claimed, dry_run=dry_run)


def _needs_facts(stores: Stores, policy: Policy) -> bool:
    """Say whether it is a mistake that nothing is known of any run: not where others may know."""
    together = not (shares_facts(stores.metadata) or is_shared(stores.storage.place))
    return policy.unknown or together


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
    files = read_files(artifacts, storage)
    data = [*storage.iter_keys(data_prefix(flow)), *storage.iter_keys(code_prefix(flow))]
    runs = [_as_going(rescue_run(r, metadata, artifacts), now) for r in iter_runs(metadata, flow)]
    # Runs whose values are in another store are not this one's to remove.
    removed = plan_removals(find_own(runs, metadata, artifacts, files), policy, now)
    if not dry_run and removed:
        removed = [key for key in removed if _remove_facts(stores, key, files.get(key.run))]
        runs = [_as_going(run, now) for run in iter_runs(metadata, flow)]
    known = {run.key.run for run in runs} - {key.run for key in removed}
    own = [r for r in find_own(runs, metadata, artifacts, files) if r.key.run in known]
    shared = is_shared(storage.place)
    old = now - YOUNG_SECONDS if shared else inf
    unknown = [RunKey(flow, run) for run in files if run not in known]
    gone = [key for key in removed if key.run in files]
    for key in unknown:
        asked = policy.unknown and claimed and _find_written(storage, key) < old
        if key not in gone and (asked or is_removed(storage, key, files[key.run], metadata.place)):
            gone.append(key)
    going = {key.run for key in gone}
    others = {run: files[run] for run in files if run not in {*going, *(r.key.run for r in own)}}
    referred = _find_referred(artifacts, own) | _find_referred_by_others(artifacts, others, data)
    folders = {key.run: list(storage.iter_keys(run_prefix(key))) for key in gone}
    idle = claimed and not any(run.status is Status.RUNNING for run in runs)
    # What another machine is about to refer to is younger, and no lock tells of it.
    young = _find_young(storage, data, referred, old) if shared else frozenset()
    free = [key for key in data if key not in young]
    sweep = plan_sweep(folders, free, known=known, referred=referred, idle=idle)
    later = plan_sweep({}, sorted(young), known=known, referred=referred, idle=False)
    sweep = replace(sweep, waiting=(*sweep.waiting, *later.waiting))
    scratch = list(_find_scratch(stores.root, flow)) if idle else []
    cleaned = _carry_out(stores, flow, sweep, folders, scratch, old, dry_run=dry_run)
    stay = tuple(key.run for key in unknown if key.run not in going)
    return replace(cleaned, runs=tuple(removed), unknown=stay)


def _as_going(run: RunRecord, now: float) -> RunRecord:
    """Give a run as one that goes on if it may be no more than thought to be lost.

    Clocks of machines differ, and a run may be cut off from where its facts are for a while.
    """
    return replace(run, status=Status.RUNNING) if may_go_on(run, now, YOUNG_SECONDS) else run


def _remove_facts(stores: Stores, key: RunKey, file: RunFile | None) -> bool:
    """Remove the facts of a run; False if they stay.

    Before that, it is said in its folder, for a later cleaning if this one does not come to its
    end. So nothing is removed where nothing may be written. But room is what may be wanted most.
    """
    storage, metadata = stores.storage, stores.metadata
    with suppress(StorageFull):
        mark_removed(storage, key, file, metadata.place)
    if metadata.delete_run(key):
        return True
    unmark_removed(storage, key)
    return False


def _find_referred(artifacts: ArtifactStore, own: Iterable[RunRecord]) -> set[str]:
    """Give the keys of what runs refer to whose facts and values are here."""
    referred = set()
    for run in own:
        if run.facts.get("code"):
            referred.add(code_key(artifacts.flow, run.facts["code"]))
        referred |= _find_referred_by(artifacts, run.key.run)
    return referred


def _find_referred_by_others(
    artifacts: ArtifactStore, others: Mapping[str, RunFile | None], data: Iterable[str]
) -> set[str]:
    """Give the keys of what runs refer to whose values alone are here; their facts others have."""
    referred = set()
    for run, file in others.items():
        referred |= _find_referred_by(artifacts, run)
        if file is not None and not file.claim:
            # A run of an earlier version: which code it ran with, its facts alone say.
            referred |= {key for key in data if parse_code_key(key) is not None}
        elif file is not None and file.code is not None:
            referred.add(code_key(artifacts.flow, file.code))
    return referred


def _find_referred_by(artifacts: ArtifactStore, run: str) -> set[str]:
    """Give the keys of what the attempts of a run refer to."""
    referred = set()
    for attempt in artifacts.iter_near(artifacts.iter_attempts(run)):
        sealed = artifacts.find(attempt)
        if sealed is not None:
            referred |= find_references(sealed, artifacts.flow)
    return referred


def _find_written(storage: Storage, run: RunKey) -> float:
    """Give when a run claimed its folder, in seconds since 1970; 0 if nothing tells."""
    return storage.modified(run_file_key(run, RUN_FILE)) or 0.0


def _carry_out(
    stores: Stores,
    flow: str,
    sweep: Sweep,
    folders: Iterable[str],
    scratch: Iterable[str],
    old: float,
    *,
    dry_run: bool,
) -> Cleaned:
    storage = stores.storage
    size, files = 0, []
    # What was old and nobody's may have been kept again in the meantime.
    data = (key for key in sweep.data if old == inf or not _is_young(storage, key, old))
    for key in chain(sweep.run_files, data):
        found = _find_size(storage, key)
        if found is None:
            continue  # somebody else cleans at the same time
        if not dry_run:
            storage.delete(key)
        if key.endswith(f"/{REMOVED_FILE}"):
            continue  # of cleaning itself
        size += found
        files.append(f"{storage.place}/{key}" if is_shared(storage.place) else f"store/{key}")
    for folder in scratch:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            size += entry.stat().st_size
            files.append(os.path.relpath(entry.path, stores.root))
        if not dry_run:
            storage.sweep(folder)
    if not dry_run:
        for run in folders:
            storage.prune(run_prefix(RunKey(flow, run)))
    waiting = [_find_size(storage, key) or 0 for key in sweep.waiting]
    return Cleaned(flow, (), tuple(files), size, len(waiting), sum(waiting))


def _find_young(
    storage: Storage, data: Iterable[str], referred: Collection[str], old: float
) -> frozenset[str]:
    """Give the values that nothing refers to, and that another machine may be at work on."""
    return frozenset(key for key in data if key not in referred and _is_young(storage, key, old))


def _is_young(storage: Storage, key: str, old: float) -> bool:
    return (storage.modified(key) or old) >= old


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
