"""Small objects at little cost: signed requests over connections that stay open.

The library for S3 takes two milliseconds of a core for a small object, one tenth of which is work
that has to be done. Here is that tenth, for the ordinary case. Whatever is out of the ordinary is
left to the library, which knows of redirections, proxies, limits and much more.
"""

from __future__ import annotations

import hashlib
import hmac
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import md5
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from plait.s3.connection import CutShort, S3Connection
from plait.s3.errors import S3NotFound
from plait.s3.lanes import PART
from plait.s3.location import Location
from plait.s3.objects import WRITER, ObjectFacts, compare_sums, find_sum
from plait.s3.wire import Head, Unusual, Wire

_NO_BODY = hashlib.sha256(b"").hexdigest()
_META = "x-amz-meta-"
_OK = (200, 206)
SMALL = 1 << 20
"""Bodies of up to so many bytes are given as they are; others go where they are to be."""

Sink = Callable[[int], Callable[[memoryview], None]]
"""Gives what takes bytes, one piece after another, for a place that begins at an offset."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go and who makes them.

    Args:
        host: The server's name.
        port: Its port; None for the scheme's own.
        secure: Whether to speak TLS.
        prefix: What its paths begin with.
        region: The region that requests are signed for.
        access_key: Whose requests these are.
        secret_key: What they are signed with.
        token: What goes with keys that are for a time.
        seconds: How long to wait for bytes.
    """

    host: str
    port: int | None
    secure: bool
    prefix: str
    region: str
    access_key: str
    secret_key: str
    token: str | None
    seconds: float = 60.0

    @property
    def netloc(self) -> str:
        """The host as its header names it."""
        default = 443 if self.secure else 80
        return self.host if self.port in (None, default) else f"{self.host}:{self.port}"


