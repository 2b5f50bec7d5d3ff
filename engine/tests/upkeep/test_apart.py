"""One place of values that several stores of facts use: each sees its own runs, and no other's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from upkeep.house import House, large

from plait.artifacts.run_file import (
    CLAIM,
    DATASTORE,
    DamagedRunFile,
    RunFile,
    claim_folder,
    find_run_file,
    load_run_file,
    tell_elsewhere,
)
from plait.artifacts.store import ArtifactStore
from plait.base.layout import run_file_key
from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.process import describe_process
from plait.client.opening import open_artifact, open_run, open_task
from plait.client.source import Connection
from plait.metadata.protocol import AttemptEnded, AttemptStarted, Fact, NewRun, RunEnded, Status
from plait.storage.local import LocalStorage
from plait.storage.memory import MemoryStorage
from plait.storage.protocol import Buffer
from plait.upkeep.ownership import OtherResults
from plait.upkeep.rescue import rescue_run

WORK = AttemptKey("F", "1", "work", "1", 0)
DAY = 86_400.0
NOW = time.time() + 2 * DAY
"""When what the tests write is old."""


class Bucket(LocalStorage):
    """A folder that takes itself for a bucket: other machines may write to it."""

    place = "s3://bucket/prefix"


def tell_done(key: RunKey) -> list[Fact]:
    """Give the facts of a run that ended well, and its task."""
    task = TaskKey(*key, "work", "1")
    return [
        AttemptStarted(task, 0, 51.0),
        AttemptEnded(task, 0, 52.0, ok=True, final=True),
        RunEnded(key, 53.0, Status.DONE),
    ]


class Pair:
    """Two stores of facts, and one place of values."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        storage = Bucket(str(folder / "bucket"), str(folder / "scratch"))
        self.ours = House(folder / "ours", storage=storage)
        self.theirs = House(folder / "theirs", storage=storage)
        self._patch = monkeypatch

    def share(self, house: House, url: str = "service@http://127.0.0.1") -> None:
        """Let the facts of *house* be those of a service."""
        metadata = house.stores.metadata
        kind = type(type(metadata).__name__, (type(metadata),), {"place": url})
        self._patch.setattr(metadata, "__class__", kind)

    def read(self, key: AttemptKey, name: str) -> object:
        """Read a value as anybody may who knows the bucket."""
        store = ArtifactStore(self.theirs.stores.storage, key.flow)
        return store.load(store.get(key).artifacts[name], name=name)

    def collide(self) -> RunKey:
        """Record a run of ours, ended well, under the number of theirs, and give its key."""
        metadata = self.ours.stores.metadata
        facts = {CLAIM: "ours", DATASTORE: "s3://bucket/prefix"}
        key = metadata.create_run(NewRun("F", 50.0, facts=facts))
        metadata.record(tell_done(key))
        return key


@pytest.fixture
def pair(tmp_path, monkeypatch) -> Pair:
    """Two stores of facts, and one place of values."""
    return Pair(tmp_path, monkeypatch)


@pytest.mark.parametrize("shared", [False, True])
def test_runs_that_others_know_stay(pair, shared) -> None:
    """Whole, with values that are old, with the code; also one that goes on."""
    code = pair.theirs.keep_code(pair.theirs.root.parent, "theirs")
    ended = pair.theirs.begin(facts={"code": code})
    pair.theirs.task(ended, "1", {"x": large("a"), "y": 1})
    pair.theirs.end(ended)
    going = pair.theirs.begin(facts={"process": describe_process()})
    pair.theirs.task(going, "1", {"x": large("b")})
    pair.ours.stores.metadata.create_run(NewRun("F", 1.0))  # of which nothing is here
    if shared:
        pair.share(pair.ours)
    before = pair.theirs.files()

    for policy in ({}, {"keep_runs": 0}, {"older_than": 1.0}):
        cleaned = pair.ours.clean(now=NOW, **policy)
        assert (cleaned.files, cleaned.waiting) == ((), 0)
    assert pair.theirs.files() == before
    assert pair.theirs.verify() == []
    assert pair.ours.verify() == []


def test_a_number_of_others_is_not_taken_for_ones_own(pair) -> None:
    """The run of ours goes, and theirs of the same number stays, facts and values."""
    pair.theirs.done({"x": large("a")})
    ours = pair.collide()
    before = pair.theirs.files()

    pair.ours.clean(now=NOW, keep_runs=0)
    assert pair.theirs.files() == before
    pair.share(pair.ours)
    pair.ours.clean(now=NOW, keep_runs=0, unknown=True)
    assert pair.theirs.files() == before
    assert ours == RunKey("F", "1")
    assert pair.theirs.verify() == []


