"""A task: what it left, what it printed, how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plait.base.pathspec import AttemptKey
from plait.base.records import Failure, FailureKind, Frame
from plait.client.artifact import DataArtifact
from plait.client.errors import BadStream, PlaitNamespaceMismatch, PlaitNotFound, ResultsNotFound
from plait.client.step import Step
from plait.client.task import Metadata, Task
from plait.client.times import local_time

if TYPE_CHECKING:
    from conftest import World

FAILURE = Failure(FailureKind.EXCEPTION, "ValueError: no")


def test_a_task_that_is_done(world: World) -> None:
    """Its results, and that it ended well."""
    key = world.begin()
    task = Task(world.task(key, "s", "4", {"x": 1}))

    assert task.data.x == 1
    assert (task.finished, task.successful, task.exception) == (True, True, None)
    assert (task.attempt, task.attempts, task.index) == (0, 1, None)
    assert task.finished_at == local_time(world.now)
    assert task.created_at < task.finished_at
    assert (task.runtime_name, task.code) == ("dev", None)


def test_a_task_that_failed(world: World) -> None:
    """It is finished all the same, and says why; what it had set by then can be read."""
    task = Task(world.task(world.begin(), "s", "1", {"x": 1}, ok=False, failure=FAILURE))

    assert (task.finished, task.successful) == (True, False)
    assert task.exception is not None
    assert task.exception.failure == FAILURE
    assert task.data.x == 1


def test_a_failure_that_was_caught_can_still_be_seen(world: World) -> None:
    """The task is successful, and what it failed with is there."""
    task = Task(world.task(world.begin(), "s", handled=FAILURE))

    assert task.successful
    assert task.exception is not None
    assert task.exception.type == "ValueError"


def test_the_last_finished_attempt_is_shown(world: World) -> None:
    """And any other by its number, each with its own results, output and times."""
    key = world.begin()
    pathspec = world.task(key, "s", "1", {"x": "bad"}, ok=False, failure=FAILURE, final=False)
    world.print(pathspec, ("stdout", b"first"))
    world.task(key, "s", "1", {"x": "good"}, attempt=1)
    world.print(pathspec, ("stdout", b"second"), attempt=1)

    task, first = Task(pathspec), Task(pathspec, attempt=0)

    assert (task.attempt, task.attempts, task.data.x, task.stdout) == (1, 2, "good", "second\n")
    assert (first.attempt, first.attempts, first.data.x, first.stdout) == (0, 2, "bad", "first\n")
    assert (task.successful, first.successful, first.finished) == (True, False, True)
    assert first.exception is not None
    assert first.created_at == task.created_at
    assert first.finished_at is not None
    assert first.finished_at < Task(pathspec, attempt=1).created_at
    assert repr(first) == f"Task('{pathspec}', attempt=0)"
    assert first != task


def test_while_it_is_tried_again_the_attempt_before_is_shown(world: World) -> None:
    """An attempt is seen when it has finished, and the task has not until its last one has."""
    key = world.begin()
    pathspec = world.task(key, "s", "1", {"x": 0}, ok=False, failure=FAILURE, final=False)
    world.launch(key, "s", "1", attempt=1)
    world.print(pathspec, ("stdout", b"again"), attempt=1)
    task, second = Task(pathspec), Task(pathspec, attempt=1)
    before = (task.attempt, task.attempts, task.finished, task.data.x, second.finished)

    world.task(key, "s", "1", {"x": 1}, attempt=1)

    assert before == (0, 2, False, 0, False)
    assert second.stdout == "again\n"
    assert (task.attempt, task.finished, task.data.x) == (1, True, 1)
    assert (second.finished, second.data.x, second.successful) == (True, 1, True)


def test_a_task_that_runs_shows_its_output_and_no_results(world: World) -> None:
    """Parameters are known before; the log is there as it grows."""
    key = world.begin(parameters={"alpha": 3})
    pathspec = world.launch(key, "s")
    world.print(pathspec, ("stdout", b"hello"))
    task = Task(pathspec)

    assert (task.finished, task.successful, task.finished_at) == (False, False, None)
    assert (task.attempt, task.attempts, task.exception) == (None, 1, None)
    assert task.stdout == "hello\n"
    assert task.data.alpha == 3
    assert (task.environment_info, task.metadata, task.parent_tasks) == (None, [], [])
    assert task.child_tasks == []
    assert Task(pathspec, attempt=0).exception is None
    assert Task(pathspec, attempt=0).successful is False
    with pytest.raises(AttributeError, match="no attempt at it has finished yet"):
        _ = task.data.x


def test_what_it_printed_comes_by_stream(world: World) -> None:
    """As one text, or line by line with times; bytes that are no text are shown as such."""
    pathspec = world.task(world.begin(), "s")
    world.print(pathspec, ("stdout", b"a"), ("stderr", b"b\xff"), ("stdout", "\u00fc".encode()))
    task = Task(pathspec)

    assert (task.stdout, task.stderr) == ("a\n\u00fc\n", "b\\xff\n")
    lines = list(task.loglines("stdout"))
    assert [text for _, text in lines] == ["a", "\u00fc"]
    assert [at for at, _ in lines] == [local_time(world.now - 2), local_time(world.now)]
    assert [text for _, text in task.loglines("stderr")] == ["b\\xff"]
    assert [text for _, text in task.loglines("stderr", as_unicode=False)] == [b"b\xff"]


def test_a_stream_that_is_none_is_refused(world: World) -> None:
    """When it is asked for, not when its first line is."""
    task = Task(world.task(world.begin(), "s"))

    with pytest.raises(BadStream, match="did you mean 'stdout'"):
        task.loglines("out")  # type: ignore[call-overload]  # the mistake in question
    with pytest.raises(BadStream, match="None is not a stream"):
        task.loglines(None)  # type: ignore[call-overload]  # the mistake in question


def test_a_silent_task_printed_nothing(world: World) -> None:
    """It has no log, which is no mistake."""
    task = Task(world.task(world.begin(), "s"))

    assert (task.stdout, task.stderr, list(task.loglines("stdout"))) == ("", "", [])


def test_its_artifacts_are_its_children(world: World) -> None:
    """Sorted by name; a private one is found by name only."""
    key = world.begin(parameters={"alpha": 3})
    task = Task(world.task(key, "s", "1", {"x": 1, "b": 2, "_own": 3}))

    assert [artifact.id for artifact in task] == ["alpha", "b", "x"]
    assert task["x"] == DataArtifact("HelloFlow/1/s/1/x")
    assert task["_own"].data == 3
    assert ["x" in task, "alpha" in task, "_own" in task, "y" in task] == [True, True, True, False]
    with pytest.raises(KeyError, match="has no artifact 'y'"):
        task["y"]


def test_what_was_written_down_about_it(world: World) -> None:
    """One note each, oldest attempt first; by name, the last one counts."""
    key = world.begin(facts={"host": "tower", "python": "3.12.1", "script": "f.py"}, origin="8")
    pathspec = world.task(key, "s", "1", ok=False, final=False)
    world.task(key, "s", "1", attempt=1, origin=AttemptKey("HelloFlow", "8", "s", "5", 0))
    task = Task(pathspec)

    assert task.metadata_dict == {
        "attempt": "1",
        "attempt_ok": "True",
        "user": "ada",
        "runtime": "dev",
        "origin-run-id": "8",
        "origin-task": "HelloFlow/8/s/5",
        "host": "tower",
        "python": "3.12.1",
        "pid": "7",
    }
    assert [note.value for note in task.metadata if note.name == "attempt_ok"] == ["False", "True"]
    first = Task(pathspec, attempt=0)
    assert first.metadata_dict["attempt_ok"] == "False"
    assert "origin-task" not in first.metadata_dict
    at = first.finished_at
    assert first.metadata[0] == Metadata("attempt", "0", at, "attempt", first)  # type: ignore[arg-type]  # it has finished
    assert task.environment_info == {"host": "tower", "python": "3.12.1", "pid": 7}


def test_a_task_that_was_taken_over_says_from_where(world: World) -> None:
    """And so do its artifacts."""
    origin = AttemptKey("HelloFlow", "8", "s", "5", 0)
    task = Task(world.task(world.begin(origin="8"), "s", "1", {"x": 1}, origin=origin))

    assert task.origin_pathspec == "HelloFlow/8/s/5"
    assert task["x"].origin_pathspec == "HelloFlow/8/s/5/x"
    fresh = Task(world.task(world.begin(), "s", "1", {"x": 1}))
    assert (fresh.origin_pathspec, fresh["x"].origin_pathspec) == (None, None)


def test_its_index_is_that_of_the_innermost_foreach(world: World) -> None:
    """A branch inside of a foreach has no index of its own."""
    frames = [
        Frame("a", "1", 1, 2, "rows"),
        Frame("b", "2", 4, 5, "columns"),
        Frame("c", "3", 0, 2),
    ]

    assert Task(world.task(world.begin(), "s", frames=frames)).index == 4


def test_it_has_what_all_objects_have(world: World) -> None:
    """Its names, its run's tags, its step."""
    task = Task(world.task(world.begin(), "s", "4"))

    assert (task.id, task.pathspec) == ("4", "HelloFlow/1/s/4")
    assert task.path_components == ["HelloFlow", "1", "s", "4"]
    assert repr(task) == "Task('HelloFlow/1/s/4')"
    assert task.parent == Step("HelloFlow/1/s")
    assert task.tags == {"user:ada", "runtime:dev"}
    assert task.is_in_namespace()


