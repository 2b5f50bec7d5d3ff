"""Every shipped store of facts goes through the one suite of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from serving import serving

from plait.metadata.conformance import CHECKS, Make
from plait.metadata.http import HTTPMetadata
from plait.metadata.memory import MemoryMetadata
from plait.metadata.postgres import PostgresMetadata
from plait.metadata.protocol import MetadataStore
from plait.metadata.sqlite import SQLiteMetadata

KINDS = ("memory", "sqlite", "sqlite-network", "postgres", "service", "metaflow-service")
NOT_HELD = {
    ("metaflow-service", "a_run_says_that_it_goes_on"): "it keeps when it heard of a run itself",
    ("metaflow-service", "facts_of_another_run_are_refused"): "it is told of runs by name alone",
}
"""Promises that a kind of store cannot keep, and why."""


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """A function that makes a new, empty store of one kind."""
    with ExitStack() as opened:
        count = 0

        def make() -> MetadataStore:
            nonlocal count
            count += 1
            if request.param == "memory":
                return MemoryMetadata()
            if request.param == "postgres":
                url = request.getfixturevalue("new_database")()
                return opened.enter_context(closing(PostgresMetadata(url)))
            path = tmp_path / str(count) / "metadata.db"
            if request.param.endswith("service"):
                behind = opened.enter_context(closing(SQLiteMetadata(str(path))))
                own = request.param == "service"
                url = opened.enter_context(serving(behind, "secret", own_interface=own))
                return opened.enter_context(closing(HTTPMetadata(url, "secret")))
            network = request.param == "sqlite-network"
            return opened.enter_context(closing(SQLiteMetadata(str(path), network=network)))

        yield make


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_store(check: Callable[[Make], None], make: Make, request: pytest.FixtureRequest) -> None:
    """The store keeps the promise that the check is named after, if any of its kind can."""
    kind = request.node.callspec.params["make"]
    if (kind, check.__name__) in NOT_HELD:
        with pytest.raises(AssertionError):
            check(make)
        return
    check(make)