def test_values_of_others_are_not_read_as_ones_own(pair) -> None:
    """Facts of one run with the values of another would be wrong without a word."""
    pair.theirs.done({"x": "theirs"})
    ours = pair.collide()
    connection = Connection(lambda _: pair.ours.stores, None)
    others = Connection(lambda _: pair.theirs.stores, None)

    assert open_artifact(others, f"{ours}/work/1/x", any_namespace=True).name == "x"
    task = open_task(connection, f"{ours}/work/1", any_namespace=True)
    assert task.find_attempt() == 0
    for read in (task.find_sealed, task.find_facts, task.read_log, task.names):
        with pytest.raises(OtherResults, match="which ada began at") as raised:
            read()
    assert "are not in s3://bucket/prefix" in str(raised.value)


def test_a_run_that_goes_on_is_listed_without_the_values_of_others(pair) -> None:
    """What another run sealed under its number is not taken for its tasks."""
    pair.theirs.done({"x": "theirs"})
    new = NewRun("F", 50.0, facts={CLAIM: "ours", "process": describe_process()})
    ours = pair.ours.stores.metadata.create_run(new)
    run = open_run(Connection(lambda _: pair.ours.stores, None), str(ours), any_namespace=True)
    assert run.list_steps() == []
    assert run.find_task("work", "1") is None


def test_a_mixed_store_is_damage(pair) -> None:
    """Reading a store again tells of the numbers whose values are another run's."""
    pair.theirs.done({"x": 1})
    ours = pair.collide()

    (damage,) = pair.ours.verify()
    assert damage.file == f"s3://bucket/prefix/{run_file_key(ours, 'run.json')}"
    assert damage.what == "is of another run than the facts know as F/1, as is all beside it"


def test_a_lost_run_is_not_mended_with_the_values_of_others(pair) -> None:
    """Its facts say that its process is gone, and nothing that another run did."""
    pair.theirs.done({"x": 1})
    gone = {"process": {**describe_process(), "start": "1"}, CLAIM: "ours"}
    metadata = pair.ours.stores.metadata
    ours = metadata.create_run(NewRun("F", 50.0, facts=gone))
    found = rescue_run(metadata.find_run(ours), metadata, pair.ours.stores.artifacts("F"))

    assert found.status is Status.LOST
    assert metadata.list_steps(ours) == []


def test_unknown_runs_of_a_shared_place_go_when_they_are_old(pair) -> None:
    """Whoever says so takes it on himself; what is young stays even then."""
    pair.theirs.done({"x": large("a")})
    pair.ours.stores.metadata.create_run(NewRun("F", 1.0), above=7)
    pair.ours.end(RunKey("F", "8"))

    assert pair.ours.clean(now=time.time(), unknown=True).unknown == ("1",)
    assert pair.read(WORK, "x") == large("a")
    assert pair.ours.clean(now=NOW, unknown=True).unknown == ()
    assert pair.theirs.files() == []


def test_facts_of_a_run_whose_values_are_at_another_server_stay(pair) -> None:
    """The bucket's name is the same, and nothing of it is there: who knows where it is."""
    pair.collide()
    pair.ours.stores.metadata.create_run(
        NewRun("F", 1.0, facts={DATASTORE: "s3://bucket/prefix", CLAIM: "x"})
    )
    pair.ours.end(RunKey("F", "2"))  # it left nothing, for it did not begin

    assert [key.run for key in pair.ours.clean(now=NOW, keep_runs=0).runs] == ["2"]
    assert pair.ours.runs() == ["1"]
    assert "is missing" in pair.ours.verify()[0].what


@pytest.mark.parametrize("in_s3", [True, False])
def test_flows_of_others_are_passed_over(tmp_path, monkeypatch, in_s3) -> None:
    """Also one with a name that no file can have, as somebody else's program made it."""
    place = str(tmp_path / "bucket"), str(tmp_path / "scratch")
    house = House(tmp_path / "ours", storage=(Bucket if in_s3 else LocalStorage)(*place))
    house.done({"x": 1})
    metadata = house.stores.metadata
    metadata.create_run(NewRun("x" * 500, 1.0))
    monkeypatch.setattr(type(metadata), "place", "service@http://127.0.0.1")
    if in_s3:
        monkeypatch.setattr(Bucket, "iter_keys", in_bucket(Bucket.iter_keys))
        monkeypatch.setattr(Bucket, "iter_folders", in_bucket(Bucket.iter_folders))

    assert house.clean(keep_runs=0).runs == (RunKey("F", "1"),)
    assert house.verify() == []


