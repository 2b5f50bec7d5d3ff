"""What the tests of S3 share: a prefix of a server's, and a proxy before it that goes wrong."""

from __future__ import annotations

from itertools import count

import pytest

from plait.s3.connection import S3Connection
from plait.s3.location import Location
from plait_harness.faults import FaultProxy

BUCKET = "plait-tests"
_numbers = count()
_faulty: list[tuple[FaultProxy, S3Connection]] = []


@pytest.fixture
def root(moto, monkeypatch):
    """A prefix that no other test has, on the server that settings name."""
    monkeypatch.setenv("PLAIT_S3_ENDPOINT_URL", moto.url)
    return Location(BUCKET, f"s3-{next(_numbers)}")


@pytest.fixture(scope="session")
def proxied(moto):
    """A proxy before the server, and a connection through it; both kept, as a client costs much."""
    with FaultProxy(moto.url) as proxy:
        pauses: list[float] = []
        yield proxy, S3Connection(proxy.url, sleep=pauses.append), pauses


@pytest.fixture
def faulty(proxied, root):
    """Gives a connection through the proxy, once told what is to go wrong."""
    proxy, connection, pauses = proxied

    def plan(*rules):
        proxy.plan.rules[:] = rules
        proxy.plan.seen.clear()
        pauses.clear()
        return connection

    plan.seen = proxy.plan.seen
    plan.pauses = pauses
    plan.url = proxy.url
    yield plan
    proxy.plan.rules.clear()
