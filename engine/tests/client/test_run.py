"""A run: how it went, its result, its steps and its tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plait.base.pathspec import BadPathspec, TaskKey
from plait.base.records import Failure, FailureKind
from plait.client.errors import PlaitNamespaceMismatch, PlaitNotFound
from plait.client.flow import Flow
from plait.client.namespaces import namespace
from plait.client.run import Run
from plait.client.step import Step
from plait.client.task import Task
from plait.client.times import local_time
from plait.metadata.errors import BadTag, SystemTag
from plait.metadata.protocol import RunEnded, Status

if TYPE_CHECKING:
    from conftest import World


def test_a_run_that_is_done(world: World) -> None:
    """It has its end's values, and the flow's parameters among them."""
    key = world.begin(parameters={"alpha": 0.5})
    world.task(key, "start", "1", {"x": 1})
    end = world.task(key, "end", "2", {"x": 1, "y": [2]})
    run = Run(world.end(key))

    assert (run.status, run.successful, run.finished) == ("done", True, True)
    assert run.end_task == Task(end)
    assert run.data is not None
    assert (run.data.y, run.data.alpha) == ([2], 0.5)


def test_a_run_that_goes_on_is_read_anew_each_time(world: World) -> None:
    """One object is enough to wait for its end."""
    key = world.begin()
    run = Run(str(key))
    before = (run.status, run.successful, run.finished, run.finished_at, run.end_task, run.data)

    world.task(key, "end")
    world.end(key, Status.DONE)

    assert before == ("running", False, False, None, None, None)
    assert (run.status, run.successful, run.finished) == ("done", True, True)
    assert run.finished_at == local_time(world.now)
    assert run.end_task is not None


@pytest.mark.parametrize("status", [Status.FAILED, Status.INTERRUPTED])
def test_a_run_that_ended_badly_is_finished_and_not_successful(
    world: World, status: Status
) -> None:
    """Its status says which; without an end there is no result."""
    key = world.begin()
    world.task(key, "start", ok=False)
    run = Run(world.end(key, status))

    assert (run.status, run.successful, run.finished) == (status.value, False, True)
    assert (run.end_task, run.data) == (None, None)


def test_the_first_failure_of_a_run_is_read(world: World) -> None:
    """Step, task, attempt and error are there; of a run that went well, there is none."""
    failure = Failure(FailureKind.EXCEPTION, "ValueError: no", "Traceback ...", where="f.py:3")
    key = world.begin()
    world.task(key, "start", ok=False, final=False)
    first = world.task(key, "start", attempt=1, ok=False)
    world.metadata.record(
        [RunEnded(key, world.later(), Status.FAILED, failure, TaskKey(*key, "start", "1"))]
    )
    failed, done = Run(str(key)), Run(world.end(world.begin()))

    task = failed.failed_task
    assert task == Task(first)
    assert task is not None
    assert (task.parent.id, task.id, task.attempt) == ("start", "1", 1)
    assert failed.exception is not None
    assert (failed.exception.type, failed.exception.message) == ("ValueError", "no")
    assert str(failed.exception) == "Traceback ..."
    assert (done.failed_task, done.exception) == (None, None)


def test_a_run_that_failed_in_no_task_says_why(world: World) -> None:
    """Such as on a full disk."""
    key = world.begin()
    reason = Failure(FailureKind.LAUNCH, "OSError: disk full")
    world.metadata.record([RunEnded(key, world.later(), Status.FAILED, reason)])
    run = Run(str(key))

    assert run.failed_task is None
    assert repr(run.exception) == "AttemptFailure('OSError: disk full')"


def test_a_run_that_has_ended_is_not_asked_about_again(world: World) -> None:
    """What cannot change any more is not read again."""
    run = Run(world.end(world.begin()))
    world.metadata.questions.clear()

    assert (run.status, run.finished, run.successful) == ("done", True, True)
    assert world.metadata.questions == []


def test_a_run_that_is_removed_while_it_is_looked_at_stays_as_it_was(world: World) -> None:
    """There is nothing better to say about it."""
    run = Run(str(world.begin()))
    world.metadata._flows.clear()

    assert (run.status, run.finished) == ("running", False)


def test_its_steps_come_newest_first(world: World) -> None:
    """By when they began, and found by name."""
    key = world.begin()
    for number, step in enumerate(("start", "a", "end"), 1):
        world.task(key, step, str(number))
    run = Run(world.end(key))

    assert list(run) == [Step(f"HelloFlow/1/{step}") for step in ("end", "a", "start")]
    assert run["a"] == Step("HelloFlow/1/a")
    assert "a" in run
    assert "b" not in run
    assert "_parameters" not in run
    with pytest.raises(KeyError, match="did you mean 'start'"):
        run["strat"]


def test_steps_by_tags_are_all_or_none(world: World) -> None:
    """The tags of a step are its run's."""
    key = world.begin(tags=["nightly"])
    world.task(key, "start")
    run = Run(world.end(key))

    assert [step.id for step in run.steps("nightly", "user:ada")] == ["start"]
    assert list(run.steps("nightly", "weekly")) == []
    assert [step.id for step in run.steps()] == ["start"]


