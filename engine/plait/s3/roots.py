"""Where the objects of an `S3` are: below a run's folder, below a prefix, or anywhere by URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from plait.base.layout import objects_prefix
from plait.base.settings import resolve
from plait.s3.errors import S3BadKey, S3BadRoot
from plait.s3.location import Location, is_url, parse_folder, parse_location, parse_object

_UP = re.compile(r"(^|/)\.\.?(/|$)")
_PARTS_OF_RUN = (2, 3)
_LONGEST = 1024
"""The most bytes of an object's whole name."""


class Root:
    """What keys are relative to.

    Args:
        location: The prefix, without a `/` at its end; None where keys are whole URLs.
        origin: The run that the one whose place this is goes on from, as `Flow/run`; empty if from
            none, or if this is no run's place.
    """

    def __init__(self, location: Location | None, origin: str = "") -> None:
        self.location = location
        self.origin = origin
        self._start = f"{location.key}/" if location is not None and location.key else ""

    def at(self, key: str) -> Location:
        """Give where an object is. Raises S3BadKey, S3BadURL."""
        return self._find(key, parse_object)

    def folder(self, key: str | None) -> Location:
        """Give the prefix of what lies below *key*, or below the root if that is None."""
        if key is None:
            if self.location is None:
                raise S3BadRoot(
                    "this S3 was made without run= and s3root=, so there is no 'all'",
                    "say below which URLs, or make it with s3root='s3://my-bucket/prefix'",
                )
            return Location(self.location.bucket, self._start)
        at = self._find(key, parse_location)
        return Location(at.bucket, f"{at.key.rstrip('/')}/" if at.key else "")

    def _find(self, key: str, parse: Callable[[str], Location]) -> Location:
        if not isinstance(key, str):
            raise S3BadKey(key, f"it is of type {type(key).__name__}, and keys are text")
        key = str.__str__(key)  # without what a class of the user's makes of it
        if self.location is None:
            if not is_url(key):
                raise S3BadKey(key, "this S3 was made without run= and s3root=")
            at = parse(key)
        else:
            if is_url(key):
                raise S3BadKey(key, f"this S3 is bound to {self.location}")
            # Where a server or a proxy takes keys for paths, these would lead out of the root.
            if not key or key.startswith("/") or _UP.search(key):
                raise S3BadKey(key, "it is empty, begins with '/', or has '.' or '..' for a part")
            at = Location(self.location.bucket, f"{self._start}{key}")
        _check_name(key, at.key)
        return at

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
        return Root(None if s3root is None else parse_folder(s3root))
    if s3root is not None:
        raise S3BadRoot("run= and s3root= are both given", "give one of them")
    sysroot = resolve("datastore-sysroot-s3").value
    if not sysroot:
        raise S3BadRoot(
            "run= keeps objects below PLAIT_DATASTORE_SYSROOT_S3, and that is not set",
            "set it, such as to s3://my-bucket/plait, or name a prefix by s3root=",
        )
    place = parse_folder(sysroot).child(_find_folder(run))
    asked = getattr(type(run), "__plait_origin__", None)
    return Root(place, "/".join((asked(run) if asked else None) or ()))


def _find_folder(run: Any) -> str:
    """Give the folder of a run's objects, by what it says of itself: flow, run, and its claim."""
    asked = getattr(type(run), "__plait_run__", None)
    given = getattr(run, "path_components", ()) if asked is None else asked(run)
    parts = list(given or ())
    if len(parts) not in _PARTS_OF_RUN:
        raise S3BadRoot(
            f"run= is a {type(run).__name__}, which is in no run",
            "in a step give run=self; elsewhere a run of the client, such as Run('MyFlow/17')",
        )
    flow, number, claim = (*parts, "")[:3]
    return objects_prefix(flow, number, claim)


def _check_name(key: str, name: str) -> None:
    """Refuse what S3 takes for no object's whole name. Raises S3BadKey."""
    fix = "name it otherwise: keys are text in UTF-8"
    if "\0" in name:
        raise S3BadKey(key, "it holds the character of code 0, which S3 takes in no key", fix)
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise S3BadKey(key, f"it is no text in UTF-8: {error.reason}", fix) from error
    if size > _LONGEST:
        said = f"with its prefix it has {size:,} bytes in UTF-8, and S3 takes {_LONGEST:,} at most"
        raise S3BadKey(key, said, "shorten it, such as to a hash of what it says")
