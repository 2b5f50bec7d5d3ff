"""The flow's shape as far as its source can be understood, right or wrong: what rules look at."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from plait.base.records import TransitionKind
from plait.graph.model import Case
from plait.graph.source import Argument, FlowSource, NextCall, Shape, StepSource


class Form(NamedTuple):
    """Where a step goes, read leniently, so that one mistake does not hide what lies behind it.

    Args:
        kind: The form of its `self.next`; None if that can't be told.
        targets: What it names as `self.NAME`, in order, each once.
        hints: Steps that it names otherwise, such as by a string or called.
        foreach: The text given as `foreach=`; None if there is none.
        condition: The text given as `condition=`; None if there is none.
        cases: For a switch, each of its keys with the step that it leads to.
        is_blind: Whether it may lead to steps that can't be told from the source.
        chooses: Whether it was meant as a switch, in the right form or not.
    """

    kind: TransitionKind | None = None
    targets: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    foreach: str | None = None
    condition: str | None = None
    cases: tuple[Case, ...] = ()
    is_blind: bool = False
    chooses: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """Everything that may be a step, each once."""
        return _once((*self.targets, *self.hints))


class Edge(NamedTuple):
    """A way from one step to another: the target at *position* in `self.next`, from 0."""

    source: str
    target: str
    position: int


class Outline(NamedTuple):
    """The shape of a flow.

    Args:
        source: What was read.
        forms: Where each step goes.
        edges: The ways between steps that exist, without those that `back` lists.
        back: The ways that lead back to a step already passed, or to `start`. Those of a loop that
            a switch makes are among them.
        entry: The step to begin the walk at: `start`, or what probably was meant to be it.
        order: The steps reachable from `entry`, each after those before it.
        adrift: Each step that nothing leads to, with the steps that only it leads to.
    """

    source: FlowSource
    forms: Mapping[str, Form]
    edges: Mapping[str, tuple[Edge, ...]]
    back: tuple[Edge, ...]
    entry: str | None
    order: tuple[str, ...]
    adrift: Mapping[str, tuple[str, ...]]

    @property
    def steps(self) -> Mapping[str, StepSource]:
        """The steps by name."""
        return self.source.steps

    def is_switch(self, name: str) -> bool:
        """Tell whether a step was meant to choose its successor when it runs."""
        return self.forms[name].chooses


def draw_outline(source: FlowSource) -> Outline:
    """Work out the shape of a flow from what was read of it."""
    steps = source.steps
    forms = {
        name: Form() if name == source.end else _read_form(step, steps)
        for name, step in steps.items()
    }
    every = {
        name: tuple(
            Edge(name, target, index) for index, target in enumerate(form.named) if target in steps
        )
        for name, form in forms.items()
    }
    to_start = [edge for edges in every.values() for edge in edges if edge.target == source.start]
    forward = {n: tuple(e for e in edges if e.target != source.start) for n, edges in every.items()}
    entry = _find_entry(forward, source.start)
    order, back = _walk(forward, [] if entry is None else [entry, *steps])
    is_back = {(edge.source, edge.target) for edge in back}
    edges = {
        name: tuple(e for e in found if (e.source, e.target) not in is_back)
        for name, found in forward.items()
    }
    reached = _reach(edges, () if entry is None else (entry,))
    return Outline(
        source=source,
        forms=forms,
        edges=edges,
        back=(*to_start, *back),
        entry=entry,
        order=tuple(name for name in order if name in reached),
        adrift=_find_adrift(edges, reached),
    )


def _read_form(step: StepSource, steps: Container[str]) -> Form:
    if step.missing or not step.calls:
        return Form(is_blind=True)
    if len(step.calls) == 1:
        return _read_call(step.calls[0], steps)
    forms = [_read_call(call, steps) for call in step.calls]
    return Form(
        targets=_once(t for form in forms for t in form.targets),
        hints=_once(h for form in forms for h in form.hints),
        is_blind=any(form.is_blind for form in forms),
    )


def _read_call(call: NextCall, steps: Container[str]) -> Form:
    groups = (Shape.ITEMS, Shape.CASES)
    items = [i for a in call.arguments for i in (a.items if a.shape in groups else (a,))]
    targets = _once(item.name for item in items if item.shape is Shape.STEP)
    hints = _once(i.name for i in items if i.shape is not Shape.STEP and i.name in steps)
    keywords = dict(call.keywords)
    return Form(
        kind=_kind(call, keywords, len(_once((*targets, *hints)))),
        targets=targets,
        hints=hints,
        foreach=keywords["foreach"].name if "foreach" in keywords else None,
        condition=keywords["condition"].name if "condition" in keywords else None,
        cases=tuple(
            (key.value, item.name)
            for argument in call.arguments
            if argument.shape is Shape.CASES
            for key, item in zip(argument.keys, argument.items, strict=True)
            if key.value is not None and item.name
        ),
        is_blind=not items or any(i.shape is not Shape.STEP and i.name not in hints for i in items),
        chooses=_is_switch(call, keywords),
    )


def _kind(call: NextCall, keywords: Mapping[str, Argument], targets: int) -> TransitionKind | None:
    if _is_switch(call, keywords):
        is_plain = len(call.arguments) == len(call.keywords) == 1 and targets > 0
        return TransitionKind.SWITCH if is_plain and "condition" in keywords else None
    if keywords.keys() - {"foreach"} or targets == 0:
        return None
    if "foreach" in keywords:
        return TransitionKind.FOREACH if targets == 1 else None
    if targets > 1:
        return TransitionKind.BRANCH
    # Two arguments that name one step: whether a branch or a step in a row was meant is open.
    return TransitionKind.LINEAR if len(call.arguments) == 1 else None


def _is_switch(call: NextCall, keywords: Mapping[str, Argument]) -> bool:
    return "condition" in keywords or any(a.shape is Shape.CASES for a in call.arguments)


def _find_entry(edges: Mapping[str, tuple[Edge, ...]], start: str) -> str | None:
    if start in edges:
        return start
    led_to = {edge.target for found in edges.values() for edge in found}
    heads = [name for name in edges if name not in led_to]
    return heads[0] if len(heads) == 1 else None


def _walk(
    edges: Mapping[str, tuple[Edge, ...]], roots: Iterable[str]
) -> tuple[list[str], list[Edge]]:
    """Give the steps in an order in which each comes after those before it, and what breaks it.

    The order is a depth-first walk's finishing order, reversed. Targets are walked last to first,
    so that in the result the first branch comes first, whole.
    """
    finished: dict[str, None] = {}
    back: list[Edge] = []
    open_steps: set[str] = set()
    for root in roots:
        if root in finished:
            continue
        stack = [(root, iter(reversed(edges[root])))]
        open_steps.add(root)
        while stack:
            name, ways = stack[-1]
            for edge in ways:
                if edge.target in open_steps:
                    back.append(edge)
                elif edge.target not in finished:
                    open_steps.add(edge.target)
                    stack.append((edge.target, iter(reversed(edges[edge.target]))))
                    break
            else:
                stack.pop()
                open_steps.remove(name)
                finished[name] = None
    return [*reversed(finished)], back


def _reach(edges: Mapping[str, tuple[Edge, ...]], roots: Iterable[str]) -> set[str]:
    reached = set(roots)
    waiting = list(reached)
    while waiting:
        for edge in edges[waiting.pop()]:
            if edge.target not in reached:
                reached.add(edge.target)
                waiting.append(edge.target)
    return reached


def _find_adrift(
    edges: Mapping[str, tuple[Edge, ...]], reached: set[str]
) -> dict[str, tuple[str, ...]]:
    """Give the steps that nothing reaches, each head with its followers, in the source's order."""
    led_to = {edge.target for found in edges.values() for edge in found}
    adrift: dict[str, tuple[str, ...]] = {}
    seen = set(reached)
    for head in (name for name in edges if name not in led_to):
        if head not in seen:
            behind = _reach(edges, (head,)) - seen
            adrift[head] = tuple(name for name in edges if name in behind and name != head)
            seen |= behind
    return adrift


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
