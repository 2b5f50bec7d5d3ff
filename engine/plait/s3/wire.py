"""One HTTP connection on which plain requests are made, with no more work than they need.

The standard library takes half a millisecond of a core to read the head of an answer, as it reads
it like the head of a mail. That is more than all the rest of what a small object takes.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_CONNECT_SECONDS = 5.0
_CHUNK = 1 << 16
_POUR = 1 << 20
"""A large body is taken in pieces of so many bytes, so that it never lies in memory as a whole."""
_MOST_HEAD = 1 << 16
"""The head of an answer has at most so many bytes."""
_END = b"\r\n\r\n"


class Unusual(Exception):
    """A request did not go as most do: ask the library."""


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer begins with.

    Args:
        status: Its status.
        headers: Its headers, by lower-case name.
        size: The bytes of its body.
    """

    status: int
    headers: Mapping[str, str]
    size: int


class Wire:
    """A connection that stays open, for one request after another. For one thread.

    Each `ask` is followed by `take` or `pour`, or by `close`.

    Args:
        at: The server's name and port.
        secure: Whether to speak TLS.
        seconds: How long to wait for bytes.
    """

    def __init__(self, at: tuple[str, int], *, secure: bool, seconds: float) -> None:
        self._at, self._secure, self._seconds = at, secure, seconds
        self._socket: socket.socket | None = None
        self._came = bytearray()
        self._missing = 0
        self._ends = False
        self._buffer = bytearray()

    def ask(self, request: bytes) -> Head:
        """Send a request without a body, and read the head of its answer. Raises Unusual."""
        try:
            if self._socket is None:
                self._socket = self._open()
            self._socket.sendall(request)
            return self._read_head(self._socket)
        except (OSError, ValueError) as error:
            self.close()
            raise Unusual(str(error)) from error
        except Unusual:
            self.close()
            raise

    def take(self) -> bytearray:
        """Give the body. Raises Unusual."""
        body, have = self._came, len(self._came)
        body.extend(bytes(self._missing))
        rest = memoryview(body)[have:]
        while rest:
            rest = rest[self._receive(rest) :]
        self._finish()
        return body

    def pour(self, write: Callable[[memoryview], None]) -> None:
        """Hand the body to *write*, piece by piece. Raises Unusual, and what *write* raises."""
        try:
            self._pour(write)
        except BaseException:
            self.close()  # the rest of the body would be taken for the next answer
            raise
        self._finish()

    def _pour(self, write: Callable[[memoryview], None]) -> None:
        write(memoryview(self._came))
        if not self._buffer:
            self._buffer = bytearray(_POUR)
        buffer = memoryview(self._buffer)
        while self._missing:
            filled = 0
            wanted = min(_POUR, self._missing)
            while filled < wanted:
                filled += self._receive(buffer[filled:wanted])
            self._missing -= filled
            write(buffer[:filled])

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        opened = socket.create_connection(self._at, timeout=_CONNECT_SECONDS)
        try:
            opened.settimeout(self._seconds)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._secure:
                return _make_tls().wrap_socket(opened, server_hostname=self._at[0])
        except BaseException:
            opened.close()
            raise
        return opened

    def _read_head(self, opened: socket.socket) -> Head:
        data = bytearray()
        end = -1
        while end < 0:
            if len(data) > _MOST_HEAD:
                raise Unusual("the head of the answer does not end")
            seen = max(0, len(data) - len(_END) + 1)
            got = opened.recv(_CHUNK)
            if not got:
                raise Unusual("the connection was closed before the answer")
            data += got
            end = data.find(_END, seen)
        status, headers = _parse_head(data[:end])
        # What has no length, or comes in pieces of its own, is seldom an object.
        size = int(headers.get("content-length", ""))
        if "transfer-encoding" in headers or size < 0:
            raise Unusual("the body is sent in another way")
        self._came = data[end + len(_END) :]
        self._missing = size - len(self._came)
        if self._missing < 0:
            raise Unusual("more came than was announced")
        self._ends = headers.get("connection", "").lower() == "close"
        return Head(status, headers, size)

    def _receive(self, into: memoryview) -> int:
        assert self._socket is not None
        try:
            got = self._socket.recv_into(into)
        except OSError as error:
            self.close()
            raise Unusual(str(error)) from error
        if not got:
            self.close()
            raise Unusual("the connection was closed before the body's end")
        return got

    def _finish(self) -> None:
        self._came = bytearray()
        self._missing = 0
        if self._ends:
            self.close()


def _parse_head(head: bytes | bytearray) -> tuple[int, dict[str, str]]:
    """Give the status and the headers. Raises Unusual, and ValueError where it is no number."""
    first, *lines = head.decode("iso-8859-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if version != "HTTP/1.1":
        raise Unusual(f"the answer begins with {first[:40]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name != name.strip() or name in headers:
            raise Unusual(f"a header of the answer is {line[:40]!r}, or is there twice")
        headers[name] = value.strip()
    return int(rest[:3]), headers


def _make_tls() -> ssl.SSLContext:
    from botocore.httpsession import get_cert_path

    bundle = os.environ.get("AWS_CA_BUNDLE") or get_cert_path(verify=True)
    return ssl.create_default_context(cafile=bundle)
