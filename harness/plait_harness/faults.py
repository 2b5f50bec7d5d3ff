"""A proxy before a server that goes wrong on purpose: as planned, or by a seed at a given rate.

`python -m plait_harness.faults --upstream URL --port PORT --rate 0.1 --seed 7` starts one.
"""

from __future__ import annotations

import argparse
import http.client
import re
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Self
from urllib.parse import urlsplit

_SLOW_DOWN = (
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
_INTERNAL = b"<Error><Code>InternalError</Code><Message>We met an internal error.</Message></Error>"
_HOP = frozenset({"connection", "transfer-encoding", "content-length", "expect", "keep-alive"})
_SLOW_SECONDS = 0.2


class Fault(Enum):
    """What may go wrong with a request."""

    THROTTLED = "throttled"
    """503 SlowDown; the server does not hear of the request."""
    ERROR = "error"
    """500; the server does not hear of it."""
    RESET = "reset"
    """The connection is reset; the server does not hear of it."""
    LOST = "lost"
    """The server does what it is asked, and the connection is reset instead of the answer."""
    TRUNCATED = "truncated"
    """Half of the answer's body comes, then the connection is reset."""
    CORRUPT = "corrupt"
    """A byte of an object is changed on its way, whichever that is."""
    HANG = "hang"
    """Nothing comes, until the client gives up."""
    SLOW = "slow"
    """The answer takes a while."""


@dataclass(slots=True)
class Rule:
    """A fault that is planned.

    Args:
        fault: What goes wrong.
        match: Which requests: a pattern to search in `METHOD /path?query`.
        times: How often; None for always.
        skip: How many such requests go well before.
        body: The answer, where it is one of the proxy's own and not the usual one.
        status: The status of that answer.
    """

    fault: Fault
    match: str = ""
    times: int | None = 1
    skip: int = 0
    body: bytes | None = None
    status: int = 0

    def applies(self, line: str) -> bool:
        """Say whether a request meets this fault, and count it."""
        if self.times == 0 or not re.search(self.match, line):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class Plan:
    """Which requests go wrong.

    Args:
        rules: Planned faults; the first that applies counts.
        rate: The share of all other requests that go wrong, from 0 to 1.
        seed: Decides which and how.
        kinds: The faults among which the seed chooses.
    """

    rules: list[Rule] = field(default_factory=list)
    rate: float = 0.0
    seed: int = 0
    kinds: Sequence[Fault] = tuple(Fault)
    seen: list[str] = field(default_factory=list)
    """The requests so far, each as `METHOD /path?query`."""
    _random: Random | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def choose(self, line: str) -> tuple[Fault | None, Rule | None]:
        """Decide about a request."""
        with self._lock:
            self.seen.append(line)
            for rule in self.rules:
                if rule.applies(line):
                    return rule.fault, rule
            if self._random is None:
                self._random = Random(self.seed)  # noqa: S311  # to be repeated, no secrets
            if self._random.random() < self.rate:
                return self._random.choice(list(self.kinds)), None
        return None, None


class FaultProxy:
    """A proxy on a free port of the loopback, served by threads; as a context manager it runs.

    Args:
        upstream: The URL of the server.
        plan: Which requests go wrong.
        port: The port to listen on; 0 for a free one.
    """

    def __init__(self, upstream: str, plan: Plan | None = None, port: int = 0) -> None:
        self.plan = plan or Plan()
        url = urlsplit(upstream)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.plan = self.plan
        self._server.upstream = (str(url.hostname), int(url.port or 80))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve until the process is ended."""
        self._server.serve_forever()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    plan: Plan
    upstream: tuple[str, int]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away, as they do from a proxy like this."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    _upstream: http.client.HTTPConnection | None = None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Write no log."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault, rule = self.server.plan.choose(f"{self.command} {self.path}")
        if fault in (Fault.THROTTLED, Fault.ERROR):
            status, text = (503, _SLOW_DOWN) if fault is Fault.THROTTLED else (500, _INTERNAL)
            if rule is not None and rule.body is not None:
                status, text = rule.status, rule.body
            self._answer(status, {"Content-Type": "application/xml"}, text)
        elif fault is Fault.RESET:
            self._reset()
        elif fault is Fault.HANG:
            self.rfile.read(1)  # until the client closes
            self.close_connection = True
        else:
            self._forward(fault, body)

    def _forward(self, fault: Fault | None, body: bytes) -> None:
        if fault is Fault.CORRUPT and body and "uploads" not in self.path:
            body, fault = _flip(body), None
        status, headers, answer = self._ask(body)
        if fault is Fault.LOST:
            self._reset()
            return
        if fault is Fault.SLOW:
            threading.Event().wait(_SLOW_SECONDS)
        # In what describes objects, a changed byte may go unnoticed by anybody.
        kind = next((v for name, v in headers.items() if name.lower() == "content-type"), "xml")
        is_object = "xml" not in kind.lower()
        if fault is Fault.CORRUPT and answer and is_object:
            answer = _flip(answer)
        if fault is Fault.TRUNCATED and answer and self.command != "HEAD":
            self._answer(status, headers, answer, only=len(answer) // 2)
            self._reset()
            return
        self._answer(status, headers, answer)

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Hand a request on, and give the answer."""
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection(*self.server.upstream, timeout=60)
        sent = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        if body or "content-length" in self.headers:
            sent["Content-Length"] = str(len(body))
        self._upstream.request(self.command, self.path, body=body or None, headers=sent)
        answer = self._upstream.getresponse()
        data = answer.read()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        if self.command == "HEAD" and answer.headers["content-length"]:
            headers["Content-Length"] = answer.headers["content-length"]
        return answer.status, headers, data

    def _answer(
        self, status: int, headers: Mapping[str, str], body: bytes, only: int | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:only])
        self.wfile.flush()

    def _reset(self) -> None:
        """Close the connection so that the client is told of a reset, as when a machine fails."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        """Close both connections."""
        if self._upstream is not None:
            self._upstream.close()
        try:
            super().finish()
        except OSError:
            return  # it was reset

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815  # the library's names


def _flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is ended, as its command line says."""
    parser = argparse.ArgumentParser(prog="python -m plait_harness.faults", description=__doc__)
    parser.add_argument("--upstream", required=True, help="the URL of the server")
    parser.add_argument("--port", type=int, required=True, help="the port to listen on")
    parser.add_argument("--rate", type=float, default=0.1, help="the share that goes wrong")
    parser.add_argument("--seed", type=int, default=0, help="decides which and how")
    parser.add_argument("--kinds", help="what may go wrong, comma-separated; anything, if not said")
    given = parser.parse_args(arguments)
    kinds = [Fault(name) for name in given.kinds.split(",")] if given.kinds else tuple(Fault)
    plan = Plan(rate=given.rate, seed=given.seed, kinds=kinds)
    FaultProxy(given.upstream, plan, given.port).serve()


if __name__ == "__main__":
    main()
