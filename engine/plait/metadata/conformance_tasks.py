"""What every store of facts must do with tasks and what happens to them; see `conformance`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

from plait.base.pathspec import RunKey, TaskKey
from plait.base.records import Failure, FailureKind
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    Fact,
    MetadataStore,
    NewRun,
    Status,
    StepRecord,
    TaskCloned,
    TaskRecord,
)

Make = Callable[[], MetadataStore]

_FAILURE = Failure(FailureKind.EXCEPTION, "ValueError: too small", "Traceback ...", where="a.py:3")


def a_task_goes_through_its_attempts(make: Make) -> None:
    """A task runs until an attempt ends that no other follows; that one is what is visible."""
    store = make()
    task = TaskKey(*store.create_run(NewRun("A", 1.0)), "s", "5")
    story: tuple[tuple[Fact, TaskRecord], ...] = (
        (
            AttemptStarted(task, 0, 2.0, index=3),
            TaskRecord(task, 2.0, None, Status.RUNNING, None, 1, 3, None),
        ),
        (
            AttemptEnded(task, 0, 3.0, ok=False, final=False, failure=_FAILURE),
            TaskRecord(task, 2.0, None, Status.RUNNING, 0, 1, 3, None, _FAILURE),
        ),
        (
            AttemptStarted(task, 1, 4.0, index=3),
            TaskRecord(task, 2.0, None, Status.RUNNING, 0, 2, 3, None, _FAILURE),
        ),
        (
            AttemptEnded(task, 1, 5.0, ok=True, final=True),
            TaskRecord(task, 2.0, 5.0, Status.DONE, 1, 2, 3, None),
        ),
    )
    store.record([])
    for fact, expected in story:
        store.record([fact])
        assert store.find_task(task) == expected
        assert list(store.list_tasks(task.run_key, "s")) == [expected]


def a_failed_task_says_why(make: Make) -> None:
    """A task whose last attempt failed is failed, with the failure, to the last odd byte."""
    store = make()
    task = TaskKey(*store.create_run(NewRun("A", 1.0)), "s", "0")
    failure = Failure(FailureKind.SIGNAL, "killed by SIGSEGV \udcff\n", signal=11, retry=False)
    store.record([AttemptStarted(task, 0, 2.0), AttemptEnded(task, 0, 3.0, False, True, failure)])
    assert store.find_task(task) == TaskRecord(
        task, 2.0, 3.0, Status.FAILED, 0, 1, None, None, failure
    )


def a_clone_is_done(make: Make) -> None:
    """A task taken over from another run is done at once, and says where it is from."""
    store = make()
    task = TaskKey(*store.create_run(NewRun("A", 1.0)), "s", "2")
    origin = TaskKey("A", "0", "s", "9")
    store.record([TaskCloned(task, 1, 4.0, origin, index=0)])
    assert store.find_task(task) == TaskRecord(task, 4.0, 4.0, Status.DONE, 1, 2, 0, origin)


def facts_may_come_in_any_order(make: Make) -> None:
    """Facts about a task add up to the same in any order, in one batch or more, and twice."""
    store = make()
    facts: list[Callable[[TaskKey], Fact]] = [
        lambda task: AttemptStarted(task, 0, 2.0, index=3),
        lambda task: AttemptEnded(task, 0, 3.0, ok=False, final=False, failure=_FAILURE),
        lambda task: AttemptStarted(task, 1, 4.0, index=3),
        lambda task: AttemptEnded(task, 1, 5.0, ok=False, final=True, failure=_FAILURE),
    ]
    run = store.create_run(NewRun("A", 1.0))
    for number, order in enumerate(permutations(facts)):
        task = TaskKey(*run, "s", str(number))
        batch = [tell(task) for tell in order]
        store.record(batch[: number % 5])
        store.record(batch)
        assert store.find_task(task) == TaskRecord(
            task, 2.0, 5.0, Status.FAILED, 1, 2, 3, None, _FAILURE
        )


def the_first_final_end_holds(make: Make) -> None:
    """Of two ends of one attempt, the first that is final holds; a later attempt's counts more."""
    store = make()
    task = TaskKey(*store.create_run(NewRun("A", 1.0)), "s", "1")
    store.record([AttemptEnded(task, 1, 5.0, ok=True, final=True)])
    first = TaskRecord(task, 5.0, 5.0, Status.DONE, 1, 2, None, None)
    assert store.find_task(task) == first
    store.record([AttemptEnded(task, 1, 6.0, ok=False, final=True, failure=_FAILURE)])
    store.record([AttemptEnded(task, 1, 6.0, ok=False, final=False, failure=_FAILURE)])
    assert store.find_task(task) == first
    store.record([AttemptEnded(task, 2, 7.0, ok=False, final=False, failure=_FAILURE)])
    assert store.find_task(task) == TaskRecord(
        task, 5.0, None, Status.RUNNING, 2, 3, None, None, _FAILURE
    )


