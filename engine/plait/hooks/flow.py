"""The flow decorator: the hooks it may implement, in the order in which they are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from plait.base.errors import Finding, Where
from plait.hooks.step import complete_attributes


@dataclass(frozen=True, slots=True)
class FlowOption:
    """An option of the flow's program, before the command, that a decorator of the flow reads.

    Args:
        name: Its name without dashes in front, such as `branch`.
        help: What it says, one sentence.
        is_flag: Whether it has no value: `--name` is True, `--no-name` False.
    """

    name: str
    help: str
    is_flag: bool = False

    @property
    def key(self) -> str:
        """Its name where `-` cannot stand."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, slots=True)
class FlowChecked:
    """A decorated flow, when it is validated. Process: any that reads the flow.

    Args:
        flow: The flow's name.
        steps: The names of its steps; none if its graph is not valid.
        parameters: The names under which steps find its parameters.
        decorators: The names of all decorators of the flow.
    """

    flow: str
    steps: tuple[str, ...]
    parameters: tuple[str, ...]
    decorators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """A run that is about to be created. Process: the run's.

    Args:
        flow: The flow's name.
        user: Who starts it.
        options: What was given for the decorator's own options, by `FlowOption.key`; what was
            not given is not in it.
    """

    flow: str
    user: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunTraits:
    """What a flow decorator gives a run.

    Args:
        tags: System tags.
        current: What `current` answers in each task of the run, by name: text, numbers and truth
            values.
    """

    tags: frozenset[str] = frozenset()
    current: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


class FlowDecorator:
    """The base of every flow decorator; override what is needed.

    The order: `check` when the flow is read; `plan_run` once when a run is created, resumed ones
    too.

    Class attributes:
        name: As in `@name` above the class, and `--with name`.
        defaults: Every attribute with its default value.
        options: Options that the flow's program gets.
    """

    name: ClassVar[str]
    defaults: ClassVar[Mapping[str, Any]] = {}
    options: ClassVar[tuple[FlowOption, ...]] = ()

    def __init__(self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None):
        self.attributes = complete_attributes(self.name, self.defaults, attributes)
        self.where = where

    def check(self, event: FlowChecked) -> Iterable[Finding]:
        """Give everything that is wrong with this decorator on this flow."""
        return ()

    def plan_run(self, event: RunPlanned) -> RunTraits:
        """Say what a run gets. Raises a UsageError if it cannot begin."""
        return RunTraits()
