"""The step decorator: the hooks it may implement, in the order in which they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from plait.base.errors import Finding, UsageError, Where, nearest
from plait.base.records import Failure, TaskOrder

MAX_ATTEMPTS = 6
"""The most attempts a task may have, the fallback of `@catch` included."""


@dataclass(frozen=True, slots=True)
class StepChecked:
    """A decorated step, when its flow is validated. Process: the run's.

    Args:
        flow: The flow's name.
        step: The step's name.
        transition: The kind of its `self.next`: `linear`, `branch`, `foreach`, `switch`, or
            empty for `end`.
        is_join: Whether the step takes `inputs`.
        decorators: The names of all decorators of the step, in order.
        where: Where the step is written.
        steps: The names of all steps of the flow.
        parameters: The names under which steps find the flow's parameters.
    """

    flow: str
    step: str
    transition: str
    is_join: bool
    decorators: tuple[str, ...]
    where: Where | None
    steps: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How long an attempt may take.

    Args:
        seconds: How long the user's code may run, more than 0.
        grace_seconds: How long after that its process may go on until the run's process kills it,
            for code that does not end by itself.
    """

    seconds: float
    grace_seconds: float = 5.0

    def __str__(self) -> str:
        return f"{self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Needs:
    """What one attempt takes of a machine; or, of a machine, what it has.

    Args:
        cpu: Cores, more than 0; parts of one are allowed.
        memory: Memory in MB (of 10^6 bytes), more than 0.
        gpu: Graphics cards, 0 or more.
    """

    cpu: float
    memory: float
    gpu: int = 0


@dataclass(frozen=True, slots=True)
class AttemptPlan:
    """What a decorator asks of whoever starts a task's attempts.

    Args:
        retries: How many more times to run the user's code when it fails.
        minutes_between: How long to wait before each, in minutes.
        fallback: Whether to make one last attempt that only calls `run_fallback`.
        limit: How long each attempt may take; None for any time.
        needs: What each attempt takes of the machine; None if that is not to be counted.
        environment: Environment variables of the attempt's process, gone after the attempt.
    """

    retries: int = 0
    minutes_between: float = 0.0
    fallback: bool = False
    limit: TimeLimit | None = None
    needs: Needs | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptBegun:
    """An attempt, before and around the user's code. Process: the task's.

    Args:
        order: What the attempt was asked to do; says which task, which attempt, which frames.
        flow: The user's flow object, artifacts readable.
        is_last: Whether no other attempt at the user's code would follow this one.
    """

    order: TaskOrder
    flow: Any
    is_last: bool


@dataclass(frozen=True, slots=True)
class StepRaised:
    """The user's code raised. Process: the task's.

    Args:
        begun: The attempt.
        error: What was raised.
        failure: The same as facts, with the user's traceback.
    """

    begun: AttemptBegun
    error: BaseException
    failure: Failure


class BadDecorator(UsageError):
    """A decorator was given an attribute that it has not, or a value that it can't use."""

    slug = "bad-decorator"

    def __init__(self, name: str, what: str, *, fix: str = "", why: str = "") -> None:
        super().__init__(f"@{name}: {what}", why=why, fix=fix)


def complete_attributes(
    name: str, defaults: Mapping[str, Any], given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Give the attributes of a decorator called *name*. Raises BadDecorator for unknown ones."""
    for key in given or {}:
        if key not in defaults:
            raise BadDecorator(
                name,
                f"there is no attribute '{key}'",
                why=nearest(key, defaults),
                fix=f"its attributes are: {', '.join(defaults) or 'none'}",
            )
    return {**defaults, **(given or {})}


class StepDecorator:
    """The base of every step decorator; override what is needed.

    The order: `check` and `plan_attempts` in the run's process, once per step. Then, in the process
    of each attempt, `before_step` of each decorator (outermost first), `wrap_step` (innermost
    first, so that the outermost wraps all others), the user's code, and either `after_step`
    or `on_exception` (innermost first; the first that returns True has dealt with it).
    An attempt with `order.fallback` calls `before_step`, then `run_fallback`, and no user code.

    Class attributes:
        name: As in `@name` and `--with name`.
        defaults: Every attribute with its default value.
        allow_multiple: Whether a step may have more than one.
    """

    name: ClassVar[str]
    defaults: ClassVar[Mapping[str, Any]] = {}
    allow_multiple: ClassVar[bool] = False

    def __init__(self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None):
        self.attributes = complete_attributes(self.name, self.defaults, attributes)
        self.where = where

    def check(self, event: StepChecked) -> Iterable[Finding]:
        """Give everything that is wrong with this decorator on this step."""
        return ()

    def plan_attempts(self) -> AttemptPlan:
        """Say what attempts need: time, place, variables, and others after them if they fail."""
        return AttemptPlan()

    def before_step(self, event: AttemptBegun) -> None:
        """Prepare, before the user's code."""

    def wrap_step(self, event: AttemptBegun, body: Callable[[], None]) -> Callable[[], None]:
        """Give what to call instead of *body*."""
        return body

    def after_step(self, event: AttemptBegun) -> None:
        """Finish, after the user's code returned."""

    def on_exception(self, event: StepRaised) -> bool:
        """Deal with an exception of the user's code; True if the flow goes on all the same."""
        return False

    def run_fallback(self, event: AttemptBegun, last: Failure | None) -> bool:
        """Make up for a task all of whose attempts ended without a result.

        Args:
            event: The fallback attempt.
            last: How the attempt before it failed, where that is known.

        Returns:
            True if the task is now done.
        """
        return False
