"""Reading ahead from S3: small objects that are soon to be read, many at once, for one read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plait.s3.errors import S3NotFound
from plait.s3.many import Fetcher, for_each
from plait.storage.s3_place import S3Place

_SMALL = 1 << 16
"""Objects of up to so many bytes wait in memory."""
_MOST = 1024
"""So many of these are waited for."""


class Ahead:
    """What was read before it is asked for. For one process.

    Args:
        place: Where the objects are.
    """

    def __init__(self, place: S3Place) -> None:
        self._place = place
        self._bodies: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._bodies)

    def take(self, key: str) -> bytes | None:
        """Give the bytes under *key*, once; None if they were not read."""
        return self._bodies.pop(key, None)

    def read(self, keys: Sequence[str], keep: Callable[[str, bytes], None] | None) -> None:
        """Read small objects, many at once; what is missing or large is passed over.

        Args:
            keys: Which.
            keep: Takes each key with its bytes; by default they are held here.
        """
        if not keys:
            return
        if len(self._bodies) > _MOST:
            self._bodies.clear()  # who asked for them went away
        fetcher = Fetcher(self._place.connection)

        def read(key: str) -> None:
            try:
                body = fetcher.fetch_small(self._place.at(key))
            except S3NotFound:
                return  # who reads it is told
            if body is not None and keep is not None:
                keep(key, body)
            elif body is not None and len(body) <= _SMALL:
                self._bodies[key] = body

        try:
            for_each(read, keys)
        finally:
            fetcher.close()