def tasks_are_newest_first_and_paged(make: Make) -> None:
    """Tasks of a step are listed by id as a number, the highest first, page by page."""
    store = make()
    key = store.create_run(NewRun("A", 1.0))
    tasks = [TaskKey(*key, "s" if n % 2 else "t", str(n)) for n in range(25)]
    store.record([AttemptStarted(task, 0, 1.0, index=int(task.task)) for task in tasks])

    def page(before: str | None, limit: int) -> list[str]:
        return [t.key.task for t in store.list_tasks(key, "s", before=before, limit=limit)]

    assert page(None, 100) == [str(n) for n in range(23, 0, -2)]
    assert page(None, 3) == ["23", "21", "19"]
    assert page("19", 3) == ["17", "15", "13"]
    assert page("18", 1) == ["17"]
    assert page("1", 3) == []
    assert page(None, 0) == []
    assert list(store.list_tasks(key, "u")) == []
    for task in store.list_tasks(key, "s"):
        assert task == store.find_task(task.key)


def steps_are_newest_first(make: Make) -> None:
    """Steps are listed by when their first task began, the latest first; then by its id."""
    store = make()
    key = store.create_run(NewRun("A", 1.0))
    store.create_run(NewRun("A", 1.0))
    began = (("b", 0, 5.0), ("z", 1, 6.0), ("b", 2, 9.0), ("a", 3, 6.0), ("b", 4, 4.0))
    for step, number, at in began:
        store.record([AttemptStarted(TaskKey(*key, step, str(number)), 0, at)])
    assert list(store.list_steps(key)) == [
        StepRecord("A", "1", "a", 6.0, 1),
        StepRecord("A", "1", "z", 6.0, 1),
        StepRecord("A", "1", "b", 4.0, 3),
    ]
    assert list(store.list_steps(RunKey("A", "2"))) == []


def runs_are_apart(make: Make) -> None:
    """Facts about one run change no other, also not where ids and steps are the same."""
    store = make()
    keys = [store.create_run(NewRun(flow, 1.0)) for flow in ("A", "A", "B")]
    store.record(
        [
            AttemptStarted(TaskKey(*key, "s", "1"), 0, float(number))
            for number, key in enumerate(keys)
        ]
    )
    assert [store.list_tasks(key, "s")[0].created for key in keys] == [0.0, 1.0, 2.0]
    store.record([AttemptEnded(TaskKey(*keys[1], "s", "1"), 0, 9.0, ok=True, final=True)])
    assert [store.list_tasks(key, "s")[0].finished for key in keys] == [None, 9.0, None]


TASK_CHECKS: tuple[Callable[[Make], None], ...] = (
    a_task_goes_through_its_attempts,
    a_failed_task_says_why,
    a_clone_is_done,
    facts_may_come_in_any_order,
    the_first_final_end_holds,
    tasks_are_newest_first_and_paged,
    steps_are_newest_first,
    runs_are_apart,
)
"""Every check, in an order to read them in."""
