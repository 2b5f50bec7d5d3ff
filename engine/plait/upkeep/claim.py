"""Who is at work on a flow's values: runs share it, and cleaning needs it for itself.

A value is written before the attempt that refers to it is sealed. In between, nothing but the
process that wrote it knows that it is needed. So values are removed only while no process writes
any, which a lock on a file tells, however the processes ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from plait.storage.errors import storage_error

_LOCKS = "locks"
_LONGEST = 255
"""The most bytes that a file's name has on common systems."""


def share_values(root: str, flow: str) -> int | None:
    """Keep the values of *flow* from being cleaned, until what is given is closed.

    Forked children share it: it is free when the last of them is gone.

    Args:
        root: The folder of the local store.
        flow: The flow's name.

    Returns:
        A descriptor; None where locks are not to be had, and where cleaning therefore never
        removes values.
    """
    try:
        import fcntl
    except ImportError:
        return None  # Windows
    descriptor = _open(root, flow)
    try:
        # Waits while the flow is being cleaned, which is a matter of seconds.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    except OSError:
        os.close(descriptor)
        return None  # a file system without locks
    return descriptor


@contextmanager
def claim_values(root: str, flow: str) -> Iterator[bool]:
    """Have the values of *flow* for oneself, and say whether that is so.

    Args:
        root: The folder of the local store.
        flow: The flow's name.

    Yields:
        False if a process is at work on them, or locks are not to be had.
    """
    try:
        import fcntl
    except ImportError:
        yield False  # Windows
        return
    if len(os.fsencode(flow)) > _LONGEST:
        yield False  # no process of this machine can be at work on it, nor can it be locked
        return
    descriptor = _open(root, flow)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # Taken, or a file system without locks; either way they are not ours.
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _open(root: str, flow: str) -> int:
    path = os.path.join(root, _LOCKS, flow)
    flags = os.O_RDWR | os.O_CREAT
    try:
        try:
            return os.open(path, flags, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return os.open(path, flags, 0o666)
    except OSError as error:
        raise storage_error(error, path, "write") from error
