"""What a service says of its database: when it starts, while it runs, and once it is back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from serving import serving

from plait.base.pathspec import RunKey
from plait.metadata.errors import DatabaseUnreachable, NewerMetadata, UnavailableMetadata
from plait.metadata.postgres import PostgresMetadata
from plait.metadata.protocol import NewRun
from plait.metadata.sqlite import SQLiteMetadata
from plait.service import health
from plait.service.serve import serve


def ask(url: str, path: str, method: str = "GET") -> tuple[int, Any]:
    """Give the status and the JSON of an answer."""
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        body = None if method == "GET" else '{"add": ["a"], "remove": []}'
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def slug(answer: tuple[int, Any]) -> tuple[int, str]:
    """Give the status and the word of a refusal."""
    return answer[0], answer[1]["error"]["slug"]


class Slow(SQLiteMetadata):
    """A store whose database answers when it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.asked = 0
        self.go = threading.Event()

    def check(self) -> None:
        """Wait, and then see."""
        self.asked += 1
        self.go.wait(20)
        super().check()


class Away(SQLiteMetadata):
    """A store whose database is there, or not."""

    away = False

    def check(self) -> None:
        """Fail if it is away."""
        self._fail()
        super().check()

    def iter_flows(self) -> Any:
        """Fail if it is away."""
        self._fail()
        return super().iter_flows()

    def _fail(self) -> None:
        if self.away:
            raise DatabaseUnreachable("postgresql://db:5432/plait", "Connection\nrefused")


