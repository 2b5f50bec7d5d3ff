"""Which store is read, and that a forked process opens its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plait.base.errors import UsageError
from plait.client.run import Run
from plait.client.source import (
    connect_to,
    current_connection,
    current_source,
    default_metadata,
    get_metadata,
    metadata,
    use_opener,
)

if TYPE_CHECKING:
    from conftest import World


def test_the_default_store_is_read_until_another_is_named(world: World) -> None:
    """`metadata` names a store, `default_metadata` goes back; each gives the full name."""
    assert current_source() is world

    said = [metadata("memory@other"), get_metadata(), default_metadata(), get_metadata()]

    assert said == ["memory@other", "memory@other", "memory", "memory"]


def test_an_object_goes_on_reading_where_it_came_from(world: World, other: World) -> None:
    """Naming another store changes nothing for the objects that are there."""
    world.task(world.begin(), "start", values={"x": "here"})
    other.task(other.begin(), "start", values={"x": "there"})
    run = Run("HelloFlow/1")

    metadata("memory@other")

    assert run["start"].task.data.x == "here"
    assert Run("HelloFlow/1")["start"].task.data.x == "there"
    assert run != Run("HelloFlow/1")


@pytest.mark.usefixtures("world")
def test_a_store_that_cannot_be_opened_never_becomes_current() -> None:
    """After a mistake in `metadata` the store is the one from before."""
    with pytest.raises(UsageError, match="there is no store 'nowhere'"):
        metadata("nowhere")

    assert get_metadata() == "memory"


@pytest.mark.usefixtures("world")
def test_a_connection_is_used_again_where_it_leads_to_the_same_place() -> None:
    """So that objects which were unpickled share what the current connection has open."""
    assert connect_to("memory") is current_connection()
    assert connect_to("memory@other") is not current_connection()


def opened_by(world: World) -> list[str | None]:
    """Have the client open *world*, and give the list of what it was opened with."""
    specs: list[str | None] = []
    opener: Callable[[str | None], World] = lambda spec: specs.append(spec) or world  # noqa: E731  # one line says it
    use_opener(opener)
    return specs


def test_the_default_store_follows_the_working_directory(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook that goes to another folder reads there; one that stays opens nothing twice."""
    specs = opened_by(world)
    for folder in (tmp_path, tmp_path, Path.cwd()):
        monkeypatch.chdir(folder)
        current_source()

    assert specs == [None, None]


def test_a_store_that_was_named_does_not_follow_the_working_directory(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever named a store means that one."""
    specs = opened_by(world)
    metadata("memory")
    monkeypatch.chdir(tmp_path)

    assert current_source() is world
    assert specs == ["memory"]


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be removed there")
def test_a_working_directory_that_is_gone_is_no_hindrance(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what opens the store needs to know the folder."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    assert current_source() is world


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to fork here")
def test_a_forked_process_opens_the_store_again_at_the_same_place(world: World) -> None:
    """What the parent opened is the parent's; the child finds the same store by its full name."""
    specs = opened_by(world)
    connection = current_connection()
    connection.source()
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        connection.source()
        os.write(writing, repr(specs).encode())
        os._exit(0)

    assert os.waitpid(child, 0)[1] == 0
    assert os.read(reading, 1000).decode() == "[None, 'memory']"
    os.close(reading)
    os.close(writing)
