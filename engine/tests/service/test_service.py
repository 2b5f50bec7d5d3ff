"""What the metadata service answers, above all to what it should not do; and how it is started."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import uvicorn
from serving import serving

from plait.base.errors import PlaitError
from plait.metadata.http import HTTPMetadata
from plait.metadata.http_errors import BadServiceToken
from plait.metadata.postgres import PostgresMetadata
from plait.metadata.protocol import NewRun
from plait.metadata.sqlite import SQLiteMetadata
from plait.service import limits
from plait.service.app import make_app
from plait.service.errors import (
    BadDatabaseURL,
    BadTokenFile,
    PortTaken,
    ServiceNotInstalled,
    TokenNeeded,
)
from plait.service.openapi_words import NAME
from plait.service.serve import open_database, read_token, serve

Ask = Callable[..., tuple[int, Any]]
GOOD = {"flow": "A", "created": 1}
RUN = "/api/1/flows/A/runs/1"
BEAT = {"kind": "run-beat", "key": ["A", "1"]}
MANY = [f"tag {number}" for number in range(501)]


def nest(levels: int) -> Any:
    """Give an object in so many others."""
    found: Any = {}
    for _ in range(levels - 1):
        found = {"a": found}
    return found


DEEP = {"field_name": "f", "value": nest(60)}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service without a token that knows one run."""
    path = tmp_path_factory.mktemp("facts") / "facts.db"
    with closing(SQLiteMetadata(str(path))) as store:
        store.create_run(NewRun("A", 1.0, system_tags=frozenset({"user:ada"})))
        with serving(store) as url:
            yield url


@pytest.fixture
def ask(url: str) -> Iterator[Ask]:
    """Sends a request and gives the status and the JSON of the answer."""
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:

        def ask(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
            data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            kind = {} if body is None else {"Content-Type": "application/json"}
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, data, {**kind, **given})
            answer = connection.getresponse()
            text = answer.read()
            is_json = answer.headers["content-type"] == "application/json"
            return answer.status, json.loads(text) if is_json else text.decode()

        yield ask


def fail(kind: type[PlaitError], act: Callable[[], object]) -> str:
    """Give what the error says that *act* raises."""
    with pytest.raises(kind) as raised:
        act()
    return raised.value.format()


def time_of(connection: HTTPConnection, path: str) -> float:
    """Give the seconds that a request took."""
    begun = time.monotonic()
    connection.request("GET", path)
    connection.getresponse().read()
    return time.monotonic() - begun