def test_a_run_of_another_system_may_have_no_runtime(world: World) -> None:
    """Then the name of it is None."""
    key = world.begin()
    run = world.metadata._flows["HelloFlow"].runs[1]
    run.record = type(run.record)(
        **{name: getattr(run.record, name) for name in run.record.__slots__}
        | {"system_tags": frozenset({"user:ada"})}
    )
    task = Task(world.task(key, "s"))

    assert task.runtime_name is None
    assert "runtime" not in task.metadata_dict


def test_a_task_that_is_not_there(world: World) -> None:
    """The error says what there is, on the nearest level."""
    key = world.begin()
    world.task(key, "s", "1")
    world.end(key)
    world.begin(user="grace")

    cases = {
        "HelloFlow/1/s/9": "step 's' has 1 task; list them: list(Step('HelloFlow/1/s'))",
        "HelloFlow/1/s/x": "step 's' has 1 task;",
        "HelloFlow/1/S/1": "there is: s",
        "HelloFlow/1/t/1": "there is: s",
        "HelloFlow/9/s/1": "the latest run of that flow is 'HelloFlow/2'",
    }
    for pathspec, hint in cases.items():
        with pytest.raises(PlaitNotFound) as missing:
            Task(pathspec)
        assert hint in str(missing.value)
    with pytest.raises(PlaitNamespaceMismatch):
        Task("HelloFlow/2/s/1")


