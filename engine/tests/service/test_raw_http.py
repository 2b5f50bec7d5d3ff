"""What comes over a socket that is no request, or an odd one: it is answered, or refused."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from serving import serving, started

from plait.metadata.sqlite import SQLiteMetadata
from plait.service.connections import Patience

HOST = b"Host: 127.0.0.1\r\n"
JSON = b"Content-Type: application/json\r\n"
PING = b"GET /ping HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /api/1/facts HTTP/1.1\r\n" + HOST + JSON
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH = b"POST /api/1/facts HTTP/1.1\r\nContent-Length: 12\r\n" + HOST
BODY = b'{"facts":[]}'
UPGRADE = (
    b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eDEyMzQ1Njc4OTAxMjM0NQ==\r\n"
)

Say = Callable[..., bytes]


@pytest.fixture(scope="module")
def say(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Say]:
    """Sends bytes and gives what comes back: a few of it, or all until the connection is closed."""
    path = tmp_path_factory.mktemp("facts") / "facts.db"
    with (
        closing(SQLiteMetadata(str(path))) as store,
        serving(store, patience=Patience(idle=0.1)) as url,
    ):

        def say(text: bytes, enough: int = 10**9) -> bytes:
            found = b""
            address = ("127.0.0.1", urlsplit(url).port)
            with socket.create_connection(address, timeout=20) as one:
                one.sendall(text)
                while len(found) < enough and (more := one.recv(100_000)):
                    found += more
            return found

        yield say


def statuses(answers: bytes) -> list[int]:
    """Give the statuses of answers that came one after the other."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3})", answers)]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (PING, [200]),
        (b"GET /ping HTTP/1.0\r\n\r\n", [200]),
        (b"GET /api/1/flows HTTP/1.0\r\n\r\n", [403]),
        (b"GET /ping\r\n\r\n", [400]),
        (b"GET /ping HTTP/1.1\r\n\r\n", [400]),
        (b"GET /ping HTTP/1.1\r\n" + HOST + b"Host: b\r\n\r\n", [400]),
        (b"GET /ping HTTP/1.1\r\n" + HOST + b"A: b\0c\r\n\r\n", [400]),
        (b"GET /ping HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n", [400]),
        (b"GET /ping HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 65_000, [400]),
        (b"GET /api/1/flows/\xff HTTP/1.1\r\n" + HOST + b"\r\n", [400]),
        (b"GET http://127.0.0.1/ping HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
        (b"GET http://evil/ HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
        (b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
        (b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
        (b"OPTIONS /api/1/flows HTTP/1.1\r\n" + HOST + b"\r\n", [405]),
        (b"TRACE /api/1/flows HTTP/1.1\r\n" + HOST + b"\r\n", [405]),
        (b"get /api/1/flows HTTP/1.1\r\n" + HOST + b"\r\n", [405]),
        (b"GET /ping HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n", [200]),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"x" * 99, [400]),
        (PING * 50, [200] * 50),
        (b"GET /ping HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc" + PING, [200, 200]),
        (POST + b"Content-Length: 12\r\nContent-Length: 12\r\n\r\n" + BODY, [200]),
        (POST + b"Content-Length: 12\r\nContent-Length: 13\r\n\r\n" + BODY, [400]),
        (POST + b"Content-Length: -1\r\n\r\n" + BODY, [400]),
        (POST + b"Content-Length: +12\r\n\r\n" + BODY, [400]),
        (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", [400]),
        (POST + b"Content-Length: 9999999999\r\n\r\n" + BODY, [413]),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n" + BODY, [400]),
        (CHUNKED + b"c\r\n" + BODY + b"\r\n0\r\n\r\n", [200]),
        (LENGTH + CHUNKED.partition(HOST)[2] + b"c\r\n" + BODY + b"\r\n0\r\n\r\n" + PING, [400]),
        (CHUNKED.replace(b"/1.1", b"/1.0") + b"c\r\n" + BODY + b"\r\n0\r\n\r\n" + PING, [400]),
        (CHUNKED + b"zz\r\n" + BODY, [400]),
        (CHUNKED + b"-1\r\n" + BODY, [400]),
        (CHUNKED + b"c\r\n" + BODY + b"XX0\r\n\r\n", [400]),
        (POST + b"Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n" + BODY[::-1], [400]),
    ],
)  # fmt: skip
def test_odd_requests_are_answered(say: Say, request_: bytes, expected: list[int]) -> None:
    """Each gets what it should, the connection is closed in time, and the next one is served."""
    assert statuses(say(request_)) == expected
    assert statuses(say(PING)) == [200]


def test_a_head_is_an_answer_without_its_body(say: Say) -> None:
    """What stands after the head belongs to the next answer."""
    answers = say(b"HEAD /api/1/flows HTTP/1.1\r\n" + HOST + b"\r\n" + PING)

    assert statuses(answers) == [200, 200]
    assert b"flows" not in answers


def test_who_waits_to_be_asked_for_a_body_is_asked(say: Say) -> None:
    """And not asked for one that nobody would read."""
    wait = b"Content-Length: 12\r\nExpect: 100-continue\r\n\r\n"

    assert statuses(say(POST.replace(JSON, b"") + wait)) == [415]
    assert statuses(say(POST + wait, 20)) == [100]


def test_what_others_do_is_not_logged(tmp_path: Path) -> None:
    """Anybody may send what is no request, or go in the middle of one: a log is not theirs."""
    with started(tmp_path) as service:
        for text in (b"\0\r\n\r\n", b"GET /ping HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n"):
            with service.connect() as one:
                one.sendall(text)
                assert one.recv(1000)
        for _ in range(3):
            with service.connect() as one:
                one.sendall(POST + b"Content-Length: 12\r\nExpect: 100-continue\r\n\r\n")
                assert b" 100 " in one.recv(1000)