def test_it_has_what_all_objects_have(world: World) -> None:
    """Its names, times, tags, and where it came from."""
    key = world.begin(tags=["nightly"], origin="9")
    run = Run(world.end(key))

    assert (run.id, run.pathspec, run.path_components) == ("1", "HelloFlow/1", ["HelloFlow", "1"])
    assert run.parent == Flow("HelloFlow")
    assert repr(run) == "Run('HelloFlow/1')"
    assert run.user_tags == {"nightly"}
    assert run.system_tags == {"user:ada", "runtime:dev"}
    assert run.tags == run.user_tags | run.system_tags
    assert run.is_in_namespace()
    assert (run.origin_run_id, run.origin_pathspec) == ("9", "HelloFlow/9")
    assert run.created_at < run.finished_at
    assert run.code is None


def test_a_run_that_began_anew_has_no_origin(world: World) -> None:
    """Then both ways to ask give None."""
    run = Run(str(world.begin()))

    assert (run.origin_run_id, run.origin_pathspec) == (None, None)


def test_nothing_but_a_person_starts_a_run(world: World) -> None:
    """So `run.trigger` is there, and None."""
    run = Run(str(world.begin()))

    assert run.trigger is None


def test_a_run_that_is_not_there(world: World) -> None:
    """The error names the latest one, or a flow that there is."""
    world.begin()

    with pytest.raises(PlaitNotFound, match="the latest run of that flow is 'HelloFlow/1'"):
        Run("HelloFlow/2")
    with pytest.raises(PlaitNotFound, match="did you mean 'HelloFlow'"):
        Run("HelloFlo/1")
    with pytest.raises(BadPathspec, match="of the form Flow/run"):
        Run("HelloFlow")
    with pytest.raises(BadPathspec, match="'17' is not a pathspec"):
        Run(17)  # type: ignore[arg-type]  # as people try


def test_a_hidden_run(world: World) -> None:
    """Whoever has it may go on reading; whoever fetches it is told where it is."""
    key = world.begin(user="grace")
    world.task(key, "start", values={"x": 1})
    namespace("user:grace")
    run = Run(str(key))
    namespace("user:ada")

    with pytest.raises(PlaitNamespaceMismatch) as hidden:
        Run(str(key))
    assert str(hidden.value).splitlines() == [
        "error[namespace-mismatch]: 'HelloFlow/1' is not in your namespace 'user:ada'",
        "  why: only what has the tag 'user:ada' is seen; it has 'user:grace'",
        "  fix: call namespace('user:grace') first, or namespace(None) to see all runs",
    ]
    assert not run.is_in_namespace()
    assert run["start"].task.data.x == 1


def test_tags_are_added_removed_and_replaced(world: World) -> None:
    """One or several at a time; the object and the store agree on the result."""
    run = Run(str(world.begin(tags=["old"])))

    run.add_tag("nightly")
    run.add_tags(["good", "two words"])
    assert run.user_tags == {"old", "nightly", "good", "two words"}
    run.remove_tag("old")
    run.remove_tags(["good", "never there"])
    assert run.user_tags == {"nightly", "two words"}
    run.replace_tag("nightly", "weekly")
    run.replace_tags(["weekly", "two words"], ["weekly", "three words"])

    assert run.user_tags == {"weekly", "three words"}
    assert Run("HelloFlow/1").tags == {"weekly", "three words", "user:ada", "runtime:dev"}


def test_a_change_of_tags_is_seen_by_the_parts_of_the_run(world: World) -> None:
    """Steps and tasks fetched from a run share its tags."""
    key = world.begin()
    world.task(key, "start", values={"x": 1})
    run = Run(str(key))
    task = run["start"].task

    run.add_tag("checked")

    assert task.user_tags == task.artifacts.x.user_tags == {"checked"}


def test_tags_that_cannot_be_changed(world: World) -> None:
    """Plait's own stay, and what is no tag is refused; then nothing changes."""
    run = Run(str(world.begin(tags=["a"])))

    with pytest.raises(SystemTag):
        run.remove_tags(["a", "user:ada"])
    with pytest.raises(BadTag):
        run.add_tags(["b", ""])
    with pytest.raises(BadTag, match="3 cannot be a tag"):
        run.add_tag(3)  # type: ignore[arg-type]  # the mistake

    assert Run("HelloFlow/1").user_tags == run.user_tags == {"a"}
