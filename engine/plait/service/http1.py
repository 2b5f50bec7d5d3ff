"""HTTP/1.1 as uvicorn speaks it, over connections that are watched.

uvicorn bounds neither how long a request's head may take nor how long a new connection may be
silent. Both are seen from here by what asyncio and ASGI promise: that bytes came, and that the
application was called, which is when a head is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from plait.service.connections import Connection, Connections
from plait.service.limits import Refused

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_KEY = "plait.connection"
_BUSY = Refused(503, "busy", "it has too many requests to answer at once")
_TWO_LENGTHS = Refused(400, "two-lengths", "a body comes in chunks or has a length, not both")


class WatchedProtocol(asyncio.Protocol):
    """Passes on to uvicorn what happens to a connection, and says it to those who count it.

    Args:
        connections: Those who do.
        app_state: What uvicorn gives to whatever it is told to speak HTTP with; the rest of it is
            handed on as it is.
    """

    def __init__(
        self, connections: Connections, *, app_state: Mapping[str, Any], **more: Any
    ) -> None:
        self._connections = connections
        # The application finds its connection in the scope, where uvicorn puts this state.
        self._state: dict[str, Any] = {**app_state}
        self._http = H11Protocol(app_state=self._state, **more)
        self._connection: Connection | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as TCP's are
        """Be counted; without room for it, it is closed, and uvicorn knows nothing of it."""
        self._connection = self._connections.open(transport)
        if self._connection is not None:
            self._state[_KEY] = self._connection
            self._http.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Tell that bytes came."""
        if self._connection is not None:
            self._connection.received()
            self._http.data_received(data)

    def eof_received(self) -> None:
        """Have it closed, as nothing will be asked on it any more."""
        self._http.eof_received()

    def pause_writing(self) -> None:
        """Tell that an answer is not taken as fast as it is made."""
        if self._connection is not None:
            self._connection.block()
            self._http.pause_writing()

    def resume_writing(self) -> None:
        """Tell that it has been taken."""
        if self._connection is not None:
            self._connection.unblock()
            self._http.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's
        """Be counted no more."""
        if self._connection is not None:
            self._connection.lose()
            # Not *exc*: of a connection that broke, uvicorn would keep its timer, and by that all
            # that belongs to it.
            self._http.connection_lost(None)


def make_protocol(connections: Connections) -> Any:
    """Make what uvicorn takes for `http`: each of its connections is one of *connections*."""
    return partial(WatchedProtocol, connections)


def watch(app: Application, connections: Connections) -> Application:
    """Make an application that says of each request when it begins and ends.

    Args:
        app: What answers.
        connections: Whose requests; `make_protocol` was given the same.
    """

    async def watched(scope: Message, receive: Receive, send: Send) -> None:
        connection: Connection = scope["state"][_KEY]
        connection.begin()
        try:
            if _has_two_lengths(scope):
                await _refuse(send, _TWO_LENGTHS, (b"connection", b"close"))
                return
            if not connections.begin_request():
                await _refuse(send, _BUSY, (b"retry-after", b"1"))
                return
            try:
                await app(scope, receive, send)
            finally:
                connections.end_request()
        finally:
            connection.end()

    return watched


def _has_two_lengths(scope: Message) -> bool:
    """Say whether a proxy may have taken the body to end where it is not taken to end here.

    What follows would be a request to one and a part of the body to the other (RFC 9112, 6.1).
    """
    names = {name for name, _value in scope["headers"]}
    in_chunks = b"transfer-encoding" in names
    return in_chunks and (b"content-length" in names or scope["http_version"] == "1.0")


async def _refuse(send: Send, refused: Refused, header: tuple[bytes, bytes]) -> None:
    body = refused.to_bytes()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        header,
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
