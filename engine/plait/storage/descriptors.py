"""Bytes between memory and an open file: whole, and in as few system calls as pay."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator

from plait.storage.protocol import Buffer

ONE_READ = 1 << 20
"""Up to so many bytes are asked for without looking at the file's size first."""
_ONE_WRITE = 1 << 20
"""Parts are gathered up to so many bytes, so that a hundred small ones cost one system call."""
_NO_MAPPING = {errno.EMFILE, errno.ENFILE, errno.ENODEV}
"""Before Python 3.13 a mapping keeps a descriptor, and a join may load a thousand arrays; some file
systems can't map at all. Memory with no file behind it does as well."""


def gather(parts: Iterable[Buffer]) -> Iterator[Buffer]:
    """Give *parts* again, small ones put together to be written at once."""
    waiting: list[Buffer] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _ONE_WRITE:
            yield b"".join(waiting) if len(waiting) > 1 else part
            waiting.clear()
            size = 0
    if waiting:
        yield b"".join(waiting)


def write_all(fd: int, data: Buffer) -> None:
    """Write all of *data*."""
    rest = memoryview(data)
    while rest:  # one call writes at most 2 GiB
        rest = rest[os.write(fd, rest) :]


def append_all(fd: int, data: Buffer) -> None:
    """Add all of *data* to the end, or nothing of it."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError:
        written = len(data) - len(rest)
        if written:
            os.ftruncate(fd, os.fstat(fd).st_size - written)
        raise


def read_part(fd: int, offset: int, length: int) -> bytes:
    """Give up to *length* bytes from *offset* on."""
    if length <= ONE_READ:
        return os.pread(fd, length, offset)  # a short read of so little is the file's end
    with open(fd, "rb", closefd=False) as file:
        file.seek(offset)
        return file.read(length)


def map_file(fd: int, size: int) -> memoryview:
    """Give the *size* bytes of a file as private, writable memory that is read on use."""
    # Loaded here, for most tasks read only small files.
    from mmap import ACCESS_COPY, mmap

    try:
        if sys.version_info >= (3, 13):
            return memoryview(mmap(fd, size, access=ACCESS_COPY, trackfd=False))
        return memoryview(mmap(fd, size, access=ACCESS_COPY))
    except OSError as error:
        if error.errno not in _NO_MAPPING:
            raise
        return copy_file(fd, memoryview(mmap(-1, size, access=ACCESS_COPY)))


def copy_file(fd: int, memory: memoryview) -> memoryview:
    """Read a file from its beginning into *memory*, and give the part that it fills."""
    with open(fd, "rb", closefd=False) as file:
        return memory[: file.readinto(memory)]
