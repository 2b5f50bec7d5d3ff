"""One attempt, in this process and with stores in memory: what is sealed, told, and returned."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest

from plait.artifacts.store import ArtifactStore, SealedAttempt
from plait.base.clock import SystemClock
from plait.base.pathspec import PARAMETERS_STEP, AttemptKey
from plait.base.records import AttemptFacts, Failure, FailureKind, InputRef, TaskOrder
from plait.flow.current import current
from plait.flow.definition import read_definition
from plait.flow.spec import FlowSpec
from plait.flow.step import step
from plait.hooks.step import AttemptBegun, AttemptPlan, StepDecorator, StepRaised
from plait.storage.memory import MemoryStorage
from plait.task.attempt import AttemptPlace, run_attempt


class Base(FlowSpec):
    """A flow whose first step is what a test makes it."""

    def work(self: Any) -> None:
        """Do nothing."""

    @step
    def start(self) -> None:
        self.work()
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


class World:
    """A run of a flow with its stores, and the order for its first attempt."""

    def __init__(self, work: Callable[[Any], None], *decorators: StepDecorator) -> None:
        cls = type("Worked", (Base,), {"work": work, "__module__": __name__})
        definition = read_definition(cls)
        object.__setattr__(definition, "decorators", {"start": decorators, "end": ()})
        self.store = ArtifactStore(MemoryStorage(), "Worked")
        constants = AttemptKey("Worked", "1", PARAMETERS_STEP, "0", 0)
        self.store.seal(AttemptFacts(constants, ok=True, started=0, finished=0), {}, {})
        self.place = AttemptPlace(
            definition, self.store, SystemClock(), frozenset({"t"}), "user:ada", "ada"
        )
        self.order = TaskOrder(AttemptKey("Worked", "1", "start", "1", 0))

    def run(self, order: TaskOrder | None = None) -> int:
        return run_attempt(self.place, order or self.order)

    @property
    def sealed(self) -> SealedAttempt:
        return self.store.get(self.order.key)

    def value(self, name: str) -> object:
        return self.store.load(self.sealed.artifacts[name])

    @property
    def failure(self) -> Failure:
        failure = self.sealed.facts.failure
        assert failure is not None
        return failure


def test_what_a_step_sets_is_sealed_with_where_it_goes() -> None:
    """A good attempt leaves its artifacts and transition, and exits with 0."""

    def work(flow: Any) -> None:
        flow.x = [1, 2]
        flow.seen = (current.pathspec, current.username, sorted(current.tags or ()))

    world = World(work)

    assert world.run() == 0
    assert world.value("x") == [1, 2]
    assert world.value("seen") == ("Worked/1/start/1", "ada", ["t"])
    assert world.sealed.facts.transition is not None
    assert world.sealed.facts.transition.targets == ("end",)
    assert current.pathspec is None


def test_variables_are_there_for_all_of_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """For decorators, the code, and what is made of its results; and gone after."""
    monkeypatch.delenv("PLAITTEST_LEVEL", raising=False)
    seen: list[str] = []

    class Asking(StepDecorator):
        name = "asking"

        def before_step(self, event: AttemptBegun) -> None:
            del event
            seen.append(os.environ["PLAITTEST_LEVEL"])

    def work(flow: Any) -> None:
        flow.x = os.environ["PLAITTEST_LEVEL"]

    world = World(work, Asking())
    plan = AttemptPlan(environment={"PLAITTEST_LEVEL": "debug"})
    object.__setattr__(world.place.definition, "plans", {"start": plan})
    world.run()

    assert (seen, world.value("x")) == (["debug"], "debug")
    assert "PLAITTEST_LEVEL" not in os.environ


def test_an_exception_is_sealed_with_the_users_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The traceback begins at the user's frame, is printed, and what was set before is kept."""

    def work(flow: Any) -> None:
        flow.x = 1
        raise ValueError("too small")

    world = World(work)

    assert world.run() == 1
    failure = world.failure
    assert (failure.kind, failure.summary) == (FailureKind.EXCEPTION, "ValueError: too small")
    first = failure.traceback.splitlines()[1]
    assert f'File "{__file__}"' in first
    assert "in start" in first
    assert failure.where.startswith(__file__)
    assert capfd.readouterr().err == failure.traceback
    assert world.value("x") == 1


