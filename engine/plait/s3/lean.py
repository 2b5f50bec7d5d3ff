"""Small objects at little cost: signed requests over connections that stay open.

The library for S3 takes two milliseconds of a core for a small object, one tenth of which is work
that has to be done. Here is that tenth, for the ordinary case. Whatever is out of the ordinary is
left to the library, which knows of redirections, proxies, limits and much more.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import ssl
import time
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from plait.s3.connection import CutShort, S3Connection
from plait.s3.lanes import PART
from plait.s3.location import Location
from plait.s3.objects import WRITER, ObjectFacts, compare

_NO_BODY = hashlib.sha256(b"").hexdigest()
_META = "x-amz-meta-"
_OK = (200, 206)
_SECONDS = 20.0


class Unusual(Exception):
    """A request did not go as most do: ask the library."""


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
    """

    host: str
    port: int | None
    secure: bool
    prefix: str
    region: str
    access_key: str
    secret_key: str
    token: str | None

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
    )


class LeanReader:
    """Reads objects over one connection, one after another. For one thread."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._http: http.client.HTTPConnection | None = None
        self._key = ("", b"")

    def read(self, where: Location) -> tuple[bytes, ObjectFacts] | None:
        """Read an object, or the beginning of a large one.

        Returns:
            Its first bytes, at most `PART`, and its facts; None if there is no such object.

        Raises:
            Unusual: Something else came, or nothing.
        """
        path = quote(f"{self._target.prefix}/{where.bucket}/{where.key}", safe="/-_.~")
        try:
            http_connection = self._open()
            http_connection.request("GET", path, headers=self._sign(path))
            answer = http_connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unusual(str(error)) from error
        if answer.status == 404 and b"<Code>NoSuchKey</Code>" in body:
            return None
        if answer.status not in _OK:
            raise Unusual(f"status {answer.status}")
        facts = _read_facts(answer.headers, len(body))
        if len(body) == facts.size:
            try:
                compare(body, _named(answer.headers))
            except CutShort as error:
                raise Unusual(str(error)) from error
        elif len(body) != min(PART, facts.size):
            raise Unusual("the body is of another length than it was to be")
        return body, facts

    def close(self) -> None:
        """Close the connection; the next read opens another."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _open(self) -> http.client.HTTPConnection:
        if self._http is None:
            target = self._target
            if target.secure:
                self._http = http.client.HTTPSConnection(
                    target.host, target.port, timeout=_SECONDS, context=_make_tls()
                )
            else:
                self._http = http.client.HTTPConnection(target.host, target.port, timeout=_SECONDS)
        return self._http

    def _sign(self, path: str) -> dict[str, str]:
        """Give the headers of a request, signed by version 4 of AWS's scheme.

        Source: "Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference.
        """
        target = self._target
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{now[:8]}/{target.region}/s3/aws4_request"
        signed = {
            "host": target.netloc,
            "range": f"bytes=0-{PART - 1}",
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
        signature = hmac.new(self._key_of(scope), text.encode(), hashlib.sha256).hexdigest()
        return {
            **signed,
            "authorization": f"AWS4-HMAC-SHA256 Credential={target.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}",
        }

    def _key_of(self, scope: str) -> bytes:
        if self._key[0] != scope:
            key = f"AWS4{self._target.secret_key}".encode()
            for part in scope.split("/"):
                key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            self._key = (scope, key)
        return self._key[1]


def _make_tls() -> ssl.SSLContext:
    from botocore.httpsession import get_cert_path

    bundle = os.environ.get("AWS_CA_BUNDLE") or get_cert_path(verify=True)
    return ssl.create_default_context(cafile=bundle)


def _named(headers: Any) -> dict[str, Any]:
    """Give the headers that say what the body's sum is, as the library calls them."""
    named = {"ETag": headers.get("etag", "")}
    for header, name in (
        ("x-amz-server-side-encryption", "ServerSideEncryption"),
        ("x-amz-server-side-encryption-customer-algorithm", "SSECustomerAlgorithm"),
    ):
        if headers.get(header):
            named[name] = headers[header]
    return named


def _read_facts(headers: Any, length: int) -> ObjectFacts:
    whole = str(headers.get("content-range", "")).rpartition("/")[2]
    modified = headers.get("last-modified")
    return ObjectFacts(
        size=int(whole) if whole.isdecimal() else length,
        etag=headers.get("etag", ""),
        modified=_read_date(modified) if modified else 0.0,
        content_type=headers.get("content-type", ""),
        metadata={
            name.lower()[len(_META) :]: value
            for name, value in headers.items()
            if name.lower().startswith(_META) and name.lower() != _META + WRITER
        },
    )


def _read_date(text: str) -> float:
    from email.utils import parsedate_to_datetime

    try:
        found: datetime = parsedate_to_datetime(text)
    except ValueError as error:
        raise Unusual(f"{text!r} is no date") from error
    return found.timestamp()
