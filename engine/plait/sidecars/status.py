"""What a sidecar's process notes of its work, where it can still be read when it was killed."""

from __future__ import annotations

import os
from dataclasses import dataclass

_COUNT_BYTES = 8
_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class Status:
    """How far a sidecar came.

    Args:
        taken: How many messages it took without an error.
        error: The first thing that went wrong in it, in the middle of a sentence; else empty.
    """

    taken: int = 0
    error: str = ""


class StatusFile:
    """A nameless file that two processes share by its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write_taken(self, taken: int) -> None:
        """Note how many messages were taken so far."""
        os.pwrite(self._descriptor, taken.to_bytes(_COUNT_BYTES, "big"), 0)

    def write_error(self, error: str) -> None:
        """Note what went wrong; the first is kept."""
        if not self.read().error:
            data = error.encode("utf-8", "backslashreplace")[:_LONGEST_ERROR]
            os.pwrite(self._descriptor, data, _COUNT_BYTES)

    def read(self) -> Status:
        """Give what was noted last."""
        data = os.pread(self._descriptor, _COUNT_BYTES + _LONGEST_ERROR, 0)
        taken, error = data[:_COUNT_BYTES], data[_COUNT_BYTES:]
        return Status(int.from_bytes(taken, "big"), error.decode("utf-8", "replace"))
