"""What a case has left behind that it should not have: files in its folder, and beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator

OWN_FOLDER = "_case"
"""Where in a case's folder the harness keeps its own files; holds `home` and `tmp` of the case."""


_CASE_FOLDER = re.compile(r"\w+\.[a-z0-9-]+\.[a-z0-9-]+\.[a-z0-9-]+\Z")


def find_leftovers(
    folder: str,
    before: Collection[str],
    expected: Collection[str],
    *,
    home: str,
    stores: str,
    killed: bool = False,
) -> Iterator[str]:
    """Give a sentence for everything that should not be there.

    Args:
        folder: The case's folder.
        before: What was in the folder around it before the case ran.
        expected: What may be in the case's folder.
        home: Its home folder.
        stores: The folder of its store, `.plait`, wherever that is.
        killed: Whether the run's process was killed, and so could not sweep its scratch folder.
    """
    for name in sorted(set(os.listdir(folder)).difference(expected)):
        yield f"a file was left in the case's folder: {name}"
    for name, path in (("home", home), ("tmp", os.path.join(folder, OWN_FOLDER, "tmp"))):
        for found in _iter_files(path):
            if not os.path.join(path, found).startswith(os.path.join(stores, "")):
                yield f"a file was left in {name}: {found}"
    scratch = os.path.join(stores, "scratch")
    left = os.listdir(scratch) if os.path.isdir(scratch) and not killed else []
    for name in sorted(left):
        yield f"a folder of unfinished files was left in .plait/scratch: {name}"
    around = os.path.dirname(folder)
    for name in sorted(set(os.listdir(around)).difference(before)):
        # Other workers make folders of cases beside this one. By name, since such a folder may be
        # half made, or half taken away, at the moment.
        if not _CASE_FOLDER.match(name):
            yield f"something was left outside of the case's folder: {name}"


def find_open_to_others(folder: str, umask: int) -> Iterator[str]:
    """Give a sentence for everything in a folder with permissions that the umask takes away."""
    for path, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            mode = os.lstat(os.path.join(path, name)).st_mode
            if mode & umask:
                place = os.path.relpath(os.path.join(path, name), folder)
                yield f"{place} has the permissions {mode & 0o777:03o} under the umask {umask:03o}"


def find_store_above(folder: str) -> str | None:
    """Give the nearest `.plait` in *folder* or above it, or None."""
    while True:
        candidate = os.path.join(folder, ".plait")
        if os.path.isdir(candidate):
            return candidate
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _iter_files(folder: str) -> Iterator[str]:
    for path, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield os.path.relpath(os.path.join(path, name), folder)
