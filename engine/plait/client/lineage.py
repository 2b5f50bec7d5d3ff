"""What came before and after a step, by the run's graph, and a task, by what was sealed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plait.base.pathspec import AttemptKey
from plait.base.records import AttemptFacts, Frame, TransitionKind
from plait.client.opened_run import OpenedRun
from plait.client.recovery import find_index
from plait.metadata.protocol import TaskRecord
from plait.metadata.rules import get_number

FEW = 20
"""Up to so many tasks of one step are asked for one by one, more by listing the step's."""


def list_parent_steps(run: OpenedRun, step: str) -> list[str]:
    """Give the steps right before *step* that have tasks, in the order of the graph."""
    node = _node(run, step)
    # A join over nothing follows right on the split.
    return _present(run, node.get("parents", ())) or _present(run, [node.get("joins")])


def list_child_steps(run: OpenedRun, step: str) -> list[str]:
    """Give the steps right after *step* that have tasks, in the order of its `self.next`."""
    node = _node(run, step)
    return _present(run, node.get("next", ())) or _present(run, [node.get("joined_by")])


def _node(run: OpenedRun, step: str) -> Mapping[str, Any]:
    """Give what the run's graph, in its JSON form, says of a step; nothing if it says nothing."""
    graph = run.record.facts.get("graph") or {}
    node: Mapping[str, Any] = graph.get("steps", {}).get(step, {})
    return node


def _present(run: OpenedRun, names: Iterable[str | None]) -> list[str]:
    there = {record.step for record in run.list_steps()}
    return [name for name in names if name in there]


def list_parents(run: OpenedRun, facts: AttemptFacts) -> list[TaskRecord]:
    """Give the tasks right before an attempt, for a join in join order."""
    ids: dict[str, set[str]] = {}
    for parent in facts.parents:
        ids.setdefault(parent.step, set()).add(parent.task)
    found = {step: _find_tasks(run, step, tasks) for step, tasks in ids.items()}
    return [
        found[parent.step][parent.task]
        for parent in facts.parents
        # What somebody removed meanwhile is left out.
        if parent.task in found[parent.step]
    ]


def _find_tasks(run: OpenedRun, step: str, ids: set[str]) -> dict[str, TaskRecord]:
    if len(ids) > FEW:
        return {r.key.task: r for r in run.iter_tasks(step) if r.key.task in ids}
    records = (run.find_task(step, task) for task in ids)
    return {record.key.task: record for record in records if record is not None}


def list_children(run: OpenedRun, facts: AttemptFacts) -> list[TaskRecord]:
    """Give the tasks right after an attempt that have finished, in the order of its `self.next`.

    A task seals what it read from when it finishes, so that one which still runs is not known as a
    child yet.
    """
    transition = facts.transition
    if transition is None:
        return []
    steps: Iterable[str] = transition.targets
    if transition.width == 0:
        steps = _present(run, [_node(run, facts.key.step).get("joined_by")])
    children: list[TaskRecord] = []
    for step in steps:
        children += _list_children_of_step(run, facts, step)
    return children


def _list_children_of_step(run: OpenedRun, facts: AttemptFacts, step: str) -> list[TaskRecord]:
    assert facts.transition is not None, "a task that went nowhere has no children"
    is_fan_out = facts.transition.kind is TransitionKind.FOREACH and facts.transition.width != 0
    expected = facts.transition.width if is_fan_out else 1
    index = find_index(_frames_after(run, facts, step))
    children: list[TaskRecord] = []
    for record in run.iter_tasks(step):
        # What reads from where is known only from the seals; a wrong index saves reading one.
        if record.attempt is None or (record.index != index and not is_fan_out):
            continue
        key = AttemptKey(*record.key, record.attempt)
        child = run.find_facts(key)
        if child is None:
            raise run.not_found(key)
        if (facts.key.step, facts.key.task) in ((p.step, p.task) for p in child.parents):
            children.append(record)
            if len(children) == expected:
                break
    return sorted(children, key=lambda record: get_number(record.key.task))


def _frames_after(run: OpenedRun, facts: AttemptFacts, step: str) -> tuple[Frame, ...]:
    """Give the splits open around a task's child, but for one that the task itself opens."""
    is_join = _node(run, step).get("join", False)
    is_over_nothing = facts.transition is not None and facts.transition.width == 0
    return facts.frames[:-1] if is_join and not is_over_nothing else facts.frames