def find_target(connection: S3Connection) -> Target | None:
    """Give where a connection's requests go; None where only the library can make them."""
    credentials = connection.find_credentials()
    meta = connection.client().meta
    url = urlsplit(str(meta.endpoint_url))
    if credentials is None or url.hostname is None:
        return None
    proxies = urllib.request.getproxies()
    if proxies.get(url.scheme) and not urllib.request.proxy_bypass(url.hostname):
        return None
    return Target(
        url.hostname,
        url.port,
        url.scheme == "https",
        url.path.rstrip("/"),
        str(meta.region_name or "us-east-1"),
        credentials.access_key,
        credentials.secret_key,
        credentials.token,
        float(meta.config.read_timeout),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A range of an object, and the server's word for the content that it is to be of."""

    offset: int
    length: int
    etag: str


class LeanReader:
    """Reads objects over one connection, one after another. For one thread."""

    def __init__(self, target: Target) -> None:
        self._target = target
        default = 443 if target.secure else 80
        at = (target.host, target.port or default)
        self._wire = Wire(at, secure=target.secure, seconds=target.seconds)
        self._key = ("", b"")

    def read(self, where: Location, sink: Sink) -> tuple[bytearray | None, ObjectFacts]:
        """Read an object, or the beginning of a large one.

        Args:
            where: The object.
            sink: Takes the bytes if they are many: the first `PART` of them at most.

        Returns:
            Its bytes, or None if *sink* took them; its facts.

        Raises:
            S3NotFound: There is no such object.
            Unusual: Something else came, or nothing.
        """
        head = self._wire.ask(self._sign(self._path(where), 0, PART))
        if head.status not in _OK:
            self._refuse(head, where)
        facts = _read_facts(head.headers, head.size)
        if not facts.etag:
            self.close()
            raise Unusual("it has no ETag")
        expected = find_sum(_named(head.headers)) if head.size == facts.size else None
        if head.size != min(PART, facts.size):
            self.close()
            raise Unusual("the body is of another length than it was to be")
        found = md5(usedforsecurity=False)
        if head.size <= SMALL:
            body = self._wire.take()
            found.update(body)
        else:
            body = None
            write = sink(0)

            def pour(data: memoryview) -> None:
                write(data)
                if expected is not None:
                    found.update(data)

            self._wire.pour(pour)
        try:
            compare_sums(found.hexdigest(), expected or found.hexdigest())
        except CutShort as error:
            raise Unusual(str(error)) from error
        return body, facts

    def read_part(self, where: Location, part: Part, sink: Sink) -> None:
        """Read a range of an object into *sink*. Raises Unusual."""
        request = self._sign(self._path(where), part.offset, part.length, part.etag)
        head = self._wire.ask(request)
        if head.status not in _OK or head.size != part.length:
            self.close()
            raise Unusual(f"status {head.status}, {head.size} bytes")
        self._wire.pour(sink(part.offset))

    def _path(self, where: Location) -> str:
        return quote(f"{self._target.prefix}/{where.bucket}/{where.key}", safe="/-_.~")

    def _refuse(self, head: Head, where: Location) -> NoReturn:
        body = self._wire.take() if head.size <= SMALL else b""
        if head.status == 404 and b"<Code>NoSuchKey</Code>" in body:
            raise S3NotFound(str(where))
        self.close()
        raise Unusual(f"status {head.status}")

    def close(self) -> None:
        """Close the connection; the next read opens another."""
        self._wire.close()

    def _sign(self, path: str, offset: int, length: int, etag: str = "") -> bytes:
        """Give a request, signed by version 4 of AWS's scheme.

        Source: "Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference.
        """
        target = self._target
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{now[:8]}/{target.region}/s3/aws4_request"
        signed = {
            "host": target.netloc,
            "range": f"bytes={offset}-{offset + length - 1}",
            "x-amz-content-sha256": _NO_BODY,
            "x-amz-date": now,
        }
        if target.token:
            signed["x-amz-security-token"] = target.token
        names = ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        request = f"GET\n{path}\n\n{lines}\n{names}\n{_NO_BODY}"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
        signature = hmac.digest(self._key_of(scope), text.encode(), "sha256").hex()
        sent = lines.replace("\n", "\r\n") + (f"if-match:{etag}\r\n" if etag else "")
        return (
            f"GET {path} HTTP/1.1\r\n{sent}accept-encoding:identity\r\n"
            f"authorization:AWS4-HMAC-SHA256 Credential={target.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}\r\n\r\n"
        ).encode("ascii")

    def _key_of(self, scope: str) -> bytes:
        if self._key[0] != scope:
            key = f"AWS4{self._target.secret_key}".encode()
            for part in scope.split("/"):
                key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            self._key = (scope, key)
        return self._key[1]


def _named(headers: Mapping[str, str]) -> dict[str, Any]:
    """Give the headers that say what the body's sum is, as the library calls them."""
    named = {"ETag": headers.get("etag", "")}
    for header, name in (
        ("x-amz-server-side-encryption", "ServerSideEncryption"),
        ("x-amz-server-side-encryption-customer-algorithm", "SSECustomerAlgorithm"),
    ):
        if headers.get(header):
            named[name] = headers[header]
    return named


def _read_facts(headers: Mapping[str, str], length: int) -> ObjectFacts:
    whole = str(headers.get("content-range", "")).rpartition("/")[2]
    modified = headers.get("last-modified")
    return ObjectFacts(
        size=int(whole) if whole.isdecimal() else length,
        etag=headers.get("etag", ""),
        modified=_read_date(modified) if modified else 0.0,
        content_type=headers.get("content-type", ""),
        metadata={
            name[len(_META) :]: value
            for name, value in headers.items()
            if name.startswith(_META) and name != _META + WRITER
        },
    )


@lru_cache(64)
def _read_date(text: str) -> float:
    """Read a date of HTTP; many objects that are read together were written in one second."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError as error:
        raise Unusual(f"{text!r} is no date") from error
