"""S3 servers for the tests that need them: each started once, and each test in its own prefix."""

from __future__ import annotations

import pytest

from plait.s3.connection import S3Connection
from plait.s3.location import Location
from plait.s3.retry import RetryPlan
from plait_harness.services import MOTO, SEAWEED, start

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
