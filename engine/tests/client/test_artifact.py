"""One artifact, with its value and what is known of it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from plait.artifacts.errors import DamagedArtifact
from plait.client.artifact import DataArtifact
from plait.client.errors import ArtifactNotFound, PlaitNamespaceMismatch, PlaitNotFound
from plait.client.task import Task

if TYPE_CHECKING:
    from conftest import World


def test_an_artifact_has_a_value_and_facts(world: World) -> None:
    """The facts are there without reading the value."""
    task = world.task(world.begin(), "s", "1", {"x": [1, 2]})
    artifact = DataArtifact(f"{task}/x")

    assert artifact.data == [1, 2]
    assert artifact.type == "list"
    stored = world.artifacts("HelloFlow").load_bytes(artifact._opened.ref)
    assert artifact.size == len(stored)
    assert artifact.sha == sha256(stored).hexdigest()
    assert artifact.finished_at == artifact.created_at == Task(task).finished_at


def test_each_look_gives_a_value_of_its_own(world: World) -> None:
    """Changing one changes no other."""
    artifact = DataArtifact(world.task(world.begin(), "s", "1", {"x": [1]}) + "/x")

    artifact.data.append(2)

    assert artifact.data == [1]


def test_it_has_what_all_objects_have(world: World) -> None:
    """Its names, its run's tags, its task."""
    artifact = DataArtifact(world.task(world.begin(), "s", "4", {"x": 1}) + "/x")

    assert (artifact.id, artifact.pathspec) == ("x", "HelloFlow/1/s/4/x")
    assert repr(artifact) == "DataArtifact('HelloFlow/1/s/4/x')"
    assert artifact.parent == Task("HelloFlow/1/s/4")
    assert artifact.tags == {"user:ada", "runtime:dev"}


def test_the_artifact_of_one_attempt(world: World) -> None:
    """It stays with that attempt, and so does its task."""
    key = world.begin()
    task = world.task(key, "s", "1", {"x": "bad"}, ok=False, final=False)
    world.task(key, "s", "1", {"x": "good"}, attempt=1)
    first = DataArtifact(f"{task}/x", attempt=0)

    assert (first.data, DataArtifact(f"{task}/x").data) == ("bad", "good")
    assert first.parent == Task(task, attempt=0)
    assert repr(first) == "DataArtifact('HelloFlow/1/s/1/x', attempt=0)"


def test_a_parameter_of_a_task_that_runs(world: World) -> None:
    """It can be read; it has no end to tell of, and began with the task."""
    key = world.begin(parameters={"alpha": 1})
    task = world.launch(key, "s")
    artifact = DataArtifact(f"{task}/alpha")

    assert artifact.data == 1
    assert artifact.finished_at is None
    assert artifact.created_at == Task(task).created_at


def test_an_artifact_that_is_not_there(world: World) -> None:
    """It may be that, or its task, or the right namespace."""
    key = world.begin()
    task = world.task(key, "s", "1", {"model": 1})
    world.task(world.begin(user="grace"), "s", "1", {"x": 1})

    with pytest.raises(ArtifactNotFound) as missing:
        DataArtifact(f"{task}/modle")
    assert str(missing.value).splitlines() == [
        "error[artifact-not-found]: task 'HelloFlow/1/s/1' has no artifact 'modle'",
        "  why: did you mean 'model'?",
        "  fix: list what there is: list(Task('HelloFlow/1/s/1'))",
    ]
    with pytest.raises(PlaitNotFound, match="there is no task"):
        DataArtifact("HelloFlow/1/s/2/x")
    with pytest.raises(PlaitNamespaceMismatch):
        DataArtifact("HelloFlow/2/s/1/x")


def test_a_damaged_value_names_the_artifact(world: World) -> None:
    """A value that is not what was written is never handed out."""
    task = world.task(world.begin(), "s", "1", {"x": "payload-of-x"})
    name = "HelloFlow/runs/1/s/1.0.attempt"
    world.storage._objects[name] = world.storage._objects[name].replace(b"load-of-x", b"load-of-y")
    world.stores.clear()

    with pytest.raises(DamagedArtifact, match="'x'"):
        _ = DataArtifact(f"{task}/x").data
