"""Cleaning removes from the disk what nobody needs, with runs going on, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from upkeep.house import LARGE, House, large

from plait.artifacts.errors import DamagedAttempt
from plait.artifacts.run_file import DATASTORE, LOCAL, mark_removed
from plait.base.layout import code_key, log_key, seal_key
from plait.base.pathspec import PARAMETERS_STEP, AttemptKey, RunKey, TaskKey
from plait.base.process import describe_process
from plait.metadata.protocol import AttemptEnded, AttemptStarted, NewRun, RunBeat, RunEnded, Status
from plait.storage.errors import StorageFailed, StorageFull
from plait.upkeep.claim import share_values
from plait.upkeep.clean import FactsMissing

WORK = AttemptKey("F", "1", "work", "1", 0)


def test_nothing_goes_that_a_run_refers_to(house) -> None:
    """A store of runs that all stay is left as it is, to the file."""
    for value in "aab":
        house.done({"x": large(value), "y": 1})
    before = house.files()

    assert house.clean().files == ()
    assert house.files() == before


def test_what_other_machines_may_need_stays(house, monkeypatch) -> None:
    """In S3, with facts in a folder: no value goes, and no run but those that are to go."""
    house.done({"x": large("a")})
    house.stores.artifacts("F").encode("lost", large("b"))
    (house.root / "store" / "F" / "runs" / "elsewhere").mkdir(parents=True)
    (house.root / "store" / "F" / "runs" / "elsewhere" / "log").write_bytes(b"x")
    monkeypatch.setattr(type(house.stores.storage), "place", "s3://bucket/prefix")

    cleaned = house.clean()
    assert (cleaned.files, cleaned.waiting) == ((), 1)


def test_shared_values_that_are_young_stay(house, monkeypatch) -> None:
    """Where facts are shared, too, only time tells what nobody is about to refer to."""
    house.done({"x": large("a")})
    house.stores.artifacts("F").encode("lost", large("b"))
    monkeypatch.setattr(type(house.stores.storage), "place", "s3://bucket/prefix")
    monkeypatch.setattr(type(house.stores.metadata), "place", "service@http://127.0.0.1")
    storage = type(house.stores.storage)
    now = time.time()

    monkeypatch.setattr(storage, "modified", lambda *_: now)
    assert (house.clean().files, house.clean().waiting) == ((), 1)
    monkeypatch.setattr(storage, "modified", lambda *_: -1e6)
    assert len(house.clean().files) == 1


def test_what_a_killed_task_left_goes(house) -> None:
    """A value that was written for a seal that never came, and an unfinished upload."""
    house.done({"x": large("a")})
    house.stores.artifacts("F").encode("lost", large("b"))
    scratch = house.root / "scratch" / "F-77-abcd"
    scratch.mkdir(parents=True)
    (scratch / "77-0").write_bytes(b"half")
    other = house.root / "scratch" / "FF-77-abcd"
    other.mkdir()

    planned = house.clean(dry_run=True)
    assert len(planned.files) == 2
    assert planned.size > LARGE
    assert scratch.exists()
    assert house.clean() == planned
    assert not scratch.exists()
    assert other.exists()
    assert len(house.keys("F/data")) == 1
    assert house.load(WORK, "x") == large("a")
    assert house.clean().files == ()


def test_whole_runs_go_with_all_that_only_they_need(house) -> None:
    """Facts, files and values; a value that a kept run shares stays, and ids go on."""
    for value in ("ab", "bc", "c"):
        house.done({name: large(name) for name in value})

    planned = house.clean(dry_run=True, keep_runs=1)
    assert house.runs() == ["3", "2", "1"]
    cleaned = house.clean(keep_runs=1)
    assert cleaned == planned
    assert [key.run for key in cleaned.runs] == ["2", "1"]
    assert house.runs() == ["3"]
    assert list(house.stores.storage.iter_folders("F/runs")) == ["3"]
    assert len(house.keys("F/data")) == 1
    assert house.load(WORK._replace(run="3"), "c") == large("c")
    assert house.verify() == []
    assert house.begin() == RunKey("F", "4")


def test_runs_of_others_are_theirs(house, monkeypatch) -> None:
    """Where facts are shared, a run whose values are elsewhere is neither removed nor damaged."""
    for value in ("a", "b"):
        house.done({"x": large(value)})
    metadata = house.stores.metadata
    theirs = metadata.create_run(NewRun("F", 200.0, facts={DATASTORE: LOCAL}))
    task = AttemptStarted(TaskKey(*theirs, "work", "1"), 0, 201.0)
    ended = AttemptEnded(task.key, 0, 202.0, ok=True, final=True)
    metadata.record([task, ended, RunEnded(theirs, 203.0, Status.DONE)])
    assert house.verify() != []
    monkeypatch.setattr(type(metadata), "place", "service@http://127.0.0.1")

    assert house.verify() == []
    assert [key.run for key in house.clean(keep_runs=1).runs] == ["1"]
    assert [key.run for key in house.clean(keep_runs=0).runs] == ["2"]
    assert house.runs() == [theirs.run]


def test_age_counts_from_the_end(house) -> None:
    """`older_than` looks at when a run ended; with `keep_runs`, both have to say so."""
    house.done({}, at=500.0)
    house.done({}, at=900.0)
    house.done({}, at=400.0)

    assert house.clean(dry_run=True, older_than=300.0, keep_runs=1).runs == (RunKey("F", "1"),)
    assert [key.run for key in house.clean(older_than=300.0).runs] == ["3", "1"]


def test_what_a_resumed_run_took_over_stays(house) -> None:
    """Of a removed origin, the seals that hold its values and the logs of its tasks are kept."""
    origin = house.begin(parameters={"p": 5})
    first = house.task(origin, "1", {"x": 1, "big": large("a")})
    second = house.task(origin, "2", {"y": 2, "big": large("b")})
    house.print(first)
    house.print(second)
    house.end(origin, status=Status.FAILED)
    resumed = house.begin(origin="1", parameters={})
    house.task(resumed, "1", carried=house.refs(first), origin=first)
    house.end(resumed)

    assert house.clean(keep_runs=1).runs == (origin,)
    # Its claim stays as well, so that no other run comes into the folder.
    left = ["F/runs/1/removed", "F/runs/1/run.json", seal_key(first), log_key(first)]
    assert house.keys("F/runs/1") == left
    again = WORK._replace(run="2")
    assert house.load(again, "x") == 1
    assert house.load(again, "big") == large("a")
    assert house.verify() == []
    assert house.clean().files == ()
    assert house.clean(keep_runs=0).runs == (resumed,)
    assert house.files() == []


def test_a_run_that_goes_on_is_left_alone(house) -> None:
    """It stays, with what it resumes and all values of its flow, sealed or not; the rest goes."""
    origin = house.done({"x": large("a")})
    old = house.done({"x": large("b")})
    going = house.begin(origin=origin.run, facts={"process": describe_process()})
    house.stores.artifacts("F").encode("not sealed yet", large("c"))

    cleaned = house.clean(keep_runs=0)
    assert cleaned.runs == (old,)
    assert house.runs() == [going.run, origin.run]
    assert (cleaned.waiting, cleaned.waiting_size > 2 * LARGE) == (2, True)
    assert len(house.keys("F/data")) == 3
    assert house.keys("F/runs/2") == []
    house.end(going)
    assert house.clean().waiting == 0
    assert len(house.keys("F/data")) == 1


def test_values_wait_for_a_process_that_is_at_work(house) -> None:
    """A run that has not yet been recorded, or whose process was just killed, may write some."""
    house.done({})
    house.stores.artifacts("F").encode("not sealed yet", large("c"))
    shared = share_values(str(house.root), "F")

    assert house.clean().waiting == 1
    os.close(shared)
    assert len(house.clean().files) == 1


def test_a_lost_run_is_recorded_and_then_like_any_other(house) -> None:
    """Its process is gone; it can be removed."""
    house.begin(facts={"process": {**describe_process(), "start": "1"}})

    assert house.clean().runs == ()
    run = house.stores.metadata.find_run(RunKey("F", "1"))
    assert run.status is Status.LOST
    assert house.clean(keep_runs=0).runs == (RunKey("F", "1"),)


def test_a_run_that_is_only_thought_to_be_lost_stays(house, monkeypatch) -> None:
    """Of another machine's, nobody here can see the process, and its clock may be another."""
    elsewhere = {"process": {**describe_process(), "boot": "another"}}
    house.begin(facts=elsewhere)
    house.stores.metadata.record([RunBeat(RunKey("F", "1"), 600.0)])
    house.stores.artifacts("F").encode("not sealed yet", large("c"))
    before = house.files()

    assert house.clean(keep_runs=0, now=1000.0).runs == ()
    assert house.stores.metadata.find_run(RunKey("F", "1")).status is Status.LOST
    assert house.files() == before
    house.stores.metadata.record([RunBeat(RunKey("F", "1"), 990.0)])
    assert house.stores.metadata.find_run(RunKey("F", "1")).status is Status.RUNNING
    assert house.clean(keep_runs=0, now=1000.0).runs == ()
    later = 1000.0 + 2 * 86_400
    assert house.clean(keep_runs=0, now=later).runs == (RunKey("F", "1"),)
    assert house.files() == []


