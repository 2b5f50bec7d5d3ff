"""What an `S3` has read: small objects in memory until their file is asked for, others in files."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
from itertools import count
from threading import Lock
from typing import Protocol

from plait.s3.errors import S3ScratchFailed

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


class _Folder:
    """A folder that one process makes, and that no other one removes."""

    def __init__(self, tmproot: str | None) -> None:
        self._tmproot = tmproot
        self._path = ""
        self.lock = Lock()
        self.numbers = count()

    def find(self, owner: object) -> str:
        """Give its path; made now if need be, and removed when *owner* is gone."""
        with self.lock:
            if not self._path:
                try:
                    self._path = tempfile.mkdtemp(prefix="plait-s3-", dir=self._tmproot)
                except OSError as error:
                    folder = self._tmproot or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108  # as a name
                    raise S3ScratchFailed(folder, str(error)) from error
                # Also where nobody clears it, and at the interpreter's end.
                weakref.finalize(owner, _remove, self._path, os.getpid())
                forks = sys.modules.get("multiprocessing.util")
                if forks is not None:
                    # Its children end in a way of their own.
                    gone = (self._path, os.getpid())
                    forks.Finalize(None, _remove, args=gone, exitpriority=0)
            return self._path

    def remove(self) -> None:
        """Remove it with what is in it."""
        if self._path:
            shutil.rmtree(self._path, ignore_errors=True)


def _remove(path: str, process: int) -> None:
    # A process forked from the one that made it has this to do at its end, too.
    if process == os.getpid():
        shutil.rmtree(path, ignore_errors=True)


class Shelf:
    """A folder of its own, and memory, for what one `S3` reads; from any number of threads.

    To make a file and remove it takes as long as to ask a server for a small object, and most
    code wants the bytes and no file.

    A process forked from the one that made it has a folder of its own for what it reads itself,
    and leaves alone what the other one has read.

    Args:
        tmproot: The folder to make it in; None for the system's own.

    Raises:
        S3ScratchFailed: It can't be made there.
    """

    def __init__(self, tmproot: str | None = None) -> None:
        self._tmproot = tmproot
        self.bodies: dict[str, bytes] = {}
        """What is in memory, by the path of the file that it would have."""
        self._room = _ROOM
        self._folders: dict[int, _Folder] = {}
        self._own().find(self)  # a folder that can't be made is told where it was named

    def _own(self) -> _Folder:
        """Give this process's folder; its lock was not held by anybody when the process began."""
        process = os.getpid()
        # At once, as several threads may come here first.
        return self._folders.get(process) or self._folders.setdefault(
            process, _Folder(self._tmproot)
        )

    def new_path(self) -> str:
        """Give the path of a file that is not there. Raises S3ScratchFailed."""
        own = self._own()
        return os.path.join(own.find(self), str(next(own.numbers)))

    def keep(self, body: bytes | bytearray, path: str | None = None) -> Kept:
        """Keep the bytes of an object.

        Args:
            body: The bytes.
            path: The file to keep them in if they are many; a new one by default.

        Raises:
            S3ScratchFailed: They can't be kept.
        """
        path = path or self.new_path()
        if len(body) <= _SMALL:
            with self._own().lock:
                if len(body) <= self._room:
                    self._room -= len(body)
                    self.bodies[path] = bytes(body)
                    return InMemory(self, path)
        self._fill(path, body)
        return InFile(path)

    def write(self, path: str) -> None:
        """Make the file of what is in memory; nothing happens if it is there, or cleared.

        Raises:
            S3ScratchFailed: It can't be made.
        """
        with self._own().lock:
            body = self.bodies.get(path)
            if body is None or os.path.exists(path):
                return
            # By another name, as a process forked from this one may be about to do the same.
            draft = f"{path}.{os.getpid()}"
            self._fill(draft, body)
            os.replace(draft, path)

    def _fill(self, path: str, body: bytes | bytearray) -> None:
        try:
            with open(path, "wb") as file:
                file.write(body)
        except OSError as error:
            raise S3ScratchFailed(os.path.dirname(path), str(error)) from error

    def clear(self) -> None:
        """Forget all bytes and remove all files of this process."""
        self.bodies.clear()
        self._own().remove()
