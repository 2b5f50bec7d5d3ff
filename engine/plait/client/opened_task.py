"""One task as the client holds it: its record, the attempt that is shown, and what that left."""

from __future__ import annotations

from collections.abc import Iterator

from plait.artifacts.store import SealedAttempt
from plait.base.pathspec import AttemptKey, TaskKey
from plait.base.records import ArtifactRef, AttemptFacts
from plait.client.opened_run import OpenedRun
from plait.client.source import Connection
from plait.logs.lines import LogLine
from plait.metadata.protocol import Status, StepRecord, TaskRecord

# Plain classes and not dataclasses: each of those takes a millisecond to make, at every import.


class OpenedStep:
    """A step of a run that has tasks."""

    __slots__ = ("record", "run")

    chosen = None
    """The attempt asked for; steps have none."""

    def __init__(self, run: OpenedRun, record: StepRecord) -> None:
        self.run = run
        self.record = record

    @property
    def connection(self) -> Connection:
        """Where it is read from."""
        return self.run.connection

    @property
    def components(self) -> tuple[str, ...]:
        """The parts of its pathspec."""
        return (*self.run.key, self.record.step)


class OpenedTask:
    """A task, shared by the objects of the client that belong to it.

    Args:
        run: Its run.
        record: The task as it was when it was read; read again by `renew` while it runs.
        chosen: The attempt to show; None for the last one that finished.
    """

    __slots__ = ("chosen", "record", "run")

    def __init__(self, run: OpenedRun, record: TaskRecord, chosen: int | None = None) -> None:
        self.run = run
        self.record = record
        self.chosen = chosen

    @property
    def key(self) -> TaskKey:
        """Which task."""
        return self.record.key

    @property
    def connection(self) -> Connection:
        """Where it is read from."""
        return self.run.connection

    @property
    def components(self) -> tuple[str, ...]:
        """The parts of its pathspec."""
        return self.record.key

    def renew(self) -> TaskRecord:
        """Give the task's record, read again if the task was not known to have ended."""
        if self.record.status is Status.RUNNING:
            record = self.run.find_task(self.key.step, self.key.task)
            self.record = self.record if record is None else record
        return self.record

    def find_attempt(self) -> int | None:
        """Give the attempt that is shown; None while none has finished and none was chosen."""
        return self.renew().attempt if self.chosen is None else self.chosen

    def find_sealed(self) -> SealedAttempt | None:
        """Give the attempt that is shown, or None if it has not finished.

        Raises:
            ResultsNotFound: It is known to have finished, but is not in the store.
        """
        attempt = self.find_attempt()
        if attempt is None:
            return None
        key = AttemptKey(*self.record.key, attempt)
        sealed = self.run.find_sealed(key)
        if sealed is None and self._has_finished(attempt):
            raise self.run.not_found(key)
        return sealed

    def find_facts(self) -> AttemptFacts | None:
        """Give what the attempt that is shown says of itself, or None if it has not finished.

        Raises ResultsNotFound as `find_sealed` does.
        """
        attempt = self.find_attempt()
        if attempt is None:
            return None
        key = AttemptKey(*self.key, attempt)
        facts = self.run.find_facts(key)
        if facts is None and self._has_finished(attempt):
            raise self.run.not_found(key)
        return facts

    def _has_finished(self, attempt: int) -> bool:
        return self.record.attempt is not None and attempt <= self.record.attempt

    def iter_facts(self) -> Iterator[AttemptFacts]:
        """Give what each finished attempt says of itself, oldest first; or only the chosen one.

        Raises ResultsNotFound if that of the attempt that is shown is not there. (An earlier one
        may not have come to its seal.)
        """
        self.find_facts()
        attempts = range(self.renew().attempts) if self.chosen is None else (self.chosen,)
        for attempt in attempts:
            facts = self.run.find_facts(AttemptKey(*self.key, attempt))
            if facts is not None:
                yield facts

    def find_ref(self, name: str) -> ArtifactRef | None:
        """Give where an artifact's value is, be it the task's own or a parameter; or None."""
        sealed = self.find_sealed()
        ref = None if sealed is None else sealed.artifacts.get(name)
        return self.run.parameters().get(name) if ref is None else ref

    def names(self) -> list[str]:
        """Give the names of its artifacts, sorted: with the parameters, without private ones."""
        sealed = self.find_sealed()
        names = {*self.run.parameters(), *(() if sealed is None else sealed.artifacts)}
        return sorted(name for name in names if not name.startswith("_"))

    def read_log(self) -> list[LogLine]:
        """Give what the attempt that is shown printed; while none has finished, the running one.

        Raises ResultsNotFound, OtherResults.
        """
        lines = self.run.logs().read(self._log_key())
        if not lines:
            self.find_facts()  # whether it printed nothing, or is not here
        return lines

    def read_log_tail(self, size: int) -> tuple[list[LogLine], bool]:
        """Give the last lines of what `read_log` gives, and whether these are all there are.

        Args:
            size: About how many bytes to read.
        """
        lines, is_whole = self.run.logs().read_tail(self._log_key(), size)
        if not lines:
            self.find_facts()  # as above
        return lines, is_whole

    def _log_key(self) -> AttemptKey:
        attempt = self.find_attempt()
        if attempt is None:
            attempt = max(self.record.attempts - 1, 0)
        key = AttemptKey(*self.key, attempt)
        if self.record.origin is not None:
            # A task that was taken over printed nothing here; the attempt that ran it did.
            facts = self.run.find_facts(key)
            key = key if facts is None or facts.origin is None else facts.origin
        return key


class OpenedArtifact:
    """An artifact of a task: its name and where its value is."""

    __slots__ = ("name", "ref", "task")

    def __init__(self, task: OpenedTask, name: str, ref: ArtifactRef) -> None:
        self.task = task
        self.name = name
        self.ref = ref

    @property
    def run(self) -> OpenedRun:
        """The run of its task."""
        return self.task.run

    @property
    def connection(self) -> Connection:
        """Where it is read from."""
        return self.task.connection

    @property
    def components(self) -> tuple[str, ...]:
        """The parts of its pathspec."""
        return (*self.task.key, self.name)

    @property
    def chosen(self) -> int | None:
        """The attempt asked for, if one was."""
        return self.task.chosen
