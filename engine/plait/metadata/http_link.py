"""One connection to a metadata service: a request out, its answer or what is wrong with it in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from plait.base.pathspec import RunKey
from plait.metadata.errors import SystemTag, UnknownRun
from plait.metadata.http_errors import (
    BadServiceURL,
    NotAService,
    ServiceRefused,
    ServiceUnreachable,
)

if TYPE_CHECKING:
    from http.client import HTTPConnection

API = "/api/1"
"""Where the interface of this version begins."""

ANSWER_SECONDS = 10.0
"""How long an answer may take."""

_AGAIN = (408, 429, 500, 502, 503, 504)
"""What is not the request's fault: also what a proxy says that has lost its service."""


class Link:
    """A connection that is kept, and made anew where it broke.

    Args:
        url: As `check_url` gives it.
        token: What the service wants to hear, if anything.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self._token = token
        self._connection: HTTPConnection | None = None
        self.knows_us = False
        """Whether an answer has shown that it is a service of plait's."""

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        seconds: float = ANSWER_SECONDS,
        run: RunKey | None = None,
        missing: bool = False,
    ) -> Any:
        """Send one request and give what its answer holds.

        Args:
            method: The request's.
            path: Where, within the interface.
            body: Its JSON values.
            seconds: How long the service may be silent.
            run: The run whose tags it changes.
            missing: Whether None may be the answer, where there is nothing.

        Raises:
            ServiceUnreachable: There was no answer; the request may be made again.
            ServiceRefused, NotAService: The answer is none of ours.
            UnknownRun, SystemTag: The answer says so.
        """
        status, text = self.exchange(method, API + path, body, seconds=seconds)
        return self._read(status, text, run=run, missing=missing)

    def exchange(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        seconds: float = ANSWER_SECONDS,
        once: bool = False,
    ) -> tuple[int, bytes]:
        """Send one request to any path of the server and give its status and body.

        Args:
            method: The request's.
            path: Where, from the server's root.
            body: Its JSON values.
            seconds: How long the server may be silent.
            once: Whether it must not come twice, so that a connection that breaks is told.

        Raises:
            ServiceUnreachable: There was no answer, or one that tells to come again.
            ServiceRefused: It wants another token.
        """
        from http.client import HTTPException

        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
            # What gateways before Metaflow's service look for.
            headers["x-api-key"] = self._token
        data = None
        if body is not None:
            data = json.dumps(body, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        fresh = self._connection is None
        while True:
            try:
                connection = self._connect(seconds)
                connection.request(method, path, data, headers)
                answer = connection.getresponse()
                text = answer.read()
                break
            except (OSError, HTTPException) as error:
                self.close()
                # A connection that was kept may have been closed at its other end meanwhile; one
                # on which nothing comes has not been.
                if fresh or once or isinstance(error, TimeoutError):
                    reason = str(error) or type(error).__name__
                    raise ServiceUnreachable(self.url, reason) from error
                fresh = True
        if answer.status in _AGAIN:
            raise ServiceUnreachable(self.url, f"it answers {answer.status}")
        if answer.status in (401, 403):
            raise ServiceRefused(self.url)
        return answer.status, text

    def _read(self, status: int, text: bytes, *, run: RunKey | None, missing: bool) -> Any:
        try:
            data = json.loads(text)
            error: Any = data["error"] if status >= 400 else {}  # of HTTP
            slug = error["slug"] if status >= 400 else None
        except (ValueError, KeyError, TypeError) as mistake:
            raise NotAService(self.url, f"it answers {status}, and not as one") from mistake
        self.knows_us = self.knows_us or slug != "no-such-path"
        if slug is None:
            return data
        if slug == "not-there" and missing:
            return None
        if slug == "unknown-run":
            raise UnknownRun(RunKey(*error["run"]), f"service@{self.url}")
        if slug == "system-tag":
            raise SystemTag(f"run '{run}'", error["tags"])
        raise NotAService(self.url, f"it answers {status}: {error['why']}")

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
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}"
