"""Values from a distant store kept on this machine's disk, by address, up to a size in all."""

from __future__ import annotations

import os
import time
from itertools import count

from plait.storage.descriptors import map_file

_names = count()
_EVICTED = ".evicted"
_EVERY_SECONDS = 60.0
"""The cache is looked through at most so often, by all processes together."""
_ROOM = 0.8
"""After it was over its limit, so much of that stays in use."""


class BlobCache:
    """Files by address below a folder; any number of processes may share it.

    A file gets its name when it is whole, and is what its address says, or else whoever reads it
    will notice. One that is removed while it is in use stays readable for those who opened it.

    Args:
        folder: Where they lie; made when needed.
        limit: The most bytes of them all; for a moment it may be more.
    """

    def __init__(self, folder: str, limit: int) -> None:
        self.folder = folder
        self._limit = limit

    def find(self, address: str) -> memoryview | None:
        """Give the bytes of *address* as private, writable memory; None if it is not here."""
        path = self._path(address)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            return None  # not here, or not readable: the distant store has it
        try:
            # What was used last is kept longest. Not the system's own note of reading, which
            # most disks are mounted without.
            os.utime(descriptor)
            size = os.fstat(descriptor).st_size
            return map_file(descriptor, size) if size else memoryview(bytearray())
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def new_file(self) -> str:
        """Give the path of a file that is not there, for what is to be admitted.

        Raises:
            OSError: There is no folder for it, and none can be made.
        """
        os.makedirs(self.folder, exist_ok=True)
        return os.path.join(self.folder, f"{os.getpid()}-{next(_names)}-{os.urandom(3).hex()}")

    def admit(self, address: str, path: str) -> None:
        """Take over the file *path*, which holds the bytes of *address*, as far as that works."""
        target = self._path(address)
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(path, target)
        except OSError:
            # Another file system, a full disk, a folder that is not ours: the value is in the
            # distant store all the same.
            return
        self._evict()

    def drop(self, address: str) -> bool:
        """Forget *address*; say whether it was here."""
        try:
            os.unlink(self._path(address))
        except OSError:
            return False
        return True

    def _path(self, address: str) -> str:
        return os.path.join(self.folder, address[:2], address)

    def _evict(self) -> None:
        mark = os.path.join(self.folder, _EVICTED)
        now = time.time()
        try:
            if now - os.stat(mark).st_mtime < _EVERY_SECONDS:
                return
        except OSError:
            pass  # nobody has looked yet
        try:
            with open(mark, "w", encoding="utf-8"):
                pass
            os.utime(mark, (now, now))
        except OSError:
            return
        self.evict()

    def evict(self) -> None:
        """Remove what was not used for longest, if there is more than the limit."""
        found = []
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    facts = os.stat(path)
                except OSError:
                    continue  # another process removed it
                found.append((facts.st_mtime, facts.st_size, path))
        total = sum(size for _, size, _ in found)
        if total <= self._limit:
            return
        for _, size, path in sorted(found):
            if total <= self._limit * _ROOM:
                return
            try:
                os.unlink(path)
            except OSError:
                continue
            total -= size
