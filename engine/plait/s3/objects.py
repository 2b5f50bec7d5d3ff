"""What a server and a writer say of an object, and whether its bytes are those that were meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from plait.s3.connection import CutShort
from plait.s3.foreign import check_tag

WRITER = "plait-writer"
"""The name of the metadata by which a writer knows its own object again."""


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What a server says of an object.

    Args:
        size: Its bytes.
        etag: The server's word for this content.
        modified: When it was written, in seconds since 1970.
        content_type: Its kind; empty if the server says none.
        metadata: What its writer said of it, by lower-case name.
        described: Whether kind and metadata are known, which a listing does not tell.
    """

    size: int
    etag: str = ""
    modified: float = 0.0
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    described: bool = True


@dataclass(frozen=True, slots=True)
class Labels:
    """What a writer says of an object: its kind, and metadata by name."""

    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, token: str) -> dict[str, Any]:
        """Give them as arguments of a request, with what the writer knows its object by."""
        given: dict[str, Any] = {"Metadata": {**self.metadata, WRITER: token}}
        if self.content_type is not None:
            given["ContentType"] = self.content_type
        return given


def facts_of(answer: Mapping[str, Any], body: bytes | None = None) -> ObjectFacts:
    """Read the facts of an object out of an answer.

    Args:
        answer: The answer to a request for the object, a range of it, or its facts.
        body: What came with it, where its size is not announced.

    Raises:
        Foreign: It is no answer of S3's.
    """
    check_tag(answer)
    size = answer.get("ContentLength", 0 if body is None else len(body))
    whole = str(answer.get("ContentRange", "")).rpartition("/")[2]
    modified = answer.get("LastModified")
    return ObjectFacts(
        size=int(whole) if whole.isdecimal() else int(size),
        etag=str(answer.get("ETag", "")),
        modified=0.0 if modified is None else modified.timestamp(),
        content_type=str(answer.get("ContentType", "")),
        metadata={key: value for key, value in answer.get("Metadata", {}).items() if key != WRITER},
    )


def find_sum(answer: Mapping[str, Any]) -> str | None:
    """Give the MD5 of a whole object in hex digits, where the server names one."""
    etag = str(answer.get("ETag", "")).strip('"')
    # Encrypted objects, and those that came in parts, have an ETag that is no MD5 of theirs.
    encrypted = any(name in answer for name in ("ServerSideEncryption", "SSECustomerAlgorithm"))
    return None if encrypted or len(etag) != 32 else etag  # 32 digits


def compare(body: Any, answer: Mapping[str, Any]) -> None:
    """Hold bytes against the sum that the server names, where it names one.

    Raises:
        CutShort: They are others.
        Foreign: It is no answer of S3's.
    """
    check_tag(answer)
    expected = find_sum(answer)
    if expected is not None:
        compare_sums(md5(body, usedforsecurity=False).hexdigest(), expected)


def compare_sums(found: str, expected: str) -> None:
    """Hold the sum of the bytes that came against the server's. Raises CutShort."""
    if found != expected:
        raise CutShort(f"the bytes have the MD5 {found}, and the server says {expected}")
