"""Where things are in S3: buckets, keys and prefixes, and their URLs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plait.base.settings import BUCKET, PREFIX
from plait.s3.errors import S3BadURL

_SCHEME = "s3://"
_BUCKET = re.compile(rf"{BUCKET}\Z")
_FOLDER = re.compile(rf"{BUCKET}(?:{PREFIX})\Z")


@dataclass(frozen=True, slots=True)
class Location:
    """A bucket, and a key or a prefix in it; an empty one is the bucket itself."""

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}" if self.key else f"{_SCHEME}{self.bucket}"

    def child(self, name: str) -> Location:
        """Give what is called *name* below this."""
        return Location(self.bucket, f"{self.key.rstrip('/')}/{name}" if self.key else name)


def is_url(text: str) -> bool:
    """Say whether *text* begins as a URL of S3 does."""
    return text.startswith(_SCHEME)


def parse_location(text: str) -> Location:
    """Read `s3://BUCKET/KEY`; a `/` at the end stays a part of the key.

    Raises:
        S3BadURL: It is of another form.
    """
    if not isinstance(text, str):
        raise S3BadURL(text)
    bucket, _, key = text.removeprefix(_SCHEME).partition("/")
    if not is_url(text) or not _BUCKET.match(bucket) or "\0" in key or "?" in bucket:
        raise S3BadURL(text)
    return Location(bucket, key)


def parse_object(text: str) -> Location:
    """Read the URL of an object.

    Raises:
        S3BadURL: It is of another form, or names a bucket alone.
    """
    where = parse_location(text)
    if not where.key:
        raise S3BadURL(
            text,
            why="it names a bucket, and no key in it",
            fix=f"add the key: {_SCHEME}{where.bucket}/some/key; what is there, "
            "list_paths() and list_recursive() tell",
        )
    return where


def parse_folder(text: str) -> Location:
    """Read the URL of a folder, below which keys are; a `/` at its end changes nothing.

    Raises:
        S3BadURL: It is of another form, or has a part that is empty, `.` or `..`.
    """
    where = parse_location(text)
    if not _FOLDER.match(text.removeprefix(_SCHEME)):
        raise S3BadURL(
            text,
            why="a part of it is empty, '.' or '..', or has a control character: servers and "
            "proxies may take that for another folder",
            fix="write it without, like s3://my-bucket/some/prefix",
        )
    return Location(where.bucket, where.key.rstrip("/"))
