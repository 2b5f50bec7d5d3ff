"""Runs made by hand in memory, for the client to read, without running anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from plait.artifacts.store import ArtifactStore
from plait.base.errors import UsageError
from plait.base.pathspec import PARAMETERS_STEP, AttemptKey, RunKey, TaskKey
from plait.base.records import AttemptFacts
from plait.client import source
from plait.client.namespaces import default_namespace
from plait.client.recovery import find_index
from plait.client.stores import Source
from plait.logs.lines import LogLine
from plait.logs.store import LogStore
from plait.metadata.memory import MemoryMetadata
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    Fact,
    NewRun,
    RunEnded,
    Status,
    TaskCloned,
)
from plait.storage.memory import MemoryStorage


class Counting(MemoryMetadata):
    """A store of facts that knows its name and counts what it is asked."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place
        self.questions: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith(("find_", "list_", "iter_")):
            self.questions.append(name)
        return super().__getattribute__(name)


@dataclass
class World:
    """One store in memory, and the hand that writes to it; time is a number that counts up."""

    place: str = "memory"
    now: float = 1_700_000_000.0
    metadata: Counting = field(init=False)
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    stores: dict[str, ArtifactStore] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.metadata = Counting(self.place)

    @property
    def logs(self) -> LogStore:
        """Give the logs."""
        return LogStore(self.storage)

    def artifacts(self, flow: str) -> ArtifactStore:
        """Give the values of a flow."""
        return self.stores.setdefault(flow, ArtifactStore(self.storage, flow))

    def later(self) -> float:
        """Give the time, a second later than the last."""
        self.now += 1
        return self.now

    def begin(
        self,
        flow: str = "HelloFlow",
        *,
        user: str = "ada",
        tags: Sequence[str] = (),
        parameters: Mapping[str, object] | None = None,
        origin: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> RunKey:
        """Begin a run of *user*'s."""
        key = self.metadata.create_run(
            NewRun(
                flow,
                self.later(),
                frozenset(tags),
                frozenset({f"user:{user}", "runtime:dev"}),
                origin,
                facts or {},
            )
        )
        self.seal(AttemptKey(*key, PARAMETERS_STEP, "0", 0), parameters or {})
        return key

    def seal(self, key: AttemptKey, values: Mapping[str, object], **facts: Any) -> None:
        """Seal an attempt, and report nothing."""
        store = self.artifacts(key.flow)
        encoded = {name: store.encode(name, value) for name, value in values.items()}
        given: dict[str, Any] = {
            "ok": True,
            "started": self.later(),
            "finished": self.later(),
            "system": {"pid": 7},
            **facts,
        }
        store.seal(AttemptFacts(key=key, **given), encoded, {})

    def task(
        self,
        run: RunKey,
        step: str,
        task: str = "1",
        values: Mapping[str, object] | None = None,
        *,
        attempt: int = 0,
        final: bool = True,
        **facts: Any,
    ) -> str:
        """Make an attempt at a task, from its start to its report, and give the task's pathspec."""
        key = TaskKey(*run, step, task)
        self.seal(AttemptKey(*key, attempt), values or {}, **facts)
        sealed = self.artifacts(run.flow).get(AttemptKey(*key, attempt)).facts
        index = find_index(sealed.frames)
        told: list[Fact] = [
            AttemptStarted(key, attempt, sealed.started, index),
            AttemptEnded(key, attempt, sealed.finished, sealed.ok, final, sealed.failure),
        ]
        if sealed.origin is not None:
            told = [TaskCloned(key, attempt, sealed.finished, sealed.origin.task_key, index)]
        self.metadata.record(told)
        return str(key)

    def launch(self, run: RunKey, step: str, task: str = "1", *, attempt: int = 0) -> str:
        """Report that an attempt began, and no more; give the task's pathspec."""
        key = TaskKey(*run, step, task)
        self.metadata.record([AttemptStarted(key, attempt, self.later())])
        return str(key)

    def print(self, pathspec: str, *lines: tuple[str, bytes], attempt: int = 0) -> None:
        """Write lines of `(stream, text)` to an attempt's log."""
        key = AttemptKey(*pathspec.split("/"), attempt)
        self.logs.append(key, [LogLine(self.later(), s, text, True) for s, text in lines])  # type: ignore[arg-type]  # tests write streams as text

    def end(self, run: RunKey, status: Status = Status.DONE) -> str:
        """End a run, and give its pathspec."""
        self.metadata.record([RunEnded(run, self.later(), status)])
        return str(run)


@pytest.fixture
def other() -> World:
    """A second store, which `metadata("memory@other")` names."""
    return World("memory@other")


@pytest.fixture
def world(other: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The store that the client reads by default, as the user ada."""
    monkeypatch.setenv("PLAIT_USER", "ada")
    monkeypatch.delenv("PLAIT_NAMESPACE", raising=False)
    world = World()

    def open_source(spec: str | None) -> Source:
        places: dict[str | None, World] = {None: world, world.place: world, other.place: other}
        if spec not in places:
            raise UsageError(f"there is no store '{spec}'")
        return places[spec]

    before = source._opener
    assert before is not None
    source.use_opener(open_source)
    default_namespace()
    yield world
    default_namespace()
    source.use_opener(before)
