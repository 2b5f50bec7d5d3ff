"""What can go wrong with a store of bytes: it is full, forbidden or failing, or a key is no key."""

from __future__ import annotations

import errno

from plait.base.errors import PlaitError

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class StorageFull(PlaitError):
    """There is no room for what is being written: the disk, a quota or a limit says so."""

    slug = "storage-full"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"there is no room to write '{path}'",
            why=f"the system says: {reason}; what was written of it so far has been removed",
            fix="make room on that disk, or set PLAIT_DATASTORE_ROOT to a folder on another one",
        )


class StorageForbidden(PlaitError):
    """The store may not be read or written by this user, or not at all."""

    slug = "storage-forbidden"

    def __init__(self, path: str, action: str, reason: str) -> None:
        super().__init__(
            f"plait may not {action} '{path}'",
            why=f"the system says: {reason}",
            fix="give yourself the right to that folder, or set PLAIT_DATASTORE_ROOT to one that "
            "is yours",
        )


class StorageFailed(PlaitError):
    """The system could not read or write the store, for a reason of its own."""

    slug = "storage-failed"

    def __init__(self, path: str, action: str, reason: str) -> None:
        super().__init__(
            f"plait could not {action} '{path}'",
            why=f"the system says: {reason}",
            fix="mend what the system names, or set PLAIT_DATASTORE_ROOT to another folder",
        )


class BadKey(PlaitError):
    """A name of a flow, run, step or task can't be a part of a storage's key."""

    slug = "bad-key"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key!r} can't be the name of anything in a store",
            why="its parts are divided by '/'; none may be empty, '.' or '..', or hold a "
            "backslash, a NUL or half a surrogate pair",
            fix="check the names of the run, the step and the task that you asked for",
        )


def storage_error(error: OSError, path: str, action: str) -> PlaitError:
    """Give the mistake that an error of the system amounts to.

    Args:
        error: What the system raised.
        path: The file or folder that it was about.
        action: What was being done to it: `read`, `write`, ...
    """
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return StorageFull(path, reason)
    if error.errno in _FORBIDDEN:
        return StorageForbidden(path, action, reason)
    return StorageFailed(path, action, reason)
