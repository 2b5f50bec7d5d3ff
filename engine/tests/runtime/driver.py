"""Graphs and a driver for the deciding core, shared by its tests."""

from __future__ import annotations

from collections import deque

from plait.base.pathspec import RunKey
from plait.base.records import Failure, FailureKind, TaskOrder, Transition, TransitionKind
from plait.graph.model import Graph, Node
from plait.hooks.step import AttemptPlan, Needs
from plait.runtime.resume import ClonePlan
from plait.runtime.state import (
    Action,
    AttemptFinished,
    CloneTask,
    EndRun,
    LaunchAttempt,
    RunStarted,
    RunState,
)

RUN = RunKey("F", "1")
BOOM = Failure(FailureKind.EXCEPTION, "ValueError: boom")


def node(
    name: str,
    kind: str | None = "linear",
    targets: str = "",
    *,
    join: str | None = None,
    by: str | None = None,
    foreach: str | None = None,
    cases: str = "",
) -> Node:
    """Give a node as the graph would, with what the core reads of it."""
    return Node(
        name=name,
        doc="",
        file="f.py",
        line=1,
        is_join=join is not None,
        kind=None if kind is None else TransitionKind(kind),
        targets=tuple(targets.split()),
        foreach=foreach,
        condition="kind" if cases else None,
        cases=tuple(zip(cases.split(), targets.split(), strict=bool(cases))),
        joined_by=by,
        joins=join,
    )


def graph(*nodes: Node) -> Graph:
    """Give a graph of *nodes*."""
    return Graph("F", "", {n.name: n for n in nodes})


LINEAR = graph(node("start", "linear", "a"), node("a", "linear", "end"), node("end", None))
BRANCH = graph(
    node("start", "branch", "a b", by="join"),
    node("a", "linear", "join"),
    node("b", "linear", "join"),
    node("join", "linear", "end", join="start"),
    node("end", None),
)
FOREACH = graph(
    node("start", "foreach", "a", by="join", foreach="xs"),
    node("a", "linear", "join"),
    node("join", "linear", "end", join="start"),
    node("end", None),
)
NESTED = graph(
    node("start", "foreach", "inner", by="outer_join", foreach="xs"),
    node("inner", "foreach", "leaf", by="inner_join", foreach="ys"),
    node("leaf", "branch", "l r", by="lr"),
    node("l", "linear", "lr"),
    node("r", "linear", "lr"),
    node("lr", "linear", "inner_join", join="leaf"),
    node("inner_join", "linear", "outer_join", join="inner"),
    node("outer_join", "linear", "end", join="start"),
    node("end", None),
)


class Driver:
    """Plays the world around a `RunState`: finishes what was launched, in any order asked for."""

    def __init__(
        self,
        of: Graph,
        *,
        widths: dict[str, int] | None = None,
        choices: dict[str, str] | None = None,
        plans: dict[str, AttemptPlan] | None = None,
        max_workers: int = 4,
        max_num_splits: int = 10**9,
        clones: ClonePlan | None = None,
        capacity: Needs | None = None,
    ) -> None:
        self.graph = of
        self.widths = widths or {}
        # For a switch, the case that it takes the first, second, ... time in one place.
        self.choices = choices or {}
        self.state = RunState(
            RUN,
            of,
            plans or {},
            max_workers=max_workers,
            max_num_splits=max_num_splits,
            clones=clones,
            capacity=capacity,
        )
        self.running: deque[TaskOrder] = deque()
        self.orders: list[TaskOrder] = []
        self.cloned: list[CloneTask] = []
        self.most = 0
        self.end: EndRun | None = None
        self.take(RunStarted())

    def take(self, event: object) -> list[Action]:
        """Hand one event to the core and note its actions."""
        actions = self.state.handle(event)  # type: ignore[arg-type]  # any event
        for action in actions:
            if isinstance(action, LaunchAttempt):
                self.running.append(action.order)
                self.orders.append(action.order)
            if isinstance(action, CloneTask):
                self.cloned.append(action)
            if isinstance(action, EndRun):
                self.end = action
        self.most = max(self.most, len(self.running))
        return actions

    def transition(self, order: TaskOrder) -> Transition | None:
        """Give what `self.next` of the task of *order* would say."""
        step = order.key.step
        at = self.graph[step]
        if at.kind is None:
            return None
        if at.kind is TransitionKind.SWITCH:
            case = self.choices[step].split()[self.turn(order)]
            target = dict(at.cases)[case]
            return Transition(at.kind, (target,), condition=at.condition, case=case)
        width = self.widths.get(step) if at.kind is TransitionKind.FOREACH else None
        return Transition(at.kind, at.targets, at.foreach, width)

    def turn(self, order: TaskOrder) -> int:
        """Give how often the step of a task ran before in the same elements of all foreaches."""

        def place(of: TaskOrder) -> tuple[str, list[int]]:
            return of.key.step, [frame.index for frame in of.frames]

        known = {o.key.task: o for o in (*self.orders, *(c.order for c in self.cloned))}
        before = [o for task, o in known.items() if int(task) < int(order.key.task)]
        return sum(place(o) == place(order) for o in before)

    def finish(self, position: int = 0, failure: Failure | None = None) -> list[Action]:
        """End the running attempt at *position*."""
        order = self.running[position]
        del self.running[position]
        going = None if failure else self.transition(order)
        return self.take(AttemptFinished(order.key, going, failure))

    def finish_all(self) -> None:
        """End everything, oldest first, until nothing runs."""
        while self.running:
            self.finish()

    def steps(self) -> list[str]:
        """Give the steps launched, in order."""
        return [order.key.step for order in self.orders]
