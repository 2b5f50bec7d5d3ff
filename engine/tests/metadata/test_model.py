"""The SQLite store and the one in memory, driven side by side by one random story."""

from __future__ import annotations

import tempfile
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from plait.base.errors import PlaitError
from plait.base.pathspec import RunKey, TaskKey
from plait.base.records import Failure, FailureKind
from plait.metadata.memory import MemoryMetadata
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    Fact,
    NewRun,
    RunBeat,
    RunEnded,
    Status,
    TaskCloned,
)
from plait.metadata.sqlite import SQLiteMetadata

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


class TwoStores(RuleBasedStateMachine):
    """Does everything to both stores, and compares all that they say."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.sqlite = SQLiteMetadata(f"{self.folder.name}/metadata.db")
        self.memory = MemoryMetadata()

    def teardown(self) -> None:
        self.sqlite.close()
        self.folder.cleanup()

    def both(self, method: str, *args: Any, **kwargs: Any) -> None:
        """Call *method* of both and compare what comes back, or which mistake is said."""
        answers = []
        for store in (self.sqlite, self.memory):
            try:
                answers.append(getattr(store, method)(*args, **kwargs))
            except PlaitError as error:
                answers.append((error.slug, error.args))
        first, second = answers
        assert first == second

    @rule(
        flow=FLOWS,
        user=TAGS,
        system=GOOD_TAGS,
        above=st.integers(0, 3),
        created=TIMES,
        origin=st.none() | RUN_IDS,
    )
    def create(
        self,
        flow: str,
        user: frozenset[str],
        system: frozenset[str],
        above: int,
        created: float,
        origin: str | None,
    ) -> None:
        run = NewRun(flow, created, user, system, origin, {"above": above})
        self.both("create_run", run, above=above)

    @rule(flow=FLOWS, run=RUN_IDS, add=TAGS, remove=TAGS)
    def change_tags(self, flow: str, run: str, add: frozenset[str], remove: frozenset[str]) -> None:
        self.both("change_tags", RunKey(flow, run), add=add, remove=remove)

    @rule(flow=FLOWS, run=RUN_IDS)
    def delete(self, flow: str, run: str) -> None:
        self.both("delete_run", RunKey(flow, run))

    @rule(batch=st.lists(facts(), max_size=5))
    def record(self, batch: list[Fact]) -> None:
        self.both("record", batch)

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
        self.both("list_runs", flow, tags=tags, status=status, before=before, limit=limit)

    @rule(flow=FLOWS, run=RUN_IDS, step=STEPS, before=st.none() | TASK_IDS, limit=LIMITS)
    def list_tasks(self, flow: str, run: str, step: str, before: str | None, limit: int) -> None:
        self.both("list_tasks", RunKey(flow, run), step, before=before, limit=limit)

    @rule()
    def reopen(self) -> None:
        self.sqlite.close()

    @rule()
    def read_everything(self) -> None:
        self.both("iter_flows")
        for flow in self.memory.iter_flows():
            self.both("list_runs", flow)
            for run in self.memory.list_runs(flow):
                self.both("find_run", run.key)
                self.both("list_steps", run.key)
                for step in self.memory.list_steps(run.key):
                    self.both("list_tasks", run.key, step.step)
                    for task in self.memory.list_tasks(run.key, step.step):
                        self.both("find_task", task.key)


TwoStores.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestTwoStores = TwoStores.TestCase
