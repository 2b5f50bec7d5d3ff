"""Which folders are on a network file system, from what the operating system lists."""

from __future__ import annotations

import sys

import pytest

from plait.metadata.filesystem import (
    Mount,
    find_network_type,
    find_type,
    is_network_type,
    parse_mount_output,
    parse_mountinfo,
)

MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:44 / /home rw,relatime shared:1 master:2 - nfs4 server:/home rw,vers=4.2
41 40 0:45 / /home/ada/scratch\\040disk rw - xfs /dev/vdb rw
42 27 0:46 / /mnt rw - tmpfs tmpfs rw
43 42 0:47 / /mnt rw - fuse.sshfs ada@host:/ rw
torn line
"""

MOUNT_OUTPUT = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//ada@server/share on /Volumes/my share (smbfs, nodev, nosuid, mounted by ada)
devfs on /dev (devfs)
"""


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("/", "ext4"),
        ("/srv/data", "ext4"),
        ("/home", "nfs4"),
        ("/home/ada/x", "nfs4"),
        ("/homes", "ext4"),
        ("/home/ada/scratch disk/x", "xfs"),
        ("/mnt/x", "fuse.sshfs"),
    ],
)
def test_the_innermost_latest_mount_holds_a_path(path: str, type_: str) -> None:
    """A path is on the longest mount around it, and of two on one folder, on the later."""
    assert find_type(path, parse_mountinfo(MOUNTINFO)) == type_


def test_mount_output_is_read() -> None:
    """What `mount` prints is read, spaces in folders included."""
    assert parse_mount_output(MOUNT_OUTPUT) == [
        Mount("/", "apfs"),
        Mount("/System/Volumes/Data/home", "autofs"),
        Mount("/Volumes/my share", "smbfs"),
        Mount("/dev", "devfs"),
    ]


def test_no_mount_holds_a_path() -> None:
    """Where nothing is known, nothing is said."""
    assert find_type("/srv", []) is None


@pytest.mark.parametrize(
    ("type_", "network"),
    [
        ("nfs", True),
        ("cifs", True),
        ("9p", True),
        ("fuse.sshfs", True),
        ("fuse", True),
        ("fuseblk", False),
        ("ext4", False),
        ("overlay", False),
        ("tmpfs", False),
    ],
)
def test_types_that_machines_share(type_: str, network: bool) -> None:
    """Network file systems are told from local ones by their type."""
    assert is_network_type(type_) is network


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_proc_is_here() -> None:
    """This machine's own list is read, and its /proc is no network's."""
    assert find_network_type("/proc/self") is None
