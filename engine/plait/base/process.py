"""Which process this is, so that another one can find out whether it still lives."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from plait.base.identity import host_name

_STATE = 0  # of what follows a process's name in its `stat`; see proc(5)
_START = 19
_GONE = ("Z", "X", "x")  # it ended, and nobody has asked how


def describe_process() -> dict[str, Any]:
    """Give what tells this process from all others, as JSON values.

    Ids of processes come again. So its start time is part of it where the system tells that, and
    what its id is valid in: the boot of the machine and, of a container, its space of ids.
    """
    return {
        "host": host_name(),
        "boot": _read("/proc/sys/kernel/random/boot_id"),
        "space": _find_space(),
        "pid": os.getpid(),
        "start": find_start(os.getpid()) or "",
    }


def find_alive(process: Mapping[str, Any]) -> bool | None:
    """Say whether a process lives.

    Args:
        process: What `describe_process` gave in it.

    Returns:
        None if that can't be told from here: it is or was on another machine, in another container,
        or before this machine was started.
    """
    own = (host_name(), _read("/proc/sys/kernel/random/boot_id"), _find_space())
    if own != (process.get("host"), process.get("boot"), process.get("space")):
        return None
    pid, start = int(process["pid"]), process.get("start")
    if start:
        return bool(find_start(pid) == start)
    if sys.platform == "win32":
        return None  # asking whether a process is there would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def find_start(pid: int) -> str | None:
    """Give when a living process began, in the system's own count; None if there is none.

    None, too, where the system has no `/proc`.
    """
    # The name, in brackets, may hold anything, brackets and spaces included.
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) <= _START or fields[_STATE] in _GONE:
        return None
    return fields[_START]


def _find_space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""  # no such system, and so no such spaces


def _read(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read().strip()
    except OSError:
        return ""  # not there: no such system, or no such process
