"""One execution of a step, as users read it: its values, its output, how it went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

from plait.base.errors import PlaitError
from plait.base.records import AttemptFacts
from plait.client.artifact import DataArtifact
from plait.client.errors import BadStream
from plait.client.failure import AttemptFailure
from plait.client.lineage import list_children, list_parents
from plait.client.object import Container, RunPart
from plait.client.opened_task import OpenedArtifact, OpenedTask
from plait.client.opening import get_step, open_task
from plait.client.output import iter_whole_lines
from plait.client.source import current_connection
from plait.client.times import find_local_time, local_time
from plait.client.values import TaskArtifacts, TaskData
from plait.logs.lines import Stream, text_of
from plait.metadata.protocol import Status

if TYPE_CHECKING:
    from datetime import datetime

    from plait.client.code import Code
    from plait.client.step import Step

# What a run says once for all of its tasks.
_OF_RUN = ("host", "python", "platform", "plait", "environment", "code")
_STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


class Metadata(NamedTuple):
    """One fact about a task that plait wrote down.

    Args:
        name: What it is about, such as `host`.
        value: The fact, as text.
        created_at: When the attempt finished that it is about, in local time.
        type: The same as *name*.
        task: The task.
    """

    name: str
    value: str
    created_at: datetime
    type: str
    task: Task


class Task(RunPart[OpenedTask], Container[DataArtifact]):
    """A task: `Task("HelloFlow/17/greet/2")`. Holds its artifacts.

    Where a task was tried several times, the last attempt that finished is shown.

    Args:
        pathspec: `Flow/run/step/task`.
        attempt: Show this attempt instead, counted from 0.

    Raises:
        PlaitNotFound: There is no such task, or it had no such attempt.
        PlaitNamespaceMismatch: The namespace does not show its run.
    """

    __slots__ = ()

    _child_kind = "artifact"

    def __init__(self, pathspec: str | OpenedTask, attempt: int | None = None) -> None:
        if not isinstance(pathspec, OpenedTask):
            pathspec = open_task(current_connection(), pathspec, attempt)
        self._opened = pathspec

    def __iter__(self) -> Iterator[DataArtifact]:
        return iter(self.artifacts)

    def _find_child(self, name: str) -> DataArtifact | None:
        ref = self._opened.find_ref(name)
        return None if ref is None else DataArtifact(OpenedArtifact(self._opened, name, ref))

    def _child_names(self) -> list[str]:
        return self._opened.names()

    @property
    def parent(self) -> Step:
        """The step that it is an execution of."""
        # Here, because steps give tasks and so their module imports this one.
        from plait.client.step import Step

        return Step(get_step(self._opened.run, self._opened.key.step))

    # What it left

    @property
    def data(self) -> TaskData:
        """The values of its artifacts: `task.data.x`."""
        return TaskData(self._opened)

    @property
    def artifacts(self) -> TaskArtifacts:
        """Its artifacts, without reading their values: `task.artifacts.x.size`."""
        return TaskArtifacts(self._opened)

    @property
    def stdout(self) -> str:
        r"""What it printed, byte for byte; what is not UTF-8 as `\xff`."""
        return text_of(self._opened.read_log(), "stdout")

    @property
    def stderr(self) -> str:
        r"""What it wrote to standard error, byte for byte; what is not UTF-8 as `\xff`."""
        return text_of(self._opened.read_log(), "stderr")

    @overload
    def loglines(
        self, stream: Stream, as_unicode: Literal[True] = ...
    ) -> Iterator[tuple[datetime, str]]: ...

    @overload
    def loglines(
        self, stream: Stream, as_unicode: Literal[False]
    ) -> Iterator[tuple[datetime, bytes]]: ...

    def loglines(self, stream: Stream, as_unicode: bool = True) -> Iterator[tuple[datetime, Any]]:
        """Give the lines that it printed, each with when it ended, in local time.

        Args:
            stream: `stdout` or `stderr`.
            as_unicode: Whether to give text; else bytes.

        Raises:
            BadStream: *stream* is neither.
        """
        if stream not in _STREAMS:
            raise BadStream(stream, _STREAMS)
        lines = iter_whole_lines(self._opened.read_log(), stream)
        if not as_unicode:
            return ((local_time(at), text) for at, text in lines)
        return ((local_time(at), text.decode("utf-8", "backslashreplace")) for at, text in lines)

    # How it went

    @property
    def created_at(self) -> datetime:
        """When it was launched first, in local time; of a chosen attempt, when that began."""
        facts = None if self._opened.chosen is None else self._opened.find_facts()
        return local_time(self._opened.record.created if facts is None else facts.started)

    @property
    def finished_at(self) -> datetime | None:
        """When its last attempt, or the chosen one, ended, in local time; None while it has not."""
        if self._opened.chosen is None:
            return find_local_time(self._opened.renew().finished)
        facts = self._opened.find_facts()
        return None if facts is None else local_time(facts.finished)

    @property
    def finished(self) -> bool:
        """Whether it, or the chosen attempt, has ended, well or not."""
        return self.finished_at is not None

    @property
    def successful(self) -> bool:
        """Whether it, or the chosen attempt, ended with a result."""
        if self._opened.chosen is None:
            return self._opened.renew().status is Status.DONE
        facts = self._opened.find_facts()
        return facts is not None and facts.ok

    @property
    def exception(self) -> AttemptFailure | None:
        """What the attempt shown failed with, also if `@catch` dealt with it; or None."""
        told = self._opened.renew().failure if self._opened.chosen is None else None
        try:
            facts = self._opened.find_facts()
        except PlaitError:
            # A failure is also told without the values, if not in all its length.
            if told is None:
                raise
            facts = None
        failure = told if facts is None else facts.failure or facts.handled
        return None if failure is None else AttemptFailure(failure)

    @property
    def attempt(self) -> int | None:
        """The attempt shown, counted from 0; None while none has finished."""
        return self._opened.find_attempt()

    @property
    def attempts(self) -> int:
        """How many attempts were begun."""
        return self._opened.renew().attempts

    @property
    def index(self) -> int | None:
        """Its position in the innermost foreach around it; None outside of any."""
        return self._opened.record.index

    # Where it ran

    @property
    def runtime_name(self) -> str | None:
        """What ran it, such as `dev`."""
        return _find_tagged(self.system_tags, "runtime")

    @property
    def environment_info(self) -> dict[str, Any] | None:
        """Where the attempt shown ran: host, process, versions; None while it has not finished.

        `host`, `pid`, `python` and `plait` (their versions), `platform`, `environment`,
        and `code`, the address of the code package.
        """
        facts = self._opened.find_facts()
        return None if facts is None else self._environment(facts)

    def _environment(self, facts: AttemptFacts) -> dict[str, Any]:
        of_run = self._opened.run.record.facts
        shared = {name: of_run[name] for name in _OF_RUN if name in of_run}
        return {**shared, **(facts.system or {})}

    @property
    def code(self) -> Code | None:
        """The package of the flow's code that it ran with; None if the run kept none."""
        from plait.client.code import find_code

        return find_code(self._opened.run)

    @property
    def metadata(self) -> list[Metadata]:
        """What was written down about its attempts, oldest first; or about the chosen one."""
        found: list[Metadata] = []
        for facts in self._opened.iter_facts():
            notes: dict[str, object] = {"attempt": facts.key.attempt, "attempt_ok": facts.ok}
            for name in ("user", "runtime"):
                value = _find_tagged(self.system_tags, name)
                if value is not None:
                    notes[name] = value
            if self._opened.run.record.origin_run is not None:
                notes["origin-run-id"] = self._opened.run.record.origin_run
            if facts.origin is not None:
                notes["origin-task"] = facts.origin.task_key
            notes.update(self._environment(facts))
            at = local_time(facts.finished)
            found += (Metadata(name, str(value), at, name, self) for name, value in notes.items())
        return found

    @property
    def metadata_dict(self) -> dict[str, str]:
        """What was written down about it, by name; of several attempts, what the last one says."""
        return {note.name: note.value for note in self.metadata}

    @property
    def origin_pathspec(self) -> str | None:
        """The pathspec of the task that a resume took it over from; None if it was run."""
        origin = self._opened.record.origin
        return None if origin is None else str(origin)

    # What came before and after

    @property
    def parent_tasks(self) -> list[Task]:
        """The tasks right before it, for a join in the order of `inputs`.

        Known once it has finished.
        """
        facts = self._opened.find_facts()
        run = self._opened.run
        return [] if facts is None else [Task(OpenedTask(run, r)) for r in list_parents(run, facts)]

    @property
    def child_tasks(self) -> list[Task]:
        """The tasks right after it that have finished, in the order of its `self.next`."""
        facts = self._opened.find_facts()
        run = self._opened.run
        return (
            [] if facts is None else [Task(OpenedTask(run, r)) for r in list_children(run, facts)]
        )


def _find_tagged(tags: frozenset[str], name: str) -> str | None:
    return next((tag[len(name) + 1 :] for tag in tags if tag.startswith(f"{name}:")), None)