def test_what_cleaning_left_that_was_killed_goes(house) -> None:
    """It says in the folder that the facts are gone, before it removes the first file."""
    for _ in range(2):
        house.done({"x": 1})
    key = RunKey("F", "1")
    metadata, file = house.stores.metadata, house.stores.artifacts("F").find_run_file("1")
    mark_removed(house.stores.storage, key, file, metadata.place)
    assert house.clean().files == ()  # it is known still
    metadata.delete_run(key)

    assert len(house.clean().files) == 3
    assert list(house.stores.storage.iter_folders("F/runs")) == ["2"]


def test_what_others_were_removing_is_theirs(house) -> None:
    """Whether the facts are gone that the mark is about, these here can't tell."""
    for _ in range(2):
        house.done({"x": 1})
    key = RunKey("F", "1")
    file = house.stores.artifacts("F").find_run_file("1")
    mark_removed(house.stores.storage, key, file, "service@http://elsewhere")
    house.stores.metadata.delete_run(key)

    assert (house.clean().files, house.clean().unknown) == ((), ("1",))


@pytest.mark.parametrize("error", [StorageFailed("F", "write", "no"), StorageFull("F", "no")])
def test_nothing_goes_where_nothing_may_be_written(house, monkeypatch, error) -> None:
    """Facts stay if values can't be removed; but on a disk that is full room is what is wanted."""
    for _ in range(2):
        house.done({"x": 1})

    def refuse(*_: object) -> bool:
        raise error

    monkeypatch.setattr(type(house.stores.storage), "put", refuse)
    if isinstance(error, StorageFull):
        assert len(house.clean(keep_runs=1).files) == 3
        assert list(house.stores.storage.iter_folders("F/runs")) == ["2"]
        return
    with pytest.raises(StorageFailed):
        house.clean(keep_runs=1)
    assert house.runs() == ["2", "1"]
    assert house.verify() == []


