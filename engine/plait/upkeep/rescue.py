"""Recording of a lost run what its process could not: what its attempts sealed, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from plait.artifacts.store import ArtifactStore
from plait.base.clock import Clock, SystemClock
from plait.base.pathspec import RunKey
from plait.base.records import AttemptFacts
from plait.metadata.protocol import Fact, MetadataStore, RunEnded, RunRecord, Status, TaskRecord
from plait.metadata.rebuild import find_end, plan_rebuild
from plait.upkeep.liveness import is_lost
from plait.upkeep.ownership import Holding, find_holding, shares_facts

PAGE = 5000
"""How many tasks are asked for at once."""


def rescue_run(
    run: RunRecord,
    metadata: MetadataStore,
    artifacts: ArtifactStore,
    clock: Clock | None = None,
) -> RunRecord:
    """Give a run as it really is; one that is lost is recorded as such, with all that it sealed.

    One whose last step was sealed has ended well, though its process could not say so.

    Where facts are shared and nothing of the run is here, it is said to be lost and not recorded.

    Args:
        run: The run as it was read.
        metadata: The store of facts.
        artifacts: The values of its flow.
        clock: Where the time comes from.

    Raises:
        PlaitError: The stores could not be read or written, or a sealed attempt is damaged.
    """
    time = clock or SystemClock()
    if not is_lost(run, time.now()):
        return run
    # The process may have ended well between the reading of its record and the look for it.
    found = metadata.find_run(run.key)
    if found is None or found.status is not Status.RUNNING:
        return found or run
    other = find_holding(found, artifacts) is Holding.OTHER
    sealed = [] if other else list(_iter_sealed(found.key, artifacts))
    if not sealed and shares_facts(metadata):
        # Its values may be where only others see them: it is theirs to record.
        return replace(found, status=Status.LOST)
    known = list(_iter_known(found.key, metadata))
    end = find_end(sealed)
    if end is not None:
        # It had done all that there was to do; only nobody heard of it.
        at, status = end.finished, Status.DONE
    else:
        at = max((facts.finished for facts in sealed), default=found.created)
        at, status = max(at, found.heartbeat or at), Status.LOST
    metadata.record([*plan_rebuild(sealed, known), RunEnded(found.key, at, status)])
    return metadata.find_run(found.key) or replace(found, status=status, finished=at)


def find_unrecorded(run: RunKey, metadata: MetadataStore, artifacts: ArtifactStore) -> list[Fact]:
    """Give what the attempts of a run sealed and nobody recorded.

    Args:
        run: A run that nobody works at any more.
        metadata: The store of facts.
        artifacts: The values of its flow.

    Raises:
        PlaitError: The stores could not be read, or a sealed attempt is damaged.
    """
    return plan_rebuild(list(_iter_sealed(run, artifacts)), list(_iter_known(run, metadata)))


def iter_runs(
    metadata: MetadataStore, flow: str, *, status: Status | None = None
) -> Iterator[RunRecord]:
    """Give all runs of a flow, newest first, page by page."""
    before = None
    while page := metadata.list_runs(flow, status=status, before=before):
        yield from page
        before = page[-1].key.run


def _iter_sealed(run: RunKey, artifacts: ArtifactStore) -> Iterator[AttemptFacts]:
    for key in artifacts.iter_near(artifacts.iter_attempts(run.run)):
        facts = artifacts.find_facts(key)
        if facts is not None:
            yield facts


def _iter_known(run: RunKey, metadata: MetadataStore) -> Iterator[TaskRecord]:
    for step in metadata.list_steps(run):
        before = None
        while page := metadata.list_tasks(run, step.step, before=before, limit=PAGE):
            yield from page
            before = page[-1].key.task
