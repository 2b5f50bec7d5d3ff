"""Tasks whose end the store of facts never heard of, found again by what they sealed.

A run's process reports in batches. If it is killed, its last batch is lost, while the attempts
that were sealed by then are whole and count. So where a task is known as running, or not known in
a run that is, the sealed attempts are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from plait.artifacts.store import ArtifactStore
from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.records import AttemptFacts, Frame
from plait.metadata.protocol import AttemptEnded, AttemptStarted, TaskCloned, TaskRecord
from plait.metadata.rules import merge_fact, parse_id

SealedAttempts = Mapping[str, Mapping[str, list[int]]]
"""Which attempts are sealed: by step, then by task, in order."""


def recover_task(
    known: TaskRecord | None,
    key: TaskKey,
    store: ArtifactStore,
    *,
    run_ended: bool,
    attempts: Iterable[int] | None = None,
) -> TaskRecord | None:
    """Add to what is known of a task what its sealed attempts say.

    Args:
        known: The task as the store of facts knows it, if it does.
        key: Which task.
        store: The values of its flow.
        run_ended: Whether its run has ended, so that no attempt follows one that failed.
        attempts: The attempts to look for; None for all that there may be. (To stop at the first
            that is not there would miss later ones: an attempt that could not be sealed leaves a
            gap.)

    Returns:
        The task; None if neither knows it.
    """
    if attempts is None:
        # Here, because it takes long to import and few that read results get to this line.
        from plait.hooks.step import MAX_ATTEMPTS

        attempts = range(MAX_ATTEMPTS)
    task = known
    for attempt in attempts:
        facts = store.find_facts(AttemptKey(*key, attempt))
        if facts is not None:
            task = _add_facts(task, facts, final=facts.ok or run_ended)
    return task


def _add_facts(task: TaskRecord | None, facts: AttemptFacts, *, final: bool) -> TaskRecord:
    key, attempt, index = facts.key.task_key, facts.key.attempt, find_index(facts.frames)
    if facts.origin is not None:
        return merge_fact(
            task, TaskCloned(key, attempt, facts.finished, facts.origin.task_key, index)
        )
    started = merge_fact(task, AttemptStarted(key, attempt, facts.started, index))
    ended = AttemptEnded(key, attempt, facts.finished, facts.ok, final, facts.failure)
    return merge_fact(started, ended)


def find_index(frames: Iterable[Frame]) -> int | None:
    """Give the position in the innermost foreach around a task; None outside of any."""
    index = None
    for frame in frames:
        if frame.foreach is not None:
            index = frame.index
    return index


def read_sealed(store: ArtifactStore, run: RunKey, step: str | None = None) -> SealedAttempts:
    """Give the sealed attempts at a run's tasks, or at one step's, by one listing of the store."""
    found: dict[str, dict[str, list[int]]] = {}
    for key in store.iter_attempts(run.run, step):
        # A leading underscore is plait's own: the parameters, which are no task's.
        if not key.step.startswith("_"):
            found.setdefault(key.step, {}).setdefault(key.task, []).append(key.attempt)
    for tasks in found.values():
        for attempts in tasks.values():
            attempts.sort()
    return found


def merge_newest(
    recorded: Iterable[TaskRecord], sealed: Iterable[str]
) -> Iterator[tuple[str, TaskRecord | None]]:
    """Merge the tasks that are known, newest first, with the ids of those that sealed something.

    Args:
        recorded: Tasks as the store of facts lists them, the highest id first.
        sealed: Ids of tasks in any order; those among *recorded* are given once.

    Yields:
        Each task's id with its record, if it has one; the highest id first.
    """
    waiting = sorted(number for number in map(parse_id, sealed) if number is not None)
    for record in recorded:
        number = parse_id(record.key.task)
        assert number is not None, f"the store gave a task with the id {record.key.task!r}"
        while waiting and waiting[-1] > number:
            yield str(waiting.pop()), None
        if waiting and waiting[-1] == number:
            waiting.pop()
        yield record.key.task, record
    while waiting:
        yield str(waiting.pop()), None
