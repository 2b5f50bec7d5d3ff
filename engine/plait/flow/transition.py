"""`self.next` at run time: what it was called with, held against what was read from the source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import replace
from typing import Any, cast

from plait.base.errors import PlaitError, Where, nearest
from plait.base.records import Transition, TransitionKind
from plait.flow.source import find_caller
from plait.flow.step import is_step
from plait.graph.model import Graph, Node

EXACT_SEQUENCES = (list, tuple, range, str, bytes)
"""Types whose elements are surely the same, in the same order, each time that they are read."""


class TransitionMismatch(PlaitError):
    """`self.next` was called with something else than what the source says."""

    slug = "transition-mismatch"

    def __init__(self, node: Node, called: str) -> None:
        if node.kind is None:
            why = f"step '{node.name}' was read as one without self.next"
        else:
            why = f"read at {node.file}:{node.next_line}: {format_planned(node)}"
        super().__init__(
            f"step '{node.name}' went elsewhere than it says: it called {called}",
            why=why,
            fix="write the steps in self.next(...) as self.name, where it stands, without "
            "variables or conditions",
            where=find_caller(),
        )


class NextCalledTwice(PlaitError):
    """A step called `self.next` more than once."""

    slug = "next-called-twice"

    def __init__(self, node: Node, called: str) -> None:
        super().__init__(
            f"step '{node.name}' called self.next a second time: {called}",
            why="a step goes on once, at its end",
            fix="leave one self.next(...), as the last line of the step",
            where=find_caller(),
        )


class NextNotCalled(PlaitError):
    """A step returned without having called `self.next`."""

    slug = "next-not-called"

    def __init__(self, node: Node) -> None:
        super().__init__(
            f"step '{node.name}' returned before it called self.next",
            why=f"it says at {node.file}:{node.next_line}: {format_planned(node)}",
            fix="let every way through the step end in that line: no return before it",
            where=Where(node.file, node.line),
        )


class NextTarget(PlaitError):
    """`self.next` was given something that is not a step of the flow, or no step at all."""

    slug = "next-target"

    def __init__(self, node: Node, given: str, why: str) -> None:
        super().__init__(
            f"step '{node.name}' cannot go on to {given}",
            why=why,
            fix="write self.next(self.name), where name is a method under @step",
            where=find_caller(),
        )


class MissingCondition(PlaitError):
    """The artifact that a switch asks was never set."""

    slug = "missing-condition"

    def __init__(self, node: Node, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"the switch of step '{node.name}' asks for '{name}', which is not set",
            why=nearest(name, known),
            fix=f"set self.{name} to one of {_listed(node)} before "
            f"self.next(..., condition='{name}')",
            where=find_caller(),
        )


class NoSuchCase(PlaitError):
    """The condition of a switch has a value that is none of the cases."""

    slug = "no-such-case"

    def __init__(self, node: Node, name: str, value: object) -> None:
        shown = _shorten(value)
        why = f"read at {node.file}:{node.next_line}: the cases are {_listed(node)}"
        if not isinstance(value, str | int):
            why += f"; the value is of type {type(value).__name__}"
        super().__init__(
            f"the switch of step '{node.name}' has no case for '{name}', which is {shown}",
            why=why,
            fix=f"set self.{name} to one of the cases, or add a case for {shown}",
            where=find_caller(),
        )


class ForeachNotSized(PlaitError):
    """The artifact that a foreach is over has no length, or cannot be gone through."""

    slug = "foreach-not-sized"

    def __init__(self, node: Node, name: str, value: object) -> None:
        kind = type(value).__name__
        super().__init__(
            f"step '{node.name}' cannot fan out over '{name}'",
            why=f"it is of type {kind}, which has no {_lacks(value)}",
            fix=f"make it a list first: self.{name} = list(self.{name})"
            if hasattr(value, "__iter__")
            else f"set self.{name} to a list, with one element for each task",
            where=find_caller(),
        )


class MissingForeach(PlaitError):
    """The artifact that a foreach is over was never set."""

    slug = "missing-foreach"

    def __init__(self, node: Node, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"step '{node.name}' fans out over '{name}', which is not set",
            why=nearest(name, known),
            fix=f"set self.{name} before self.next(..., foreach='{name}')",
            where=find_caller(),
        )


def planned_transition(node: Node) -> Transition:
    """Give the transition that the source of a step with a `self.next` announces.

    For a switch it names all steps that may follow; `choose_case` makes it the one that does.
    """
    assert node.kind is not None
    return Transition(node.kind, node.targets, node.foreach, condition=node.condition)


def format_planned(node: Node) -> str:
    """Give the call of `self.next` that stands in the source of a step."""
    return format_call(planned_transition(node), node.cases)


def format_call(transition: Transition, cases: Sequence[tuple[object, str]] = ()) -> str:
    """Give the call of `self.next` that makes *transition*.

    Args:
        transition: Where it leads.
        cases: For a switch, its keys with their steps.
    """
    given = [f"self.{target}" for target in transition.targets]
    if transition.kind is TransitionKind.SWITCH:
        given = [f"{{{', '.join(f'{_shorten(key)}: self.{step}' for key, step in cases)}}}"]
    if transition.foreach is not None:
        given.append(f"foreach='{transition.foreach}'")
    if transition.condition is not None:
        given.append(f"condition='{transition.condition}'")
    return f"self.next({', '.join(given)})"


def read_call(
    graph: Graph, node: Node, targets: tuple[Any, ...], foreach: object, condition: object
) -> Transition:
    """Make a transition of the arguments of `self.next`, and check it against the source.

    Args:
        graph: The flow's graph.
        node: The step that calls.
        targets: What it gave by position.
        foreach: What it gave as `foreach=`, or None.
        condition: What it gave as `condition=`, or None.

    Raises:
        NextTarget: Something given is not a step.
        TransitionMismatch: The call is not the one that was read from the source.
    """
    if condition is not None or any(isinstance(target, dict) for target in targets):
        return _read_switch(graph, node, targets, foreach, condition)
    if not targets:
        raise NextTarget(node, "no step", "self.next was called without one")
    names = tuple(_name_of(graph, node, target) for target in targets)
    if foreach is not None:
        called = Transition(TransitionKind.FOREACH, names, str(foreach))
    elif len(names) > 1:
        called = Transition(TransitionKind.BRANCH, names)
    else:
        called = Transition(TransitionKind.LINEAR, names)
    if node.kind is None or called != planned_transition(node):
        raise TransitionMismatch(node, format_call(called))
    return called


def _read_switch(
    graph: Graph, node: Node, targets: tuple[Any, ...], foreach: object, condition: object
) -> Transition:
    if len(targets) != 1 or not isinstance(targets[0], dict) or foreach is not None:
        given = "a dict of steps" if condition is None else f"condition={_shorten(condition)}"
        raise NextTarget(
            node, given, "a switch is given one dict of steps and condition=, and nothing else"
        )
    cases = tuple((key, _name_of(graph, node, target)) for key, target in targets[0].items())
    names = tuple(dict.fromkeys(name for _, name in cases))
    known = None if condition is None else str(condition)
    called = Transition(TransitionKind.SWITCH, names, condition=known)
    if node.kind is None or called != planned_transition(node) or cases != node.cases:
        raise TransitionMismatch(node, format_call(called, cases))
    return called


def choose_case(node: Node, value: object) -> Transition:
    """Give the transition of a switch whose condition has a value.

    Raises:
        NoSuchCase: None of its cases is equal to *value*.
    """
    assert node.condition is not None, f"step '{node.name}' is no switch"
    # By comparison, as `match` does: a value needs no hash, and an array's answer is no truth.
    for key, target in node.cases:
        if _is_equal(value, key):
            return Transition(TransitionKind.SWITCH, (target,), condition=node.condition, case=key)
    raise NoSuchCase(node, node.condition, value)


def elements_of(node: Node, name: str, value: object) -> Sequence[Any]:
    """Give the elements of a foreach, in an order that is fixed from here on.

    Args:
        node: The step that fans out.
        name: The artifact.
        value: Its value.

    Returns:
        *value* itself if it is a plain sequence; else a list of its elements.

    Raises:
        ForeachNotSized: It has no length or no elements.
    """
    if type(value) in EXACT_SEQUENCES:
        return cast("Sequence[Any]", value)
    if not isinstance(value, Sized):
        raise ForeachNotSized(node, name, value)
    try:
        return list(cast("Iterable[Any]", value))
    except TypeError:  # has a length but no elements, such as an array of no dimension
        raise ForeachNotSized(node, name, value) from None


def with_width(transition: Transition, width: int) -> Transition:
    """Give *transition* with the number of tasks that its foreach makes."""
    return replace(transition, width=width)


def _name_of(graph: Graph, node: Node, target: object) -> str:
    name = getattr(target, "__name__", None)
    if is_step(target) and name in graph.nodes:
        return str(name)
    if isinstance(target, str):
        hint = f"it is text; write self.{target}" if target in graph.nodes else "it is text"
        raise NextTarget(node, repr(target), hint)
    if callable(target) and name is not None:
        raise NextTarget(node, f"'{name}'", "it is not marked by @step")
    raise NextTarget(node, repr(target), f"it is of type {type(target).__name__}, not a step")


def _lacks(value: object) -> str:
    return "elements" if isinstance(value, Sized) else "length"


def _listed(node: Node) -> str:
    return ", ".join(repr(key) for key, _ in node.cases)


def _shorten(value: object) -> str:
    from reprlib import Repr

    shorter = Repr()
    shorter.maxstring = shorter.maxother = 60
    return shorter.repr(value)


def _is_equal(value: object, key: object) -> bool:
    try:
        return bool(value == key)
    except Exception:  # noqa: BLE001  # whatever the value's own comparison raises, it is no case
        return False
