"""The servers that tests of stores of facts need: a PostgreSQL of their own, started once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plait_harness.postgres import start_postgres
from plait_harness.services import NotThere


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server, without the name of a database."""
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    folder: Path = tmp_path_factory.mktemp("postgres")
    try:
        service = start_postgres(str(folder))
    except NotThere as lack:
        pytest.skip(str(lack))
    with service:
        yield service.url.rpartition("/")[0]


@pytest.fixture
def new_database(postgres: str) -> Iterator[Callable[[], str]]:
    """A function that gives the URL of a database without a table; often the same one again."""
    import psycopg

    made: list[str] = []
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:

        def make() -> str:
            # To make a database takes the server longer than most tests take.
            if not made:
                made.append("postgres")
                connection.execute("DROP SCHEMA IF EXISTS plait CASCADE")
            else:
                made.append(f"t{uuid.uuid4().hex}")
                connection.execute(f"CREATE DATABASE {made[-1]} STRATEGY file_copy")
            return f"{postgres}/{made[-1]}"

        yield make
        for name in made[1:]:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
