"""One value that a task left, with what is known of it before it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.client.object import RunPart
from plait.client.opened_task import OpenedArtifact
from plait.client.opening import open_artifact
from plait.client.source import current_connection
from plait.client.times import local_time

if TYPE_CHECKING:
    from datetime import datetime

    from plait.client.task import Task


class DataArtifact(RunPart[OpenedArtifact]):
    """An artifact of a task: `DataArtifact("HelloFlow/17/start/1/names")`.

    Args:
        pathspec: `Flow/run/step/task/artifact`.
        attempt: The attempt at the task to look at, from 0; the last one that finished by default.

    Raises:
        PlaitNotFound: There is none of that name.
        PlaitNamespaceMismatch: The namespace does not show its run.
    """

    __slots__ = ()

    def __init__(self, pathspec: str | OpenedArtifact, attempt: int | None = None) -> None:
        if not isinstance(pathspec, OpenedArtifact):
            pathspec = open_artifact(current_connection(), pathspec, attempt)
        self._opened = pathspec

    @property
    def parent(self) -> Task:
        """The task that left it."""
        # Here, because tasks give artifacts and so their module imports this one.
        from plait.client.task import Task

        return Task(self._opened.task)

    @property
    def data(self) -> Any:
        """The value, read anew each time and checked against its address.

        Raises:
            DamagedArtifact: Its bytes are not those that were written; names the file.
        """
        return self._opened.run.load(self._opened.ref, self._opened.name)

    @property
    def sha(self) -> str:
        """The SHA-256 of the bytes it is kept as, in 64 hex digits."""
        return self._opened.ref.address

    @property
    def size(self) -> int:
        """How many bytes it is kept as."""
        return self._opened.ref.size

    @property
    def type(self) -> str:
        """The value's type as `module.Name`, without module for Python's built-in ones."""
        return self._opened.ref.type

    @property
    def created_at(self) -> datetime:
        """When it was kept: when its task's attempt finished, in local time."""
        return self.finished_at or self.parent.created_at

    @property
    def finished_at(self) -> datetime | None:
        """When its task's attempt finished, in local time; None where only a parameter is there."""
        facts = self._opened.task.find_facts()
        return None if facts is None else local_time(facts.finished)

    @property
    def origin_pathspec(self) -> str | None:
        """The pathspec of the same artifact of the task that a resume took its task over from."""
        origin = self.parent.origin_pathspec
        return None if origin is None else f"{origin}/{self.id}"
