"""Cleaning of the spins that somebody wanted kept: each a store by itself, removed as a whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from plait.base.layout import DATABASE, SPINS
from plait.base.pathspec import RunKey
from plait.metadata.protocol import RunRecord, Status
from plait.storage.errors import storage_error
from plait.upkeep.clean import Stores
from plait.upkeep.plan import Policy, plan_removals
from plait.upkeep.rescue import rescue_run

_BEGINNING_SECONDS = 3600.0
"""A spin whose folder is younger may not have come to writing anything into it."""

OpenSpin = Callable[[str], AbstractContextManager[Stores]]
"""Opens the store in a folder."""


@dataclass(frozen=True, slots=True)
class CleanedSpins:
    """Which kept spins of a flow were removed, or would be.

    Args:
        flow: Its name; empty for those that were killed before they wrote what they are of.
        spins: The names of their folders, newest first.
        files: Where the removed files are, below the store's folder.
        size: Their bytes.
    """

    flow: str
    spins: tuple[str, ...]
    files: tuple[str, ...]
    size: int


def clean_spins(
    root: str, open_spin: OpenSpin, policy: Policy, *, dry_run: bool, now: float
) -> Iterator[CleanedSpins]:
    """Remove kept spins as runs are removed: those that *policy* says, and what killed ones left.

    Args:
        root: The folder of the local store.
        open_spin: Opens the store of a spin.
        policy: Which to remove, counted for each flow by themselves.
        dry_run: Whether to remove nothing, and only tell.
        now: Seconds since 1970.

    Raises:
        PlaitError: One can't be read or removed.
    """
    folder = os.path.join(root, SPINS)
    names = os.listdir(folder) if os.path.isdir(folder) else []
    flows: dict[str, list[RunRecord]] = {}
    broken: dict[str, list[str]] = {}
    for name in sorted(filter(str.isdecimal, names), key=int, reverse=True):
        record = _read(os.path.join(folder, name), open_spin)
        if record is not None and record.status is not Status.LOST:
            own = replace(record, key=RunKey(record.key.flow, name), origin_run=None)
            flows.setdefault(record.key.flow, []).append(own)
        elif record is not None:
            broken.setdefault(record.key.flow, []).append(name)
        elif now - os.stat(os.path.join(folder, name)).st_mtime > _BEGINNING_SECONDS:
            broken.setdefault("", []).append(name)
    for flow in sorted({*flows, *broken}):
        removed = [key.run for key in plan_removals(flows.get(flow, []), policy, now)]
        chosen = sorted([*removed, *broken.get(flow, [])], key=int, reverse=True)
        if chosen:
            yield _remove(root, flow, chosen, dry_run=dry_run)


def _read(place: str, open_spin: OpenSpin) -> RunRecord | None:
    """Give the run that stands for a spin, as it really is; None if it did not come to that."""
    if not os.path.exists(os.path.join(place, DATABASE)):
        return None
    with open_spin(place) as stores:
        for flow in stores.metadata.iter_flows():
            for run in stores.metadata.list_runs(flow, limit=1):
                return rescue_run(run, stores.metadata, stores.artifacts(flow))
    return None


def _remove(root: str, flow: str, spins: list[str], *, dry_run: bool) -> CleanedSpins:
    files: list[str] = []
    size = 0
    for name in spins:
        place = os.path.join(root, SPINS, name)
        for folder, _, found in os.walk(place):
            for file in sorted(found):
                path = os.path.join(folder, file)
                size += os.lstat(path).st_size
                files.append(os.path.relpath(path, root))
        if not dry_run:
            try:
                shutil.rmtree(place)
            except OSError as error:
                raise storage_error(error, place, "remove") from error
    return CleanedSpins(flow, tuple(spins), tuple(files), size)
