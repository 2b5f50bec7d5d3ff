"""Messages between a run's process and its keeper: JSON after its length, with descriptors."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socket import socket

_LENGTH_BYTES = 4
_CHUNK = 1 << 18
_MOST_FDS = 8


def send(sock: socket, message: object, fds: tuple[int, ...] = ()) -> None:
    """Send a message, whole, with descriptors that the other side gets copies of."""
    from socket import send_fds

    body = json.dumps(message, separators=(",", ":")).encode()
    data = len(body).to_bytes(_LENGTH_BYTES, "big") + body
    sent = send_fds(sock, [data], list(fds)) if fds else sock.send(data)
    if sent < len(data):
        sock.sendall(data[sent:])


class Receiver:
    """Takes messages, and the descriptors that came with each, off one socket."""

    def __init__(self, sock: socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._fds: list[int] = []

    def receive(self) -> list[Any] | None:
        """Read once and give the messages that are complete now.

        Returns:
            The messages; None when the other side is gone.
        """
        from socket import recv_fds

        try:
            data, fds, _flags, _address = recv_fds(self._sock, _CHUNK, _MOST_FDS)
        except ConnectionResetError:
            return None
        if not data:
            return None
        for fd in fds:
            os.set_inheritable(fd, False)
        self._fds.extend(fds)
        self._buffer += data
        messages = []
        while len(self._buffer) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(self._buffer[:_LENGTH_BYTES], "big")
            if len(self._buffer) < end:
                break
            messages.append(json.loads(self._buffer[_LENGTH_BYTES:end]))
            del self._buffer[:end]
        return messages

    def take_fds(self, count: int) -> list[int]:
        """Give the oldest *count* descriptors that came and were not taken yet."""
        taken, self._fds = self._fds[:count], self._fds[count:]
        return taken
