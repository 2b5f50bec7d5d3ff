"""Which facts a store of facts misses of a run that was killed, by what its attempts sealed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from plait.base.pathspec import PARAMETERS_STEP
from plait.base.records import AttemptFacts
from plait.metadata.protocol import AttemptEnded, AttemptStarted, Fact, TaskCloned, TaskRecord
from plait.metadata.rules import TaskFact, get_number, merge_fact


def plan_rebuild(sealed: Iterable[AttemptFacts], known: Iterable[TaskRecord]) -> list[Fact]:
    """Decide which facts to record, so that the store knows all that was sealed.

    For a run whose process is gone: a failed attempt is taken for its task's last one unless the
    store knows of a later one that was begun. What the store knows stays as it is.

    Args:
        sealed: What the run's sealed attempts say of themselves, in any order.
        known: The run's tasks as the store knows them.

    Returns:
        The facts to record, in the order of the tasks' ids; none if nothing is missing.
    """
    # A run's parameters are sealed like an attempt, but no task.
    attempts = sorted((a for a in sealed if a.key.step != PARAMETERS_STEP), key=_by_id)
    tasks = {task.key: task for task in known}
    begun = {key: task.attempts for key, task in tasks.items()}
    for attempt in attempts:
        key = attempt.key.task_key
        begun[key] = max(begun.get(key, 0), attempt.key.attempt + 1)
    missing: list[Fact] = []
    for attempt in attempts:
        key = attempt.key.task_key
        before = tasks.get(key)
        story = _tell(attempt, begun[key])
        after = _add(before, story)
        # When a task was launched is better known to the store than to the attempt.
        if before is None or replace(after, created=before.created) != before:
            missing.extend(story)
            tasks[key] = after
    return missing


def find_end(sealed: Iterable[AttemptFacts]) -> AttemptFacts | None:
    """Give the attempt at the last step of the graph that ended well; None if there is none.

    All tasks of a run have ended well then, for every way leads there.
    """
    for attempt in sealed:
        if attempt.ok and attempt.transition is None and attempt.key.step != PARAMETERS_STEP:
            return attempt
    return None


def _by_id(facts: AttemptFacts) -> tuple[int, str, int]:
    return get_number(facts.key.task), facts.key.step, facts.key.attempt


def _add(task: TaskRecord | None, story: list[TaskFact]) -> TaskRecord:
    for fact in story:
        task = merge_fact(task, fact)
    assert task is not None, "an attempt without a story"
    return task


def _tell(attempt: AttemptFacts, begun: int) -> list[TaskFact]:
    """Give an attempt's story as its run's process would have, where *begun* were at its task."""
    key, number = attempt.key.task_key, attempt.key.attempt
    index = next((f.index for f in reversed(attempt.frames) if f.foreach is not None), None)
    if attempt.origin is not None:
        return [TaskCloned(key, number, attempt.finished, attempt.origin.task_key, index)]
    final = attempt.ok or number + 1 == begun
    return [
        AttemptStarted(key, number, attempt.started, index),
        AttemptEnded(key, number, attempt.finished, attempt.ok, final, attempt.failure),
    ]
