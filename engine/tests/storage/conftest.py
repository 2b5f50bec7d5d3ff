"""S3 servers for the tests of this folder: each started once, each test in a prefix of its own."""

from __future__ import annotations

from itertools import count

import pytest

from plait.s3.connection import S3Connection
from plait.s3.location import Location
from plait.s3.retry import RetryPlan
from plait.storage.blob_cache import BlobCache
from plait.storage.s3 import S3Storage
from plait_harness.services import MOTO, SEAWEED, start

BUCKET = "plait-tests"
_numbers = count()
connections: dict[str, S3Connection] = {}
"""By URL: a new client costs a second where no byte code can be kept."""


def start_with_bucket(program, folder, environ):
    """Start a server, and make the bucket in it, which some servers take a while to allow."""
    service = start(program, str(folder))
    for name, value in service.env.items():
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


@pytest.fixture(params=["moto", "seaweed"])
def server(request):
    """Each of the servers."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def make_storage(server, tmp_path):
    """Gives a new, empty storage at each call."""

    def make(**more):
        number = next(_numbers)
        return S3Storage(
            connections.setdefault(server.url, S3Connection(server.url)),
            Location(BUCKET, f"test-{number}"),
            str(tmp_path / f"scratch-{number}"),
            BlobCache(str(tmp_path / f"cache-{number}"), 1 << 30),
            **more,
        )

    return make
