"""What `S3` takes and gives: objects to read, objects to write, and objects that were found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from plait.s3.errors import S3Closed
from plait.s3.objects import ObjectFacts
from plait.s3.shelf import Kept

METADATA = "plait-metadata"
"""The name under which a user's metadata travels as a whole: S3 knows only lower-case and ASCII."""


class S3GetObject(NamedTuple):
    """A range of an object, to be read by `get` or `get_many` in place of a key.

    Attributes:
        key: As for `get`.
        offset: The first byte, from 0 on.
        length: The most bytes; None for all from there on.
    """

    key: str
    offset: int = 0
    length: int | None = None


class S3PutObject(NamedTuple):
    """An object to be written by `put_many` or `put_files`, with more than a key and a value.

    Attributes:
        key: As for `put`.
        value: Text, bytes or an open file, for `put_many`.
        path: A file's path, for `put_files`.
        content_type: Its kind, such as `text/csv`.
        metadata: What to say of it: values that JSON knows, by name.
    """

    key: str
    value: Any = None
    path: str | None = None
    content_type: str | None = None
    metadata: Mapping[str, Any] | None = None


class RangeInfo(NamedTuple):
    """Which bytes were read: of how many in all, from where on, and how many."""

    total_size: int
    request_offset: int
    request_length: int


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of an object.

    Args:
        url: Its URL.
        key: What it is called below the root of the `S3` that found it.
        prefix: The URL of the prefix that was asked for; None if it was the object itself.
        facts: What the server says; None if that was not asked, or there is no object.
        kept: Its bytes, if they were read.
        span: Which bytes were read, if not all.
    """

    url: str
    key: str
    prefix: str | None = None
    facts: ObjectFacts | None = None
    kept: Kept | None = None
    span: RangeInfo | None = None


class S3Object:
    """An object in S3, or the place of one that is not there. `S3` gives them; nobody makes one."""

    __slots__ = ("_found",)

    def __init__(self, found: Found) -> None:
        self._found = found

    @property
    def url(self) -> str:
        """Its URL, such as `s3://bucket/prefix/key`."""
        return self._found.url

    @property
    def key(self) -> str:
        """What `get` of the same `S3` takes to give it again: a key below its root, or the URL."""
        return self._found.key

    @property
    def prefix(self) -> str | None:
        """The URL of the prefix below which it was found; None if it was asked for itself."""
        return self._found.prefix

    @property
    def exists(self) -> bool:
        """Whether there is such an object. A folder that `list_paths` gives is none."""
        return self._found.facts is not None

    @property
    def downloaded(self) -> bool:
        """Whether its bytes were read, so that `path`, `blob` and `text` have them."""
        return self._found.kept is not None

    @property
    def has_info(self) -> bool:
        """Whether `content_type` and `metadata` are known. A listing doesn't tell them."""
        return self.exists and self._found.facts is not None and self._found.facts.described

    @property
    def path(self) -> str | None:
        """The file that holds its bytes, until the `S3` is closed; None if they were not read."""
        return None if self._found.kept is None else self._found.kept.path

    @property
    def blob(self) -> bytes | None:
        """Its bytes; None if they were not read. Raises S3Closed after the end of its `S3`."""
        if self._found.kept is None:
            return None
        try:
            return self._found.kept.read()
        except FileNotFoundError as error:
            raise S3Closed(f"the bytes of {self.url} are asked for") from error

    @property
    def text(self) -> str | None:
        """Its bytes as text in UTF-8; None if they were not read."""
        blob = self.blob
        return None if blob is None else blob.decode("utf-8")

    @property
    def size(self) -> int | None:
        """The number of bytes of the whole object; None if there is none."""
        return None if self._found.facts is None else self._found.facts.size

    @property
    def range_info(self) -> RangeInfo | None:
        """Which bytes were read, if a range was asked for."""
        return self._found.span

    @property
    def content_type(self) -> str | None:
        """Its kind, such as `text/csv`; None if that is not known."""
        return (self._found.facts.content_type or None) if self._found.facts else None

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        """What its writer said of it, by name; None if that is not known."""
        if self._found.facts is None or not self.has_info:
            return None
        return decode_metadata(self._found.facts.metadata)

    @property
    def last_modified(self) -> int | None:
        """When it was written, in seconds since 1970; None if there is none."""
        return int(self._found.facts.modified) if self._found.facts else None

    def __repr__(self) -> str:
        if not self.exists:
            return f"S3Object({self.url!r}, not there)"
        read = ", read" if self.downloaded else ""
        return f"S3Object({self.url!r}, {self.size} bytes{read})"

    __str__ = __repr__


def encode_metadata(metadata: Mapping[str, Any] | None) -> dict[str, str]:
    """Give metadata as S3 keeps it: one name, and JSON in ASCII."""
    return {METADATA: json.dumps(dict(metadata))} if metadata else {}


def decode_metadata(kept: Mapping[str, str]) -> Mapping[str, Any]:
    """Give metadata as it was written; that of other programs as S3 gives it."""
    try:
        decoded: Any = json.loads(kept.get(METADATA, ""))
    except ValueError:
        return kept  # none of plait's, or of another program that uses the name
    return decoded if isinstance(decoded, dict) else kept
