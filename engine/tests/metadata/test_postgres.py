"""What the PostgreSQL store of facts does beyond the suite that all stores share."""

from __future__ import annotations

import re
import string
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random

import psycopg
import pytest

from plait.base.errors import PlaitError
from plait.base.pathspec import RunKey, TaskKey
from plait.metadata import schema
from plait.metadata.errors import (
    BadConnectionURL,
    DatabaseUnreachable,
    DriverMissing,
    ForeignMetadata,
    NewerMetadata,
)
from plait.metadata.guests import Guests
from plait.metadata.postgres import PostgresMetadata
from plait.metadata.protocol import AttemptEnded, AttemptStarted, NewRun, RunEnded, Status
from plait.metadata.wire import BadRecord


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return new_database()


@pytest.fixture
def store(url: str) -> Iterator[PostgresMetadata]:
    """A store on an empty database."""
    with closing(PostgresMetadata(url)) as store:
        yield store


def fail(kind: type[PlaitError], act: Callable[[], object]) -> str:
    """Give what the error says that *act* raises."""
    with pytest.raises(kind) as raised:
        act()
    return raised.value.format()


def test_many_writers_lose_nothing(store: PostgresMetadata) -> None:
    """Runs that go on at once, each with its tasks, end up with ids of their own and all facts."""

    def write(_: int) -> RunKey:
        key = store.create_run(NewRun("A", 1.0))
        for first in range(0, 40, 20):
            tasks = [TaskKey(*key, "s", str(n)) for n in range(first, first + 20)]
            store.record([AttemptStarted(task, 0, 1.0) for task in tasks])
            store.record([AttemptEnded(t, 0, 2.0, ok=True, final=True) for t in tasks])
        store.record([RunEnded(key, 3.0, Status.DONE)])
        return key

    with ThreadPoolExecutor(12) as pool:
        keys = list(pool.map(write, range(24)))

    assert sorted(int(key.run) for key in keys) == list(range(1, 25))
    assert len(store.list_runs("A", status=Status.DONE)) == 24
    for key in keys:
        tasks = store.list_tasks(key, "s")
        assert [task.status for task in tasks] == [Status.DONE] * 40


def test_one_request_at_once_makes_one_run(store: PostgresMetadata) -> None:
    """The same request from many connections at once makes one run."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: store.create_run(NewRun("A", 1.0, request="x")), range(16)))

    assert keys == {RunKey("A", "1")}


def test_a_broken_connection_is_made_anew(store: PostgresMetadata, url: str) -> None:
    """Connections that the server closed are not noticed by whoever writes next."""
    store.create_run(NewRun("A", 1.0))
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'plait service' AND datname = current_database()"
        )

    assert store.create_run(NewRun("A", 1.0)) == RunKey("A", "2")


def test_names_that_no_text_can_be_find_nothing(store: PostgresMetadata) -> None:
    """A name with a NUL, which PostgreSQL has no text for, is looked for and not found."""
    store.create_run(NewRun("A", 1.0))

    assert store.find_run(RunKey("A\0", "1")) is None
    assert list(store.find_damage()) == []


def test_the_place_says_neither_user_nor_password(url: str) -> None:
    """Messages name server and database; the password in the URL is nowhere in them."""
    with_password = url.replace("plait@", "plait:s3cret@")

    assert PostgresMetadata(with_password).place == url.replace("plait@", "")
    nowhere = PostgresMetadata("postgresql://ada:s3cret@127.0.0.1:1/x", wait=0.0)
    said = fail(DatabaseUnreachable, nowhere.iter_flows)
    assert "postgresql://127.0.0.1:1/x" in said
    assert "s3cret" not in said
    assert "s3cret" not in fail(BadConnectionURL, lambda: PostgresMetadata("x=y=s3cret"))


@pytest.mark.parametrize("character", string.punctuation + " é")
@pytest.mark.parametrize("rest", ["host:5432/name", "[::1]/name", "[::1/name", "host:x/n", ""])
def test_no_part_of_a_password_is_shown(character: str, rest: str) -> None:
    """Whatever is in it, and whatever libpq takes its parts for."""
    url = f"postgresql://ada:12{character}zq{character}34{character}xk@{rest}"
    try:
        shown = PostgresMetadata(url).place
    except BadConnectionURL as error:
        shown = "".join(traceback.format_exception(error))

    assert not re.search("zq|34|xk", shown.replace("5432", ""))


def test_what_is_another_programs_or_a_later_plaits_is_left_alone(url: str) -> None:
    """A schema `plait` without its mark, or of a later version, is refused."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("CREATE SCHEMA plait")
        assert "another program" in fail(ForeignMetadata, PostgresMetadata(url).iter_flows)
        other.execute("DROP SCHEMA plait")
        with closing(PostgresMetadata(url)) as made:
            made.iter_flows()
        other.execute("INSERT INTO plait.version VALUES (99)")
        said = fail(NewerMetadata, PostgresMetadata(url).iter_flows)
    assert f"format 99; this plait knows formats up to {schema.VERSION}" in said


def test_names_that_cannot_be_indexed_are_said_at_once(store: PostgresMetadata) -> None:
    """What no time mends is not tried again, and is not taken for a database that is away."""
    chance = Random(1)  # text that cannot be compressed
    flow, name = (
        "".join(chr(chance.randrange(0x20000, 0x2A000)) for _ in range(500)) for _ in "ab"
    )
    facts = {"user_name": None, "tags": [], "system_tags": []}
    guests = Guests(store.database)
    guests.add((flow,), facts)

    begun = time.monotonic()
    with pytest.raises(BadRecord, match="longer than the database can index"):
        guests.add_numbered((flow,), name, facts)
    assert time.monotonic() - begun < 5
    assert guests.add_numbered((flow,), None, facts).path == (flow, "1")


def test_without_the_driver_the_cure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where psycopg is not installed, the message says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    said = fail(DriverMissing, lambda: PostgresMetadata("postgresql://x/y"))

    assert "pip install 'plait[service]'" in said
