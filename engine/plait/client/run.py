"""One run of a flow, as users read it: its result, how it went, its steps and its tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from plait.artifacts.run_file import CLAIM
from plait.client.failure import AttemptFailure
from plait.client.object import Container, RunPart
from plait.client.opened_run import OpenedRun
from plait.client.opened_task import OpenedStep, OpenedTask
from plait.client.opening import OpenedFlow, open_run
from plait.client.source import current_connection
from plait.client.step import Step
from plait.client.task import Task
from plait.client.times import find_local_time, local_time
from plait.client.values import TaskData
from plait.metadata.protocol import Status

if TYPE_CHECKING:
    from datetime import datetime

    from plait.client.code import Code
    from plait.client.flow import Flow


class Run(RunPart[OpenedRun], Container[Step]):
    """A run: `Run("HelloFlow/17")`. Holds its steps, newest first.

    What can change while it goes on is read anew each time until it has ended; its tags are as
    they were when it was read, or as they were changed through it since.

    Args:
        pathspec: `Flow/run`.

    Raises:
        PlaitNotFound: There is no such run.
        PlaitNamespaceMismatch: The namespace does not show it.
    """

    __slots__ = ()

    _child_kind = "step"

    def __init__(self, pathspec: str | OpenedRun) -> None:
        if not isinstance(pathspec, OpenedRun):
            pathspec = open_run(current_connection(), pathspec)
        self._opened = pathspec

    def __plait_run__(self) -> tuple[str, str, str]:
        """Give the flow, the number and the claim of the run, by which its objects are found."""
        return (*self._opened.key, self._opened.record.facts.get(CLAIM, ""))

    def __iter__(self) -> Iterator[Step]:
        run = self._opened
        return (Step(OpenedStep(run, record)) for record in run.list_steps())

    def _find_child(self, name: str) -> Step | None:
        return next((step for step in self if step.id == name), None)

    def _child_names(self) -> Iterable[str]:
        return (step.id for step in self)

    @property
    def parent(self) -> Flow:
        """The flow that it is a run of."""
        # Here, because flows give runs and so their module imports this one.
        from plait.client.flow import Flow

        return Flow(OpenedFlow(self._opened.connection, self._opened.key.flow))

    def steps(self, *tags: str) -> Iterator[Step]:
        """Give its steps, newest first.

        Args:
            tags: Only if the run has all of them.
        """
        return iter(self) if self._has_tags(tags) else iter(())

    # What came of it

    @property
    def end_task(self) -> Task | None:
        """The task of its step `end`; None if it did not come to that."""
        record = next(self._opened.iter_tasks(self._last_step), None)
        return None if record is None else Task(OpenedTask(self._opened, record))

    @property
    def _last_step(self) -> str:
        # Runs of before a flow could name it otherwise say nothing of it.
        name: str = self._opened.record.facts.get("graph", {}).get("end", "end")
        return name

    @property
    def data(self) -> TaskData | None:
        """The values that its `end` left: `run.data.x`; None if it did not come to that."""
        task = self.end_task
        return None if task is None else task.data

    @property
    def status(self) -> str:
        """How it goes: `running`, `done`, `failed`, `interrupted` or `lost`.

        A run is lost if its process is gone and did not say how the run ended: it was killed, or
        its machine stopped.
        """
        return self._opened.renew().status.value

    @property
    def successful(self) -> bool:
        """Whether it reached its end."""
        return self._opened.renew().status is Status.DONE

    @property
    def finished(self) -> bool:
        """Whether it has ended, well or not."""
        return self._opened.has_ended

    @property
    def failed_task(self) -> Task | None:
        """The task whose failure was the run's first, and ended it; None if no task did.

        `run.failed_task.parent.id` is its step, and `run.failed_task.attempt` the attempt.
        """
        key = self._opened.renew().failed_task
        record = None if key is None else self._opened.find_task(key.step, key.task)
        return None if record is None else Task(OpenedTask(self._opened, record))

    @property
    def exception(self) -> AttemptFailure | None:
        """The run's first failure; None if there was none, or it is not known.

        It is that of `failed_task`; or, where the run failed in no task of its own, what kept it
        from going on, such as a full disk. Printed, it is the traceback of the user's code.
        """
        failure = self._opened.renew().failure
        return None if failure is None else AttemptFailure(failure)

    @property
    def created_at(self) -> datetime:
        """When it began, in local time."""
        return local_time(self._opened.record.created)

    @property
    def finished_at(self) -> datetime | None:
        """When it ended, well or not, in local time; None while it has not."""
        return find_local_time(self._opened.renew().finished)

    @property
    def origin_run_id(self) -> str | None:
        """The id of the run that it resumed; None if it began anew."""
        return self._opened.record.origin_run

    @property
    def trigger(self) -> None:
        """What started it by itself: always None, for every run is started by somebody.

        It is here so that code which asks for it, as Metaflow's client allows, goes on.
        """
        return None

    @property
    def code(self) -> Code | None:
        """The package of the flow's code that it ran with; None if the run kept none."""
        from plait.client.code import find_code

        return find_code(self._opened)

    # Tags

    def add_tag(self, tag: str | Iterable[str]) -> None:
        """Give it one more tag.

        Args:
            tag: Any text on one line, spaces included; or several.

        Raises:
            BadTag: It can't be a tag.
            SystemTag: Plait gave the run this tag, and it is there for good.
        """
        self.add_tags(tag)

    def add_tags(self, tags: str | Iterable[str]) -> None:
        """Give it more tags, all at once. Raises as `add_tag`."""
        self.replace_tags((), tags)

    def remove_tag(self, tag: str | Iterable[str]) -> None:
        """Take a tag from it, if it has it. Raises as `add_tag`."""
        self.remove_tags(tag)

    def remove_tags(self, tags: str | Iterable[str]) -> None:
        """Take tags from it, all at once, those that it has. Raises as `add_tag`."""
        self.replace_tags(tags, ())

    def replace_tag(
        self, tag_to_remove: str | Iterable[str], tag_to_add: str | Iterable[str]
    ) -> None:
        """Take one tag from it and give it another, both at once. Raises as `add_tag`."""
        self.replace_tags(tag_to_remove, tag_to_add)

    def replace_tags(
        self, tags_to_remove: str | Iterable[str], tags_to_add: str | Iterable[str]
    ) -> None:
        """Take tags from it and give it others, all at once, so that nobody reads it in between.

        Args:
            tags_to_remove: A tag, or several.
            tags_to_add: A tag, or several; what is in both is added.

        Raises:
            BadTag: One can't be a tag.
            SystemTag: One is plait's own.
        """
        self._opened.change_tags(add=_as_set(tags_to_add), remove=_as_set(tags_to_remove))


def _as_set(tags: str | Iterable[str]) -> frozenset[str]:
    # One thing that is no text is no tag either, which the store says better than Python.
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        return frozenset((tags,))
    return frozenset(tags)