@pytest.mark.parametrize(
    ("db", "said"),
    [
        ("sqlite:////proc/x/y.db", ("metadata-unavailable", "/proc/x/y.db", "fix:")),
        ("sqlite:////proc", ("metadata-unavailable", "/proc", "fix:")),
        ("postgresql://u:s3cret@[::1/x", ("bad-connection-url", "%40", "fix:")),
        ("sqlite:///text", ("damaged-metadata", "text", "fix:")),
    ],
)
def test_a_database_that_cannot_be_used_is_said_at_the_start(
    tmp_path: Path, db: str, said: tuple[str, ...]
) -> None:
    """The program ends with an error, and has not said that it listens."""
    (tmp_path / "text").write_text("no database, but a text that is long enough" * 100)
    ended = subprocess.run(
        [sys.executable, "-c", "from plait.cli.plait import main; main()", "service"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PLAIT_SERVICE_DB": db},
    )  # fmt: skip

    assert ended.returncode != 0
    for words in said:
        assert words in ended.stderr
    for words in ("listens", "s3cret", "Traceback"):
        assert words not in ended.stderr


def test_a_server_that_is_not_there_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as it was tried for long enough."""
    monkeypatch.setattr(
        "plait.service.serve.open_database", lambda url: PostgresMetadata(url, wait=0.1)
    )
    told: list[str] = []
    with pytest.raises(DatabaseUnreachable, match="cannot be reached"):
        serve(
            "postgresql://u:s3cret@127.0.0.1:1/x",
            host="127.0.0.1", port=0, token=None, version="1", tell=told.append,
        )  # fmt: skip
    assert told == []


def test_the_tables_are_there_before_anybody_asks(
    tmp_path: Path, new_database: Callable[[], str]
) -> None:
    """A check makes them, and one of a later plait's is refused."""
    url = new_database()
    with closing(PostgresMetadata(url)) as store:
        store.check()
    with psycopg.connect(url, autocommit=True) as other:
        assert other.execute("SELECT count(*) FROM plait.run").fetchone() == (0,)
        other.execute("INSERT INTO plait.version VALUES (99)")
    with closing(PostgresMetadata(url)) as store, pytest.raises(NewerMetadata):
        store.check()
    with closing(SQLiteMetadata(str(tmp_path / "deep" / "facts.db"))) as store:
        store.check()
    assert (tmp_path / "deep" / "facts.db").exists()


def test_a_database_that_may_only_be_read_is_not_good_enough(
    new_database: Callable[[], str],
) -> None:
    """One that is a standby, or whose user may not write, is said, and not a bug."""
    url = new_database()
    with closing(PostgresMetadata(url)) as store:
        store.create_run(NewRun("A", 1.0))
    read_only = f"{url}?options=-c%20default_transaction_read_only%3Don"
    with closing(PostgresMetadata(read_only)) as store:
        assert store.iter_flows() == ["A"]
        with pytest.raises(DatabaseUnreachable, match="not be written"):
            store.check()
        with pytest.raises(DatabaseUnreachable, match="read-only"):
            store.create_run(NewRun("A", 1.0))
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("DROP ROLE IF EXISTS guest")
        other.execute("CREATE ROLE guest LOGIN")
        with (
            closing(PostgresMetadata(url.replace("plait@", "guest@"))) as store,
            pytest.raises(DatabaseUnreachable, match="permission denied"),
        ):
            store.check()
        other.execute("DROP ROLE guest")


def test_many_who_ask_how_it_is_ask_the_database_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it does not answer, all are told so soon, and other requests find a worker."""
    monkeypatch.setattr(health, "SECONDS", 0.3)
    with closing(Slow(tmp_path / "facts.db")) as store, serving(store) as url:
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda _: slug(ask(url, "/healthz")), range(40)))
        assert answers == [(503, "database-silent")] * 40
        assert ask(url, "/api/1/flows") == (200, {"flows": []})
        assert store.asked == 1
        store.go.set()
        assert ask(url, "/healthz") == (200, {"status": "ok"})


def test_that_a_database_is_away_and_back_is_told_once(tmp_path: Path) -> None:
    """Whoever runs the service reads why; who asks without a token only that it is so."""
    told: list[str] = []
    with (
        closing(Away(str(tmp_path / "facts.db"))) as store,
        serving(store, tell=told.append) as url,
    ):
        for _ in range(2):
            assert ask(url, "/api/1/flows")[0] == 200
            store.away = True
            assert slug(ask(url, "/api/1/flows")) == (503, "database-unreachable")
            status, answer = ask(url, "/healthz")
            assert (status, answer["error"]["slug"]) == (503, "database-unreachable")
            assert "db:5432" not in str(answer)
            store.away = False
        assert ask(url, "/healthz")[0] == 200

    away = "the database postgresql://db:5432/plait cannot be reached (Connection refused); "
    away += "who asks is told to wait"
    assert told == [away, "the database is back"] * 2


class Full(SQLiteMetadata):
    """A store on a disk that is full, or not: what is there can be read."""

    full = False

    def check(self) -> None:
        """Write."""
        if self.full:
            raise UnavailableMetadata("facts.db", "database or disk is full")
        super().check()

    def change_tags(self, key: RunKey, **changes: frozenset[str]) -> frozenset[str]:
        """Write."""
        self.check()
        return super().change_tags(key, **changes)


def test_a_full_disk_is_told_until_it_can_be_written_again(tmp_path: Path) -> None:
    """That facts can be read all the while is no news of it."""
    told: list[str] = []
    with (
        closing(Full(str(tmp_path / "facts.db"))) as store,
        serving(store, tell=told.append) as url,
    ):
        store.create_run(NewRun("A", 1.0))
        store.full = True
        for _ in range(2):
            assert slug(ask(url, "/api/1/flows/A/runs/1/tags", "PATCH"))[0] == 503
            assert ask(url, "/api/1/flows")[0] == 200
            assert slug(ask(url, "/healthz")) == (503, "metadata-unavailable")
        assert [line.partition(" (")[2][:16] for line in told] == ["database or disk"]
        store.full = False
        assert ask(url, "/api/1/flows")[0] == 200
        assert len(told) == 1
        assert ask(url, "/healthz")[0] == 200
    assert told[1:] == ["the database is back"]


def test_to_look_whether_it_can_be_written_writes(tmp_path: Path) -> None:
    """Else a disk that is full would seem to be well."""
    path = tmp_path / "facts.db"
    with closing(SQLiteMetadata(str(path))) as store:
        store.check()
        log = Path(f"{path}-wal")
        before = log.stat().st_size
        store.check()
        assert log.stat().st_size > before


@pytest.fixture
def own_database(new_database: Callable[[], str]) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    """The URL of a database, and a connection to another from which it can be shut."""
    admin = new_database()
    url = new_database()
    with psycopg.connect(admin, autocommit=True) as connection:
        yield url, connection


def test_it_goes_on_once_its_database_is_back(
    own_database: tuple[str, psycopg.Connection[Any]],
) -> None:
    """Connections that broke are made anew, and nobody has to start the service again."""
    url, admin = own_database
    name = urlsplit(url).path.strip("/")
    told: list[str] = []
    with (
        closing(PostgresMetadata(url, wait=0.2)) as store,
        serving(store, tell=told.append) as service,
    ):
        assert ask(service, "/healthz")[0] == 200
        admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                      (name,))  # fmt: skip
        assert slug(ask(service, "/api/1/flows")) == (503, "database-unreachable")
        assert slug(ask(service, "/healthz")) == (503, "database-unreachable")
        admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        assert ask(service, "/api/1/flows") == (200, {"flows": []})
        assert ask(service, "/healthz") == (200, {"status": "ok"})

    assert [line.partition(" ")[2][:11] for line in told] == ["database po", "database is"]


def test_a_server_whose_machine_is_gone_is_noticed() -> None:
    """Timing that the URL has holds; else it is such that a silent server counts as gone."""
    usual = PostgresMetadata("postgresql://h/x").database
    given = PostgresMetadata("postgresql://h/x?connect_timeout=77&tcp_user_timeout=5").database

    assert usual._timing["tcp_user_timeout"] == 20_000
    assert set(given._timing) == set(usual._timing) - {"connect_timeout", "tcp_user_timeout"}
