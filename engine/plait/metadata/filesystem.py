"""Whether a folder is on a network file system, where SQLite's write-ahead log is not safe.

Its index is memory shared between processes, which two machines that mount one folder do not share
(https://sqlite.org/wal.html, "All processes using a database must be on the same host").
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import NamedTuple

# Names as the kernel gives them. `9p` and `virtiofs` are how a virtual machine (or WSL) sees its
# host's folders: another kernel, so another memory.
NETWORK_TYPES = frozenset(
    (
        "9p",
        "acfs",
        "afpfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "gfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs3",
        "nfs4",
        "ocfs2",
        "orangefs",
        "panfs",
        "prl_fs",
        "pvfs2",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
        "webdav",
    )
)
"""File systems whose files several machines may have open at once."""


class Mount(NamedTuple):
    """A folder at which a file system is mounted, and its type as the system names it."""

    folder: str
    type: str


def find_network_type(folder: str) -> str | None:
    """Give the type of the network file system that *folder* is on; None if it is on a local one.

    Where the system does not tell (no `/proc`), a folder counts as local.

    Args:
        folder: A path; what exists of it decides.
    """
    real = os.path.realpath(folder)
    if sys.platform == "win32":
        return "unc" if real.startswith("\\\\") else None
    type_ = find_type(real, _list_mounts())
    return type_ if type_ is not None and is_network_type(type_) else None


def is_network_type(type_: str) -> bool:
    """Say whether file systems of this type may be open on several machines.

    What runs under FUSE is nearly always one (sshfs, s3fs, gcsfuse), so all of it counts, but for
    `fuseblk`, which is a disk.
    """
    return type_ in NETWORK_TYPES or type_.partition(".")[0] in ("fuse", "macfuse", "osxfuse")


def find_type(path: str, mounts: Iterable[Mount]) -> str | None:
    """Give the type of the file system that holds *path*; None if no mount does.

    Args:
        path: An absolute path without symbolic links.
        mounts: Every mount, in the order made: a later one hides an earlier one of its folder.
    """
    found: Mount | None = None
    for mount in mounts:
        inside = mount.folder == path or path.startswith(mount.folder.rstrip("/") + "/")
        if inside and (found is None or len(mount.folder) >= len(found.folder)):
            found = mount
    return None if found is None else found.type


def parse_mountinfo(text: str) -> list[Mount]:
    """Read `/proc/self/mountinfo` (proc(5)): field 5 is the folder; after `-` is the type."""
    mounts = []
    for line in text.splitlines():
        place, dash, kind = line.partition(" - ")
        fields = place.split(" ")
        if dash and len(fields) > 4:
            mounts.append(Mount(_unescape(fields[4]), kind.split(" ", 1)[0]))
    return mounts


def parse_mount_output(text: str) -> list[Mount]:
    """Read what `mount` prints on macOS and BSD: `device on folder (type, options)`."""
    found = re.findall(r"^.*? on (/.*) \(([^,)]+)[^)]*\)$", text, re.MULTILINE)
    return [Mount(folder, type_.strip()) for folder, type_ in found]


def _unescape(field: str) -> str:
    # The kernel writes a space as \040, and so on for tab, line end and backslash.
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _list_mounts() -> list[Mount]:
    try:
        if sys.platform == "linux":
            with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
                return parse_mountinfo(file.read())
        import subprocess

        done = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False)
        return parse_mount_output(done.stdout)
    except OSError:
        # A sandbox without /proc or `mount`: nothing is known, and local is what is usual.
        return []