def test_an_attempt_that_was_never_begun(world: World) -> None:
    """The error says which there are."""
    key = world.begin()
    once = world.task(key, "s", "1")
    twice = world.task(key, "s", "2", ok=False, final=False)
    world.task(key, "s", "2", attempt=1)

    for pathspec, hint in ((once, "its only attempt is 0"), (twice, "its attempts are 0 to 1")):
        for attempt in (-1, 2):
            with pytest.raises(PlaitNotFound) as missing:
                Task(pathspec, attempt=attempt)
            assert hint in str(missing.value)


def test_results_that_are_gone(world: World) -> None:
    """What is known to have finished and is not in the store is told, not taken for unfinished."""
    pathspec = world.task(world.begin(), "s", "1", {"x": 1})
    world.storage.delete("HelloFlow/runs/1/s/1.0.attempt")
    world.stores.clear()
    task = Task(pathspec)

    assert task.successful
    with pytest.raises(
        ResultsNotFound, match=r"the results of HelloFlow/1/s/1 \(attempt 0\)"
    ) as no:
        _ = task.data.x
    assert f"is not in {world.storage.place}" in str(no.value)


@pytest.mark.parametrize(
    "ask",
    ["stdout", "metadata", "metadata_dict", "environment_info", "parent_tasks", "child_tasks"],
)
def test_what_is_not_here_is_not_taken_for_nothing(world: World, ask: str) -> None:
    """Nothing printed, no parents, no facts: that would be wrong without a word."""
    pathspec = world.task(world.begin(), "s", "1", {"x": 1})
    world.storage.delete("HelloFlow/runs/1/s/1.0.attempt")
    world.stores.clear()

    with pytest.raises(ResultsNotFound, match=r"HelloFlow/1/s/1 \(attempt 0\)"):
        getattr(Task(pathspec), ask)


def test_what_was_printed_is_read_without_the_results(world: World) -> None:
    """A log that is there is shown, whatever became of the seal."""
    pathspec = world.task(world.begin(), "s", "1", {"x": 1})
    world.print(pathspec, ("stdout", b"hello"))
    world.storage.delete("HelloFlow/runs/1/s/1.0.attempt")
    world.stores.clear()

    assert Task(pathspec).stdout == "hello\n"


def test_parameters_that_are_gone(world: World) -> None:
    """Of a run that has ended they are told; it had some, or none, and nobody knows which."""
    key = world.begin(parameters={"alpha": 1})
    pathspec = world.task(key, "s", "1", {"x": 1})
    world.end(key)
    world.storage.delete("HelloFlow/runs/1/_parameters/0.0.attempt")
    world.stores.clear()

    with pytest.raises(ResultsNotFound, match="HelloFlow/1/_parameters/0"):
        _ = Task(pathspec).data.alpha


def test_the_reason_of_a_failure_outlives_its_results(world: World) -> None:
    """It was reported, too."""
    pathspec = world.task(world.begin(), "s", "1", ok=False, failure=FAILURE)
    world.storage.delete("HelloFlow/runs/1/s/1.0.attempt")
    world.stores.clear()

    assert Task(pathspec).exception.failure == FAILURE  # type: ignore[union-attr]  # it has one
