"""`@step`: the mark that makes a method a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MethodType
from typing import Any, TypeVar, overload

from plait.base.errors import Finding, PlaitError, Where
from plait.flow.source import find_caller
from plait.hooks.flow import FlowDecorator
from plait.hooks.step import StepDecorator

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class PendingDecorator:
    """A decorator with attributes that only the flow's configs will give.

    Args:
        decorator: The class of the decorator.
        attributes: Its attributes, expressions over configs among them.
        where: Where it is written.
    """

    decorator: type[StepDecorator | FlowDecorator]
    attributes: Mapping[str, Any]
    where: Where

    @property
    def name(self) -> str:
        """What stands after the `@`."""
        return self.decorator.name


class MisplacedDecorator(PlaitError):
    """A decorator for steps was put on something that is not one."""

    slug = "misplaced-decorator"

    def __init__(self, name: str, target: object) -> None:
        kind = type(target).__name__
        called = getattr(target, "__name__", "")
        words = f"the {kind} '{called}'" if called else f"a {kind}"
        super().__init__(
            f"@{name} is on {words}, not on a step",
            why=f"@{name} decorates methods of a flow",
            fix=f"put it on a method that is marked by @step: @{name}, then @step, then def",
            where=find_caller(),
        )


@overload
def step(function: Function) -> Function: ...


@overload
def step(
    function: None = None, *, start: bool = False, end: bool = False
) -> Callable[[Function], Function]: ...


def step(function: Any = None, *, start: bool = False, end: bool = False) -> Any:
    """Mark a method of a flow as one of its steps: `@step`, or `@step(start=True)`.

    Args:
        function: The method; it takes `self`, or `self` and `inputs` if it is a join.
        start: Whether a run begins here, whatever the step's name is.
        end: Whether a run ends here. A flow of one step is marked as both.

    Returns:
        The same function.

    Raises:
        MisplacedDecorator: It is not a function.
    """
    if function is None:
        return lambda function: _mark(function, is_first=start, is_last=end)
    return _mark(function, is_first=start, is_last=end)


def _mark(function: Function, *, is_first: bool, is_last: bool) -> Function:
    if not hasattr(function, "__code__"):
        raise MisplacedDecorator("step", function)
    # A decorator that came first stands below @step; its step would be one only by accident of
    # the order, and other engines refuse it, so that is a finding once the flow is read.
    function.__dict__["is_step"] = True
    function.__dict__["name"] = function.__name__
    for mark, holds in (("is_first", is_first), ("is_last", is_last)):
        if holds:
            function.__dict__[mark] = True
    for early in decorators_of(function):
        add_finding(function, _below_step(early.name, function.__name__, early.where))
    return function


def is_step(member: object) -> bool:
    """Say whether *member* is a function, or a bound method, marked by `@step`."""
    return _find_mark(member, "is_step") is True


def _find_mark(member: object, name: str) -> Any:
    """Give what was noted on a function under *name*; None if nothing was."""
    function = member.__func__ if type(member) is MethodType else member
    try:
        # Not `getattr`: a class attribute is anything of the user's, and a mock has any attribute,
        # another object's code raises when it is asked for one.
        return object.__getattribute__(function, "__dict__").get(name)
    except AttributeError:
        return None


def decorators_of(function: object) -> tuple[StepDecorator | PendingDecorator, ...]:
    """Give the decorators that are written on *function*, outermost first."""
    return tuple(_find_mark(function, "decorators") or ())


def add_decorator(
    function: Callable[..., Any], decorator: StepDecorator | PendingDecorator
) -> None:
    """Put *decorator* around those that *function* has."""
    # A new list, because functools.wraps may have shared the old one with another function.
    function.__dict__["decorators"] = [decorator, *decorators_of(function)]


def findings_of(function: object) -> tuple[Finding, ...]:
    """Give what was found wrong with the decorators of *function* while they were applied."""
    return tuple(_find_mark(function, "decorator_findings") or ())


def add_finding(function: Callable[..., Any], finding: Finding) -> None:
    """Keep *finding* until the flow is read, where it is reported with all others."""
    function.__dict__["decorator_findings"] = [*findings_of(function), finding]


def _below_step(name: str, step_name: str, where: Where | None) -> Finding:
    return Finding(
        slug=MisplacedDecorator.slug,
        what=f"@{name} stands below @step on '{step_name}'",
        why="@step has to be the innermost decorator, next to the method",
        fix=f"move @{name} to the line above @step",
        where=where,
    )
