"""A task's artifacts by attribute."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from plait.client.artifact import DataArtifact
from plait.client.task import Task

if TYPE_CHECKING:
    from conftest import World


@pytest.fixture
def task(world: World) -> Task:
    """Give a task with artifacts and parameters."""
    key = world.begin(parameters={"alpha": 0.5, "unit": "m"})
    return Task(world.task(key, "s", "1", {"x": 1, "unit": "km", "_own": 2}))


def test_values_are_read_by_attribute(task: Task) -> None:
    """The task's own hide the flow's of the same name."""
    data = task.data

    assert (data.x, data.alpha, data.unit, data._own) == (1, 0.5, "km", 2)
    assert getattr(data, "y", None) is None


def test_a_value_can_be_asked_for(task: Task) -> None:
    """By `in` and by `hasattr`."""
    assert ["x" in task.data, "alpha" in task.data, "y" in task.data] == [True, True, False]
    assert 1 not in task.data
    assert hasattr(task.data, "x")
    assert not hasattr(task.data, "y")


def test_the_names_can_be_seen(task: Task) -> None:
    """In a notebook, where they are completed, and where it is printed; not the private ones."""
    assert dir(task.data) == ["alpha", "unit", "x"]
    assert repr(task.data) == "<TaskData of HelloFlow/1/s/1: alpha, unit, x>"
    assert repr(task.artifacts) == "<TaskArtifacts of HelloFlow/1/s/1: alpha, unit, x>"


def test_a_name_that_is_not_there_is_an_attribute_error(task: Task) -> None:
    """With the nearest name that is."""
    with pytest.raises(AttributeError, match="did you mean 'alpha'"):
        _ = task.data.alhpa
    with pytest.raises(AttributeError, match="did you mean 'alpha'"):
        _ = task.artifacts.alhpa


def test_values_cannot_be_set(task: Task) -> None:
    """Results are there to be read."""
    with pytest.raises(AttributeError, match=r"'x' can't be set: the results of \S+ are kept"):
        task.data.x = 2
    assert task.data.x == 1


def test_artifacts_are_there_by_name_and_in_order(task: Task) -> None:
    """As attributes, by iteration, and as a dict."""
    artifacts = task.artifacts

    assert artifacts.x == DataArtifact("HelloFlow/1/s/1/x")
    assert artifacts.alpha.data == 0.5
    assert [artifact.id for artifact in artifacts] == ["alpha", "unit", "x"]
    assert len(artifacts) == 3
    assert "x" in artifacts
    assert artifacts._fields == ("alpha", "unit", "x")
    assert artifacts._asdict() == {a.id: a for a in artifacts}


def test_a_task_without_artifacts(world: World) -> None:
    """It has none to show."""
    task = Task(world.task(world.begin(), "s"))

    assert repr(task.data) == "<TaskData of HelloFlow/1/s/1: none>"
    assert list(task.artifacts) == []


def test_parameters_that_are_not_written_yet(world: World) -> None:
    """A run that is being created has none, and has them a moment later."""
    key = world.begin(parameters={"alpha": 1})
    name = "HelloFlow/runs/1/_parameters/0.0.attempt"
    sealed = world.storage._objects.pop(name)
    data = Task(world.task(key, "s", "1", {"x": 1})).data
    before = dir(data)

    world.storage._objects[name] = sealed

    assert (before, dir(data)) == (["x"], ["alpha", "x"])


def test_copies_and_pickles_lead_to_the_same_values(task: Task) -> None:
    """None of them carries a value."""
    for data in (
        pickle.loads(pickle.dumps(task.data)),
        copy.copy(task.data),
        copy.deepcopy(task.data),
    ):
        assert data.x == 1
    assert pickle.loads(pickle.dumps(task.artifacts)).x == task["x"]


def test_special_names_of_python_are_no_artifacts(task: Task) -> None:
    """Python asks for many; that reads nothing and is a plain AttributeError."""
    with pytest.raises(AttributeError, match=r"^__len__$"):
        _ = task.data.__len__
