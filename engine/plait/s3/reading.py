"""Objects out of S3: their facts, their bytes, and which there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plait.s3.connection import CutShort, KeyTaken, S3Connection
from plait.s3.errors import S3Failed, S3InvalidRange, S3NotFound
from plait.s3.foreign import Foreign
from plait.s3.lanes import PART
from plait.s3.location import Location
from plait.s3.objects import ObjectFacts, compare, facts_of

_LARGEST = 5 << 40
"""The size of the largest object that S3 allows."""
_WITH_REASONS = (400, 401, 403)
"""What has several reasons, among them credentials that are wrong, or no longer good."""


def read_facts(connection: S3Connection, where: Location) -> ObjectFacts:
    """Ask for the facts of an object. Raises S3NotFound and other S3Errors."""

    def request(client: Any) -> ObjectFacts:
        try:
            return facts_of(client.head_object(Bucket=where.bucket, Key=where.key))
        except client.exceptions.ClientError as error:
            # An answer to HEAD has no body, and so no reason.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in _WITH_REASONS:
                client.get_object(Bucket=where.bucket, Key=where.key, Range="bytes=0-0")
            raise

    return connection.call("look at", where, request)


def check_missing(connection: S3Connection, where: Location) -> None:
    """Find out whether an object that a request for facts did not find is just not there.

    Raises:
        S3NoSuchBucket: Its bucket is not there.
        S3Error: Another reason, which an answer to a request for facts has no room for.
    """
    try:
        read_object(connection, where, 0, 1)
    except (S3NotFound, S3InvalidRange):
        return


def read_object(
    connection: S3Connection, where: Location, offset: int = 0, length: int | None = None
) -> tuple[bytes, ObjectFacts]:
    """Read an object, or a range of it.

    Args:
        connection: The server.
        where: The object.
        offset: Where to begin, at least 0.
        length: The most bytes to read, at least 1; None for all.

    Returns:
        The bytes, and the facts of the whole object.

    Raises:
        S3NotFound: There is none.
        S3InvalidRange: It has no byte at *offset*.
        S3Error: It could not be read.
    """
    extra: dict[str, str] = {}
    if offset or length is not None:
        end = "" if length is None else str(min(offset + length, _LARGEST) - 1)
        extra["Range"] = f"bytes={offset}-{end}"

    def request(client: Any) -> tuple[bytes, ObjectFacts]:
        answer = client.get_object(Bucket=where.bucket, Key=where.key, **extra)
        body = _read_body(answer)
        facts = facts_of(answer, body=body)
        if len(body) == facts.size:
            compare(body, answer)
        return body, facts

    return connection.call("read", where, request)


def read_start(connection: S3Connection, where: Location) -> tuple[bytes, ObjectFacts]:
    """Read an object, or the first `PART` of it, and its facts. Raises as `read_object` does."""
    try:
        return read_object(connection, where, 0, PART)
    except S3InvalidRange:
        return read_object(connection, where)  # it is empty


def read_part(
    connection: S3Connection, where: Location, offset: int, length: int, etag: str
) -> bytes:
    """Read a range of an object.

    Args:
        connection: The server.
        where: The object.
        offset: Where it begins.
        length: Its bytes, all of which are there.
        etag: The server's word for the content that it is to be of.

    Raises:
        S3Error: It could not be read, or the object was overwritten meanwhile.
    """
    extra = {"IfMatch": etag} if etag else {}

    def request(client: Any) -> bytes:
        answer = client.get_object(
            Bucket=where.bucket,
            Key=where.key,
            Range=f"bytes={offset}-{offset + length - 1}",
            **extra,
        )
        body = _read_body(answer)
        if len(body) != length:
            raise CutShort(f"{len(body)} bytes of {length} came")
        return body

    try:
        return connection.call("read", where, request)
    except KeyTaken as error:
        # What is there is not what the first part was of, and no other try would find that again.
        raise S3Failed("read", str(where), 1, "it was changed while it was read") from error


def _read_body(answer: Mapping[str, Any]) -> bytes:
    body: bytes = answer["Body"].read()
    announced = answer.get("ContentLength")
    # The library does not notice where the connection was closed in an orderly way.
    if announced is not None and len(body) != announced:
        raise CutShort(f"{len(body)} bytes of {announced} came")
    return body


def iter_objects(
    connection: S3Connection, where: Location, *, folders: bool = False
) -> Iterator[tuple[str, ObjectFacts | None]]:
    """List the objects whose keys begin with a prefix, page by page, in the server's order.

    Args:
        connection: The server.
        where: The bucket and the prefix, which is text and no folder.
        folders: Whether to stop at the next `/`, and give what lies behind it as one folder.

    Yields:
        A key and its object's facts; for a folder, its prefix up to the `/` and None.
    """
    token = ""
    while True:
        extra: dict[str, str] = {"ContinuationToken": token} if token else {}
        if folders:
            extra["Delimiter"] = "/"
        page = connection.call("list", where, _Listing(where, extra))
        for entry in page.get("Contents", ()):
            facts = ObjectFacts(
                int(entry["Size"]),
                str(entry.get("ETag", "")),
                entry["LastModified"].timestamp(),
                described=False,
            )
            yield entry["Key"], facts
        for entry in page.get("CommonPrefixes", ()):
            yield entry["Prefix"], None
        token = page.get("NextContinuationToken", "")
        if not page.get("IsTruncated") or not token:
            return


@dataclass(frozen=True, slots=True)
class _Listing:
    where: Location
    extra: Mapping[str, str]

    def __call__(self, client: Any) -> Any:
        page = client.list_objects_v2(Bucket=self.where.bucket, Prefix=self.where.key, **self.extra)
        if not any(name in page for name in ("Name", "IsTruncated", "KeyCount")):
            raise Foreign("no list")
        return page
