"""Where encoded bytes go: memory while they are few, else the store, hashed on the way."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from types import TracebackType
from typing import Self

from plait.artifacts.codec import SMALL
from plait.storage.protocol import Buffer, Upload

_BATCH = 1 << 20
"""Pieces are gathered up to so many bytes, for a pickle comes in frames of 64 KiB."""
_BESIDE = 8 << 20
"""Pieces of at least so many bytes are hashed in a thread beside the write."""


class Sink:
    """Takes a value's bytes, once: `write` as often as needed, then `finish`.

    Args:
        begin: Begins an upload; called when the bytes are no longer few. None if they need only
            be hashed.
    """

    def __init__(self, begin: Callable[[], Upload] | None) -> None:
        self.size = 0
        self._begin = begin
        self._upload: Upload | None = None
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._limit = SMALL
        self._digest = sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop what was not committed."""
        if self._upload is not None:
            self._upload.__exit__(kind, error, trace)

    def write(self, data: Buffer) -> None:
        """Take *data*, which may change after the call."""
        size = memoryview(data).nbytes
        self.size += size
        if size >= _BATCH:
            self._flush()
            self._pass_on(data, size)
            return
        self._waiting.append(data if type(data) is bytes else bytes(data))
        self._waiting_size += size
        if self._waiting_size > self._limit:
            self._flush()

    def finish(self) -> tuple[str, bytes | None]:
        """Give the address, and the bytes themselves if they are few."""
        if self._limit == SMALL:
            payload = b"".join(self._waiting)
            self._digest.update(payload)
            return self._digest.hexdigest(), payload
        self._flush()
        return self._digest.hexdigest(), None

    def commit(self, key: str) -> None:
        """Give what was uploaded its key; if an equal value has it already, that is as good."""
        if self._upload is not None:
            self._upload.commit(key)

    def _flush(self) -> None:
        self._limit = _BATCH
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._waiting_size = 0
            self._pass_on(data, len(data))

    def _pass_on(self, data: Buffer, size: int) -> None:
        if self._begin is None:
            self._digest.update(data)
            return
        if self._upload is None:
            self._upload = self._begin()
        if size < _BESIDE:
            self._digest.update(data)
            self._upload.write(data)
            return
        # Hashing and writing both let go of the interpreter, and take about as long as each other.
        from threading import Thread

        thread = Thread(target=self._digest.update, args=(data,))
        thread.start()
        try:
            self._upload.write(data)
        finally:
            thread.join()
