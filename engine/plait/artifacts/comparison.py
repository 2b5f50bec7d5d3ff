"""An output that compares what is written with what is stored, and stops where they differ."""

from __future__ import annotations

from plait.artifacts import codec
from plait.storage.protocol import Buffer

_PIECE = 1 << 18
"""Compared so many bytes at a time: pieces that stay in the processor's cache as they are copied,
because memoryviews compare element by element, ten times slower than bytes do."""


class Differs(Exception):
    """The bytes written are not the stored ones."""

    def __init__(self, stored: Buffer, offset: int) -> None:
        super().__init__(f"differs from byte {offset} on")
        self._stored = stored
        self._offset = offset

    def in_buffer(self, codec_name: str) -> bool:
        """Say whether the pickles were equal, so that a buffer is what differs."""
        if codec_name != codec.WITH_BUFFERS:
            return False
        try:
            return self._offset >= codec.pickled_size(self._stored)
        except codec.BadPayload:
            return False  # damaged; loading it will say so


class Comparison:
    """Takes encoded bytes and raises Differs at the piece in which they are not *stored*'s."""

    def __init__(self, stored: Buffer) -> None:
        self.size = 0
        self._stored = memoryview(stored)

    @property
    def is_complete(self) -> bool:
        """Whether all stored bytes were met."""
        return self.size == len(self._stored)

    def write(self, data: Buffer) -> None:
        """Compare *data* with the next stored bytes. Raises Differs."""
        start, view = self.size, memoryview(data)
        self.size += view.nbytes
        if self.size > len(self._stored):
            raise Differs(self._stored, start)
        for done in range(0, view.nbytes, _PIECE):
            piece = bytes(view[done : done + _PIECE])
            if piece != bytes(self._stored[start + done : start + done + len(piece)]):
                raise Differs(self._stored, start + done)