def in_bucket(listed: Callable[..., Iterator[str]]) -> Callable[..., Iterator[str]]:
    """Let names be as long as S3 allows."""
    return lambda self, prefix="": iter(()) if len(prefix) > 255 else listed(self, prefix)


def test_a_value_that_is_kept_again_meanwhile_stays(pair, monkeypatch) -> None:
    """It was old and nobody's when that was looked for, and young when it was to be removed."""
    pair.theirs.stores.artifacts("F").encode("lost", large("b"))
    pair.ours.end(pair.ours.begin())
    (key,) = pair.theirs.keys("F/data")
    times = iter([NOW - 2 * DAY, NOW])
    monkeypatch.setattr(Bucket, "modified", lambda _, asked: next(times) if asked == key else 1.0)

    assert pair.ours.clean(now=NOW).files == ()
    assert pair.theirs.keys("F/data") == [key]


@pytest.mark.parametrize("cached", [True, False])
def test_a_value_is_compared_as_it_is_in_the_store(pair, monkeypatch, cached) -> None:
    """Not as this machine's cache has it, which may be whole; then that is said as well."""
    pair.theirs.done({"x": large("a")})
    monkeypatch.setattr(Bucket, "view_anew", lambda *_: memoryview(b"other"))
    if not cached:
        monkeypatch.setattr(Bucket, "view", lambda *_: memoryview(b"other"))

    (damage,) = pair.theirs.verify()
    assert "does not hold the value of its name" in damage.what
    assert ("this machine's cache keeps of it is whole" in damage.what) is cached


def test_values_that_nobody_refers_to_go_when_they_are_old(pair) -> None:
    """What another machine is about to refer to is younger; what a killed task left goes."""
    pair.theirs.done({"x": large("a")})
    pair.ours.stores.metadata.create_run(NewRun("F", 1.0), above=7)
    pair.ours.end(RunKey("F", "8"))
    pair.theirs.stores.artifacts("F").encode("lost", large("b"))

    assert pair.ours.clean(now=time.time()).waiting == 1
    assert len(pair.theirs.keys("F/data")) == 2
    assert len(pair.ours.clean(now=NOW).files) == 1
    assert pair.read(WORK, "x") == large("a")


def test_runs_of_the_folder_from_before_a_service_stay(tmp_path, monkeypatch) -> None:
    """Facts were in the folder, and are in a service now: the folder's runs are not garbage."""
    house = House(tmp_path / ".plait")
    house.done({"x": large("a")})
    before = house.files()
    new = House(tmp_path / "facts", storage=house.stores.storage)
    new.stores.metadata.create_run(NewRun("F", 1.0))
    kind = type(new.stores.metadata)
    monkeypatch.setattr(kind, "place", "service@http://127.0.0.1")

    cleaned = new.clean(keep_runs=0)
    assert (cleaned.files, cleaned.unknown) == ((), ())
    assert house.files() == before
    assert len(house.keys("F/data")) == 1


class Late(MemoryStorage):
    """A storage where two may put one key at the same instant, and the later one's is there."""

    def __init__(self) -> None:
        super().__init__()
        self.between: list[Callable[[], object]] = []
        """What another process does before each further step of the one that is looked at."""

    def excludes(self) -> bool:
        """Say that it does not."""
        return False

    def put(self, key: str, parts: Iterable[Buffer]) -> bool:
        """Look, let others in, and write."""
        free = not self.has(key)
        self._let_in()
        if free:
            self.delete(key)
            super().put(key, parts)
        return free

    def iter_keys(self, prefix: str) -> Iterator[str]:
        """Let others in, and list."""
        self._let_in()
        return super().iter_keys(prefix)

    def _let_in(self) -> None:
        if self.between:
            self.between.pop(0)()


