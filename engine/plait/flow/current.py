"""`current`: what a step's code may ask about the run and task that it is part of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plait.base.errors import PlaitError, nearest
from plait.base.pathspec import AttemptKey


@dataclass(frozen=True, slots=True)
class RunningTask:
    """What `current` answers from while a task runs.

    Args:
        key: The attempt that runs.
        origin_run_id: The run that this run resumes, if any.
        namespace: The namespace that the run was started in; None for all.
        username: Who started the run.
        parameter_names: The parameters of the flow, as its attributes are called.
        tags: All tags that the run had when it was started, user and system.
        given: What decorators of the flow give `current`, by name.
    """

    key: AttemptKey
    origin_run_id: str | None = None
    namespace: str | None = None
    username: str | None = None
    parameter_names: Sequence[str] = ()
    tags: frozenset[str] = frozenset()
    given: Mapping[str, Any] = field(default_factory=dict)


class UnknownCurrent(PlaitError, AttributeError):
    """`current` was asked for something that it does not know."""

    slug = "unknown-current"

    def __init__(self, name: str, offered: Iterable[str] = ()) -> None:
        by_decorator = name in _BY_DECORATORS
        super().__init__(
            f"`current` has no '{name}'",
            why=f"only a step under @{name} has it, while it runs"
            if by_decorator
            else nearest(name, [*_NAMES, *offered]),
            fix=f"write @{name} above @step"
            if by_decorator
            else f"ask for it as current.get('{name}') if it may be missing",
        )


class Current:
    """What a step's code may ask about the run and task that it is part of; None outside one.

    Decorators may offer more to the step that they are on, as `@card` does `current.card`.
    """

    def __init__(self) -> None:
        self._task: RunningTask | None = None
        self._offered: dict[str, Any] = {}

    @property
    def is_running_flow(self) -> bool:
        """Whether this code runs in a task of a flow."""
        return self._task is not None

    @property
    def flow_name(self) -> str | None:
        """The name of the flow."""
        return None if self._task is None else self._task.key.flow

    @property
    def run_id(self) -> str | None:
        """The id of the run."""
        return None if self._task is None else self._task.key.run

    @property
    def step_name(self) -> str | None:
        """The name of the step."""
        return None if self._task is None else self._task.key.step

    @property
    def task_id(self) -> str | None:
        """The id of the task."""
        return None if self._task is None else self._task.key.task

    @property
    def pathspec(self) -> str | None:
        """The task as `Flow/run/step/task`."""
        return None if self._task is None else str(self._task.key.task_key)

    @property
    def retry_count(self) -> int | None:
        """How many attempts at this task came before this one."""
        return None if self._task is None else self._task.key.attempt

    @property
    def origin_run_id(self) -> str | None:
        """The id of the run that this run resumes; None if it resumes none."""
        return None if self._task is None else self._task.origin_run_id

    @property
    def namespace(self) -> str | None:
        """The namespace that the run was started in."""
        return None if self._task is None else self._task.namespace

    @property
    def username(self) -> str | None:
        """Who started the run."""
        return None if self._task is None else self._task.username

    @property
    def parameter_names(self) -> list[str] | None:
        """The names under which a step finds the flow's parameters."""
        return None if self._task is None else list(self._task.parameter_names)

    @property
    def tags(self) -> frozenset[str] | None:
        """The tags that the run was started with."""
        return None if self._task is None else self._task.tags

    @property
    def project_name(self) -> str | None:
        """The project that the flow belongs to; None if it belongs to none."""
        found: str | None = self._given("project_name")
        return found

    @property
    def branch_name(self) -> str | None:
        """The branch of the project, such as `user.ada`, `test.new_model` or `prod`."""
        found: str | None = self._given("branch_name")
        return found

    @property
    def is_production(self) -> bool | None:
        """Whether the run is one of production; None if the flow belongs to no project."""
        found: bool | None = self._given("is_production")
        return found

    @property
    def project_flow_name(self) -> str | None:
        """The flow as `project.branch.Flow`; None if it belongs to no project."""
        found: str | None = self._given("project_flow_name")
        return found

    def _given(self, name: str) -> Any:
        return None if self._task is None else self._task.given.get(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Give what is called *name*, or *default* where that is unknown or None."""
        if name in _NAMES:
            value = getattr(self, name)
        else:
            value = self._offered.get(name, self._given(name))
        return default if value is None else value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._offered:
            return self._offered[name]
        if self._task is not None and name in self._task.given:
            return self._task.given[name]
        raise UnknownCurrent(name, self._offered)

    def __repr__(self) -> str:
        return f"<current: {self.pathspec or 'no flow is running'}>"


_NAMES = frozenset(name for name, value in vars(Current).items() if isinstance(value, property))

_BY_DECORATORS = frozenset({"card"})
"""What built-in decorators offer, each under its own name."""

current = Current()
"""The task that this process runs."""


def set_current(task: RunningTask | None) -> None:
    """Say which task this process runs from now on; None for none."""
    current._task = task  # noqa: SLF001  # users get `current`, and must not find a setter on it
    current._offered = {}  # noqa: SLF001  # what the decorators of one task offer, no other has


def offer_current(name: str, value: object) -> None:
    """Let the running task's code find *value* as `current.name`; for decorators.

    Args:
        name: A name that `current` does not have.
        value: What it gives, until the task ends.
    """
    assert name not in _NAMES, f"current.{name} is there already"
    current._offered[name] = value  # noqa: SLF001  # as above
