"""What a flow's source says, as records: steps and their `self.next` calls, not judged yet."""

# The records that do not leave this package are named tuples: making a frozen dataclass costs half
# a millisecond each, at every start of every flow.

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from plait.base.errors import Where
from plait.graph.names import END, START


class Shape(StrEnum):
    """What an argument of `self.next` looks like."""

    STEP = "step"  # self.a
    CALLED = "called"  # self.a()
    TEXT = "text"  # "a"
    NAME = "name"  # a
    ITEMS = "items"  # [self.a, self.b]
    CASES = "cases"  # {"x": self.a}
    OTHER = "other"  # *targets, and whatever else


class CaseKey(NamedTuple):
    """One key of a switch's cases, as written.

    Args:
        text: Its source, on one line; `**more` for a mapping that is unpacked.
        value: What it is; None if it is no literal text, whole number or truth value.
    """

    text: str
    value: str | int | None


class Argument(NamedTuple):
    """One argument of `self.next`, as written.

    Args:
        shape: What it looks like.
        text: Its source, on one line.
        name: The step, the text's content or the variable that it names; else empty.
        items: What a list holds, or the values of a dict's cases.
        keys: The keys of a dict's cases, one for each of *items*.
    """

    shape: Shape
    text: str
    name: str = ""
    items: tuple[Argument, ...] = ()
    keys: tuple[CaseKey, ...] = ()


class NextCall(NamedTuple):
    """One call of `self.next`.

    Args:
        line: Its line, from 1.
        arguments: Its positional arguments, in order.
        keywords: Its keyword arguments by name, in order; a `**mapping` has no name.
        within: The statement around it, such as `if`; empty if it stands in the step's body itself.
        is_last: Whether it is the last statement of the step's body.
    """

    line: int
    arguments: tuple[Argument, ...] = ()
    keywords: tuple[tuple[str, Argument], ...] = ()
    within: str = ""
    is_last: bool = True


class StepSource(NamedTuple):
    """One method, as written.

    Args:
        name: The name under which the flow has it.
        where: The line of its `def`, or the best that is known if its source can't be had.
        doc: Its docstring, cleaned; may be empty.
        arguments: The names of its positional arguments, `self` among them.
        takes_more: Whether it has other arguments too: `*args`, `**kwargs` or keyword-only ones.
        decorators: The names of its decorators as written, outermost first, without `step`.
        calls: Its calls of `self.next`, in the order of the source.
        is_step: Whether it is under `@step`. A method that is not is here only because it is
            called `start` or `end`, or is named by a `self.next` and has one itself.
        oddity: What it is instead of a plain method: `a static method`; empty if it is one.
        function_name: The name in its `def`.
        missing: Why its source can't be had; empty if it was read.
    """

    name: str
    where: Where
    doc: str = ""
    arguments: tuple[str, ...] = ("self",)
    takes_more: bool = False
    decorators: tuple[str, ...] = ()
    calls: tuple[NextCall, ...] = ()
    is_step: bool = True
    oddity: str = ""
    function_name: str = ""
    missing: str = ""

    def at(self, line: int) -> Where:
        """Give the place of another line in the same file."""
        return Where(self.where.file, line)


class Lost(NamedTuple):
    """A definition in a class body that a later step of the same name replaces.

    Args:
        name: The name of both.
        what: What was lost: `step` or `Parameter`.
        where: The line of the one that is lost.
    """

    name: str
    what: str
    where: Where


class FlowSource(NamedTuple):
    """One flow class, as written.

    Args:
        name: The class's name.
        where: The line of its `class` statement, where that is known.
        doc: Its docstring, cleaned; may be empty.
        steps: Its steps by name, those of base classes first, each class in the order of its body.
        others: Every other public attribute of the class with what it is: `a method`.
        lost: Definitions that a later step of the same class body replaces.
        first: The steps that are marked as the one at which a run begins, by `@step(start=True)`.
        last: The steps that are marked as the one at which a run ends, by `@step(end=True)`.
    """

    name: str
    where: Where | None
    doc: str
    steps: Mapping[str, StepSource]
    others: Mapping[str, str]
    lost: tuple[Lost, ...] = ()
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()

    @property
    def start(self) -> str:
        """The name of the step at which a run begins, whether there is one or not."""
        return self.first[0] if self.first else START

    @property
    def end(self) -> str:
        """The name of the step at which a run ends, whether there is one or not."""
        return self.last[-1] if self.last else END
