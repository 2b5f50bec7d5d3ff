"""Whose values are where a run's should be: its own, another run's of the same number, or nobody's.

Where facts and values are apart, each may hold more than the other: one service knows runs whose
values are in folders of several machines, and one root in S3 holds runs that several stores of
facts count, each from 1 on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum

from plait.artifacts.run_file import (
    DATASTORE,
    LOCAL,
    DamagedRunFile,
    RunFile,
    name_datastore,
    tell_elsewhere,
)
from plait.artifacts.store import ArtifactStore
from plait.base.errors import PlaitError
from plait.base.layout import RUN_FILE, run_file_key, runs_prefix
from plait.base.pathspec import RunKey
from plait.metadata.protocol import MetadataStore, RunRecord
from plait.storage.near import iter_near
from plait.storage.protocol import Storage, is_shared


class OtherResults(PlaitError):
    """Where the results of a run are looked for are those of another, or its own are elsewhere."""

    slug = "other-results"

    def __init__(self, run: RunRecord, file: RunFile | None, place: str) -> None:
        elsewhere = tell_elsewhere(run.facts, place)
        reasons = [f"its own were written {elsewhere}"] if elsewhere else []
        if file is not None:
            began = datetime.fromtimestamp(file.created, UTC).strftime("%Y-%m-%d %H:%M UTC")
            who = f"another run, which {file.user} began at {began}"
            reasons.insert(0, f"what lies there under its number is of {who}")
        super().__init__(
            f"the results of '{run.key}' are not in {place}",
            why="; ".join(reasons),
            fix="name the place where its values are: PLAIT_DATASTORE_ROOT for a folder,\n"
            "PLAIT_DATASTORE=s3 with PLAIT_DATASTORE_SYSROOT_S3 for S3; or the store of facts\n"
            "that the results are of: PLAIT_METADATA, PLAIT_SERVICE_URL",
        )


class Holding(Enum):
    """What a store of values has under a run's number."""

    OWN = "own"
    """The run's own values."""
    OTHER = "other"
    """Those of another run."""
    NONE = "none"
    """Nothing."""


def tell_holding(run: RunRecord, file: RunFile | None) -> Holding:
    """Say what is there, by the file in the folder of the run's number; None where there is none.

    Args:
        run: The run as it is recorded.
        file: What was found.
    """
    if file is None:
        return Holding.NONE
    return Holding.OWN if file.is_of(run.created, run.facts) else Holding.OTHER


def find_holding(run: RunRecord, artifacts: ArtifactStore) -> Holding:
    """Look for what is there under the number of *run*. Raises DamagedRunFile."""
    return tell_holding(run, artifacts.find_run_file(run.key.run))


def check_holding(run: RunRecord, artifacts: ArtifactStore, *, needed: bool = False) -> Holding:
    """Look for what is there under the number of *run*, and refuse what is another's.

    Args:
        run: The run.
        artifacts: The values of its flow.
        needed: Whether that there are none is refused, too, where they are known to be elsewhere.

    Returns:
        OWN or NONE.

    Raises:
        OtherResults: The values are of another run, or elsewhere.
        DamagedRunFile: It can't be told whose they are.
    """
    file = artifacts.find_run_file(run.key.run)
    holding = tell_holding(run, file)
    missed = needed and holding is Holding.NONE and tell_elsewhere(run.facts, artifacts.place)
    if missed or holding is Holding.OTHER:
        raise OtherResults(run, file, artifacts.place)
    return holding


def belongs_here(run: RunRecord, metadata: MetadataStore, artifacts: ArtifactStore) -> bool:
    """Say whether a run was to have its values in this store, by what its facts say.

    Where facts are shared, a folder is taken for another's: which one it is, they don't say. Those
    of a run of an earlier version say nothing at all.

    Args:
        run: The run.
        metadata: Where it is recorded.
        artifacts: The store of values.
    """
    here = name_datastore(artifacts.place)
    if here == LOCAL and shares_facts(metadata):
        return False
    return bool(run.facts.get(DATASTORE) == here)


def find_expected(
    runs: Iterable[RunRecord],
    metadata: MetadataStore,
    artifacts: ArtifactStore,
    files: Mapping[str, RunFile | None],
) -> list[RunRecord]:
    """Give those of *runs* whose values are here, or should be.

    Args:
        runs: Runs of a flow.
        metadata: Where they are recorded.
        artifacts: The values of their flow.
        files: What `read_files` gave, before the runs were read.
    """
    expected = []
    for run in runs:
        holding = tell_holding(run, files.get(run.key.run))
        missed = holding is Holding.NONE and belongs_here(run, metadata, artifacts)
        if missed or holding is Holding.OWN:
            expected.append(run)
    return expected


def find_own(
    runs: Iterable[RunRecord],
    metadata: MetadataStore,
    artifacts: ArtifactStore,
    files: Mapping[str, RunFile | None],
) -> list[RunRecord]:
    """Give those of *runs* that are this store's to remove; arguments as for `find_expected`.

    That are those whose values are here, and those that left none. Where a place is shared, what
    should be there and is not may be at another of the same name, as on another server.
    """
    return [
        run
        for run in find_expected(runs, metadata, artifacts, files)
        if files.get(run.key.run) is not None
        or not is_shared(artifacts.place)
        or not metadata.list_steps(run.key)
    ]


def read_files(
    artifacts: ArtifactStore, storage: Storage, *, pass_over: bool = False
) -> dict[str, RunFile | None]:
    """Read the files of all runs that a flow has folders of, by their numbers.

    None is the file of a folder that was not claimed, as what is left of a removed run is not.

    Args:
        artifacts: The values of the flow.
        storage: Where they are.
        pass_over: Whether a file that is damaged is taken for none.

    Raises:
        DamagedRunFile: It can't be told whose one is.
    """
    files: dict[str, RunFile | None] = {}
    folders = storage.iter_folders(runs_prefix(artifacts.flow))
    for run in iter_near(
        storage, folders, lambda run: run_file_key(RunKey(artifacts.flow, run), RUN_FILE)
    ):
        try:
            files[run] = artifacts.find_run_file(run)
        except DamagedRunFile:
            if not pass_over:
                raise
            files[run] = None
    return files


def shares_facts(metadata: MetadataStore) -> bool:
    """Say whether a store of facts may know runs of other machines."""
    return metadata.place.startswith("service@")
