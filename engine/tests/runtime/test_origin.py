"""The run being resumed, as it is read: each attempt once, however many there are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from plait import FlowSpec, step
from plait.artifacts.errors import MissingAttempt, UnknownFormat
from plait.artifacts.run_file import CLAIM, DATASTORE, RunFile, claim_folder
from plait.artifacts.seal import UnreadIndex
from plait.artifacts.store import ArtifactStore, UnreadAttempt
from plait.base.layout import seal_key
from plait.base.pathspec import PARAMETERS_STEP, AttemptKey, RunKey
from plait.base.process import describe_process
from plait.base.records import AttemptFacts, Failure, FailureKind, InputRef, Transition
from plait.base.records import TransitionKind as Kind
from plait.flow.definition import read_definition
from plait.metadata.memory import MemoryMetadata
from plait.metadata.protocol import NewRun, RunEnded, Status
from plait.runtime import origin as module
from plait.runtime.origin import Origin, load_origin
from plait.runtime.resume import ClonePlan
from plait.storage.memory import MemoryStorage
from plait.upkeep.ownership import OtherResults


class Row(FlowSpec):
    """Three steps in a row."""

    kind = "old"

    @step
    def start(self):
        """Go on."""
        self.next(self.middle)

    @step
    def middle(self):
        """Go on."""
        self.next(self.end)

    @step
    def end(self):
        """Stop."""


class CountingStorage(MemoryStorage):
    """Notes what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Give the bytes, and note it."""
        self.reads.append(key)
        return super().get_range(key, offset, length)


@dataclass
class World:
    """A run of `Row` that failed at its end, in memory."""

    root: str = "here"
    storage: CountingStorage = field(default_factory=CountingStorage)
    metadata: MemoryMetadata = field(default_factory=MemoryMetadata)

    def __post_init__(self) -> None:
        store = ArtifactStore(self.storage, "Row")
        self.run = self.metadata.create_run(NewRun("Row", 1.0))
        self.metadata.record([RunEnded(self.run, 2.0, Status.FAILED)])
        kind = store.encode("kind", "old")
        store.seal(self.facts(PARAMETERS_STEP, "0"), {"kind": kind}, {})
        constants = store.get(AttemptKey(*self.run, PARAMETERS_STEP, "0", 0)).artifacts
        made = {"made": store.encode("made", 1)}
        store.seal(self.facts("start", "1", target="middle"), made, constants)
        carried = store.get(self.key("start", "1")).artifacts
        before = (InputRef("start", "1", 0),)
        store.seal(self.facts("middle", "2", *before, target="end"), {}, carried)
        failure = Failure(FailureKind.EXIT, "exited with 1")
        store.seal(self.facts("end", "3", InputRef("middle", "2", 0), failure=failure), {}, {})
        self.constants = constants

    def key(self, name: str, task: str) -> AttemptKey:
        """Give the key of the attempt at a task."""
        return AttemptKey(*self.run, name, task, 0)

    def facts(
        self, name: str, task: str, *parents: InputRef, target: str = "", failure: object = None
    ) -> AttemptFacts:
        """Give the facts of an attempt that went to *target*, or failed."""
        return AttemptFacts(
            self.key(name, task),
            failure is None,
            1.0,
            2.0,
            parents=parents,
            transition=Transition(Kind.LINEAR, (target,)) if target else None,
            failure=failure,  # type: ignore[arg-type]  # an object only for the short signature
        )

    def artifacts(self, flow: str) -> ArtifactStore:
        """Give a store that has read nothing yet."""
        return ArtifactStore(self.storage, flow)


def take_over(world: World) -> Origin:
    """Resume the run as far as taking over goes."""
    artifacts = world.artifacts("Row")
    origin = load_origin(read_definition(Row), world, run=None, step=None)
    for name, task in (("start", "1"), ("middle", "2")):
        taken = origin.take_over(world.key(name, task), artifacts, world.constants)
        assert sorted(taken.artifacts) == ["kind", "made"]
        assert taken.facts.key == world.key(name, task)
    return origin


def test_each_attempt_is_read_once() -> None:
    """What was read in order to decide is not read again in order to take over."""
    world = World()
    world.storage.reads.clear()

    origin = take_over(world)

    seals = [seal_key(world.key(*each)) for each in (("start", "1"), ("middle", "2"), ("end", "3"))]
    assert {key: world.storage.reads.count(key) for key in seals} == dict.fromkeys(seals, 1)
    assert len(origin.clones.tasks) == 2
    assert origin.left == {}


def test_what_is_too_much_to_hold_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a very large run as much is held as memory is given to; the rest is read twice."""
    world = World()
    monkeypatch.setattr(module, "_HELD_BYTES", 0)
    world.storage.reads.clear()

    take_over(world)

    assert world.storage.reads.count(seal_key(world.key("middle", "2"))) == 2


