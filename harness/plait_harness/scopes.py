"""Predicts which artifacts are in scope at each task of a run, and which task set each of them.

Like the rest of the reference model it shares no code with the engine, and takes the rules from
the documentation: a step finds what the step before it left; a join finds nothing, until
`merge_artifacts` carries on what all ways into it agree on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from plait_harness.model import Prediction, TaskId

Origins = Mapping[str, TaskId]
"""Artifacts by name, each with the task that set it."""


@dataclass(frozen=True, slots=True)
class ScopeModel:
    """The artifacts around one task.

    Args:
        before: What is in scope when the body begins.
        merged: What merging carries on: what every input that has it has from the same task, and
            that the task does not set itself. Empty if the task does not merge.
        conflicts: The names that inputs have from different tasks, and that the task does not set
            itself: merging fails unless they are excluded.
        after: What the task leaves, its own artifacts included.
    """

    before: Origins
    merged: Origins
    conflicts: frozenset[str]
    after: Origins


def predict_scopes(
    prediction: Prediction,
    sets: Mapping[str, Collection[str]],
    *,
    merges: bool = True,
) -> Mapping[TaskId, ScopeModel]:
    """Predict the artifacts in scope at each task of a run in which no task fails.

    Args:
        prediction: The run.
        sets: For each step the names that its tasks set, each to a value of its own. A step that
            is not in it sets none.
        merges: Whether every join calls `merge_artifacts` after it has set its own artifacts, with
            the conflicting names excluded.
    """
    scopes: dict[TaskId, ScopeModel] = {}
    for task in prediction.tasks:
        own = dict.fromkeys(sets.get(task.step, ()), task.id)
        lefts = [scopes[each].after for each in task.inputs]
        if not task.joins:
            before: Origins = lefts[0] if lefts else {}
            scopes[task.id] = ScopeModel(before, {}, frozenset(), {**before, **own})
            continue
        merged, conflicts = _merge(lefts, own) if merges else ({}, frozenset[str]())
        scopes[task.id] = ScopeModel({}, merged, conflicts, {**merged, **own})
    return scopes


def _merge(
    lefts: Collection[Origins], own: Collection[str]
) -> tuple[dict[str, TaskId], frozenset[str]]:
    ways: dict[str, set[TaskId]] = {}
    for left in lefts:
        for name, task in left.items():
            if name not in own:
                ways.setdefault(name, set()).add(task)
    merged = {name: next(iter(tasks)) for name, tasks in ways.items() if len(tasks) == 1}
    return merged, frozenset(ways.keys() - merged.keys())
