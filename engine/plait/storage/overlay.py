"""A storage over another one: what is written stays above, what is not there is read from below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from typing import TypeVar

from plait.storage.protocol import Buffer, MissingKey, Storage, Upload

T = TypeVar("T")


class OverlayStorage:
    """Bytes of two storages, of which only the upper one is ever written to.

    Args:
        upper: Takes what is written, and is asked first.
        lower: Is asked for what the upper one lacks; never changed.
        own: A folder of keys that are the upper one's alone, so that what has the same name below
            is not seen; empty for none.
    """

    def __init__(self, upper: Storage, lower: Storage, *, own: str = "") -> None:
        self._upper = upper
        self._lower = lower
        self._own = f"{own}/" if own else ""

    @property
    def place(self) -> str:
        """Where the upper one is."""
        return self._upper.place

    def excludes(self) -> bool:
        """Say what the store above says, which is written to."""
        return self._upper.excludes()

    def warm(self) -> None:
        """Load what processes forked from this one need, for both."""
        self._upper.warm()
        self._lower.warm()

    def get(self, key: str) -> bytes:
        """Give all bytes under *key*. Raises MissingKey."""
        return self._read(key, lambda storage: storage.get(key))

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Give up to *length* bytes from *offset* on. Raises MissingKey."""
        return self._read(key, lambda storage: storage.get_range(key, offset, length))

    def view(self, key: str) -> memoryview:
        """Give all bytes under *key* as private, writable memory. Raises MissingKey."""
        return self._read(key, lambda storage: storage.view(key))

    def view_anew(self, key: str) -> memoryview:
        """Give all bytes under *key* from the store that has it. Raises MissingKey."""
        return self._read(key, lambda storage: storage.view_anew(key))

    def put(self, key: str, parts: Iterable[Buffer]) -> bool:
        """Write *parts* under *key* above, if nothing is there yet."""
        return self._upper.put(key, parts)

    def put_all(self, objects: Sequence[tuple[str, Sequence[Buffer]]]) -> None:
        """Write each key's parts above, where nothing is there yet."""
        self._upper.put_all(objects)

    def bring(self, keys: Sequence[str], *, keep: bool = False) -> None:
        """Bring near what the store below may be asked for."""
        self._lower.bring([key for key in keys if self._is_shared(key)], keep=keep)

    def upload(self) -> Upload:
        """Begin an object above whose key is known only once it is written."""
        return self._upper.upload()

    def append(self, key: str, data: Buffer) -> None:
        """Add *data* to the end of the log *key* above."""
        self._upper.append(key, data)

    def flush(self, key: str) -> None:
        """Make everybody see all that was appended to *key* above."""
        self._upper.flush(key)

    def refresh(self, key: str) -> bool:
        """Forget what is kept of *key* nearer than the stores themselves."""
        above = self._upper.refresh(key)
        return self._lower.refresh(key) or above

    def modified(self, key: str) -> float | None:
        """Give when *key* was written; None if it is not there."""
        found = self._upper.modified(key)
        return self._lower.modified(key) if found is None and self._is_shared(key) else found

    def has(self, key: str) -> bool:
        """Say whether anything is stored under *key*."""
        return self._upper.has(key) or (self._is_shared(key) and self._lower.has(key))

    def size(self, key: str) -> int:
        """Give the number of bytes under *key*. Raises MissingKey."""
        return self._read(key, lambda storage: storage.size(key))

    def iter_keys(self, prefix: str) -> Iterator[str]:
        """Give every key that begins with the folder *prefix*, sorted."""
        below = (key for key in self._lower.iter_keys(prefix) if self._is_shared(key))
        last = None
        for key in merge(self._upper.iter_keys(prefix), below):
            if key != last:
                yield key
            last = key

    def iter_folders(self, prefix: str = "") -> Iterator[str]:
        """Give the names of the folders right below *prefix*, sorted."""
        yield from sorted({*self._upper.iter_folders(prefix), *self._lower.iter_folders(prefix)})

    def delete(self, key: str) -> None:
        """Remove *key* above; what is below shows again."""
        self._upper.delete(key)

    def prune(self, prefix: str) -> None:
        """Remove the folder *prefix* above as far as it holds no keys."""
        self._upper.prune(prefix)

    def sweep(self, folder: str | None = None) -> None:
        """Remove what uploads above left unfinished."""
        self._upper.sweep(folder)

    def _is_shared(self, key: str) -> bool:
        return not (self._own and key.startswith(self._own))

    def _read(self, key: str, ask: Callable[[Storage], T]) -> T:
        try:
            return ask(self._upper)
        except MissingKey:
            if not self._is_shared(key):
                raise
        return ask(self._lower)
