"""What all objects of the client share: a name, tags, equality, pickling, and being a container."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from plait.client.errors import ChildNotFound
from plait.client.namespaces import is_seen
from plait.client.opening import Opened, OpenedInRun, open_any
from plait.client.source import connect_to
from plait.metadata.rules import check_tags

if TYPE_CHECKING:
    from datetime import datetime

Child = TypeVar("Child")
Found = TypeVar("Found", bound=Opened)
FoundInRun = TypeVar("FoundInRun", bound=OpenedInRun)


class ClientObject(ABC, Generic[Found]):
    """Something that is stored, under a pathspec.

    Two are equal if they are of one kind, name the same thing in the same store, and show the same
    attempt. A pickled one carries its name and that of its store, but neither values nor the
    namespace; where it is unpickled it is read again.
    """

    __slots__ = ("_opened",)

    _opened: Found

    @property
    def id(self) -> str:
        """The last part of its pathspec: a name, or the number of a run or task."""
        return self._opened.components[-1]

    @property
    def pathspec(self) -> str:
        """Its full name, such as `HelloFlow/17/start`; its class called with it gives it again."""
        return "/".join(self._opened.components)

    @property
    def path_components(self) -> list[str]:
        """The parts of its pathspec."""
        return list(self._opened.components)

    @property
    @abstractmethod
    def created_at(self) -> datetime:
        """When it came to be, in local time."""

    @property
    @abstractmethod
    def finished_at(self) -> datetime | None:
        """When it ended, in local time; None while it has not."""

    @property
    @abstractmethod
    def user_tags(self) -> frozenset[str]:
        """The tags that users gave."""

    @property
    @abstractmethod
    def system_tags(self) -> frozenset[str]:
        """The tags that plait gave; they never change."""

    @property
    def tags(self) -> frozenset[str]:
        """All tags, those of users and those of plait."""
        return self.user_tags | self.system_tags

    @abstractmethod
    def is_in_namespace(self) -> bool:
        """Whether the current namespace shows it."""

    def __repr__(self) -> str:
        attempt = self._opened.chosen
        chosen = "" if attempt is None else f", attempt={attempt}"
        return f"{type(self).__name__}({self.pathspec!r}{chosen})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, ClientObject)
        mine: Opened = self._opened
        its: Opened = other._opened
        return (
            mine.components == its.components
            and mine.chosen == its.chosen
            and mine.connection.place == its.connection.place
        )

    def __hash__(self) -> int:
        return hash((type(self), self._opened.components, self._opened.chosen))

    def __reduce__(self) -> tuple[Any, ...]:
        opened = self._opened
        return (reopen, (type(self), self.pathspec, opened.chosen, opened.connection.place))


def reopen(cls: type[Any], pathspec: str, attempt: int | None, place: str) -> Any:
    """Give the object again that was pickled, as its store knows it now."""
    return cls(open_any(connect_to(place), pathspec, attempt))


class RunPart(ClientObject[FoundInRun]):
    """A run, or a part of one: its tags are the run's, and with them its namespace."""

    __slots__ = ()

    @property
    def user_tags(self) -> frozenset[str]:
        """The tags that users gave its run, as they were when it was read or changed through it."""
        return self._opened.run.record.user_tags

    @property
    def system_tags(self) -> frozenset[str]:
        """The tags that plait gave its run: who ran it, where and with what; they never change."""
        return self._opened.run.record.system_tags

    def is_in_namespace(self) -> bool:
        """Whether the current namespace shows it, which is so if its run has that tag."""
        return is_seen(self.tags)

    @property
    def origin_pathspec(self) -> str | None:
        """The pathspec of what it was taken over from by a resume; None if it was not."""
        flow, _, *rest = self._opened.components
        origin = self._opened.run.record.origin_run
        return None if origin is None else "/".join((flow, origin, *rest))

    def _has_tags(self, tags: Iterable[str]) -> bool:
        return check_tags(tags) <= self.tags


class Container(ABC, Generic[Child]):
    """Holds other objects: iterable, indexable by their ids, and answers `in`."""

    __slots__ = ()

    _child_kind: ClassVar[str]
    """What a child is called in messages."""

    @abstractmethod
    def __iter__(self) -> Iterator[Child]: ...

    @abstractmethod
    def _find_child(self, name: str) -> Child | None:
        """Give the child of that id, or None."""

    @abstractmethod
    def _child_names(self) -> Iterable[str]:
        """Give names to suggest when there is no such child."""

    def __getitem__(self, name: str) -> Child:
        child = self._find_child(name) if isinstance(name, str) else None
        if child is None:
            raise ChildNotFound(self._child_kind, repr(self), name, self._child_names())
        return child

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find_child(name) is not None
