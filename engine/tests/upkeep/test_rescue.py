"""What a killed run's process could not report is recorded when somebody sees it."""

from __future__ import annotations

from dataclasses import replace

from plait.base.pathspec import AttemptKey, TaskKey
from plait.base.process import describe_process
from plait.metadata.protocol import AttemptStarted, NewRun, RunBeat, RunEnded, Status
from plait.upkeep.rescue import iter_runs, rescue_run

GONE = {"process": {**describe_process(), "start": "1", "pid": 2**22}}


def rescue(house, key):
    """Do it to the run as it is recorded."""
    stores = house.stores
    return rescue_run(stores.metadata.find_run(key), stores.metadata, stores.artifacts(key.flow))


def test_a_lost_run_is_ended_with_all_that_it_sealed(house) -> None:
    """Tasks that were sealed and not reported are known then, and the run is lost."""
    key = house.begin(facts=GONE)
    begun, unheard = TaskKey(*key, "work", "1"), TaskKey(*key, "work", "2")
    house.stores.metadata.record([AttemptStarted(begun, 0, 101.0), RunBeat(key, 105.0)])
    house.seal(AttemptKey(*begun, 0), {"x": 1}, finished=110.0)
    house.seal(AttemptKey(*unheard, 0), {"x": 2}, ok=False, finished=108.0)

    run = rescue(house, key)
    assert (run.status, run.finished) == (Status.LOST, 110.0)
    assert run == house.stores.metadata.find_run(key)
    tasks = [house.stores.metadata.find_task(task) for task in (begun, unheard)]
    assert [task and task.status for task in tasks] == [Status.DONE, Status.FAILED]
    assert rescue(house, key) == run


def test_a_run_whose_last_step_was_sealed_has_ended_well(house) -> None:
    """Its process could not say so, as where the service was away for too long."""
    key = house.begin(facts=GONE)
    house.seal(AttemptKey(*key, "work", "1", 0), {"x": 1}, finished=110.0)
    house.seal(AttemptKey(*key, "end", "2", 0), {}, ok=False, finished=111.0)
    house.seal(AttemptKey(*key, "end", "2", 1), {}, transition=None, finished=112.0)
    house.stores.metadata.record([RunBeat(key, 150.0)])

    run = rescue(house, key)
    assert (run.status, run.finished) == (Status.DONE, 112.0)
    assert house.stores.metadata.find_task(TaskKey(*key, "end", "2")).status is Status.DONE


def test_its_last_word_is_its_end(house) -> None:
    """Without seals, it is lost since its last heartbeat, or since it began."""
    beaten, silent = house.begin(facts=GONE), house.begin(50.0, facts=GONE)
    house.stores.metadata.record([RunBeat(beaten, 200.0)])

    assert rescue(house, beaten).finished == 200.0
    assert rescue(house, silent).finished == 102.0  # its parameters were sealed then


def test_a_run_that_goes_on_or_has_ended_stays_as_it_is(house) -> None:
    """Nothing is recorded of them."""
    going = house.begin(facts={"process": describe_process()})
    alone = house.begin()
    ended = house.end(house.begin(facts=GONE))

    assert [rescue(house, key).status for key in (going, alone, ended)] == [
        Status.RUNNING,
        Status.RUNNING,
        Status.DONE,
    ]


def test_a_run_that_ended_just_now_is_not_lost(house) -> None:
    """Its process ended between the reading of the record and the look for the process."""
    key = house.begin(facts=GONE)
    stale = house.stores.metadata.find_run(key)
    house.stores.metadata.record([RunEnded(key, 120.0, Status.DONE)])

    stores = house.stores
    run = rescue_run(stale, stores.metadata, stores.artifacts("F"))
    assert run.status is Status.DONE
    stores.metadata.delete_run(key)
    assert rescue_run(stale, stores.metadata, stores.artifacts("F")) == stale
    assert replace(stale, status=Status.DONE) != stale


def test_a_lost_run_of_others_is_theirs_to_record(house, monkeypatch) -> None:
    """Where facts are shared and its values are elsewhere, only its own store knows what it did."""
    metadata = house.stores.metadata
    theirs = metadata.create_run(NewRun("F", 100.0, facts=GONE))
    monkeypatch.setattr(type(metadata), "place", "service@http://127.0.0.1")

    assert rescue(house, theirs).status is Status.LOST
    assert metadata.find_run(theirs).status is Status.RUNNING


def test_runs_are_paged(house) -> None:
    """All runs are given, whatever a page holds."""
    for _ in range(1001):
        house.stores.metadata.create_run(NewRun("Many", 1.0))

    found = [run.key.run for run in iter_runs(house.stores.metadata, "Many")]
    assert found == [str(n) for n in range(1001, 0, -1)]
