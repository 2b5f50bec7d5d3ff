"""What every store of facts must do as runs go on, end, are lost and go; see `conformance`."""

from __future__ import annotations

from collections.abc import Callable

from plait.base.pathspec import RunKey, TaskKey
from plait.base.records import Failure, FailureKind
from plait.metadata.conformance_runs import raises
from plait.metadata.errors import UnknownRun
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    MetadataStore,
    NewRun,
    RunBeat,
    RunEnded,
    Status,
)

Make = Callable[[], MetadataStore]

_LATE = 4e9
"""Later than any clock of a service that stamps heartbeats itself."""
_FAILURE = Failure(FailureKind.EXCEPTION, "ValueError: too small", "Traceback ...", where="a.py:3")


def a_run_ends(make: Make) -> None:
    """The end of a run keeps its status, time, failure and task; of two ends the later holds."""
    store = make()
    key = store.create_run(NewRun("A", 1.0))
    other = store.create_run(NewRun("A", 1.0))
    task = TaskKey(*key, "s", "1")
    store.record(
        [
            AttemptEnded(task, 0, 8.0, ok=False, final=True, failure=_FAILURE),
            RunEnded(key, 9.0, Status.FAILED, _FAILURE, task),
        ]
    )
    run = store.find_run(key)
    assert run is not None
    assert (run.status, run.finished) == (Status.FAILED, 9.0)
    assert (run.failure, run.failed_task) == (_FAILURE, task)
    store.record([RunEnded(key, 10.0, Status.INTERRUPTED), RunEnded(key, 11.0, Status.DONE)])
    run = store.find_run(key)
    assert run is not None
    assert (run.status, run.finished) == (Status.DONE, 11.0)
    assert (run.failure, run.failed_task) == (None, None)
    untouched = store.find_run(other)
    assert untouched is not None
    assert (untouched.status, untouched.finished) == (Status.RUNNING, None)


def a_run_that_ended_is_not_lost(make: Make) -> None:
    """Who takes a run for lost does not undo the end that it told, before or after."""
    store = make()
    key = store.create_run(NewRun("A", 1.0))
    store.record([RunEnded(key, 5.0, Status.LOST)])
    store.record([RunEnded(key, 6.0, Status.LOST)])
    lost = store.find_run(key)
    assert lost is not None
    assert (lost.status, lost.finished) == (Status.LOST, 6.0)
    store.record([RunEnded(key, 4.0, Status.FAILED, _FAILURE)])
    store.record([RunEnded(key, 9.0, Status.LOST)])
    run = store.find_run(key)
    assert run is not None
    assert (run.status, run.finished, run.failure) == (Status.FAILED, 4.0, _FAILURE)


def a_run_that_goes_on_is_not_lost(make: Make) -> None:
    """Another clock, or a silence that was no end, had it taken for lost; it says so itself."""
    store = make()
    key, ended = store.create_run(NewRun("A", 1.0)), store.create_run(NewRun("A", 1.0))
    store.record([RunBeat(key, 5.0), RunEnded(key, 5.0, Status.LOST)])
    store.record([RunEnded(ended, 5.0, Status.FAILED), RunBeat(ended, _LATE)])
    store.record([RunBeat(key, _LATE)])
    records = [store.find_run(run) for run in (key, ended)]
    assert [(r.status, r.finished) for r in records if r] == [
        (Status.RUNNING, None),
        (Status.FAILED, 5.0),
    ]
    assert [run.key for run in store.list_runs("A", status=Status.RUNNING)] == [key]
    store.record([RunEnded(key, _LATE + 1, Status.DONE)])
    done = store.find_run(key)
    assert done is not None
    assert (done.status, done.finished) == (Status.DONE, _LATE + 1)


def a_run_says_that_it_goes_on(make: Make) -> None:
    """The latest heartbeat of a run is kept, whatever else is recorded of it and in which order."""
    store = make()
    key, other = store.create_run(NewRun("A", 1.0)), store.create_run(NewRun("A", 1.0))
    store.record([RunBeat(key, 5.0)])
    started = AttemptStarted(TaskKey(*key, "s", "1"), 0, 1.0)
    store.record([started, RunBeat(key, 9.0), RunBeat(key, 7.0)])
    store.record([RunEnded(key, 10.0, Status.DONE)])
    records = [store.find_run(run) for run in (key, other)]
    assert [run and run.heartbeat for run in records] == [9.0, None]
    assert records == list(store.list_runs("A"))[::-1]
    raises(UnknownRun, lambda: store.record([RunBeat(RunKey("A", "9"), 1.0)]))


def a_run_can_be_removed(make: Make) -> None:
    """A removed run is gone with its tags and tasks, and its id is never given again."""
    store = make()
    tags, mine = frozenset({"x"}), frozenset({"user:ada"})
    keys = [store.create_run(NewRun("A", 1.0, tags, mine)) for _ in range(2)]
    task = TaskKey(*keys[1], "s", "1")
    store.record([AttemptStarted(task, 0, 1.0), RunEnded(keys[1], 2.0, Status.LOST)])
    assert store.delete_run(keys[1])
    assert not store.delete_run(keys[1])
    assert store.find_run(keys[1]) is None
    assert store.find_task(task) is None
    for tag in ("x", "user:ada"):
        assert [run.key for run in store.list_runs("A", tags=frozenset({tag}))] == [keys[0]]
    assert store.create_run(NewRun("A", 1.0)) == RunKey("A", "3")
    assert store.find_task(task._replace(run="3")) is None
    for run in ("1", "3"):
        store.record([RunEnded(RunKey("A", run), 2.0, Status.DONE)])
        assert store.delete_run(RunKey("A", run))
    assert list(store.iter_flows()) == []
    assert store.create_run(NewRun("A", 1.0)) == RunKey("A", "4")


def a_run_that_is_needed_stays(make: Make) -> None:
    """A run that goes on can't be removed, nor one that a run going on resumes."""
    store = make()
    assert not store.delete_run(RunKey("A", "1"))
    origin = store.create_run(NewRun("A", 1.0))
    assert not store.delete_run(origin)
    store.record([RunEnded(origin, 2.0, Status.FAILED)])
    resumed = store.create_run(NewRun("A", 3.0, origin_run="1"))
    store.create_run(NewRun("B", 3.0, origin_run="1"))
    assert not store.delete_run(origin)
    store.record([RunEnded(resumed, 4.0, Status.DONE)])
    assert store.delete_run(origin)
    for strange in ("", "01", "x", "\udcff"):
        assert not store.delete_run(RunKey("A", strange))


END_CHECKS: tuple[Callable[[Make], None], ...] = (
    a_run_ends,
    a_run_that_ended_is_not_lost,
    a_run_that_goes_on_is_not_lost,
    a_run_says_that_it_goes_on,
    a_run_can_be_removed,
    a_run_that_is_needed_stays,
)