def test_a_run_that_stays_is_not_marked(house, monkeypatch) -> None:
    """Somebody began to resume it in between."""
    for _ in range(2):
        house.done({"x": 1})
    before = house.files()
    monkeypatch.setattr(type(house.stores.metadata), "delete_run", lambda *_: False)

    assert house.clean(keep_runs=1).runs == ()
    assert house.files() == before


def test_the_claim_of_a_folder_goes_last(house, monkeypatch) -> None:
    """As long as anything of a run is there, its number is taken."""
    house.done({"x": large("a")})
    gone = []
    monkeypatch.setattr(type(house.stores.storage), "delete", lambda _, key: gone.append(key))
    house.clean(keep_runs=0)

    assert gone[:2] == [seal_key(AttemptKey("F", "1", PARAMETERS_STEP, "0", 0)), seal_key(WORK)]
    assert gone[2:4] == ["F/runs/1/removed", "F/runs/1/run.json"]


def test_a_run_that_is_not_known_stays(house) -> None:
    """The facts may be an older copy; its values, and what it ran with, go only if told so."""
    for value in "ab":
        house.done({"x": large(value)})
    house.stores.metadata.delete_run(RunKey("F", "1"))
    before = house.files()

    cleaned = house.clean(keep_runs=1)
    assert (cleaned.files, cleaned.runs, cleaned.unknown) == ((), (), ("1",))
    assert house.files() == before
    assert house.verify() == []
    assert len(house.clean(unknown=True, dry_run=True).files) == 4
    assert house.files() == before
    assert len(house.clean(unknown=True).files) == 4
    assert list(house.stores.storage.iter_folders("F/runs")) == ["2"]
    assert house.load(WORK._replace(run="2"), "x") == large("b")


