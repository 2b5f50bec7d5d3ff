"""Servers for the tests that need them: each started once, and each test in its own part."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plait.s3.connection import S3Connection
from plait.s3.location import Location
from plait.s3.retry import RetryPlan
from plait_harness.postgres import start_postgres
from plait_harness.services import MOTO, SEAWEED, NotThere, start

BUCKET = "plait-tests"


def start_with_bucket(program, folder, environ):
    """Start a server, and make the bucket in it, which some servers take a while to allow."""
    service = start(program, str(folder))
    for name, value in service.env.items():
        if name.startswith("AWS_"):
            environ.setenv(name, value)
    connection = S3Connection(service.url, RetryPlan(attempts=60, longest=0.5))
    connection.call("make", Location(BUCKET), lambda client: client.create_bucket(Bucket=BUCKET))
    return service


@pytest.fixture(scope="session")
def environ():
    """The session's environment."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def moto(tmp_path_factory, environ):
    """A server in memory."""
    with start_with_bucket(MOTO, tmp_path_factory.mktemp("moto"), environ) as service:
        yield service


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory, environ):
    """A server on the disk."""
    with start_with_bucket(SEAWEED, tmp_path_factory.mktemp("weed"), environ) as service:
        yield service


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
