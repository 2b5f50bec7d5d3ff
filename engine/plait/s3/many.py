"""Many objects at once: small ones over many connections, large ones in parts."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn, Self, TypeVar

from plait.s3.connection import S3Connection
from plait.s3.lanes import PART, side_by_side
from plait.s3.lean import SMALL, LeanReader, Part, Target, find_target
from plait.s3.location import Location
from plait.s3.objects import ObjectFacts
from plait.s3.reading import read_facts, read_part, read_start
from plait.s3.wire import Unusual

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = 16
"""So many objects are on their way at once."""
_LEAST_PARTS = 4
"""At least so many parts of large objects, of one or of several, are on their way at once."""


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
    """Reads whole objects, from any number of threads. For one process.

    However many large ones are read at once, the parts that are on their way are few: each takes
    a core while it comes in, and memory.

    Args:
        connection: The server.
    """

    def __init__(self, connection: S3Connection) -> None:
        self._connection = connection
        # The client is made here, once, and not by several threads at once.
        self._target: Target | None = find_target(connection)
        self._own = threading.local()
        self._readers: list[LeanReader] = []
        self._gate = threading.Semaphore(max(_LEAST_PARTS, 2 * (os.cpu_count() or 1)))

    def fetch(self, where: Location, path: str) -> tuple[bytearray | None, ObjectFacts]:
        """Read an object.

        Args:
            where: The object.
            path: The file to read it into, if it is not small; made or overwritten.

        Returns:
            Its bytes, or None if they are in the file; its facts.

        Raises:
            S3NotFound: There is none.
            S3Error: It could not be read, or was overwritten meanwhile.
        """
        with _Sink(path) as sink:
            body, facts = self._start(where, sink)
            if facts.size > PART:
                sink.resize(facts.size)
                rest = range(PART, facts.size, PART)
                side_by_side(lambda offset: self._fetch_part(where, offset, facts, sink), rest)
        return body, facts

    def fetch_small(self, where: Location) -> bytes | None:
        """Give the bytes of an object of up to `SMALL` bytes; None for a larger one, which stays.

        Raises S3NotFound, S3Error.
        """
        if self._target is not None:
            reader = self._reader(self._target)
            try:
                body, _ = reader.read(where, _refuse_large)
            except _Large:
                reader.close()
                return None
            except Unusual:
                pass  # as above
            else:
                return None if body is None else bytes(body)
        if read_facts(self._connection, where).size > SMALL:
            return None
        return read_start(self._connection, where)[0]

    def _start(self, where: Location, sink: _Sink) -> tuple[bytearray | None, ObjectFacts]:
        if self._target is not None:
            try:
                return self._reader(self._target).read(where, sink)
            except Unusual:
                pass  # it is asked for again, by the library
        body, facts = read_start(self._connection, where)
        sink(0)(memoryview(body))
        return None, facts

    def _fetch_part(self, where: Location, offset: int, facts: ObjectFacts, sink: _Sink) -> None:
        length = min(PART, facts.size - offset)
        with self._gate:
            if self._target is not None:
                try:
                    part = Part(offset, length, facts.etag)
                    self._reader(self._target).read_part(where, part, sink)
                except Unusual:
                    pass  # as above
                else:
                    return
            body = read_part(self._connection, where, offset, length, facts.etag)
            sink(offset)(memoryview(body))

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


class _Large(Exception):
    """An object is not small."""


def _refuse_large(_: int) -> NoReturn:
    raise _Large


class _Sink:
    """A file that is made once there is something to write into it, at any offset."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)

    def __call__(self, offset: int) -> Callable[[memoryview], None]:
        """Give what writes one piece after another from *offset* on."""
        if self._file < 0:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        at = offset

        def write(data: memoryview) -> None:
            nonlocal at
            while data:
                written = os.pwrite(self._file, data, at)
                data, at = data[written:], at + written

        return write

    def resize(self, size: int) -> None:
        """Give the file its length."""
        os.truncate(self._file, size)
