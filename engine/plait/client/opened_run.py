"""One run as the client holds it: its record, and every question about what belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from plait.artifacts.store import ArtifactStore, SealedAttempt
from plait.base.pathspec import STEP_NAME, AttemptKey, RunKey, TaskKey, parameters_key
from plait.base.records import ArtifactRef, AttemptFacts
from plait.client.errors import ResultsNotFound
from plait.client.recovery import SealedAttempts, merge_newest, read_sealed, recover_task
from plait.client.source import Connection
from plait.logs.store import LogStore
from plait.metadata.protocol import RunRecord, Status, StepRecord, TaskRecord
from plait.metadata.rules import parse_id

_AHEAD = 64
"""So many tasks of a listing are looked ahead, where each one's results are read."""
PAGE = 5000
"""How many tasks are asked for at once."""


class OpenedRun:
    """A run, shared by all objects of the client that belong to it.

    Its record is as it was when it was read; while it says that the run goes on, `renew` reads it
    again.
    """

    __slots__ = ("_is_seen", "_parameters", "_reads", "connection", "record")

    chosen = None
    """The attempt asked for; runs have none."""

    def __init__(self, connection: Connection, record: RunRecord) -> None:
        self.connection = connection
        self.record = record
        self._is_seen = False
        self._reads = 0
        self._parameters: Mapping[str, ArtifactRef] | None = None

    @property
    def key(self) -> RunKey:
        """Which run."""
        return self.record.key

    @property
    def run(self) -> OpenedRun:
        """Itself: all that belongs to a run says here which."""
        return self

    @property
    def components(self) -> tuple[str, ...]:
        """The parts of its pathspec."""
        return self.record.key

    def renew(self) -> RunRecord:
        """Give the run's record, read again if the run was not known to have ended.

        Where it says that the run goes on, and its process is gone, what is given says so.
        """
        self._read_again()
        if self.record.status is Status.RUNNING and _is_lost(self.record):
            # It may have ended well between the reading of its record and the look for its process.
            self._read_again()
            if self.record.status is Status.RUNNING:
                at = self.record.heartbeat or self.record.created
                return replace(self.record, status=Status.LOST, finished=at)
        return self.record

    def _read_again(self) -> None:
        if self.record.status is Status.RUNNING:
            record = self.connection.metadata().find_run(self.key)
            # A run that somebody removes meanwhile stays what it was last known as.
            self.record = self.record if record is None else record

    @property
    def has_ended(self) -> bool:
        """Whether the run is known to have ended, or is lost; asks again while it is not."""
        return self.renew().status is not Status.RUNNING

    @property
    def _has_told_all(self) -> bool:
        """Whether the store of facts knows all of its tasks; not of a run that was just lost."""
        self._read_again()
        return self.record.status is not Status.RUNNING

    def change_tags(self, *, add: frozenset[str], remove: frozenset[str]) -> None:
        """Change the run's user tags, in the store and here."""
        tags = self.connection.metadata().change_tags(self.key, add=add, remove=remove)
        self.record = replace(self.record, user_tags=tags)

    # Steps and tasks

    def list_steps(self) -> list[StepRecord]:
        """Give the steps that have tasks, newest first."""
        # Asked first: when this says that the run has ended, the steps read next are all there are.
        ended = self._has_told_all
        steps = list(self.connection.metadata().list_steps(self.key))
        if ended:
            return steps
        known = {step.step for step in steps}
        for name, tasks in self._read_sealed().items():
            if name not in known:
                created = min(task.created for task in self._merge(name, (), tasks))
                steps.append(StepRecord(*self.key, name, created, len(tasks)))
        return sorted(steps, key=lambda step: step.created, reverse=True)

    def iter_tasks(self, step: str) -> Iterator[TaskRecord]:
        """Give the tasks of a step, newest first, page by page."""
        if self._has_told_all:
            return self._read_ahead(self._complete(record) for record in self._iter_pages(step))
        # The store is listed first: a task that ends in between is then on the pages.
        sealed = self._read_sealed(step).get(step, {}) if STEP_NAME.match(step) else {}
        return self._merge(step, self._iter_pages(step), sealed)

    def _read_ahead(self, records: Iterator[TaskRecord]) -> Iterator[TaskRecord]:
        """Give *records*; where who takes them reads what each left, bring the next ones near."""
        while some := list(islice(records, _AHEAD)):
            before = self._reads
            yield some[0]
            rest = some[1:]
            if self._reads > before:
                ended = [AttemptKey(*r.key, r.attempt) for r in rest if r.attempt is not None]
                self.values().bring(ended)
            yield from rest

    def find_task(self, step: str, task: str) -> TaskRecord | None:
        """Give a task, or None."""
        if parse_id(task) is None or not STEP_NAME.match(step):
            return None
        ended, key = self._has_told_all, TaskKey(*self.key, step, task)
        record = self.connection.metadata().find_task(key)
        if record is not None:
            return self._complete(record)
        # A run that ended reported all of its tasks before.
        return None if ended else self._recover(None, key)

    def _iter_pages(self, step: str) -> Iterator[TaskRecord]:
        metadata, before = self.connection.metadata(), None
        while True:
            page = metadata.list_tasks(self.key, step, before=before, limit=PAGE)
            yield from page
            if len(page) < PAGE:
                return
            before = page[-1].key.task

    def _merge(
        self, step: str, known: Iterable[TaskRecord], sealed: Mapping[str, list[int]]
    ) -> Iterator[TaskRecord]:
        for task, record in merge_newest(known, sealed):
            found = record
            if record is None or (record.status is Status.RUNNING and task in sealed):
                found = self._recover(record, TaskKey(*self.key, step, task), sealed[task])
            # None if what the listing of the store named is gone by now.
            if found is not None:
                yield found

    def _complete(self, record: TaskRecord) -> TaskRecord:
        if record.status is not Status.RUNNING:
            return record
        return self._recover(record, record.key) or record

    def _recover(
        self, known: TaskRecord | None, key: TaskKey, attempts: Iterable[int] | None = None
    ) -> TaskRecord | None:
        # As the record says it by now: to ask again for each of a listing's tasks would take long.
        ended = self.record.status is not Status.RUNNING
        store = self._own_values()
        if store is None:
            return known
        return recover_task(known, key, store, run_ended=ended, attempts=attempts)

    def _read_sealed(self, step: str | None = None) -> SealedAttempts:
        store = self._own_values()
        return {} if store is None else read_sealed(store, self.key, step)

    # What attempts hold

    def values(self) -> ArtifactStore:
        """Give the store of its values, seen to hold them and not another run's.

        A run that begins may have none yet. Raises OtherResults, DamagedRunFile.
        """
        store = self.connection.artifacts(self.key.flow)
        if not self._is_seen:
            # Loaded only where values are read: most look at facts.
            from plait.upkeep.ownership import Holding, check_holding

            self._is_seen = check_holding(self.record, store) is Holding.OWN
        return store

    def is_here(self) -> bool:
        """Say whether its values are in this store. Raises DamagedRunFile."""
        self._own_values()
        return self._is_seen

    def _own_values(self) -> ArtifactStore | None:
        """Give what `values` gives; None where another run's are, for facts are read nevertheless.

        Raises DamagedRunFile.
        """
        from plait.upkeep.ownership import OtherResults

        try:
            return self.values()
        except OtherResults:
            return None

    def logs(self) -> LogStore:
        """Give the store of its logs. Raises as `values`."""
        self.values()
        return self.connection.logs()

    def not_found(self, key: AttemptKey) -> ResultsNotFound:
        """Give the error that an attempt, which is known to have finished, is not here."""
        from plait.artifacts.run_file import tell_elsewhere

        place = self.connection.artifacts(self.key.flow).place
        return ResultsNotFound(str(key), place, tell_elsewhere(self.record.facts, place))

    def find_facts(self, key: AttemptKey) -> AttemptFacts | None:
        """Give what a sealed attempt says of itself, or None if it is not sealed."""
        self._reads += 1
        return self.values().find_facts(key)

    def find_sealed(self, key: AttemptKey) -> SealedAttempt | None:
        """Give a sealed attempt, or None if it is not sealed."""
        self._reads += 1
        return self.values().find(key)

    def load(self, ref: ArtifactRef, name: str) -> object:
        """Read the value of the artifact *name*."""
        return self.values().load(ref, name=name)

    def load_bytes(self, ref: ArtifactRef, name: str) -> bytes | memoryview:
        """Read the encoded bytes of the artifact *name*, for who does not trust what is in them."""
        return self.values().load_bytes(ref, name=name)

    def locate(self, ref: ArtifactRef) -> str:
        """Give where the bytes of an artifact are: a path or a URL."""
        return self.values().locate(ref)

    def parameters(self) -> Mapping[str, ArtifactRef]:
        """Give the run's parameters and the constants of its flow's class, by name.

        None are known as long as it has only begun. Raises ResultsNotFound.
        """
        if self._parameters is None:
            sealed = self.find_sealed(parameters_key(self.key))
            if sealed is None:
                if self.has_ended and self.connection.metadata().list_steps(self.key):
                    raise self.not_found(parameters_key(self.key))
                return {}  # not sealed yet, so that the next question asks again
            self._parameters = sealed.artifacts
        return self._parameters


def _is_lost(record: RunRecord) -> bool:
    # Loaded only for a run that goes on: most that are read have ended.
    import time

    from plait.upkeep.liveness import is_lost

    return is_lost(record, time.time())
