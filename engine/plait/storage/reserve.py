"""Room that a run keeps for its last word, so that its end can be recorded on a full disk."""

from __future__ import annotations

import errno
import os

from plait.storage.errors import storage_error

RESERVED_BYTES = 1 << 17
"""What the end of a run takes in a database, several times over."""

_NO_ROOM = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Reserve:
    """Some room on the disk of a folder, held by a file that has no name.

    So nothing is left of it, however the process ends. Where the system or the file system cannot
    set room aside, none is held.

    Args:
        folder: A folder on that disk.

    Raises:
        StorageFull: There is not even that room.
    """

    def __init__(self, folder: str) -> None:
        self._descriptor: int | None = None
        if not hasattr(os, "posix_fallocate"):
            return
        path = os.path.join(folder, f".reserve-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except OSError as error:
            raise storage_error(error, path, "write") from error
        os.unlink(path)
        try:
            os.posix_fallocate(descriptor, 0, RESERVED_BYTES)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _NO_ROOM:
                raise storage_error(error, path, "write") from error
        else:
            self._descriptor = descriptor

    def release(self) -> None:
        """Give the room back, once."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)
