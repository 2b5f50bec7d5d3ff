"""A task's artifacts by attribute: their values, or what is known of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from plait.base.text import show_name
from plait.client.artifact import DataArtifact
from plait.client.object import reopen
from plait.client.opened_task import OpenedTask
from plait.client.opening import get_artifact


class _ByName(ABC):
    # Any name may be an artifact's, `_task` too, so what is kept here has an unlikely one.
    __slots__ = ("_plait_opened",)

    def __init__(self, task: OpenedTask) -> None:
        self._plait_opened = task

    def __getattr__(self, name: str) -> Any:
        # Called only for what is not found otherwise. Python asks objects for many special names,
        # when it copies them for one; they are no artifacts, and looking would read the store.
        if name.startswith("__") or name == "_plait_opened":
            raise AttributeError(name)
        return self._plait_get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_plait_opened":
            object.__setattr__(self, name, value)
            return
        where = "/".join(self._plait_opened.key)
        raise AttributeError(f"'{name}' can't be set: the results of {where} are kept as they are")

    @abstractmethod
    def _plait_get(self, name: str) -> Any: ...

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._plait_opened.find_ref(name) is not None

    def __dir__(self) -> list[str]:
        return self._plait_opened.names()

    def __repr__(self) -> str:
        names = ", ".join(map(show_name, self._plait_opened.names())) or "none"
        return f"<{type(self).__name__} of {'/'.join(self._plait_opened.key)}: {names}>"

    def __reduce__(self) -> tuple[Any, ...]:
        task = self._plait_opened
        return (reopen, (type(self), "/".join(task.key), task.chosen, task.connection.place))


class TaskData(_ByName):
    """The values of a task's artifacts: `task.data.x` reads `x`, `'x' in task.data` asks for it.

    Parameters and class attributes of the flow are among them. Each look reads the value anew, so
    that it is the reader's own; keep it in a variable if it is needed twice.
    """

    __slots__ = ()

    def _plait_get(self, name: str) -> Any:
        task = self._plait_opened
        return task.run.load(get_artifact(task, name).ref, name)


class TaskArtifacts(_ByName):
    """A task's artifacts as `DataArtifact`s: `task.artifacts.x.size` reads no value.

    Iterates over them, sorted by name.
    """

    __slots__ = ()

    def _plait_get(self, name: str) -> DataArtifact:
        return DataArtifact(get_artifact(self._plait_opened, name))

    def __iter__(self) -> Iterator[DataArtifact]:
        return (self._plait_get(name) for name in self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    @property
    def _fields(self) -> tuple[str, ...]:
        return tuple(self._plait_opened.names())

    def _asdict(self) -> dict[str, DataArtifact]:
        return {name: self._plait_get(name) for name in self._fields}