def test_a_class_attribute_follows_the_code() -> None:
    """One that no task had changed has the resumed run's value, one that is gone keeps its own."""
    world = World()
    artifacts = world.artifacts("Row")
    new = artifacts.encode("kind", "new")
    key = world.key("_parameters", "1")
    artifacts.seal(AttemptFacts(key, True, 1.0, 2.0), {"kind": new}, {})
    constants = artifacts.get(key).artifacts
    origin = load_origin(read_definition(Row), world, run="1", step=None)

    first = origin.take_over(world.key("start", "1"), artifacts, constants)
    second = origin.take_over(world.key("middle", "2"), artifacts, {})

    assert artifacts.load(first.artifacts["kind"]) == "new"
    assert artifacts.load(second.artifacts["kind"]) == "old"


def test_an_index_in_another_form_is_told_with_its_file() -> None:
    """An attempt whose facts are understood and whose index is not is an error with its place."""
    world = World()
    facts = world.facts("start", "1", target="middle")
    left = {facts.key: UnreadAttempt(facts, UnreadIndex(b"[]", 100))}
    run = RunKey(*world.run)
    origin = Origin(run, {}, ClonePlan(run, {}), left)

    with pytest.raises(UnknownFormat, match=r"start/1\.0\.attempt"):
        origin.take_over(facts.key, world.artifacts("Row"), {})


def test_the_latest_run_is_one_whose_values_are_here() -> None:
    """Where facts are shared, runs whose values lie elsewhere are no runs to go on with."""
    world = World()
    created = world.metadata.find_run(world.run).created
    file = RunFile(world.run, created, "ada", "user:ada", frozenset())
    claim_folder(world.storage, file)
    elsewhere = world.metadata.create_run(NewRun("Row", 3.0))
    theirs = world.metadata.create_run(NewRun("Row", 4.0, facts={CLAIM: "mine"}))
    claim_folder(world.storage, replace(file, key=theirs, claim="yours"))

    origin = load_origin(read_definition(Row), world, run=None, step=None)

    assert origin.key == world.run
    with pytest.raises(MissingAttempt):
        load_origin(read_definition(Row), world, run=elsewhere.run, step=None)
    there = world.metadata.create_run(NewRun("Row", 5.0, facts={DATASTORE: "s3://b/p"}))
    with pytest.raises(OtherResults, match=r"its own were written in s3://b/p"):
        load_origin(read_definition(Row), world, run=there.run, step=None)
    with pytest.raises(OtherResults, match="the results of 'Row/3' are not in memory"):
        load_origin(read_definition(Row), world, run=theirs.run, step=None)


def test_who_resumes_a_run_that_goes_on_is_told() -> None:
    """Its unfinished tasks run twice then, which nobody means who does not know of it."""
    world = World()
    assert take_over(world).describe() == ()

    store = ArtifactStore(world.storage, "Row")
    new = NewRun("Row", 3.0, facts={"process": describe_process()})
    going_on = world.metadata.create_run(new)
    begun = AttemptFacts(AttemptKey(*going_on, PARAMETERS_STEP, "0", 0), True, 3.0, 3.0)
    store.seal(begun, {}, {})
    (told,) = load_origin(read_definition(Row), world, run=going_on.run, step=None).describe()

    assert told.startswith(f"run {going_on.run}, which is resumed, is still running")