def test_unknown_runs_stay_while_a_process_is_at_work(house) -> None:
    """It may be that run's own, which other facts know."""
    for _ in range(2):
        house.done({"x": 1})
    house.stores.metadata.delete_run(RunKey("F", "1"))
    shared = share_values(str(house.root), "F")

    assert house.clean(unknown=True).files == ()
    os.close(shared)
    assert len(house.clean(unknown=True).files) == 3


def test_without_any_facts_nothing_goes(house) -> None:
    """A database that is gone does not make garbage of everything."""
    house.done({"x": large("a")})
    house.stores.close()
    for file in house.root.glob("metadata.db*"):
        file.unlink()

    with pytest.raises(FactsMissing, match="it holds results of F"):
        house.clean(keep_runs=0)
    assert len(house.files()) == 4


def test_a_first_run_that_begins_meanwhile_is_known(house, tmp_path, monkeypatch) -> None:
    """Its results are seen later than that there were no facts; its own are there by then."""
    house.keep_code(tmp_path, "code")  # before anybody can know of the run
    metadata, asked = house.stores.metadata, []
    original = metadata.iter_flows

    def begin_at_the_second() -> object:
        found = original()
        asked.append(found)
        if len(asked) == 2:
            house.end(house.begin())
        return found

    monkeypatch.setattr(metadata, "iter_flows", begin_at_the_second)
    house.clean()

    assert asked[:2] == [[], []]
    assert house.runs() == ["1"]


def test_damage_stops_it_before_anything_goes(house) -> None:
    """What a damaged seal refers to nobody knows."""
    house.done({"x": large("a")})
    house.done({})
    path = house.root / "store" / seal_key(WORK)
    path.write_bytes(path.read_bytes()[:-20] + b"?" * 20)
    before = house.files()

    with pytest.raises(DamagedAttempt):
        house.clean()
    assert house.files() == before


