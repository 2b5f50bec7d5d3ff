"""One step of a run, as users read it: its tasks, and the steps around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from plait.client.lineage import list_child_steps, list_parent_steps
from plait.client.object import Container, RunPart
from plait.client.opened_task import OpenedStep, OpenedTask
from plait.client.opening import get_step, open_step
from plait.client.source import current_connection
from plait.client.task import Task
from plait.client.times import local_time

if TYPE_CHECKING:
    from datetime import datetime

    from plait.client.run import Run


class Step(RunPart[OpenedStep], Container[Task]):
    """A step of a run: `Step("HelloFlow/17/greet")`. Holds its tasks, newest first.

    Args:
        pathspec: `Flow/run/step`.

    Raises:
        PlaitNotFound: The run has no tasks of such a step.
        PlaitNamespaceMismatch: The namespace does not show the run.
    """

    __slots__ = ()

    _child_kind = "task"

    def __init__(self, pathspec: str | OpenedStep) -> None:
        if not isinstance(pathspec, OpenedStep):
            pathspec = open_step(current_connection(), pathspec)
        self._opened = pathspec

    def __iter__(self) -> Iterator[Task]:
        run = self._opened.run
        return (Task(OpenedTask(run, record)) for record in run.iter_tasks(self.id))

    def _find_child(self, name: str) -> Task | None:
        record = self._opened.run.find_task(self.id, name)
        return None if record is None else Task(OpenedTask(self._opened.run, record))

    def _child_names(self) -> Iterable[str]:
        return (record.key.task for record in islice(self._opened.run.iter_tasks(self.id), 100))

    @property
    def parent(self) -> Run:
        """The run that it is a step of."""
        # Here, because runs give steps and so their module imports this one.
        from plait.client.run import Run

        return Run(self._opened.run)

    @property
    def task(self) -> Task | None:
        """Its task; where there are several, the newest."""
        return next(iter(self), None)

    def tasks(self, *tags: str) -> Iterator[Task]:
        """Give its tasks, newest first.

        Args:
            tags: Only if the run has all of them.
        """
        return iter(self) if self._has_tags(tags) else iter(())

    @property
    def created_at(self) -> datetime:
        """When its first task was launched, in local time."""
        return local_time(self._opened.record.created)

    @property
    def finished_at(self) -> datetime | None:
        """When the last of its tasks by now ended, in local time; None if one has not."""
        latest = 0.0
        for record in self._opened.run.iter_tasks(self.id):
            if record.finished is None:
                return None
            latest = max(latest, record.finished)
        return local_time(latest)

    @property
    def environment_info(self) -> dict[str, Any] | None:
        """Where its newest task that finished ran: host, process, versions; None if none has."""
        found = (task.environment_info for task in self)
        return next((info for info in found if info is not None), None)

    @property
    def parent_steps(self) -> list[Step]:
        """The steps right before it that have tasks in the run, in the order of the graph."""
        return self._get_steps(list_parent_steps(self._opened.run, self.id))

    @property
    def child_steps(self) -> list[Step]:
        """The steps right after it that have tasks in the run, in the order of its `self.next`."""
        return self._get_steps(list_child_steps(self._opened.run, self.id))

    def _get_steps(self, names: Iterable[str]) -> list[Step]:
        return [Step(get_step(self._opened.run, name)) for name in names]
