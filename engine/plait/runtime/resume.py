"""Which tasks of an earlier run a resumed one may take over; decided without touching anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plait.base.errors import PlaitError, nearest
from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import AttemptFacts, Transition, TransitionKind
from plait.graph.model import Graph, Node

Lineage = tuple[str, tuple[str, ...], int | None]
"""What tells a task from all others of its run: its step, the ids of the tasks before it in join
order, and which part of their split it is (None outside of splits)."""


class OriginChanged(PlaitError):
    """A run to be resumed finished steps that the flow no longer has."""

    slug = "origin-changed"

    def __init__(self, origin: RunKey, steps: Iterable[str], graph: Graph) -> None:
        missing = sorted(steps)
        names = ", ".join(f"'{step}'" for step in missing)
        super().__init__(
            f"run '{origin}' cannot be resumed: it finished {names}, not in the flow any more",
            why=nearest(missing[0], graph.nodes),
            fix="give the steps their names back, or start over with 'run'",
        )


@dataclass(frozen=True, slots=True)
class OriginTask:
    """A finished task of the run being resumed.

    Args:
        attempt: Its visible attempt.
        transition: Where it went.
    """

    attempt: AttemptKey
    transition: Transition | None


@dataclass(frozen=True, slots=True)
class ClonePlan:
    """The tasks that a resumed run takes over instead of running them, by their lineage.

    Args:
        origin: The run being resumed.
        tasks: The tasks.
        passed: The ids of its tasks behind which others came, taken over or not.
    """

    origin: RunKey
    tasks: Mapping[Lineage, OriginTask]
    passed: frozenset[str] = frozenset()

    def find(self, step: str, parents: tuple[str, ...], part: int | None) -> OriginTask | None:
        """Give the task of *step* after the origin's tasks *parents*, if it may be taken over."""
        return self.tasks.get((step, parents, part))

    def got_past(self, split: str) -> bool:
        """Say whether the origin went on behind its task *split*, so that it was allowed it."""
        return split in self.passed


def plan_clones(
    origin: RunKey, sealed: Iterable[AttemptFacts], graph: Graph, *, rerun: frozenset[str]
) -> ClonePlan:
    """Decide which tasks of *origin* a resumed run may take over.

    A task is taken over if it finished, went where the flow as it is written now would go, and
    all tasks before it are taken over too, so that a resumed run ends as the run would have ended
    had nothing failed. The last of these follows while the run goes on: a task is found by the
    tasks before it, so that behind one that runs again there is nothing to find.

    Args:
        origin: The run being resumed.
        sealed: The facts of all its sealed attempts, in any order.
        graph: The flow as it is written now, which may differ from *origin*'s.
        rerun: Steps the user asked to run again.

    Raises:
        OriginChanged: *origin* finished a step that the flow no longer has.
    """
    latest: dict[str, AttemptFacts] = {}
    passed: set[str] = set()
    for facts in sealed:
        passed.update(parent.task for parent in facts.parents)
        known = latest.get(facts.key.task)
        if known is None or known.key.attempt < facts.key.attempt:
            latest[facts.key.task] = facts
    done = [facts for facts in latest.values() if facts.ok]
    gone = {facts.key.step for facts in done} - graph.nodes.keys()
    if gone:
        raise OriginChanged(origin, gone, graph)
    return ClonePlan(
        origin,
        {
            _lineage(facts): OriginTask(facts.key, facts.transition)
            for facts in done
            if facts.key.step not in rerun and _still_goes(facts.transition, graph[facts.key.step])
        },
        frozenset(passed),
    )


def _lineage(facts: AttemptFacts) -> Lineage:
    part = facts.frames[-1].index if facts.frames else None
    return facts.key.step, tuple(parent.task for parent in facts.parents), part


def _still_goes(transition: Transition | None, node: Node) -> bool:
    if transition is None or node.kind is None:
        return transition is None and node.kind is None
    if transition.kind is not node.kind or transition.foreach != node.foreach:
        return False
    if node.kind is TransitionKind.SWITCH:
        chosen = {(transition.case, target) for target in transition.targets}
        return transition.condition == node.condition and chosen <= set(node.cases)
    return transition.targets == node.targets
