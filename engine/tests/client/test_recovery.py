"""Tasks of a run whose process was killed before it could report them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.records import Failure, FailureKind, Frame
from plait.client.errors import PlaitNotFound
from plait.client.recovery import merge_newest, recover_task
from plait.client.run import Run
from plait.client.step import Step
from plait.client.task import Task
from plait.metadata.protocol import AttemptStarted, Status, TaskRecord
from plait.metadata.rules import describe_fact

if TYPE_CHECKING:
    from conftest import World

FAILURE = Failure(FailureKind.EXCEPTION, "ValueError: no")


def seal(
    world: World, run: RunKey, task: str, x: object, attempt: int = 0, **facts: object
) -> None:
    """Seal an attempt at a task of step `s` that nobody reports."""
    world.seal(AttemptKey(*run, "s", task, attempt), {"x": x}, **facts)


def test_an_end_that_was_not_reported_is_found(world: World) -> None:
    """The task was known to run; what it sealed is whole, and counts."""
    key = world.begin()
    pathspec = world.launch(key, "s", "1")
    frames = (Frame("start", "9", 5, 6, "items"),)
    seal(world, key, "1", "whole", frames=frames)

    for task in (Task(pathspec), Step(f"{key}/s").task, Run(str(key))["s"]["1"]):
        assert task is not None
        assert (task.finished, task.successful, task.attempt) == (True, True, 0)
        assert (task.data.x, task.index) == ("whole", 5)


def test_a_task_that_was_never_reported_is_found(world: World) -> None:
    """By its name, and among the others, each once and in their order."""
    key = world.begin()
    world.task(key, "s", "2", {"x": 2})
    world.launch(key, "s", "4")
    for task in ("1", "3", "4", "11"):
        seal(world, key, task, int(task))
    world.launch(key, "s", "5")

    step = Step(f"{key}/s")

    assert [task.id for task in step] == ["11", "5", "4", "3", "2", "1"]
    assert [task.data.x for task in step if task.finished] == [11, 4, 3, 2, 1]
    assert "3" in step
    assert Task(f"{key}/s/3").attempts == 1


def test_a_step_none_of_whose_tasks_was_reported_is_found(world: World) -> None:
    """Among the others, by when it began; the parameters are no step."""
    key = world.begin()
    world.task(key, "start", "1")
    seal(world, key, "2", "x")
    seal(world, key, "3", "x")
    world.task(key, "t", "4")
    run = Run(str(key))

    assert [step.id for step in run] == ["t", "s", "start"]
    assert [task.id for task in run["s"]] == ["3", "2"]
    assert run["s"].created_at == run["s"]["2"].created_at


def test_a_failed_attempt_of_a_run_that_goes_on_may_be_tried_again(world: World) -> None:
    """Only when the run has ended, it is known to have been the last."""
    key = world.begin()
    pathspec = world.launch(key, "s", "1")
    seal(world, key, "1", "partial", ok=False, failure=FAILURE)
    task = Task(pathspec)
    before = (task.finished, task.attempt, task.data.x)

    world.end(key, Status.FAILED)

    assert before == (False, 0, "partial")
    after = Task(pathspec)
    assert (after.finished, after.successful) == (True, False)
    assert after.exception is not None


def test_the_last_sealed_attempt_counts(world: World) -> None:
    """Also where only the first one was reported, or an attempt is asked for by its number."""
    key = world.begin()
    pathspec = world.task(key, "s", "1", {"x": 0}, ok=False, final=False)
    seal(world, key, "1", 1, attempt=1, ok=False)
    seal(world, key, "1", 2, attempt=2)
    task = Task(pathspec)

    assert (task.attempt, task.attempts, task.data.x, task.successful) == (2, 3, 2, True)
    assert [Task(pathspec, attempt=n).data.x for n in range(3)] == [0, 1, 2]


def test_an_attempt_that_was_sealed_meanwhile_can_be_asked_for(world: World) -> None:
    """The task has ended as far as is known; what was sealed is there all the same."""
    key = world.begin()
    pathspec = world.task(key, "s", "1", {"x": 0})
    seal(world, key, "1", 1, attempt=1)

    assert Task(pathspec, attempt=1).data.x == 1


def test_a_clone_keeps_its_number_and_says_where_it_is_from(world: World) -> None:
    """It need not begin with attempt 0."""
    key = world.begin(origin="7")
    origin = AttemptKey("HelloFlow", "7", "s", "3", 0)
    seal(world, key, "1", "x", attempt=2, origin=origin)
    task = Task(f"{key}/s/1")

    assert (task.attempt, task.successful, task.data.x) == (2, True, "x")
    assert task.origin_pathspec == "HelloFlow/7/s/3"


def test_a_run_that_has_ended_reported_everything(world: World) -> None:
    """So that its store of values need not be searched; an unknown task is not there."""
    key = world.begin()
    world.task(key, "s", "1")
    run = Run(world.end(key))
    seal(world, key, "2", "late")

    assert [task.id for task in run["s"]] == ["1"]
    with pytest.raises(PlaitNotFound):
        Task(f"{key}/s/2")


def test_a_task_that_never_sealed_goes_on_for_all_that_is_known(world: World) -> None:
    """Its run's process died with it."""
    key = world.begin()
    world.launch(key, "s", "1")
    world.end(key, Status.INTERRUPTED)
    (task,) = Step(f"{key}/s")

    assert (task.finished, task.attempt) == (False, None)