@pytest.mark.parametrize("step", range(4))
def test_two_never_have_one_number_where_writes_do_not_exclude_each_other(step) -> None:
    """Whenever the second comes: at most one takes the folder, and the file in it is that one's."""
    storage, took = Late(), {}
    file = RunFile(RunKey("F", "1"), 5.0, "ada", "user:ada", frozenset(), claim="aa")
    other = replace(file, claim="bb")

    def come_in() -> None:
        took["bb"] = claim_folder(storage, other)

    storage.between = [*[lambda: None] * step, come_in]
    took["aa"] = claim_folder(storage, file)
    if "bb" not in took:
        come_in()

    winners = [claim for claim, taken in took.items() if taken]
    assert len(winners) <= 1
    found = find_run_file(storage, file.key)
    assert ([] if found is None else [found.claim]) == winners
    assert [key for key in storage.iter_keys("F/runs/1") if key.endswith(".claim")] == []


def test_a_run_file_is_read_as_it_was_written(tmp_path) -> None:
    """And what is no run's file, or another's, is damage that names the file."""
    house = House(tmp_path / ".plait")
    key = house.begin()
    storage = house.stores.storage
    file = load_run_file(storage, key)
    assert (file.key, file.created, file.user) == (key, 100.0, "ada")
    assert RunFile.from_json(file.to_json()) == file
    assert find_run_file(storage, RunKey("F", "2")) is None
    for content in (b"", b"[]", b"{}", b'{"flow": 1}', storage.get(run_file_key(key, "run.json"))):
        name = run_file_key(RunKey("F", "3"), "run.json")
        storage.delete(name)
        storage.put(name, [content])
        with pytest.raises(DamagedRunFile, match=r"F/runs/3/run\.json"):
            find_run_file(storage, RunKey("F", "3"))


def test_a_run_of_an_earlier_version_with_its_values_elsewhere_stays(tmp_path) -> None:
    """Its facts don't say where those are; of what is not here nothing is removed or missed."""
    house = House(tmp_path / ".plait")
    house.done({"x": 1})
    metadata = house.stores.metadata
    old = metadata.create_run(NewRun("F", 50.0))
    metadata.record(tell_done(old))

    assert house.verify() == []
    assert [key.run for key in house.clean(keep_runs=0).runs] == ["1"]
    assert house.runs() == [old.run]


@pytest.mark.parametrize("damaged", [1, 3, 9])
def test_a_run_file_that_was_damaged_on_its_way_is_read_again(damaged) -> None:
    """Where another read may give something else; a few times, and then it is damage."""
    storage, file = MemoryStorage(), RunFile(RunKey("F", "1"), 5.0, "ada", "a", frozenset())
    claim_folder(storage, file)
    whole, reads = storage.get, []

    def get(key: str) -> bytes:
        reads.append(key)
        return b"{" if len(reads) <= damaged else whole(key)

    storage.get = get  # type: ignore[method-assign]  # as it comes from afar
    storage.refresh = lambda _: True  # type: ignore[method-assign]  # as above
    if damaged == 9:
        with pytest.raises(DamagedRunFile):
            load_run_file(storage, file.key)
        assert len(reads) == 4
    else:
        assert load_run_file(storage, file.key) == file


@pytest.mark.parametrize(
    ("claim", "facts", "created", "own"),
    [
        ("a", {CLAIM: "a"}, 7.0, True),
        ("a", {CLAIM: "b"}, 5.0, False),
        ("a", {}, 5.0, False),
        ("", {CLAIM: "b"}, 5.0, False),
        ("", {}, 5.0005, True),
        ("", {}, 6.0, False),
    ],
)
def test_whose_a_run_file_is(claim, facts, created, own) -> None:
    """The word tells; of runs of earlier versions, when they were created."""
    file = RunFile(RunKey("F", "1"), 5.0, "ada", "user:ada", frozenset(), claim=claim)
    assert file.is_of(created, facts) is own


@pytest.mark.parametrize(
    ("written", "place", "said"),
    [
        (None, "s3://b/p", ""),
        ("local", "/data/.plait/store", ""),
        ("s3://b/p", "s3://b/p", ""),
        ("local", "s3://b/p", "in a folder"),
        ("s3://b/p", "/data/.plait/store", "in s3://b/p"),
        ("s3://b/p", "s3://b/q", "in s3://b/p"),
    ],
)
def test_where_a_run_wrote_its_values(written, place, said) -> None:
    """As far as its facts know; of a folder they don't say which."""
    facts = {} if written is None else {DATASTORE: written}
    assert tell_elsewhere(facts, place) == said
