"""Every store of facts, driven side by side with the one in memory by one random story."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from serving import serving

from plait.base.errors import PlaitError
from plait.base.pathspec import RunKey, TaskKey
from plait.base.records import Failure, FailureKind
from plait.metadata.http import HTTPMetadata
from plait.metadata.memory import MemoryMetadata
from plait.metadata.postgres import PostgresMetadata
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    Fact,
    MetadataStore,
    NewRun,
    RunBeat,
    RunEnded,
    Status,
    TaskCloned,
)
from plait.metadata.sqlite import SQLiteMetadata

STORIES = int(os.environ.get("PLAIT_TEST_STORIES", "5"))
"""How many stories all stores are told; `tox -e torture` tells two hundred."""

SETTINGS = settings(stateful_step_count=25, deadline=None)
FORGET = "TRUNCATE flow, run, tagged, task"
FLOWS = st.sampled_from(["A", "B"])
TAGS = st.frozensets(st.sampled_from(["a", "b", "c d", "é", "user:ada", ""]), max_size=3)
GOOD_TAGS = st.frozensets(st.sampled_from(["a", "b", "c d", "e\u0301"]), max_size=3)
RUN_IDS = st.integers(0, 6).map(str)
TASK_IDS = st.integers(0, 12).map(str)
STEPS = st.sampled_from(["start", "mid", "end"])
TIMES = st.integers(0, 50).map(float)
ATTEMPTS = st.integers(0, 3)
INDEXES = st.none() | st.integers(0, 3)
FAILURES = st.none() | st.sampled_from(
    [Failure(FailureKind.EXIT, "exit 3", exit_code=3), Failure(FailureKind.SIGNAL, "9", signal=9)]
)
LIMITS = st.integers(0, 4)


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    """A fact about a run or task that may or may not be there."""
    run = RunKey(draw(FLOWS), draw(RUN_IDS))
    task = TaskKey(*run, draw(STEPS), draw(TASK_IDS))
    attempt, at = draw(ATTEMPTS), draw(TIMES)
    match draw(st.sampled_from("sseeecbr")):
        case "s":
            return AttemptStarted(task, attempt, at, draw(INDEXES))
        case "e":
            ok, final = draw(st.booleans()), draw(st.booleans())
            return AttemptEnded(task, attempt, at, ok, final, draw(FAILURES))
        case "c":
            return TaskCloned(task, attempt, at, TaskKey("A", "9", "s", "1"), draw(INDEXES))
        case "b":
            return RunBeat(run, at)
        case _:
            status = draw(st.sampled_from(list(Status)))
            return RunEnded(run, at, status, draw(FAILURES), draw(st.none() | st.just(task)))


class Stories(RuleBasedStateMachine):
    """Does everything to all stores, and compares all that they say.

    Args:
        stores: By their names; each is empty.
        beats: Whether they are told heartbeats.
    """

    def __init__(self, stores: Mapping[str, MetadataStore], *, beats: bool = True) -> None:
        super().__init__()
        self.memory = MemoryMetadata()
        self.stores = stores
        self.beats = beats

    def all(self, method: str, *args: Any, **kwargs: Any) -> None:
        """Call *method* of all and compare what comes back, or which mistake is said."""
        expected = ask(self.memory, method, *args, **kwargs)
        for name, store in self.stores.items():
            assert ask(store, method, *args, **kwargs) == expected, name

    @rule(
        flow=FLOWS,
        user=TAGS,
        system=GOOD_TAGS,
        above=st.integers(0, 3),
        created=TIMES,
        origin=st.none() | RUN_IDS,
        request=st.none() | st.sampled_from(["x", "y"]),
    )
    def create(
        self,
        flow: str,
        user: frozenset[str],
        system: frozenset[str],
        above: int,
        created: float,
        origin: str | None,
        request: str | None,
    ) -> None:
        run = NewRun(flow, created, user, system, origin, {"above": above}, request)
        self.all("create_run", run, above=above)

    @rule(flow=FLOWS, run=RUN_IDS, add=TAGS, remove=TAGS)
    def change_tags(self, flow: str, run: str, add: frozenset[str], remove: frozenset[str]) -> None:
        self.all("change_tags", RunKey(flow, run), add=add, remove=remove)

    @rule(flow=FLOWS, run=RUN_IDS)
    def delete(self, flow: str, run: str) -> None:
        self.all("delete_run", RunKey(flow, run))

    @rule(batch=st.lists(facts(), max_size=5))
    def record(self, batch: list[Fact]) -> None:
        told = [fact for fact in batch if self.beats or not isinstance(fact, RunBeat)]
        self.all("record", told)

    @rule(
        flow=FLOWS,
        tags=GOOD_TAGS,
        status=st.none() | st.sampled_from(list(Status)),
        before=st.none() | RUN_IDS,
        limit=LIMITS,
    )
    def list_runs(
        self,
        flow: str,
        tags: frozenset[str],
        status: Status | None,
        before: str | None,
        limit: int,
    ) -> None:
        self.all("list_runs", flow, tags=tags, status=status, before=before, limit=limit)

    @rule(flow=FLOWS, run=RUN_IDS, step=STEPS, before=st.none() | TASK_IDS, limit=LIMITS)
    def list_tasks(self, flow: str, run: str, step: str, before: str | None, limit: int) -> None:
        self.all("list_tasks", RunKey(flow, run), step, before=before, limit=limit)

    @rule()
    def reopen(self) -> None:
        for store in self.stores.values():
            store.close()

    @rule()
    def read_everything(self) -> None:
        self.all("iter_flows")
        for flow in self.memory.iter_flows():
            self.all("list_runs", flow)
            for run in self.memory.list_runs(flow):
                self.all("find_run", run.key)
                self.all("list_steps", run.key)
                for step in self.memory.list_steps(run.key):
                    self.all("list_tasks", run.key, step.step)
                    for task in self.memory.list_tasks(run.key, step.step):
                        self.all("find_task", task.key)


def ask(store: MetadataStore, method: str, *args: Any, **kwargs: Any) -> Any:
    """Give what a store answers, or the name of the mistake that it says."""
    try:
        return getattr(store, method)(*args, **kwargs)
    except PlaitError as error:
        return error.slug


def test_sqlite_is_as_memory_is(tmp_path: Path) -> None:
    """A story goes the same in a file and in memory."""
    count = itertools.count()
    with ExitStack() as opened:

        def begin() -> Stories:
            opened.close()
            path = str(tmp_path / f"{next(count)}.db")
            return Stories({"sqlite": opened.enter_context(closing(SQLiteMetadata(path)))})

        run_state_machine_as_test(begin, settings=settings(SETTINGS, max_examples=30))


def test_all_stores_are_as_memory_is(tmp_path: Path, new_database: Callable[[], str]) -> None:
    """A story goes the same in a file, and by services with either database."""
    path, database = tmp_path / "facts.db", new_database()
    with ExitStack() as opened:
        behind = (SQLiteMetadata(str(path)), PostgresMetadata(database))
        urls = [opened.enter_context(serving(opened.enter_context(closing(b)))) for b in behind]
        stores = {
            "sqlite": SQLiteMetadata(str(tmp_path / "local.db")),
            "service-sqlite": HTTPMetadata(urls[0]),
            "service-postgres": HTTPMetadata(urls[1]),
        }
        for store in stores.values():
            opened.enter_context(closing(store))

        def begin() -> Stories:
            for file in tmp_path.iterdir():
                file.unlink()
            behind[1].database.write(lambda connection: connection.execute(FORGET))
            return Stories(stores)

        run_state_machine_as_test(begin, settings=settings(SETTINGS, max_examples=STORIES))


def test_a_service_of_metaflow_is_as_memory_is(tmp_path: Path) -> None:
    """A story goes the same, but for heartbeats, of which such a service keeps its own time."""
    count = itertools.count()
    with ExitStack() as opened:

        def begin() -> Stories:
            opened.close()
            behind = SQLiteMetadata(str(tmp_path / f"{next(count)}.db"))
            opened.enter_context(closing(behind))
            url = opened.enter_context(serving(behind, own_interface=False))
            store = opened.enter_context(closing(HTTPMetadata(url)))
            return Stories({"metaflow": store}, beats=False)

        run_state_machine_as_test(begin, settings=settings(SETTINGS, max_examples=STORIES))
