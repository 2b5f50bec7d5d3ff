"""Plain requests over one connection: what is read, and what is left to the library."""

from __future__ import annotations

import socket
import threading

import pytest

from plait.s3 import wire as module
from plait.s3.wire import Unusual, Wire


@pytest.fixture
def serve():
    """Gives a connection to a server that sends what it is told, piece by piece, each once."""
    listener = socket.create_server(("127.0.0.1", 0))
    wires = []

    def begin(*answers, closes=True):
        def work():
            connection, _ = listener.accept()
            with connection:
                for answer in answers:
                    connection.recv(1 << 16)
                    for piece in answer:
                        connection.sendall(piece)
                if not closes:
                    connection.recv(1)

        threading.Thread(target=work, daemon=True).start()
        wires.append(Wire(listener.getsockname(), secure=False, seconds=10))
        return wires[-1]

    yield begin
    for wire in wires:
        wire.close()
    listener.close()


def test_one_answer_after_another(serve):
    """Over the same connection, in whatever pieces they come."""
    wire = serve(
        [b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\nX-A:  b c \r\n\r", b"\nhel", b"lo"],
        [b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nConnection: close\r\n\r\n"],
        closes=False,
    )
    first = wire.ask(b"GET one")
    assert (first.status, first.size, wire.take()) == (200, 5, b"hello")
    second = wire.ask(b"GET two")
    assert (second.status, second.size, wire.take()) == (404, 0, b"")

    assert first.headers == {"content-length": "5", "x-a": "b c"}
    assert wire._socket is None


def test_a_large_body_is_poured(serve, monkeypatch):
    """In pieces that are never more than a few bytes in memory."""
    monkeypatch.setattr(module, "_CHUNK", 8)
    monkeypatch.setattr(module, "_POUR", 4)
    wire = serve([b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nab", b"cdefghijk"], closes=False)
    pieces = []
    wire.ask(b"GET it")
    wire.pour(lambda piece: pieces.append(bytes(piece)))

    assert b"".join(pieces) == b"abcdefghijk"
    assert all(len(piece) <= 4 for piece in pieces[1:])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "closed before the answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", "closed before the answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", "closed before the body's end"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nmore", "more came"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "another way"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: x\r\n\r\n", "another way"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "invalid literal"),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", "begins with"),
        (b"HTTP/1.1 200 OK\r\na: 1\r\nA: 2\r\n\r\n", "there twice"),
        (b"HTTP/1.1 200 OK\r\na: 1\r\n folded\r\n\r\n", "a header"),
        (b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000, "does not end"),
    ],
)
def test_what_is_unusual(serve, answer, why):
    """It is not guessed at, and the connection is not used again."""
    wire = serve([answer] if answer else [])

    def read():
        wire.ask(b"GET it")
        wire.take()

    with pytest.raises(Unusual, match=why):
        read()
    assert wire._socket is None


def test_a_server_that_says_nothing_is_given_up(serve):
    """After the seconds that the connection was given, in the middle of a body as well."""
    wire = serve([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"], closes=False)
    wire._seconds = 0.05
    wire.ask(b"GET it")

    with pytest.raises(Unusual, match="timed out"):
        wire.take()
    assert wire._socket is None


def test_a_server_without_tls_is_not_spoken_to_with_it(serve):
    """The connection is closed again."""
    plain = serve([b"HTTP/1.1 400 Bad Request\r\n\r\n"])
    wire = Wire(plain._at, secure=True, seconds=10)

    with pytest.raises(Unusual):
        wire.ask(b"GET it")
    assert wire._socket is None
