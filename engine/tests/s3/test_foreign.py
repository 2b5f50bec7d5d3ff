"""What answers at the endpoint may be no S3 server, and is told so, whatever it is asked."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from plait import S3, S3GetObject
from plait.s3.errors import (
    S3AccessDenied,
    S3BadCredentials,
    S3Error,
    S3NotAServer,
    S3NotFound,
    S3Throttled,
)
from plait.s3.foreign import refuse_foreign
from plait.s3.reading import read_facts, read_object
from plait_harness.faults import Fault, Rule

PAGE = b"<!DOCTYPE html>\n<html><body>It works!</body></html>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: tuple[int, bytes, dict[str, str]] = (200, b"", {})

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body, headers = type(self).answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_POST = _answer  # noqa: N815  # named by the library

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def web():
    """A web server that answers to everything in one way, which is set."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def s3(web, monkeypatch):
    """An `S3` of that server."""
    monkeypatch.setenv("PLAIT_S3_ENDPOINT_URL", f"http://127.0.0.1:{web.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with S3(s3root="s3://bucket/p") as opened:
        yield opened


USES = {
    "get": lambda s3: s3.get("a"),
    "range": lambda s3: s3.get(S3GetObject("a", 1, 2)),
    "put": lambda s3: s3.put("a", "x"),
    "list": lambda s3: s3.list_paths(),
    "no overwrite": lambda s3: s3.put("a", "x", overwrite=False),
    "info": lambda s3: s3.info("a"),
}
ANSWERS = {
    "page": (200, PAGE, {}),
    "json": (200, b'{"ok": true}', {}),
    "nothing": (200, b"", {}),
    "no page": (404, PAGE, {}),
    "no route": (404, b"404 page not found\n", {}),
    "forbidden page": (403, b"\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE html><html/>", {}),
    "bad json": (400, b'{"error": 1}', {}),
    "sent on with a page": (301, PAGE, {"Location": "https://127.0.0.1/"}),
    "sent on": (308, b"", {"Location": "https://127.0.0.1/"}),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("use", USES)
def test_what_is_no_s3_server_is_told(s3, monkeypatch, use, answer):
    """With the endpoint and the beginning of what came."""
    _Handler.answer = ANSWERS[answer]
    monkeypatch.setattr(s3._connection, "sleep", lambda _: None)
    with pytest.raises(S3NotAServer, match=r"what answers at http:.*is no S3 server"):
        USES[use](s3)


def test_a_page_of_one_who_is_busy_is_no_reason_to_give_up(s3, monkeypatch):
    """What stands before a server says with a page that it is not there for a while."""
    _Handler.answer = (503, PAGE, {})
    monkeypatch.setattr(s3._connection, "sleep", lambda _: None)
    with pytest.raises(S3Throttled, match="8 times"):
        USES["put"](s3)


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 404, "body": b"\n<Error><Code>NoSuchKey</Code></Error>", "headers": {}},
        {"status_code": 301, "body": b"", "headers": {"x-amz-bucket-region": "eu-west-1"}},
        {"status_code": 304, "body": b"", "headers": {}},
        {"status_code": 204, "body": b"", "headers": {}},
    ],
)
def test_what_s3_says_passes(answer):
    """Among it the way to the region of a bucket, which the library takes."""
    assert refuse_foreign(answer) is None


@pytest.mark.parametrize(
    ("code", "error"),
    [("SignatureDoesNotMatch", S3BadCredentials), ("AccessDenied", S3AccessDenied)],
)
def test_why_facts_are_refused_is_asked(faulty, root, code, error):
    """An answer to HEAD says no reason; a read of one byte does, and the object need not be."""
    reason = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
    connection = faulty(
        Rule(Fault.ERROR, "HEAD", body=b"", status=403),
        Rule(Fault.ERROR, "GET", body=reason, status=403),
    )
    with pytest.raises(error, match=f"{code}: No"):
        read_facts(connection, root)
    assert len(faulty.seen) == 2


def test_where_the_read_is_allowed_the_first_answer_counts(faulty, root, s3):
    """A right to one is no right to the other; and what is missing is missing."""
    connection = faulty(Rule(Fault.ERROR, "HEAD", body=b"", status=403, times=2))
    with pytest.raises(S3NotFound):
        read_facts(connection, root)
    connection.client().put_object(Bucket=root.bucket, Key=root.key, Body=b"x")
    with pytest.raises(S3AccessDenied, match="says: 403: Forbidden; some servers say so of wrong"):
        read_facts(connection, root)


def test_an_object_without_a_tag_is_none(faulty, root, monkeypatch):
    """Whoever reads it, and however."""
    connection = faulty()
    connection.client().put_object(Bucket=root.bucket, Key=root.key, Body=b"x")
    events = connection.client().meta.events

    def take_away(parsed, **_):
        parsed.pop("ETag", None)

    events.register("after-call.s3", take_away)
    try:
        for read in (read_facts, read_object):
            with pytest.raises(S3NotAServer, match="no ETag"):
                read(connection, root)
    finally:
        events.unregister("after-call.s3", take_away)
    assert issubclass(S3NotAServer, S3Error)
