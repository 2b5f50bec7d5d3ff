"""What every request goes through before it is looked at: who asks, how much, and in what form."""

from __future__ import annotations

import asyncio
import hmac
import json
from typing import Any
from urllib.parse import unquote_to_bytes

MAX_BODY = 8_000_000
"""The most bytes that a request may have."""

BODY_SECONDS = 30.0
"""How long a request's body may take to arrive."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Refused(Exception):
    """A request that is not answered as it wishes.

    Args:
        status: HTTP's number for it.
        slug: Its name.
        why: A sentence.
        facts: What else a client needs to know.
    """

    def __init__(self, status: int, slug: str, why: str, **facts: Any) -> None:
        super().__init__(why)
        self.status = status
        self.slug = slug
        self.why = why
        self.facts = facts

    def to_json(self) -> dict[str, Any]:
        """Give the answer's JSON values."""
        return {"error": {"slug": self.slug, "why": self.why, **self.facts}}

    def to_bytes(self) -> bytes:
        """Give the answer's body."""
        return json.dumps(self.to_json()).encode()


class Gate:
    """Knows who may ask.

    Args:
        token: What they have to say; None if anybody on this machine may.
    """

    def __init__(self, token: str | None) -> None:
        self._token = None if token is None else token.encode()

    @property
    def asks_for_token(self) -> bool:
        """Whether those who ask have to say a token."""
        return self._token is not None

    def check(self, request: Any) -> None:
        """Let a request through. Raises Refused."""
        headers = request.headers
        if self._token is None:
            # A page of the web may make a browser ask 127.0.0.1 by a name of its own.
            host = headers.get("host", "")
            name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
            if name not in _LOOPBACK:
                raise Refused(403, "wrong-host", "without a token, it answers this machine only")
            return
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            given = headers.get("x-api-key", "")
        # In a time that does not tell how much of it is right.
        if not hmac.compare_digest(given.strip().encode(), self._token):
            raise Refused(401, "token-needed", "the token is missing, or another one")


def check_path(request: Any) -> None:
    """Let a request through whose path and query are text. Raises Refused.

    What is none is read as if other characters stood there, by which something else may be named.
    """
    for part in (request.scope.get("raw_path") or b"", request.scope["query_string"]):
        try:
            unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            raise Refused(400, "bad-path", "the path is not UTF-8 behind its escapes") from None


async def read_json(request: Any) -> Any:
    """Give the JSON values that a request holds. Raises Refused."""
    from starlette.requests import ClientDisconnect

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # Also keeps pages of the web out: their forms cannot send this.
        raise Refused(415, "not-json", "the body has to be application/json, and to say so")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BODY:
        raise Refused(413, "too-large", f"a request has at most {MAX_BODY} bytes")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    raise Refused(413, "too-large", f"a request has at most {MAX_BODY} bytes")
                parts.append(part)
    except TimeoutError:
        raise Refused(408, "too-slow", f"a body has {BODY_SECONDS:g} s to arrive") from None
    except ClientDisconnect:
        # Nobody reads this; and it is no mistake of the service's, which would be logged.
        raise Refused(400, "not-whole", "the body ended before its end") from None
    try:
        return json.loads(b"".join(parts), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "not-json", "the body is not JSON") from error


def _refuse_constant(word: str) -> None:
    raise ValueError(word)
