"""A step of a run and its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plait.base.records import Frame
from plait.client import opened_run
from plait.client.errors import PlaitNamespaceMismatch, PlaitNotFound
from plait.client.run import Run
from plait.client.step import Step
from plait.client.task import Task
from plait.client.times import local_time

if TYPE_CHECKING:
    from conftest import World


def widen(world: World, width: int) -> Step:
    """Give the step `s` of a run that is done, with *width* tasks: 2, 3, ..."""
    key = world.begin()
    world.task(key, "start", "1")
    for index in range(width):
        frames = [Frame("start", "1", index, width, "items")]
        world.task(key, "s", str(index + 2), {"y": index * 10}, frames=frames)
    return Step(f"{world.end(key)}/s")


def test_its_tasks_come_newest_first(world: World) -> None:
    """The one with the highest id is the newest, also where that has more digits."""
    step = widen(world, 10)

    assert [task.id for task in step] == ["11", "10", "9", "8", "7", "6", "5", "4", "3", "2"]
    assert [task.data.y for task in step] == [90, 80, 70, 60, 50, 40, 30, 20, 10, 0]
    assert [task.index for task in step] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert step.task == Task("HelloFlow/1/s/11")


def test_tasks_are_listed_by_the_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One question a page, whatever the number of tasks, and none for each of them."""
    monkeypatch.setattr(opened_run, "PAGE", 4)
    step = widen(world, 10)
    world.metadata.questions.clear()

    tasks = list(step)

    assert len(tasks) == 10
    assert all(task.successful and task.finished_at and task.tags for task in tasks)
    assert world.metadata.questions == ["list_tasks"] * 3


def test_a_task_is_found_by_its_id(world: World) -> None:
    """One that is not there is a KeyError that says what is."""
    step = widen(world, 2)

    assert step["3"] == Task("HelloFlow/1/s/3")
    assert ["3" in step, "1" in step, "x" in step, 3 in step] == [True, False, False, False]
    with pytest.raises(KeyError, match="there is: 2, 3"):
        step["9"]


def test_tasks_by_tags_are_all_or_none(world: World) -> None:
    """The tags of a task are its run's."""
    step = widen(world, 2)

    assert [task.id for task in step.tasks("user:ada")] == ["3", "2"]
    assert list(step.tasks("user:ada", "nightly")) == []


def test_it_has_what_all_objects_have(world: World) -> None:
    """Its names, its run's tags, and when it began and ended."""
    step = widen(world, 2)
    tasks = sorted(step, key=lambda task: task.id)

    assert (step.id, step.pathspec) == ("s", "HelloFlow/1/s")
    assert repr(step) == "Step('HelloFlow/1/s')"
    assert step.parent == Run("HelloFlow/1")
    assert step.tags == {"user:ada", "runtime:dev"}
    assert step.created_at == tasks[0].created_at
    assert step.finished_at == tasks[1].finished_at
    assert step.environment_info == {"pid": 7}
    assert step.origin_pathspec is None


def test_a_step_is_finished_when_all_of_its_tasks_are(world: World) -> None:
    """While one runs, it has no end; and while none has finished, nothing to say of where."""
    key = world.begin()
    world.launch(key, "s", "1")
    step = Step(f"{key}/s")
    running = (step.finished_at, step.environment_info, step.task is not None)

    world.task(key, "s", "1")

    assert running == (None, None, True)
    assert step.finished_at == local_time(world.now)


def test_the_origin_of_a_step_is_that_of_its_run(world: World) -> None:
    """A resumed run says which run's step it stands for."""
    key = world.begin(origin="7")
    world.task(key, "s")

    assert Step(f"{key}/s").origin_pathspec == "HelloFlow/7/s"


def test_a_step_that_is_not_there(world: World) -> None:
    """The error names those that are; the run may be missing or hidden, too."""
    widen(world, 1)
    world.begin(user="grace")

    with pytest.raises(PlaitNotFound, match="there is no step 'HelloFlow/1/t'") as missing:
        Step("HelloFlow/1/t")
    assert "there is: s, start" in str(missing.value)
    with pytest.raises(PlaitNotFound, match="there is no run 'HelloFlow/9'"):
        Step("HelloFlow/9/s")
    with pytest.raises(PlaitNamespaceMismatch):
        Step("HelloFlow/2/s")
