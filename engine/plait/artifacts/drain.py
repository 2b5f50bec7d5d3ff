"""A large payload that is read once, from its beginning, and gives its memory back on the way."""

from __future__ import annotations

import mmap

from plait.storage.protocol import Buffer

_STEP = 16 << 20
_CAN_RELEASE = hasattr(mmap.mmap, "madvise") and hasattr(mmap, "MADV_DONTNEED")


class Drain:
    """A file for the unpickler over bytes that are not wanted any more once it has them.

    What is made of a value that is one large piece, as text and bytes are, is a copy of its
    payload. Were the payload kept until the copy is whole, both would be in memory.

    Args:
        payload: The bytes. Those of a mapped file are let go of as they are read, and are again as
            they are in the file where somebody looks at them later.
    """

    def __init__(self, payload: Buffer) -> None:
        self._view = memoryview(payload)
        self._at = 0
        self._map: mmap.mmap | None = None
        whole: object = self._view.obj
        if _CAN_RELEASE and isinstance(whole, mmap.mmap) and len(whole) == len(self._view):
            self._map = whole
        self._released = 0

    def read(self, size: int) -> bytes:
        """Give the next *size* bytes, or what there is."""
        data = bytes(self._view[self._at : self._at + size])
        self._move(len(data))
        return data

    def readinto(self, target: Buffer) -> int:
        """Fill *target* with the next bytes; say how many these were."""
        into = memoryview(target).cast("B")
        filled = 0
        while filled < len(into):
            step = min(_STEP, len(into) - filled, len(self._view) - self._at)
            if not step:
                break
            into[filled : filled + step] = self._view[self._at : self._at + step]
            self._move(step)
            filled += step
        return filled

    def readline(self) -> bytes:
        """Give what is left up to the end of the line, which only old pickles ask for."""
        rest = bytes(self._view[self._at :])
        line = rest[: rest.find(b"\n") + 1] or rest
        self._move(len(line))
        return line

    def _move(self, size: int) -> None:
        self._at += size
        if self._map is None or self._at - self._released < _STEP:
            return
        end = self._at - self._at % mmap.PAGESIZE
        self._map.madvise(mmap.MADV_DONTNEED, self._released, end - self._released)
        self._released = end
