"""What the processes of a case have less of than this one: permissions, files, rights of root."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

_SETPCAP = 8
"""The capability of Linux to give up capabilities for good."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for all processes of a case.

    Args:
        umask: The permissions that no new file has; None leaves it.
        open_files: How many files a process may have open; None leaves it.
        read_only: Whether nothing can be made in the case's folder. Root, whom permissions don't
            concern, gives up that right.
    """

    KEYS: ClassVar = ("umask", "open_files", "read_only")

    umask: int | None = None
    open_files: int | None = None
    read_only: bool = False

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Take what a context says; the umask is written in octal digits."""
        umask = entry.get("umask")
        return cls(
            umask=None if umask is None else int(umask, 8),
            open_files=entry.get("open_files"),
            read_only=entry.get("read_only", False),
        )

    def to_request(self) -> dict[str, Any]:
        """Give what the prepared process is told; empty if there is nothing to tell."""
        given = {"umask": self.umask, "open_files": self.open_files}
        request: dict[str, Any] = {name: each for name, each in given.items() if each is not None}
        if self.read_only and os.geteuid() == 0:
            request["as_anybody"] = True
        return request

    def find_lack(self) -> str | None:
        """Say what this machine lacks to hold processes to it; None if nothing."""
        if not self.read_only or os.geteuid() != 0:
            return None
        if sys.platform != "linux":
            return "root can't give up its rights here; run as another user"
        with open("/proc/self/status", encoding="ascii") as file:
            held = next(line.split()[1] for line in file if line.startswith("CapEff:"))
        if not int(held, 16) >> _SETPCAP & 1:
            return "this root may not give up its rights; run as another user"
        return None
