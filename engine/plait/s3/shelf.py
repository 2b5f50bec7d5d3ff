"""What an `S3` has read: small objects in memory until their file is asked for, others in files."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from itertools import count
from threading import Lock
from typing import Protocol

_SMALL = 1 << 20
"""Objects of up to so many bytes may stay in memory."""
_ROOM = 64 << 20
"""So many bytes stay in memory in all; what is read after that goes into files."""


class Kept(Protocol):
    """The bytes of an object that was read, until its `S3` is closed."""

    @property
    def path(self) -> str:
        """The file that holds them."""
        ...

    def read(self) -> bytes:
        """Give them. Raises FileNotFoundError when the `S3` is closed."""
        ...


class InFile:
    """Bytes in a file.

    Args:
        path: The file.
    """

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> bytes:
        """Give the bytes. Raises FileNotFoundError when the `S3` is closed."""
        with open(self.path, "rb") as file:
            return file.read()


class InMemory:
    """Bytes in memory, and in a file as well once somebody asks for that.

    Args:
        shelf: Where they are.
        path: The file, which may not be there yet.
    """

    __slots__ = ("_path", "_shelf")

    def __init__(self, shelf: Shelf, path: str) -> None:
        self._shelf, self._path = shelf, path

    @property
    def path(self) -> str:
        """The file that holds them, made now if need be."""
        self._shelf.write(self._path)
        return self._path

    def read(self) -> bytes:
        """Give the bytes. Raises FileNotFoundError when the `S3` is closed."""
        body = self._shelf.bodies.get(self._path)
        return InFile(self._path).read() if body is None else body

    def __reduce__(self) -> tuple[type[InFile], tuple[str]]:
        """Travel to other processes as a file, whatever the size."""
        return InFile, (self.path,)


class Shelf:
    """A folder of its own, and memory, for what one `S3` reads; from any number of threads.

    To make a file and remove it takes as long as to ask a server for a small object, and most
    code wants the bytes and no file.

    Args:
        tmproot: The folder to make it in; None for the system's own.
    """

    def __init__(self, tmproot: str | None = None) -> None:
        folder = tempfile.mkdtemp(prefix="plait-s3-", dir=tmproot)
        self.bodies: dict[str, bytes] = {}
        """What is in memory, by the path of the file that it would have."""
        self._room = _ROOM
        self._folder = folder
        self._numbers = count()
        self._lock = Lock()
        # Also where nobody clears it, and at the interpreter's end.
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def new_path(self) -> str:
        """Give the path of a file that is not there."""
        return os.path.join(self._folder, str(next(self._numbers)))

    def keep(self, body: bytes | bytearray) -> Kept:
        """Keep the bytes of an object."""
        path = self.new_path()
        if len(body) <= _SMALL:
            with self._lock:
                if len(body) <= self._room:
                    self._room -= len(body)
                    self.bodies[path] = bytes(body)
                    return InMemory(self, path)
        with open(path, "wb") as file:
            file.write(body)
        return InFile(path)

    def write(self, path: str) -> None:
        """Make the file of what is in memory; nothing happens if it is there, or cleared."""
        with self._lock:
            body = self.bodies.get(path)
            if body is None or os.path.exists(path):
                return
            # By another name, as a process forked from this one may be about to do the same.
            draft = f"{path}.{os.getpid()}"
            with open(draft, "wb") as file:
                file.write(body)
            os.replace(draft, path)

    def clear(self) -> None:
        """Forget all bytes and remove all files."""
        self.bodies.clear()
        self._remove()
