"""Where the objects of an `S3` are: below a run's folder, below a prefix, or anywhere by URL."""

from __future__ import annotations

import re
from typing import Any

from plait.base.layout import objects_prefix
from plait.base.settings import resolve
from plait.s3.errors import S3BadKey, S3BadRoot
from plait.s3.location import Location, is_url, parse_location

_UP = re.compile(r"(^|/)\.\.?(/|$)")
_PARTS_OF_RUN = 2


class Root:
    """What keys are relative to.

    Args:
        location: The prefix; None where keys are whole URLs.
    """

    def __init__(self, location: Location | None) -> None:
        self.location = location
        base = location.key.rstrip("/") if location is not None else ""
        self._start = f"{base}/" if base else ""

    def at(self, key: str) -> Location:
        """Give where an object is. Raises S3BadKey, S3BadURL."""
        if not isinstance(key, str):
            raise S3BadKey(key, f"it is of type {type(key).__name__}, and keys are text")
        if self.location is None:
            if not is_url(key):
                raise S3BadKey(key, "this S3 was made without run= and s3root=")
            return parse_location(key)
        if is_url(key):
            raise S3BadKey(key, f"this S3 is bound to {self.location}")
        # Where a server or a proxy takes keys for paths, these would lead out of the root.
        if not key or key.startswith("/") or _UP.search(key) or "\0" in key:
            raise S3BadKey(key, "it is empty, begins with '/', or has '.' or '..' for a part")
        return Location(self.location.bucket, f"{self._start}{key}")

    def folder(self, key: str | None) -> Location:
        """Give the prefix of what lies below *key*, or below the root if that is None."""
        if key is None:
            if self.location is None:
                raise S3BadRoot(
                    "this S3 was made without run= and s3root=, so there is no 'all'",
                    "say below which URLs, or make it with s3root='s3://my-bucket/prefix'",
                )
            return Location(self.location.bucket, self._start)
        at = self.at(key)
        return Location(at.bucket, f"{at.key.rstrip('/')}/" if at.key else "")

    def key_of(self, at: Location) -> str:
        """Give the key of an object; inverse to `at`."""
        return str(at) if self.location is None else at.key[len(self._start) :]


def find_root(run: Any, s3root: str | None) -> Root:
    """Give the root that a user means.

    Args:
        run: A flow in a step, or a run of the client.
        s3root: The URL of a prefix.

    Raises:
        S3BadRoot: Both are given, *run* is of no run, or the bucket of runs is not set.
        S3BadURL: *s3root* is no URL.
    """
    if run is None:
        return Root(None if s3root is None else parse_location(s3root))
    if s3root is not None:
        raise S3BadRoot("run= and s3root= are both given", "give one of them")
    sysroot = resolve("datastore-sysroot-s3").value
    if not sysroot:
        raise S3BadRoot(
            "run= keeps objects below PLAIT_DATASTORE_SYSROOT_S3, and that is not set",
            "set it, such as to s3://my-bucket/plait, or name a prefix by s3root=",
        )
    base = parse_location(sysroot)
    return Root(Location(base.bucket, base.key.rstrip("/")).child(objects_prefix(*_find_run(run))))


def _find_run(run: Any) -> tuple[str, str]:
    asked = getattr(type(run), "__plait_run__", None)
    given = getattr(run, "path_components", ()) if asked is None else asked(run)
    parts = list(given or ())
    if len(parts) != _PARTS_OF_RUN:
        raise S3BadRoot(
            f"run= is a {type(run).__name__}, which is in no run",
            "in a step give run=self; elsewhere a run of the client, such as Run('MyFlow/17')",
        )
    return parts[0], parts[1]
