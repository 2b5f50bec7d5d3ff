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
            why = f"read at {node.file}:{node.next_line}: {format_call(planned_transition(node))}"
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
            why=f"it says at {node.file}:{node.next_line}: {format_call(planned_transition(node))}",
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
    """Give the transition that the source of a step with a `self.next` announces."""
    assert node.kind is not None
    return Transition(node.kind, node.targets, node.foreach)


def format_call(transition: Transition) -> str:
    """Give the call of `self.next` that makes *transition*."""
    given = [f"self.{target}" for target in transition.targets]
    if transition.foreach is not None:
        given.append(f"foreach='{transition.foreach}'")
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
        raise NextTarget(node, "a choice of steps", "this version of plait has no switch")
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