def test_it_says_how_it_is(ask: Ask) -> None:
    """Health, ping, version and description are there for anybody."""
    assert ask("GET", "/healthz") == (200, {"status": "ok"})
    assert ask("GET", "/ping") == (200, "pong")
    assert ask("GET", "/version") == (200, "1.0")
    assert ask("GET", "/api/1/damage") == (200, {"sentences": []})
    assert (
        RUN.replace("A", "{flow}").replace("/1", "/{run}").replace("api/{run}", "api/1")
        in (ask("GET", "/openapi.json")[1]["paths"])
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "slug"),
    [
        ("GET", "/nowhere", None, 404, "no-such-path"),
        ("PUT", "/api/1/runs", {}, 405, "no-such-method"),
        ("GET", "/api/1/flows/A/runs/2", None, 404, "not-there"),
        ("GET", "/api/1/flows/A%00/runs/1", None, 404, "not-there"),
        ("GET", f"{RUN}/steps/s/tasks/1", None, 404, "not-there"),
        ("PATCH", f"{RUN}/tags", [], 422, "bad-record"),
        ("POST", "/api/1/runs", {"run": {"flow": "A", "created": 10**400}}, 422, "bad-record"),
        ("POST", "/api/1/runs", {"run": {"flow": "A", "created": -(10**15)}}, 422, "bad-record"),
        ("POST", "/api/1/runs", b'{"run":{"flow":"A","created":1e999}}', 422, "bad-record"),
        ("POST", "/api/1/runs", b"9" * 5000, 400, "not-json"),
        ("POST", "/api/1/runs", {"run": {**GOOD, "facts": nest(51)}}, 422, "bad-record"),
        ("POST", "/api/1/runs", {"run": {**GOOD, "facts": nest(500)}}, 422, "bad-record"),
        ("POST", "/api/1/facts", {"facts": [{**BEAT, "at": 10**400}]}, 422, "bad-record"),
        ("POST", "/api/1/runs/find", {"flow": "A", "tags": MANY}, 422, "bad-record"),
        ("POST", "/flows/A/runs/1/steps/s/tasks/1/metadata", [DEEP], 422, "bad-record"),
        ("GET", "/api/1/flows/%ff/runs/1", None, 400, "bad-path"),
        ("POST", "/flows/%ff", {}, 400, "bad-path"),
        ("GET", "/flows/%c3%28/runs", None, 400, "bad-path"),
        ("GET", f"{RUN}/steps/s/tasks?before=%ff", None, 400, "bad-path"),
        ("GET", "/api/1/flows/", None, 404, "no-such-path"),
        ("GET", "//evil.example/api/1/flows", None, 404, "no-such-path"),
        ("DELETE", "/api/1/flows/A%01/runs/1", None, 404, "not-there"),
        ("GET", f"{RUN}/steps/s/tasks?limit=x", None, 422, "bad-record"),
        ("GET", f"{RUN}/steps/s/tasks?before=x", None, 422, "bad-record"),
        ("POST", "/api/1/facts", b"{", 400, "not-json"),
        ("POST", "/api/1/facts", b'{"facts": NaN}', 400, "not-json"),
        ("POST", "/api/1/facts", b"[" * 100_000, 400, "not-json"),
        ("POST", "/api/1/facts", [], 422, "bad-record"),
        ("POST", "/api/1/facts", {"facts": 1}, 422, "bad-record"),
        ("POST", "/api/1/facts", {"facts": [1] * 5001}, 413, "too-large"),
        ("POST", "/api/1/facts", {"x": 1}, 422, "bad-record"),
        ("POST", "/api/1/runs", {"run": GOOD, "above": -1}, 422, "bad-record"),
        ("POST", "/api/1/runs/find", {"flow": "A", "status": []}, 422, "bad-record"),
        ("POST", "/api/1/runs/find", {"flow": "A", "limit": True}, 422, "bad-record"),
        ("POST", "/api/1/runs/find", {"flow": "A", "before": "'; --"}, 422, "bad-record"),
        ("PATCH", f"{RUN}/tags", {"add": [" "]}, 422, "bad-tag"),
        ("PATCH", f"{RUN}/tags", {"add": ["user:ada"]}, 409, "system-tag"),
        ("PATCH", "/api/1/flows/A/runs/7/tags", {}, 404, "unknown-run"),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_4xx(
    ask: Ask, method: str, path: str, body: Any, status: int, slug: str
) -> None:
    """A request that is wrong is answered with what is wrong, and the service goes on."""
    found, answer = ask(method, path, body)

    assert (found, answer["error"]["slug"]) == (status, slug)
    assert ask("GET", "/api/1/flows") == (200, {"flows": ["A"]})


@pytest.mark.parametrize(
    "name",
    [".", "..", "a/b", "a\\b", "a\0", "a\n", "\x1b[2J", "\x7f", "\x9b2J", "a\u2028b", "\u202egnp",
     "\u2066a", "\ud800", "", "a" * 501],
)  # fmt: skip
def test_what_others_could_not_bear_is_no_name(ask: Ask, name: str) -> None:
    """Names are shown on terminals, and become parts of paths, by all who share the service."""
    found = [
        ask("POST", "/api/1/runs", {"run": {"flow": name, "created": 1}}),
        ask("POST", "/api/1/runs", {"run": {**GOOD, "origin_run": name}}),
        ask("POST", "/api/1/facts", {"facts": [{**BEAT, "at": 1, "key": [name, "1"]}]}),
        ask("POST", "/flows/A/run", {"run_number": name}),
    ]

    assert [(status, answer["error"]["slug"]) for status, answer in found] == [
        (422, "bad-record")
    ] * 4
    described = NAME["pattern"].replace("$", r"\Z")  # as it is meant where it is read
    assert not re.search(described, name) or len(name) > NAME["maxLength"] or name == "\ud800"
    if name and name.isprintable() and "/" not in name:
        assert ask("POST", f"/flows/{quote(name)}", {})[0] == 404


def test_what_is_just_not_too_deep_can_be_read(tmp_path: Path) -> None:
    """Whatever is kept, all runs of a flow can be listed with it."""
    with closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store, serving(store) as url:
        facts = {"a": nest(49)}
        with closing(HTTPMetadata(url)) as client:
            key = client.create_run(NewRun("A", 1.0, facts=facts))
            assert [(run.key, run.facts) for run in client.list_runs("A")] == [(key, facts)]
            assert client.list_runs("A", tags=frozenset(MANY[:500])) == []


def test_too_much_is_refused(url: str, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body over the limit is refused, whether it says so before or goes on and on."""
    monkeypatch.setattr(limits, "MAX_BODY", 1000)
    assert ask("POST", "/api/1/facts", {"facts": ["x" * 2000]})[0] == 413
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request(
            "POST", "/api/1/facts", (b" " * 600 for _ in range(4)),
            {"Content-Type": "application/json"}, encode_chunked=True,
        )  # fmt: skip
        assert connection.getresponse().status == 413


def test_what_is_slow_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not arrive is waited for a while only."""
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as one:
        one.sendall(
            b"POST /api/1/facts HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
        )
        assert b" 408 " in one.recv(1000).partition(b"\r\n")[0]


def test_pages_of_the_web_cannot_ask(ask: Ask) -> None:
    """Without a token, other names of this machine and forms of pages are refused."""
    assert ask("GET", "/api/1/flows", Host="evil.example:80")[0] == 403
    assert ask("POST", "/api/1/facts", b"{}", Content_Type="text/plain")[0] == 415


def test_a_token_is_needed_where_there_is_one(tmp_path: Path) -> None:
    """With a token, it is wanted in either of two headers; what is nobody's needs none."""
    with closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store, serving(store, "t") as url:

        def status(path: str, **headers: str) -> int:
            with closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
                given = {name.replace("_", "-"): value for name, value in headers.items()}
                connection.request("GET", path, headers=given)
                return connection.getresponse().status

        assert status("/ping") == 200
        assert status("/api/1/flows") == 401
        assert status("/api/1/flows", Authorization="Bearer no") == 401
        assert status("/api/1/flows", Authorization="Bearer t") == 200
        assert status("/api/1/flows", x_api_key="t") == 200


def test_a_database_that_is_away_is_503(tmp_path: Path) -> None:
    """Those who ask while the database is away are told to come again."""
    nowhere = PostgresMetadata("postgresql://x@127.0.0.1:1/x", wait=0.0)
    with serving(nowhere) as url, closing(HTTPConnection(urlsplit(url).netloc)) as connection:
        for path in ("/healthz", "/api/1/flows"):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 503
            assert b"database-unreachable" in answer.read()


def test_it_is_started_and_ends_in_order(tmp_path: Path) -> None:
    """`plait service` says where it listens, answers without delay, and ends on SIGTERM."""
    code = "from plait.cli.plait import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "service", "--db", "sqlite:///facts.db", "--port", "0"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        line = process.stderr.readline()
        with closing(HTTPConnection(line.rpartition("//")[2].strip(), timeout=20)) as connection:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b'{"status": "ok"}')
            # One part of an answer that waits for the other end's word waits for 40 ms.
            assert min(time_of(connection, "/ping") for _ in range(20)) < 0.03
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    assert process.returncode in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
    # All is in the one file that was named: who copies it has all.
    assert [file.name for file in tmp_path.glob("facts.db*")] == ["facts.db"]
    assert "Traceback" not in said


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_an_interrupt_ends_it_in_order(
    host: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says where it listens, and Ctrl-C is no mistake; then nobody listens there any more."""
    told: list[str] = []

    def interrupt(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        assert sockets[0].getsockname()[0] == host
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "run", interrupt)
    serve(
        f"sqlite:///{tmp_path}/f.db", host=host, port=0, token=None, version="1", tell=told.append
    )

    (line,) = told
    url, _, port = line.rpartition(":")
    assert url == f"plait's metadata service listens on http://{shown}"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as one:
        assert one.connect_ex((host, int(port))) != 0


def test_what_keeps_it_from_starting_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong database, a missing token and a taken port are mistakes with a cure."""
    database = f"sqlite:///{tmp_path}/facts.db"

    def start(db: str = database, host: str = "127.0.0.1", port: int = 0) -> None:
        serve(db, host=host, port=port, token=None, version="1", tell=lambda _line: None)

    with closing(open_database("postgresql://u:s3cret@127.0.0.1:1/x")) as store:
        assert store.place == "postgresql://127.0.0.1:1/x"
    assert "facts.db" in fail(BadDatabaseURL, lambda: open_database("facts.db"))
    assert "PLAIT_SERVICE_DB" in fail(BadDatabaseURL, lambda: open_database(""))
    for wrong in (
        "mysql://a:s3cret@b",
        "sqlite://x",
        "a:s3cret@b/c",
        "password=s3cret",
        "://s3cret",
    ):
        assert "s3cret" not in fail(BadDatabaseURL, lambda wrong=wrong: open_database(wrong))
    fail(TokenNeeded, lambda: start(host="0.0.0.0"))
    fail(TokenNeeded, lambda: start(host="example.org"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        fail(PortTaken, lambda: start(port=taken.getsockname()[1], host="localhost"))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "uvicorn", None)
        assert "plait[service]" in fail(ServiceNotInstalled, start)
    with monkeypatch.context() as patch, closing(SQLiteMetadata("x")) as store:
        patch.setitem(sys.modules, "starlette.applications", None)
        fail(ServiceNotInstalled, lambda: make_app(store, None, "1"))


def test_a_token_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file counts first; one that holds none is a mistake."""
    monkeypatch.setenv("PLAIT_SERVICE_TOKEN", "a")
    file = tmp_path / "token"
    file.write_text("b\n", encoding="utf-8")
    assert [read_token(None), read_token(str(file))] == ["a", "b"]
    for wrong in (" ", "s3c\nret", "s3c€ret"):
        monkeypatch.setenv("PLAIT_SERVICE_TOKEN", wrong)
        assert "s3c" not in fail(BadServiceToken, lambda: read_token(None))
        file.write_text(wrong, encoding="utf-8")
        assert "s3c" not in fail(BadTokenFile, lambda: read_token(str(file)))
    monkeypatch.delenv("PLAIT_SERVICE_TOKEN")
    assert read_token(None) is None
    file.write_text("\n", encoding="utf-8")
    fail(BadTokenFile, lambda: read_token(str(file)))
    fail(BadTokenFile, lambda: read_token(os.fspath(tmp_path / "none")))
