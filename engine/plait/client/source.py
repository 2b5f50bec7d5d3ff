"""Which store the client reads: the default one, or the one that `metadata(...)` names."""

from __future__ import annotations

import os

# The package root imports this module for every program, so it loads next to nothing: not even
# `typing`, which costs half as much as Python's own start. Type checkers know this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from plait.artifacts.store import ArtifactStore
    from plait.client.stores import Opener, Source
    from plait.logs.store import LogStore
    from plait.metadata.protocol import MetadataStore


class Connection:
    """A store by name, opened once in every process that uses it.

    Objects of the client hold a connection instead of stores, because a forked process must not use
    what its parent opened: there it is opened again, at the same place.
    """

    __slots__ = ("__weakref__", "_opener", "_pid", "_source", "_spec")

    def __init__(self, opener: Opener, spec: str | None) -> None:
        self._opener = opener
        self._spec = spec
        self._pid = 0
        self._source: Source | None = None

    def source(self) -> Source:
        """Give the stores, opened by this process."""
        source = self._source
        if source is None or self._pid != os.getpid():
            if source is not None:
                # Closing what the parent process opened could disturb it: a file of SQLite's would
                # be closed under its locks. So it stays open here until this process ends.
                _opened_by_parent.append(source)
            source = self._opener(self._spec)
            # From here on by its full name: this process may change its working directory.
            self._spec = source.metadata.place
            self._pid, self._source = os.getpid(), source
        return source

    @property
    def place(self) -> str:
        """What `metadata(...)` takes to come back here, such as `local@/data/.plait`."""
        return self.source().metadata.place

    def metadata(self) -> MetadataStore:
        """Give the store of facts."""
        return self.source().metadata

    def logs(self) -> LogStore:
        """Give the store of logs."""
        return self.source().logs

    def artifacts(self, flow: str) -> ArtifactStore:
        """Give the store of the values of *flow*."""
        return self.source().artifacts(flow)


_opened_by_parent: list[Source] = []
_opener: Opener | None = None
# The connection, with what made it the default one; None there if `metadata` named it. One
# variable, so that another thread never sees half of a change.
_current: tuple[Connection, tuple[str | None, ...] | None] | None = None


def use_opener(opener: Opener) -> None:
    """Say how stores are opened, and go back to the default one.

    Called once, when the package is imported; a test calls it with stores in memory.
    """
    global _opener, _current
    _opener, _current = opener, None


class default_opened_by:  # noqa: N801  # it reads as what holds while it is entered
    """While it is entered, the default store is another one: in a task, that of its own run.

    What `metadata(...)` has named before stays.

    Args:
        opener: Opens the default store, or the one that it is given the name of.
    """

    __slots__ = ("_former", "_opener")

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def __enter__(self) -> None:
        global _opener, _current  # noqa: PLW0603  # see current_connection
        self._former = (_opener, _current)
        _opener = self._opener
        if _current is not None and _current[1] is not None:
            _current = None

    def __exit__(self, *_raised: object) -> None:
        global _opener, _current
        _opener, _current = self._former


def current_connection() -> Connection:
    """Give the connection through which new objects of the client read."""
    global _current  # noqa: PLW0603  # which store is read is this module's one piece of state
    current = _current
    if current is None or (current[1] is not None and current[1] != _read_circumstances()):
        current = _current = (_connect(None), _read_circumstances())
    return current[0]


def _connect(spec: str | None) -> Connection:
    assert _opener is not None, "use_opener was not called"
    return Connection(_opener, spec)


def _read_circumstances() -> tuple[str | None, ...]:
    """Give all that the default store depends on; a notebook may go to another folder."""
    from plait.base.settings import resolve

    try:
        folder = os.getcwd()
    except FileNotFoundError:
        folder = ""  # it was removed; what opens the store says so, if it needs it
    return (folder, resolve("datastore-root").value, resolve("metadata").value)


def current_source() -> Source:
    """Give the stores that new objects of the client read."""
    return current_connection().source()


def connect_to(place: str) -> Connection:
    """Give a connection to *place*: the current one if it is there, else a new one."""
    connection = current_connection()
    if connection.place == place:
        return connection
    return _connect(place)


def metadata(spec: str) -> str:
    """Read from the store that *spec* names from now on.

    Objects made before go on reading where they came from.

    Args:
        spec: `local@PATH`: the folder of a local store.

    Returns:
        The full name of the store, as `get_metadata` gives it.
    """
    global _current  # noqa: PLW0603  # see current_connection
    connection = _connect(spec)
    place = connection.place  # opens it, so that one that cannot be opened never becomes current
    _current = (connection, None)
    return place


def get_metadata() -> str:
    """Give the full name of the store that is read, such as `local@/data/.plait`."""
    return current_connection().place


def default_metadata() -> str:
    """Read again from the store that the settings and the working directory name; give its name."""
    global _current  # noqa: PLW0603  # see current_connection
    _current = None
    return current_connection().place
