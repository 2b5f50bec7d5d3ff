"""Facts that a killed run's process did not get to record are found in what was sealed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.records import AttemptFacts, Failure, FailureKind, Frame
from plait.metadata.memory import MemoryMetadata
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    Fact,
    NewRun,
    Status,
    TaskCloned,
    TaskRecord,
)
from plait.metadata.rebuild import plan_rebuild

RUN = RunKey("A", "1")
FAILURE = Failure(FailureKind.EXCEPTION, "ValueError: no")
FRAMES = (Frame("start", "0", 2, 5, "items"), Frame("fork", "1", 1, 2))


def sealed(task: int, attempt: int, *, ok: bool = True, step: str = "s") -> AttemptFacts:
    """Give what an attempt in the third part of a foreach sealed."""
    return AttemptFacts(
        key=AttemptKey(*RUN, step, str(task), attempt),
        ok=ok,
        started=10.0 * task + attempt,
        finished=10.0 * task + attempt + 0.5,
        frames=FRAMES,
        failure=None if ok else FAILURE,
    )


def rebuild(attempts: Sequence[AttemptFacts], reported: Sequence[Fact]) -> list[TaskRecord]:
    """Give all tasks once what is missing beside *reported* was recorded, and nothing is then."""
    with closing(MemoryMetadata()) as store:
        store.create_run(NewRun("A", 1.0))
        store.record(reported)
        store.record(plan_rebuild(attempts, store.list_tasks(RUN, "s")))
        tasks = list(store.list_tasks(RUN, "s"))
        assert plan_rebuild(attempts, tasks) == []
        return tasks


def test_nothing_reported_everything_found() -> None:
    """Of a run that reported nothing, every task is made from its attempts."""
    one, two = (TaskKey(*RUN, "s", n) for n in "12")
    attempts = [sealed(2, 0), sealed(1, 1), sealed(1, 0, ok=False)]

    assert plan_rebuild(attempts, []) == [
        AttemptStarted(one, 0, 10.0, 2),
        AttemptEnded(one, 0, 10.5, ok=False, final=False, failure=FAILURE),
        AttemptStarted(one, 1, 11.0, 2),
        AttemptEnded(one, 1, 11.5, ok=True, final=True),
        AttemptStarted(two, 0, 20.0, 2),
        AttemptEnded(two, 0, 20.5, ok=True, final=True),
    ]
    assert rebuild(attempts, []) == [
        TaskRecord(two, 20.0, 20.5, Status.DONE, 0, 1, 2, None),
        TaskRecord(one, 10.0, 11.5, Status.DONE, 1, 2, 2, None),
    ]


def test_an_attempt_that_was_begun_and_never_sealed() -> None:
    """A failure that a later attempt followed is not the end of its task, sealed or not."""
    task = TaskKey(*RUN, "s", "1")

    (record,) = rebuild([sealed(1, 0, ok=False)], [AttemptStarted(task, 1, 11.0, 2)])

    assert record == TaskRecord(task, 10.0, None, Status.RUNNING, 0, 2, 2, None, FAILURE)


def test_a_clone_is_found_as_one() -> None:
    """A task that was taken over is rebuilt as taken over."""
    origin = AttemptKey("A", "0", "s", "4", 0)
    key = AttemptKey(*RUN, "s", "1", 0)
    attempt = AttemptFacts(key, ok=True, started=1.0, finished=2.0, origin=origin)

    assert plan_rebuild([attempt], []) == [TaskCloned(key.task_key, 0, 2.0, origin.task_key)]


def test_parameters_are_no_task() -> None:
    """The sealed parameters of a run make no task."""
    assert plan_rebuild([sealed(0, 0, step="_parameters")], []) == []


@given(st.data())
def test_whatever_was_lost_is_found(data: st.DataObject) -> None:
    """Whichever reports were lost, statuses and attempts end up as if none had been."""
    attempts, told = [], []
    for task in range(3):
        count = data.draw(st.integers(1, 3))
        for attempt in range(count):
            last = attempt == count - 1
            facts = sealed(task, attempt, ok=last and data.draw(st.booleans()))
            attempts.append(facts)
            key = facts.key.task_key
            told.append(AttemptStarted(key, attempt, facts.started - 0.1, 2))
            told.append(
                AttemptEnded(key, attempt, facts.finished + 0.1, facts.ok, last, facts.failure)
            )
    kept = data.draw(st.lists(st.sampled_from(told), unique=True))

    def essence(tasks: list[TaskRecord]) -> list[tuple[object, ...]]:
        return [(t.key, t.status, t.attempt, t.attempts, t.index, t.failure) for t in tasks]

    assert essence(rebuild(attempts, kept)) == essence(rebuild(attempts, told))
