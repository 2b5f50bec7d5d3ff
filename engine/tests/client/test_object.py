"""What all objects share: equality, hashes, pickles."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from plait.client.artifact import DataArtifact
from plait.client.errors import PlaitNotFound
from plait.client.flow import Flow
from plait.client.namespaces import namespace
from plait.client.object import ClientObject
from plait.client.run import Run
from plait.client.source import metadata
from plait.client.step import Step
from plait.client.task import Task

if TYPE_CHECKING:
    from conftest import World


def one_of_each() -> list[ClientObject]:  # type: ignore[type-arg]  # of what is opened does not matter
    """Give an object of every level, and one for a chosen attempt."""
    return [
        Flow("HelloFlow"),
        Run("HelloFlow/1"),
        Step("HelloFlow/1/s"),
        Task("HelloFlow/1/s/1"),
        Task("HelloFlow/1/s/1", attempt=0),
        DataArtifact("HelloFlow/1/s/1/x"),
        DataArtifact("HelloFlow/1/s/1/x", attempt=0),
    ]


@pytest.fixture(autouse=True)
def _run(world: World) -> None:
    world.task(world.begin(), "s", "1", {"x": "here"})


def test_objects_of_one_name_are_equal() -> None:
    """And nothing else is: not another level, not another attempt."""
    first, second = one_of_each(), one_of_each()

    assert first == second
    assert len({*first, *second}) == 7
    assert [one == other for one in first for other in second].count(True) == 7
    assert Run("HelloFlow/1") != "HelloFlow/1"


def test_what_every_object_below_a_run_has(world: World) -> None:
    """Its name in parts, the run's tags, whether it is seen; no origin, where nothing resumed."""
    below = [item for item in one_of_each() if isinstance(item, Run | Step | Task | DataArtifact)]
    for item in below:
        assert item.path_components == item.pathspec.split("/")
        assert (item.user_tags, item.system_tags) == (frozenset(), {"user:ada", "runtime:dev"})
        assert item.tags == item.user_tags | item.system_tags
        assert item.is_in_namespace()
        assert item.origin_pathspec is None
    namespace("user:grace")
    assert not any(item.is_in_namespace() for item in below)


def test_the_same_name_in_another_store_is_another_thing(world: World, other: World) -> None:
    """Stores count from 1, all of them."""
    other.begin()
    here = Run("HelloFlow/1")
    metadata(other.place)
    there = Run("HelloFlow/1")

    assert here != there
    assert {here, there} == {there, here}
    assert world.place != other.place


def test_a_pickled_object_is_read_again_where_it_is_unpickled(world: World) -> None:
    """As it then is, whatever the namespace there."""
    pickled = pickle.dumps(one_of_each())
    world.end(Run("HelloFlow/1")._opened.key)
    namespace("user:grace")

    copies = pickle.loads(pickled)

    namespace("user:ada")
    assert copies == one_of_each()
    assert copies[1].status == "done"
    assert copies[5].data == "here"


def test_a_pickled_object_finds_its_own_store(other: World) -> None:
    """Where another store is the current one, the run of the same name there is not taken."""
    other.task(other.begin(), "s", "1", {"x": "there"})
    pickled = pickle.dumps(one_of_each())
    metadata("memory@other")

    copies = pickle.loads(pickled)

    assert [copies[3].data.x, Task("HelloFlow/1/s/1").data.x] == ["here", "there"]


def test_what_was_removed_meanwhile_is_not_found(world: World) -> None:
    """Unpickling says so, as fetching it would."""
    pickled = pickle.dumps(Run("HelloFlow/1"))
    world.metadata._flows.clear()

    with pytest.raises(PlaitNotFound, match="there is no run 'HelloFlow/1'"):
        pickle.loads(pickled)