def test_names_that_cannot_be_a_tasks_are_not_looked_for(world: World) -> None:
    """They could lead anywhere in the store."""
    key = world.begin()
    world.launch(key, "s", "1")
    step = Step(f"{key}/s")

    assert ["01" in step, "x" in step, "\x00" in step] == [False, False, False]
    with pytest.raises(PlaitNotFound):
        Task(f"{key}/_parameters/0")


def test_a_task_is_known_if_either_knows_it(world: World) -> None:
    """What neither knows is None; what is known stays where nothing is sealed."""
    key = world.begin()
    task, store = TaskKey(*key, "s", "1"), world.artifacts("HelloFlow")
    known = describe_fact(AttemptStarted(task, 0, 1.0))

    assert recover_task(None, task, store, run_ended=False) is None
    assert recover_task(known, task, store, run_ended=False) == known
    seal(world, key, "1", "x")
    found = recover_task(known, task, store, run_ended=False)
    assert found is not None
    assert (found.status, found.created, found.attempt) == (Status.DONE, 1.0, 0)


def test_a_seal_that_disappears_between_listing_and_reading_is_left_out(world: World) -> None:
    """Somebody removes a run while it is listed."""
    key = world.begin()
    seal(world, key, "1", "x")
    seal(world, key, "2", "x")
    run = Run(str(key))._opened
    tasks = run.iter_tasks("s")
    world.storage.delete("HelloFlow/runs/1/s/1.0.attempt")

    assert [task.key.task for task in tasks] == ["2"]


def test_merging_keeps_the_order_and_gives_each_once() -> None:
    """Whatever is missing on either side; a file that no task's is, is left out."""
    key = RunKey("F", "1")

    def record(task: str) -> TaskRecord:
        return describe_fact(AttemptStarted(TaskKey(*key, "s", task), 0, 1.0))

    def merged(recorded: list[str], sealed: list[str]) -> list[tuple[str, bool]]:
        rows = merge_newest(map(record, recorded), sealed)
        return [(task, known is not None) for task, known in rows]

    assert merged([], []) == []
    assert merged(["3", "1"], []) == [("3", True), ("1", True)]
    assert merged([], ["2", "10", "notes"]) == [("10", False), ("2", False)]
    assert merged(["10", "3", "2"], ["2", "11", "4", "1"]) == [
        ("11", False),
        ("10", True),
        ("4", False),
        ("3", True),
        ("2", True),
        ("1", False),
    ]
