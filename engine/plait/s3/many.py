"""Many objects at once: small ones over many connections, large ones in parts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from plait.s3.connection import S3Connection
from plait.s3.errors import S3NotFound
from plait.s3.lean import LeanReader, Target, Unusual, find_target
from plait.s3.location import Location
from plait.s3.objects import ObjectFacts
from plait.s3.reading import download

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = 16
"""So many objects are on their way at once."""


def for_each(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Do *work* for each item, many at once, and give the results in the items' order.

    After an error, which is raised, none is begun any more.
    """
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(THREADS, len(items))) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()


class Fetcher:
    """Reads objects into files, from any number of threads. For one process.

    Args:
        connection: The server.
    """

    def __init__(self, connection: S3Connection) -> None:
        self._connection = connection
        # The client is made here, once, and not by several threads at once.
        self._target: Target | None = find_target(connection)
        self._own = threading.local()
        self._readers: list[LeanReader] = []

    def fetch(self, where: Location, path: str) -> ObjectFacts | None:
        """Read an object into a file; None if there is none. Raises S3Error."""
        begun = None
        if self._target is not None:
            try:
                begun = self._reader(self._target).read(where)
            except Unusual:
                begun = None
            else:
                if begun is None:
                    return None
        try:
            return download(self._connection, where, path, begun)
        except S3NotFound:
            return None

    def close(self) -> None:
        """Close the connections."""
        for reader in self._readers:
            reader.close()

    def _reader(self, target: Target) -> LeanReader:
        reader: LeanReader | None = getattr(self._own, "reader", None)
        if reader is None:
            reader = self._own.reader = LeanReader(target)
            self._readers.append(reader)
        return reader
