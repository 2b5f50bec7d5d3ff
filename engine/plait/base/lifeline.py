"""Ties processes to their parents, so that none outlives its run; only Linux can do all of it."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import cache
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


@cache
def _prctl() -> Any:
    if sys.platform != "linux":
        return None
    import ctypes

    return ctypes.CDLL(None, use_errno=True).prctl


def prepare() -> None:
    """Load what the other functions need, once, in the process that forks."""
    _prctl()


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; at once if it has died already.

    Args:
        parent: The process id of the parent, as it was before the fork.
    """
    prctl = _prctl()
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(-signal.SIGKILL & 0xFF)


def hear_of_parents_death(number: int) -> None:
    """Have the kernel send this process a signal when its parent dies.

    Nothing is sent if it has died already, or elsewhere than on Linux: look at `os.getppid`, too.
    """
    prctl = _prctl()
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, number)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that it can be ended."""
    prctl = _prctl()
    if prctl is not None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_children(seconds: float = 5.0) -> None:
    """Kill all children of this process, those it adopted included, until none is left.

    Args:
        seconds: When to give up on a child that even SIGKILL does not end (stuck in the kernel).
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in _children():
            _kill(pid)
        try:
            pid, _status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.002)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        # Not Linux, or a kernel without this file: the process groups that the keeper killed
        # before are all that can be found.
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it ended by itself in between, which is what is wanted
