"""One connection to a metadata service: a request out, its answer or what is wrong with it in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from plait.metadata import wire
from plait.metadata.http_errors import (
    BadServiceToken,
    BadServiceURL,
    ServiceRefused,
    ServiceUnreachable,
)

if TYPE_CHECKING:
    from email.message import Message
    from http.client import HTTPConnection

ANSWER_SECONDS = 10.0
"""How long an answer may take."""

_SENDABLE = re.compile(r"[ -~]+")

_AGAIN = (408, 429, 500, 502, 503, 504)
"""What is not the request's fault: also what a proxy says that has lost its service."""


class Answer(NamedTuple):
    """What a service says to a request.

    Attributes:
        status: HTTP's number.
        headers: By their names, in whatever case.
        text: What it holds.
    """

    status: int
    headers: Message
    text: bytes


class Link:
    """A connection that is kept, and made anew where it broke.

    Args:
        url: As `check_url` gives it.
        token: What the service wants to hear, if anything.

    Raises:
        BadServiceToken: No header can hold that.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self._token = check_token(token) if token else None
        self._prefix = urlsplit(url).path
        self._connection: HTTPConnection | None = None

    def exchange(
        self, method: str, path: str, body: Any = None, *, seconds: float = ANSWER_SECONDS
    ) -> Answer:
        """Send one request and give its answer.

        Args:
            method: The request's.
            path: Where, below the service's URL.
            body: Its JSON values.
            seconds: How long the service may be silent.

        Raises:
            ServiceUnreachable: There was no answer; the request may be made again.
            ServiceRefused: It does not let us in.
        """
        from http.client import HTTPException

        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
            # As gateways before Metaflow's service want it.
            headers["x-api-key"] = self._token
        data = None
        if body is not None:
            data = json.dumps(body, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        fresh = self._connection is None
        while True:
            try:
                connection = self._connect(seconds)
                connection.request(method, self._prefix + path, data, headers)
                answer = connection.getresponse()
                found = Answer(answer.status, answer.headers, answer.read())
                break
            except (OSError, HTTPException) as error:
                self.close()
                # A connection that was kept may have been closed at its other end meanwhile; one
                # on which nothing comes has not been.
                if fresh or isinstance(error, TimeoutError):
                    reason = str(error) or type(error).__name__
                    raise ServiceUnreachable(self.url, reason) from error
                fresh = True
        if found.status in _AGAIN:
            raise ServiceUnreachable(self.url, f"it answers {found.status}")
        if found.status in (401, 403):
            raise ServiceRefused(self.url)
        return found

    def _connect(self, seconds: float) -> HTTPConnection:
        from http.client import HTTPConnection, HTTPSConnection

        if self._connection is None:
            parts = urlsplit(self.url)
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            self._connection = kind(parts.hostname or "", parts.port, timeout=seconds)
        self._connection.timeout = seconds
        if self._connection.sock is not None:
            self._connection.sock.settimeout(seconds)
        return self._connection

    def close(self) -> None:
        """Let go of the connection; the next request makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def check_url(url: str) -> str:
    """Give the URL of a service as it is kept. Raises BadServiceURL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadServiceURL(url, str(error)) from error
    if parts.username is not None or parts.password is not None:
        # Not shown: it holds a secret.
        raise BadServiceURL("...", "it holds a password; for a token there is PLAIT_SERVICE_TOKEN")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise BadServiceURL(url, "a URL begins with http:// or https:// and names a host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    # A gateway may have the service below a path of its own.
    path = quote(parts.path.rstrip("/"), safe="/%")
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{path}"


def check_token(token: str) -> str:
    """Give a token as it is sent, without white space around it. Raises BadServiceToken."""
    found = token.strip()
    if not _SENDABLE.fullmatch(found):
        raise BadServiceToken
    return found


def make_path(*parts: str) -> str | None:
    """Give the path of *parts*; None where one of them is a name that nothing has."""
    for part in parts:
        try:
            wire.read_name(part, "")
        except wire.BadRecord:
            return None
    return "".join(f"/{quote(part, safe='')}" for part in parts)