class Life(RuleBasedStateMachine):
    """Runs begin, resume, end, are cleaned in any order; what stays is whole."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.house = House(Path(self.folder) / ".plait")
        self.expected: dict[str, dict[str, object]] = {}
        self.going: list[str] = []

    def teardown(self) -> None:
        self.house.stores.close()
        shutil.rmtree(self.folder)

    @rule(values=st.dictionaries(st.sampled_from("xy"), st.sampled_from("abc")), big=st.booleans())
    def begin(self, values: dict[str, str], big: bool) -> None:
        run = self.house.begin(100.0, facts={"process": describe_process()})
        self._fill(run, {n: large(v) if big else v for n, v in values.items()}, {})

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), values=st.dictionaries(st.sampled_from("yz"), st.sampled_from("abc")))
    def resume(self, data: st.DataObject, values: dict[str, str]) -> None:
        origin = data.draw(st.sampled_from(sorted(self.expected)))
        facts = {"process": describe_process()}
        run = self.house.begin(100.0, origin=origin, facts=facts)
        carried = self.house.refs(AttemptKey("F", origin, "work", "1", 0))
        self._fill(run, values, carried)
        self.expected[run.run] = {**self.expected[origin], **values}

    def _fill(self, run: RunKey, values: dict[str, object], carried) -> None:
        self.house.task(run, "1", values, carried)
        self.expected[run.run] = dict(values)
        self.going.append(run.run)

    @precondition(lambda self: self.going)
    @rule(data=st.data(), well=st.booleans())
    def end(self, data: st.DataObject, well: bool) -> None:
        run = data.draw(st.sampled_from(self.going))
        self.going.remove(run)
        self.house.end(RunKey("F", run), 200.0, Status.DONE if well else Status.FAILED)

    @precondition(lambda self: self.expected)
    @rule(keep=st.none() | st.integers(0, 3))
    def clean(self, keep: int | None) -> None:
        planned = self.house.clean(dry_run=True, keep_runs=keep)
        cleaned = self.house.clean(keep_runs=keep)
        assert cleaned == planned
        for key in cleaned.runs:
            assert key.run not in self.going
            del self.expected[key.run]
        again = self.house.clean(keep_runs=keep) if self.expected else None
        assert again is None or (again.runs, again.files) == ((), ())
        if not self.going:
            assert cleaned.waiting == 0

    @invariant()
    def what_stays_is_whole(self) -> None:
        assert set(self.house.runs()) == set(self.expected)
        for run, values in self.expected.items():
            key = AttemptKey("F", run, "work", "1", 0)
            for name, value in values.items():
                assert self.house.load(key, name) == value
            assert self.house.refs(AttemptKey("F", run, PARAMETERS_STEP, "0", 0)) == {}
        assert self.house.verify() == []


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=8, stateful_step_count=8, deadline=None)


def test_the_claim_of_a_run_is_json(house) -> None:
    """What these tests write is what runs write."""
    house.begin()
    assert json.loads(house.stores.storage.get("F/runs/1/run.json"))["run"] == "1"


def test_code_goes_with_the_last_run_of_it(house, tmp_path) -> None:
    """Code that a kept run ran with stays, also if removed ones had it; what no run names goes."""
    shared, old, lost = (house.keep_code(tmp_path, name) for name in ("shared", "old", "lost"))
    for code in (old, shared, shared):
        house.end(house.begin(facts={"code": code}))
    cleaned = house.clean(keep_runs=1)

    assert [run.run for run in cleaned.runs] == ["2", "1"]
    assert house.keys("F/code") == [code_key("F", shared)]
    assert {f"store/{code_key('F', code)}" for code in (old, lost)} <= set(cleaned.files)
    assert house.verify() == []


def test_code_of_others_is_theirs(house, tmp_path, monkeypatch) -> None:
    """Where facts are shared, a run whose values are elsewhere has its code there, too."""
    code = house.keep_code(tmp_path, "shared")
    house.end(house.begin(facts={"code": code}))
    metadata = house.stores.metadata
    theirs = metadata.create_run(NewRun("F", 200.0, facts={"code": code}))
    metadata.record([RunEnded(theirs, 203.0, Status.DONE)])
    monkeypatch.setattr(type(metadata), "place", "service@http://127.0.0.1")
    house.clean(keep_runs=0)

    assert house.keys("F/code") == []
    assert house.runs() == [theirs.run]


def test_code_waits_while_a_run_goes_on(house, tmp_path) -> None:
    """A run that begins has kept its code before anybody can know of the run."""
    lost = house.keep_code(tmp_path, "lost")
    house.begin(facts={"process": describe_process()})

    assert house.clean().waiting == 1
    assert house.keys("F/code") == [code_key("F", lost)]
