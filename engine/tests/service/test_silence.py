"""A service among hundreds of connections on which little or nothing is said."""

from __future__ import annotations

import json
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from serving import Started, serving, started

from plait.metadata.sqlite import SQLiteMetadata
from plait.service.connections import Patience
from plait.service.serve import _find_room

HALF = b"GET /api/1/flows HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"
WHOLE = b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextmanager
def silent(
    service: Started, count: int, saying: tuple[bytes, ...] = (b"",)
) -> Iterator[list[socket.socket]]:
    """Open connections, say one thing on each of them, and give them."""
    with ExitStack() as stack:
        opened: list[socket.socket] = []
        for _, said in zip(range(count), cycle(saying), strict=False):
            opened.append(stack.enter_context(service.connect()))
            opened[-1].sendall(said)
        yield opened


def ping(connection: socket.socket) -> None:
    """Ask on a connection, and read all of the answer."""
    connection.sendall(WHOLE)
    read_until(connection, b"pong")


def ask_and_ask(connection: socket.socket) -> None:
    """Ask for what is long until it is closed, and never read an answer."""
    while True:
        connection.sendall(WHOLE.replace(b"/ping", b"/openapi.json") * 100)


def read_until(connection: socket.socket, end: bytes) -> None:
    """Read up to a text; nothing for the end of the connection."""
    text = b""
    while more := connection.recv(10_000):
        text += more
        if end and text.endswith(end):
            return
    assert not end


def get(service: Started, path: str) -> int:
    """Give the status of an answer."""
    with closing(HTTPConnection("127.0.0.1", service.port, timeout=20)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def test_silent_connections_keep_nobody_out_and_are_closed(tmp_path: Path) -> None:
    """Six hundred of them: whoever asks is answered, then and later, and they go."""
    timing = {"PLAIT_SERVICE_HEAD_SECONDS": "1.5", "PLAIT_SERVICE_IDLE_SECONDS": "2.5"}
    saying = (b"", HALF, WHOLE + HALF)
    with started(tmp_path, **timing) as service, silent(service, 600, saying) as opened:
        assert get(service, "/api/1/flows") == 200
        for one in opened:
            read_until(one, b"")
        assert get(service, "/api/1/flows") == 200


def test_a_connection_that_is_kept_is_closed_in_time(tmp_path: Path) -> None:
    """It is good for further requests until nobody has asked for so long."""
    with (
        started(tmp_path, PLAIT_SERVICE_IDLE_SECONDS="0.5") as service,
        service.connect() as one,
    ):
        for _ in range(3):
            ping(one)
        assert one.recv(1000) == b""


def test_a_connection_more_than_there_may_be_takes_the_place_of_a_silent_one(
    tmp_path: Path,
) -> None:
    """However many come, those that ask are answered, and others do not stay."""
    with (
        started(tmp_path, PLAIT_SERVICE_CONNECTIONS="20") as service,
        service.connect() as kept,
    ):
        ping(kept)
        with silent(service, 15) as first, silent(service, 60):
            ping(kept)
            assert get(service, "/api/1/flows") == 200
            for one in first:
                read_until(one, b"")
            ping(kept)
        open_files = os.listdir(f"/proc/{service.process.pid}/fd")
        assert len(open_files) < 20 + 20


def test_who_does_not_take_answers_is_not_waited_for(tmp_path: Path) -> None:
    """Who asks and asks, and reads nothing, is closed."""
    patience = Patience(head=20, answer=0.3)
    with (
        closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store,
        serving(store, patience=patience) as url,
        socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=20) as one,
    ):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 10_000)
        with pytest.raises(ConnectionError):
            ask_and_ask(one)


def test_more_requests_than_can_be_worked_at_are_told_to_come_again(tmp_path: Path) -> None:
    """A 503 that says when, and the connection is good for it."""
    patience = Patience(at_once=0)
    with (
        closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store,
        serving(store, patience=patience) as url,
        closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection,
    ):
        for _ in range(2):
            connection.request("GET", "/ping")
            answer = connection.getresponse()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert json.loads(answer.read())["error"]["slug"] == "busy"


def test_files_do_not_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are fewer connections where fewer files may be open; the limit is raised if it can."""
    limits = {"now": (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, new: limits.update(now=new))

    assert (_find_room(1000), limits["now"]) == ((1000, 64), (1316, 4096))
    assert (_find_room(100), limits["now"]) == ((100, 64), (1316, 4096))
    assert (_find_room(9000), limits["now"]) == ((4096 - 316, 64), (4096, 4096))
    limits["now"] = (256, 256)
    assert _find_room(1000) == (256 - 4 * 16 - 60, 16)
    limits["now"] = (64, 64)
    assert _find_room(1000) == (8, 4)
    limits["now"] = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert _find_room(9000) == (9000, 64)
    limits["now"] = (64, resource.RLIM_INFINITY)
    assert (_find_room(9000), limits["now"]) == ((9000, 64), (9316, resource.RLIM_INFINITY))


def test_few_files_are_enough(tmp_path: Path) -> None:
    """Where next to none may be open, a flood of connections leaves some for who asks."""
    with started(tmp_path, files=72, PLAIT_SERVICE_HEAD_SECONDS="30") as service:
        for _ in range(3):
            with silent(service, 200):
                assert get(service, "/api/1/flows") == 200
