"""Predicts what becomes of a run that does not simply succeed: attempts, failures, resumes.

Like the rest of the reference model it shares no code with the engine, and takes the rules from
the documentation.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from plait_harness.model import Prediction, TaskId

MOST_ATTEMPTS = 6
"""A task has at most so many attempts, the one in which `@catch` keeps a failure included."""


class AttemptsModel(NamedTuple):
    """What is predicted of a task's attempts.

    Args:
        count: How many there are; their numbers are 0 to *count* - 1.
        ok: Whether the last one succeeds, and with it the task.
        caught: Whether the last one is `@catch`'s own, which keeps the failure of the one before.
    """

    count: int  # type: ignore[assignment]  # the word for it; nobody counts in this tuple
    ok: bool
    caught: bool = False


def predict_attempts(
    failures: int, *, retries: int = 0, catches: bool = False, final: bool = False
) -> AttemptsModel:
    """Predict the attempts of a task whose code fails at first.

    Args:
        failures: How many attempts at the task's code fail before one would succeed.
        retries: The times of its `@retry`; 0 without one.
        catches: Whether it has a `@catch`.
        final: Whether the failure is one that forbids another attempt, as exit code 202 does.
    """
    allowed = 1 if final else min(retries + 1, MOST_ATTEMPTS)
    if failures < allowed:
        return AttemptsModel(failures + 1, ok=True)
    if catches and not final and allowed < MOST_ATTEMPTS:
        return AttemptsModel(allowed + 1, ok=True, caught=True)
    return AttemptsModel(allowed, ok=False)


@dataclass(frozen=True, slots=True)
class OutcomeModel:
    """What is predicted of a run some of whose tasks fail for good.

    What runs beside a failing task may or may not begin before it fails, so that only bounds can
    be told.

    Args:
        status: `done`, or `failed`.
        surely: The tasks that finish, however the run is scheduled.
        perhaps: The tasks that may finish, those above included.
        failing: The tasks of which at least one fails, if any is here; no other does.
    """

    status: str
    surely: frozenset[TaskId]
    perhaps: frozenset[TaskId]
    failing: frozenset[TaskId]


def predict_outcome(prediction: Prediction, failing: Container[TaskId]) -> OutcomeModel:
    """Predict a run in which tasks fail for good; after the first failure no other task begins.

    Args:
        prediction: The run without failures.
        failing: The tasks whose attempts all fail, should it come to them.
    """
    before = ancestors(prediction)
    reached = {
        task.id
        for task in prediction.tasks
        if not any(earlier in failing for earlier in before[task.id])
    }
    failures = frozenset(task for task in reached if task in failing)
    if not failures:
        everything = frozenset(before)
        return OutcomeModel("done", everything, everything, failures)
    first, *others = (before[task] for task in failures)
    return OutcomeModel(
        "failed", first.intersection(*others), frozenset(reached - failures), failures
    )


def find_impossible(prediction: Prediction, finished: Collection[TaskId]) -> list[str]:
    """Check what a run had finished when it was stopped, at whatever instant that was.

    Args:
        prediction: The run, had it come to its end.
        finished: The tasks that it finished.

    Returns:
        A sentence for each task that can't have finished: it has no place in the run, or a task
        before it did not finish.
    """
    known = {task.id: task for task in prediction.tasks}
    done = frozenset(finished)
    problems = [f"{task} has no place in the run" for task in sorted(done - known.keys())]
    for task in prediction.tasks:
        if task.id in done:
            problems += [
                f"{task.id} finished, and {parent} before it did not"
                for parent in task.parents
                if parent not in done
            ]
    return problems


def plan_clones(
    prediction: Prediction, finished: Container[TaskId], *, rerun: Container[str] = ()
) -> tuple[TaskId, ...]:
    """Predict which tasks a resumed run takes over from its origin; all others it runs.

    Args:
        prediction: The run without failures.
        finished: The tasks that the origin finished, or had taken over itself.
        rerun: The steps that are to run again, with all after them: that of `resume STEP`.

    Returns:
        The tasks that finished, that are of no step to rerun, and before which every task is
        taken over too; each after those before it.
    """
    cloned: dict[TaskId, None] = {}
    for task in prediction.tasks:
        if task.id in finished and task.step not in rerun and cloned.keys() >= {*task.parents}:
            cloned[task.id] = None
    return tuple(cloned)


def ancestors(prediction: Prediction) -> Mapping[TaskId, frozenset[TaskId]]:
    """Give for each task all the tasks that have to finish before it begins."""
    found: dict[TaskId, frozenset[TaskId]] = {}
    for task in prediction.tasks:
        own = frozenset(task.parents)
        found[task.id] = own.union(*(found[parent] for parent in task.parents))
    return found
