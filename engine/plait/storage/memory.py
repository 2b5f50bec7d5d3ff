"""A storage that lives in this process's memory: for tests, and for looking at what is written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from types import TracebackType
from typing import Self

from plait.storage.keys import check_key
from plait.storage.protocol import Buffer, MissingKey, Upload

_PLACE = "memory"


class MemoryStorage:
    """Bytes by key in a dict; gone with the process, and not shared with others.

    Threads of one process may share it.
    """

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._times: dict[str, float] = {}
        self._lock = Lock()

    @property
    def place(self) -> str:
        """The word `memory`."""
        return _PLACE

    def excludes(self) -> bool:
        """Say that of two who put one key, one gets True."""
        return True

    def warm(self) -> None:
        """Do nothing: there is nothing to load."""

    def get(self, key: str) -> bytes:
        """Give all bytes under *key*. Raises MissingKey."""
        check_key(key)
        try:
            return self._objects[key]
        except KeyError:
            raise MissingKey(key, _PLACE) from None

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Give up to *length* bytes from *offset* on. Raises MissingKey."""
        return self.get(key)[offset : offset + length]

    def view(self, key: str) -> memoryview:
        """Give a writable copy of the bytes under *key*. Raises MissingKey."""
        return memoryview(bytearray(self.get(key)))

    def view_anew(self, key: str) -> memoryview:
        """Give what `view` gives: nothing is kept nearer. Raises MissingKey."""
        return self.view(key)

    def put(self, key: str, parts: Iterable[Buffer]) -> bool:
        """Keep *parts*, one after another, under *key*, if nothing is there yet."""
        check_key(key)
        data = b"".join(parts)
        with self._lock:
            if key in self._objects:
                return False
            self._objects[key] = data
            self._times[key] = time.time()
            return True

    def put_all(self, objects: Sequence[tuple[str, Sequence[Buffer]]]) -> None:
        """Write each key's parts, where nothing is there yet."""
        for key, parts in objects:
            self.put(key, parts)

    def bring(self, keys: Sequence[str], *, keep: bool = False) -> None:
        """Do nothing: all is near."""

    def upload(self) -> Upload:
        """Begin an object whose key is known only once it is written."""
        return _MemoryUpload(self)

    def append(self, key: str, data: Buffer) -> None:
        """Add *data* to the end of the log *key*, making it if need be."""
        check_key(key)
        with self._lock:
            self._objects[key] = self._objects.get(key, b"") + bytes(data)
            self._times[key] = time.time()

    def flush(self, key: str) -> None:
        """Do nothing but check *key*: what was appended is seen at once."""
        check_key(key)

    def refresh(self, key: str) -> bool:
        """Say that another read of *key* gives the same."""
        check_key(key)
        return False

    def modified(self, key: str) -> float | None:
        """Give when *key* was written, in seconds since 1970; None if it is not there."""
        check_key(key)
        return self._times.get(key) if key in self._objects else None

    def has(self, key: str) -> bool:
        """Say whether anything is stored under *key*."""
        check_key(key)
        return key in self._objects

    def size(self, key: str) -> int:
        """Give the number of bytes under *key*. Raises MissingKey."""
        return len(self.get(key))

    def iter_keys(self, prefix: str) -> Iterator[str]:
        """Give every key that begins with the folder *prefix*, sorted."""
        check_key(prefix)
        folder = f"{prefix}/"
        yield from sorted(key for key in tuple(self._objects) if key.startswith(folder))

    def iter_folders(self, prefix: str = "") -> Iterator[str]:
        """Give the names of the folders right below *prefix*, sorted."""
        if prefix:
            check_key(prefix)
        start = len(prefix) + 1 if prefix else 0
        found = (
            key[start:]
            for key in tuple(self._objects)
            if key.startswith(prefix + "/" * bool(start))
        )
        yield from sorted({name.partition("/")[0] for name in found if "/" in name})

    def delete(self, key: str) -> None:
        """Remove *key*; nothing happens if it is not there."""
        check_key(key)
        self._objects.pop(key, None)

    def prune(self, prefix: str) -> None:
        """Do nothing: without keys, there are no folders here."""
        check_key(prefix)

    def sweep(self, folder: str | None = None) -> None:
        """Do nothing: an unfinished upload here dies with the process that made it."""


class _MemoryUpload:
    def __init__(self, storage: MemoryStorage) -> None:
        self._storage = storage
        self._parts: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._parts.clear()

    def write(self, data: Buffer) -> None:
        self._parts.append(bytes(data))

    def commit(self, key: str) -> bool:
        return self._storage.put(key, self._parts)
