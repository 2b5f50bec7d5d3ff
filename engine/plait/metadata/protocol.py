"""What a store of facts promises, and the records that go in and come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from plait.base.pathspec import RunKey, TaskKey
from plait.base.records import Failure


class Status(StrEnum):
    """How far a run or a task is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "lost"
    """Its process is gone, and did not say how the run ended."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is known of a run before it has an id.

    Args:
        flow: The flow's name.
        created: Seconds since 1970.
        user_tags: Tags that its user gave.
        system_tags: Tags that plait gave; never change.
        origin_run: The run it resumes, if any.
        facts: JSON values: script, arguments, host, pid, graph, parameter names; and `process`,
            by which others can tell whether it still goes on (see `base.process`).
        request: A word that no other run of the flow has, if any: to create a run of the same
            word again gives the first one's key, so that it can be asked for until it is answered.
    """

    flow: str
    created: float
    user_tags: frozenset[str] = frozenset()
    system_tags: frozenset[str] = frozenset()
    origin_run: str | None = None
    facts: Mapping[str, Any] | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the store knows it; `failure` is its first one, and `failed_task` the one it hit.

    `heartbeat` is when its process last said that it goes on; None if it never has.
    """

    key: RunKey
    created: float
    status: Status
    finished: float | None
    user_tags: frozenset[str]
    system_tags: frozenset[str]
    origin_run: str | None
    facts: Mapping[str, Any]
    failure: Failure | None
    failed_task: TaskKey | None
    heartbeat: float | None = None


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task as the store knows it.

    Args:
        key: Which task.
        created: When its first attempt was launched; seconds since 1970.
        finished: When its last attempt ended; None while it has not.
        status: RUNNING until its last attempt has ended.
        attempt: The last attempt that ended, the one that is visible; None before.
        attempts: How many attempts were begun.
        index: Its position in the innermost foreach; None outside one.
        origin: The task it was taken over from by a resume, if any.
        failure: Why the visible attempt failed, where it did and that was reported.
    """

    key: TaskKey
    created: float
    finished: float | None
    status: Status
    attempt: int | None
    attempts: int
    index: int | None
    origin: TaskKey | None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step of a run: when its first task began, and how many tasks there are by now."""

    flow: str
    run: str
    step: str
    created: float
    tasks: int


# What a run's process reports. One writer a run; a batch is written in one transaction.


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """An attempt was launched; the first one of a task creates the task and maybe its step."""

    key: TaskKey
    attempt: int
    at: float
    index: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """An attempt ended; `final` if no other follows, and then the task has ended with it."""

    key: TaskKey
    attempt: int
    at: float
    ok: bool
    final: bool
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class TaskCloned:
    """A task was taken over, finished, from another run."""

    key: TaskKey
    attempt: int
    at: float
    origin: TaskKey
    index: int | None = None


@dataclass(frozen=True, slots=True)
class RunBeat:
    """The run's process goes on; said now and then, so that silence means something."""

    key: RunKey
    at: float


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run ended; of two ends the later holds, but LOST undoes none (see `rules.holds_end`)."""

    key: RunKey
    at: float
    status: Status
    failure: Failure | None = None
    failed_task: TaskKey | None = None


Fact = AttemptStarted | AttemptEnded | TaskCloned | RunBeat | RunEnded


class MetadataStore(Protocol):
    """Facts about runs.

    One instance is used by one process; a forked child opens its own. Every method is one
    transaction: whole or not at all, and seen by every reader after it returns.
    Listings are newest first unless said otherwise.
    """

    @property
    def place(self) -> str:
        """Where this is, for messages, and what `metadata(...)` takes: `local@path`."""
        ...

    def create_run(self, run: NewRun, *, above: int = 0) -> RunKey:
        """Record a new run and give its key; ids of a flow count up from 1 and never repeat.

        If there is a run of its flow and `request`, nothing changes and the key is that one's.

        Args:
            run: The run.
            above: Give an id greater than this one; for a store of facts that is younger than
                the store of values beside it.
        """
        ...

    def record(
        self, facts: Sequence[Fact], *, requests: Mapping[RunKey, str] | None = None
    ) -> None:
        """Record what happened, in one transaction. Raises UnknownRun.

        The last attempt of a task that ended is the one that counts. Facts about tasks may come
        late, in another order or a second time, and the result is the same. Of two ends of a run,
        the one recorded later holds, and of its heartbeats the latest.

        Args:
            facts: What happened, in order.
            requests: The words that runs were asked for by, as far as they are known. Of runs that
                this object created by such a word it is. A run of the same number that was asked
                for by another word is another run, so that the run of the facts is unknown: the
                store was brought back as it was before that run.
        """
        ...

    def change_tags(
        self,
        key: RunKey,
        *,
        add: frozenset[str] = frozenset(),
        remove: frozenset[str] = frozenset(),
    ) -> frozenset[str]:
        """Change a run's user tags at once and give the new ones. Raises UnknownRun.

        A tag in both is added. System tags can be neither (raises SystemTag). What can be a tag
        (else BadTag is raised), and how it is kept, says `rules.check_tags`.
        """
        ...

    def delete_run(self, key: RunKey) -> bool:
        """Remove a run that has ended, with its tags and tasks. Its id is never given again.

        Returns:
            False, and nothing has changed, if there is none, if it is RUNNING, or if a run that is
            RUNNING resumes it. So a run that has begun to resume one can count on it.
        """
        ...

    def iter_flows(self) -> Sequence[str]:
        """Give the names of all flows that have runs, sorted."""
        ...

    def find_run(self, key: RunKey) -> RunRecord | None:
        """Give a run, or None if there is none of this key."""
        ...

    def list_runs(
        self,
        flow: str,
        *,
        tags: frozenset[str] = frozenset(),
        status: Status | None = None,
        before: str | None = None,
        limit: int = 1000,
    ) -> Sequence[RunRecord]:
        """Give runs that have all of *tags*, newest first.

        Args:
            flow: The flow whose runs to give.
            tags: User and system tags; a run has to have every one.
            status: Only runs of this status.
            before: Only runs older than the run of this id, to page on.
            limit: The most to give.
        """
        ...

    def list_steps(self, key: RunKey) -> Sequence[StepRecord]:
        """Give the steps that have tasks, newest first."""
        ...

    def find_task(self, key: TaskKey) -> TaskRecord | None:
        """Give a task, or None if there is none of this key."""
        ...

    def list_tasks(
        self, key: RunKey, step: str, *, before: str | None = None, limit: int = 5000
    ) -> Sequence[TaskRecord]:
        """Give tasks of a step, newest first, which is by their ids from the highest down.

        Args:
            key: The run.
            step: The step's name.
            before: Only tasks of lower ids than this one, to page on.
            limit: The most to give.
        """
        ...

    def find_damage(self) -> Sequence[str]:
        """Read everything and give a sentence for each place that is not as it was written."""
        ...

    def close(self) -> None:
        """Let go of what is open; the next use opens it again."""
        ...