def test_what_cannot_be_kept_of_a_failure_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    """An artifact that can't be pickled does not hide the failure, nor the other artifacts."""

    def work(flow: Any) -> None:
        flow.good, flow.bad = 1, lambda: None
        raise ValueError("boom")

    world = World(work)
    world.run()

    assert world.failure.summary == "ValueError: boom"
    assert list(world.sealed.artifacts) == ["good"]
    assert "artifact 'bad' is not kept" in capfd.readouterr().err


def test_an_artifact_that_cannot_be_pickled_fails_the_attempt(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It is told by its name, and the others are kept."""

    def work(flow: Any) -> None:
        flow.good, flow.bad = 1, {"inner": lambda: None}

    world = World(work)

    assert world.run() == 1
    assert "UnpicklableArtifact" in world.failure.summary
    assert "'bad'" in world.failure.summary
    assert "error[unpicklable-artifact]" in capfd.readouterr().err
    assert list(world.sealed.artifacts) == ["good"]


@pytest.mark.parametrize(("code", "exit_code", "ours"), [(202, 202, 202), (3, 3, 1), (0, 0, 1)])
def test_sys_exit_fails_the_attempt_with_its_code(code: int, exit_code: int, ours: int) -> None:
    """Leaving early is a failure whatever the code; 202 forbids another attempt."""

    def work(flow: Any) -> None:
        sys.exit(code)

    world = World(work)

    assert world.run() == ours
    failure = world.failure
    assert (failure.kind, failure.exit_code) == (FailureKind.EXIT, exit_code)
    assert failure.retry is (code != 202)


def test_ctrl_c_is_not_a_failure_of_the_step() -> None:
    """It goes through to whoever runs the attempt in their own process."""

    def work(flow: Any) -> None:
        raise KeyboardInterrupt

    world = World(work)

    with pytest.raises(KeyboardInterrupt):
        world.run()
    assert world.store.find(world.order.key) is None
    assert current.pathspec is None


def test_in_a_process_of_its_own_an_interrupt_is_a_failure(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """There nobody else raises it: the step did, or somebody sent its process a signal."""

    def work(flow: Any) -> None:
        raise KeyboardInterrupt

    world = World(work)

    assert run_attempt(world.place, world.order, own_process=True) == 1
    assert world.failure.summary == "KeyboardInterrupt"
    assert "raise KeyboardInterrupt" in capfd.readouterr().err


class Broken:
    """A stream that nothing can be written to."""

    def write(self, text: str) -> int:
        raise RuntimeError("broken")


@pytest.mark.parametrize("make", [io.StringIO, Broken])
def test_a_failure_is_told_whatever_became_of_stderr(
    make: Callable[[], Any], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's code may have closed it or put something else there."""

    def work(flow: Any) -> None:
        monkeypatch.setattr(sys, "stderr", stream)
        raise ValueError("told")

    world = World(work)
    with suppress(AttributeError), closing(make()) as stream:
        pass

    assert world.run() == 1
    assert world.failure.summary == "ValueError: told"
    assert "ValueError: told" in capfd.readouterr().err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_that_the_step_forked_does_not_speak_for_the_task(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It ends when it comes back from the step, and what it set is nobody's result."""

    def work(flow: Any) -> None:
        flow.x = "task"
        child = os.fork()
        if child == 0:
            flow.x = "child"
            return
        flow.code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    world = World(work)

    assert world.run() == 0
    assert (world.value("x"), world.value("code")) == ("task", 1)
    assert "a process that step 'start' forked" in capfd.readouterr().err


def test_a_seal_that_is_there_stays() -> None:
    """An attempt that somebody sealed already changes nothing."""
    world = World(lambda flow: None)
    dead = Failure(FailureKind.SIGNAL, "killed by SIGKILL", signal=9)
    world.store.seal(AttemptFacts(world.order.key, False, 0, 0, failure=dead), {}, {})
    world.run()

    assert world.failure == dead


def test_missing_inputs_are_a_sealed_failure() -> None:
    """What the attempt should read from is gone: that is told as its failure."""
    world = World(lambda flow: None)
    order = TaskOrder(
        AttemptKey("Worked", "1", "end", "2", 0),
        inputs=(InputRef("start", "9", 0),),
        parents=(InputRef("start", "9", 0),),
    )

    assert world.run(order) == 1
    facts = world.store.find_facts(order.key)
    assert facts is not None
    assert facts.failure is not None
    assert "start/9" in facts.failure.summary


class Note(StepDecorator):
    """Notes its hooks in the order of their calls."""

    name = "note"
    defaults = {"as_": "", "handles": False, "falls_back": False}  # noqa: RUF012  # as plugins do
    calls: list[str] = []  # noqa: RUF012  # emptied by each test

    def _note(self, what: str) -> None:
        self.calls.append(f"{self.attributes['as_']}.{what}")

    def before_step(self, event: AttemptBegun) -> None:
        self._note(f"before last={event.is_last}")

    def wrap_step(self, event: AttemptBegun, body: Callable[[], None]) -> Callable[[], None]:
        def wrapped() -> None:
            self._note("in")
            body()
            self._note("out")

        return wrapped

    def after_step(self, event: AttemptBegun) -> None:
        self._note("after")

    def on_exception(self, event: StepRaised) -> bool:
        self._note(f"raised {event.failure.summary}")
        return bool(self.attributes["handles"])

    def run_fallback(self, event: AttemptBegun, last: Failure | None) -> bool:
        self._note(f"fallback {last.summary if last else None}")
        event.flow.made_up = True
        return bool(self.attributes["falls_back"])


@pytest.fixture(autouse=True)
def _forget() -> None:
    Note.calls.clear()


def test_hooks_are_called_from_the_outside_in_and_back() -> None:
    """Before: outermost first. Around: the outermost wraps all. After: innermost first."""
    World(lambda flow: None, Note({"as_": "A"}), Note({"as_": "B"})).run()

    assert Note.calls == [
        "A.before last=True", "B.before last=True", "A.in", "B.in", "B.out", "A.out",
        "B.after", "A.after",
    ]  # fmt: skip


def test_the_innermost_that_deals_with_an_exception_ends_it() -> None:
    """The attempt is done, goes where the source says, and keeps the failure as handled."""

    def work(flow: Any) -> None:
        raise ValueError("boom")

    world = World(work, Note({"as_": "A"}), Note({"as_": "B", "handles": True}))

    assert world.run() == 0
    assert Note.calls[-1] == "B.raised ValueError: boom"
    facts = world.sealed.facts
    assert facts.ok
    assert facts.handled is not None
    assert facts.transition is not None
    assert facts.transition.targets == ("end",)


def test_leaving_by_sys_exit_is_nothing_that_a_decorator_handles() -> None:
    """`on_exception` is for exceptions; an exit is a failure, and the fallback's to deal with."""

    def work(flow: Any) -> None:
        sys.exit(3)

    world = World(work, Note({"as_": "A", "handles": True}))

    assert world.run() == 1
    assert [c for c in Note.calls if "raised" in c] == []


@pytest.mark.parametrize("falls_back", [True, False])
def test_a_fallback_runs_no_code_of_the_user(falls_back: bool) -> None:
    """It hears how the attempt before it failed, and its word decides."""

    def work(flow: Any) -> None:
        raise AssertionError("the user's code ran")

    world = World(work, Note({"as_": "A", "falls_back": falls_back}))
    dead = Failure(FailureKind.SIGNAL, "killed by SIGKILL", signal=9)
    world.store.seal(AttemptFacts(world.order.key, False, 0, 0, failure=dead), {}, {})
    key = AttemptKey(*world.order.key.task_key, 1)
    code = world.run(TaskOrder(key, fallback=True))

    assert Note.calls[-1] == "A.fallback killed by SIGKILL"
    facts = world.store.get(key).facts
    assert (code, facts.ok) == ((0, True) if falls_back else (1, False))
    assert (facts.handled if falls_back else facts.failure) == dead


def test_a_hook_that_raises_fails_the_attempt() -> None:
    """A decorator's own mistake is told like the user's."""

    class Broken(Note):
        def before_step(self, event: AttemptBegun) -> None:
            raise RuntimeError("no licence")

    world = World(lambda flow: None, Broken())

    assert world.run() == 1
    assert world.failure.summary == "RuntimeError: no licence"
