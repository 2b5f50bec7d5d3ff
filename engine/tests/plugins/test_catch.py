"""What `@catch` keeps of a failure, and where it is refused."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from plait.base.pathspec import AttemptKey
from plait.base.records import Failure, FailureKind, TaskOrder
from plait.hooks.registry import get_decorator
from plait.hooks.step import AttemptBegun, AttemptPlan, BadDecorator, StepChecked, StepRaised
from plait.plugins.catch import Catch, CaughtException, FailureHandledByCatch

TRACEBACK = 'Traceback (most recent call last):\n  File "flow.py", line 3\nValueError: too small\n'


def begin(*, is_last: bool = True) -> AttemptBegun:
    order = TaskOrder(AttemptKey("Hello", "1", "work", "2", 1))
    return AttemptBegun(order=order, flow=SimpleNamespace(), is_last=is_last)


def raise_in(catch: Catch, error: BaseException, *, is_last: bool = True) -> tuple[bool, Any]:
    """Let an attempt raise; give whether it was dealt with, and the flow object."""
    begun = begin(is_last=is_last)
    failure = Failure(FailureKind.EXCEPTION, "ValueError: too small", traceback=TRACEBACK)
    return catch.on_exception(StepRaised(begun, error, failure)), begun.flow


def test_it_is_found_by_name() -> None:
    """As `--with catch` looks for it."""
    assert get_decorator("catch") is Catch


def test_it_asks_for_a_fallback() -> None:
    """And for no retries."""
    assert Catch().plan_attempts() == AttemptPlan(fallback=True)


def test_the_last_exception_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """With its type, message, traceback, and itself; the log shows it."""
    dealt, flow = raise_in(Catch({"var": "failure"}), ValueError("too small"))

    assert dealt
    assert isinstance(flow.failure, CaughtException)
    assert flow.failure.type == "ValueError"
    assert flow.failure.message == "too small"
    assert flow.failure.traceback == TRACEBACK
    assert isinstance(flow.failure.exception, ValueError)
    assert flow.failure.exception.args == ("too small",)
    assert str(flow.failure) == "ValueError: too small"
    assert repr(flow.failure) == "<CaughtException ValueError: too small>"
    assert capsys.readouterr().out == (
        f"@catch lets the flow go on although 'work' failed:\n{TRACEBACK}"
    )


def test_an_exception_is_left_to_the_next_attempt() -> None:
    """As long as there is one."""
    dealt, flow = raise_in(Catch({"var": "failure"}), ValueError("too small"), is_last=False)

    assert not dealt
    assert vars(flow) == {}


def test_without_a_name_nothing_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing printed, if so wished."""
    dealt, flow = raise_in(Catch({"print_exception": False}), ValueError("too small"))

    assert dealt
    assert vars(flow) == {}
    assert capsys.readouterr().out == ""


def test_a_step_that_succeeds_says_so() -> None:
    """So that steps after it need not ask whether the artifact is there."""
    begun = begin()
    Catch({"var": "failure"}).after_step(begun)

    assert begun.flow.failure is None


@pytest.mark.parametrize(
    ("last", "message", "traceback"),
    [
        (Failure(FailureKind.SIGNAL, "killed by SIGKILL", signal=9), "killed by SIGKILL", ""),
        (
            Failure(FailureKind.EXCEPTION, "ValueError: x", traceback=TRACEBACK),
            "ValueError: x",
            TRACEBACK,
        ),
        (None, "the attempt before ended without a result", ""),
    ],
)
def test_the_fallback_keeps_how_the_task_ended(
    capsys: pytest.CaptureFixture[str], last: Failure | None, message: str, traceback: str
) -> None:
    """Where no code was left to raise anything."""
    begun = begin()
    done = Catch({"var": "failure"}).run_fallback(begun, last)

    kept = begun.flow.failure
    assert done
    assert isinstance(kept, FailureHandledByCatch)
    assert isinstance(kept, CaughtException)
    assert (kept.type, kept.message, kept.traceback) == (
        "FailureHandledByCatch",
        message,
        traceback,
    )
    assert kept.exception is None
    assert repr(kept) == f"<FailureHandledByCatch: {message}>"
    assert (traceback.rstrip() or message) in capsys.readouterr().out


class Awkward(Exception):
    """Neither shows itself nor pickles."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")

    def __reduce__(self) -> Any:
        raise RuntimeError("nor this")


class Fragile(Exception):
    """Pickles, and cannot be read again."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one)


class Odd(Exception):
    """Comes back as something else."""

    def __reduce__(self) -> Any:
        return (int, ("3",))


@pytest.mark.parametrize("error", [Awkward(), Fragile(1, 2), Odd()])
def test_an_exception_that_does_not_pickle_is_kept_as_text(error: Exception) -> None:
    """The artifact can be stored and read whatever the exception does."""
    _, flow = raise_in(Catch({"var": "failure"}), error)
    read = pickle.loads(pickle.dumps(flow.failure))

    assert read.type == f"{__name__}.{type(error).__name__}"
    assert read.exception is None
    assert read.traceback == TRACEBACK


def test_an_exception_without_message_is_its_type() -> None:
    """And what a message that fails says is that it does."""
    assert str(CaughtException("KeyError", "", "")) == "KeyError"
    _, flow = raise_in(Catch({"var": "failure"}), Awkward())
    assert flow.failure.message == "(its message cannot be shown)"


@pytest.mark.parametrize(
    "kept",
    [CaughtException("ValueError", "m", "t", None), FailureHandledByCatch("killed", "t")],
)
def test_what_is_kept_can_be_stored_and_raised(kept: CaughtException) -> None:
    """It is an exception of its own."""
    read = pickle.loads(pickle.dumps(kept))

    assert type(read) is type(kept)
    assert (read.type, read.message, read.traceback) == (kept.type, kept.message, kept.traceback)
    with pytest.raises(CaughtException):
        raise read


def check(transition: str, **attributes: Any) -> list[tuple[str, str]]:
    event = StepChecked(
        flow="Hello",
        step="work",
        transition=transition,
        is_join=False,
        decorators=("catch",),
        where=None,
        steps=("start", "work", "end"),
        parameters=("rate",),
    )
    return [(f.slug, f.why) for f in Catch(attributes).check(event)]


@pytest.mark.parametrize("transition", ["linear", "branch", ""])
def test_it_may_be_where_the_way_on_is_known(transition: str) -> None:
    """The source says it."""
    assert check(transition, var="failure") == []


@pytest.mark.parametrize("transition", ["foreach", "switch"])
def test_it_may_not_be_where_only_the_step_knows_the_way_on(transition: str) -> None:
    """A step that failed cannot say what it fans out over, or which way it chose."""
    assert check(transition) == [
        ("catch-on-split", "if it fails, nobody knows which tasks come after it")
    ]


@pytest.mark.parametrize(
    ("var", "why"),
    [
        ("start", "'start' is a step"),
        ("rate", "'rate' is a parameter"),
        ("input", "'input' is an attribute of every flow"),
    ],
)
def test_its_artifact_needs_a_name_of_its_own(var: str, why: str) -> None:
    """Not one that means something else."""
    assert check("linear", var=var) == [("catch-var-taken", why)]


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"var": "not a name"}, "var='not a name' is not the name of an artifact"),
        ({"var": 3}, "var=3 is not the name of an artifact"),
        ({"print_exception": "no"}, "print_exception='no' is neither True nor False"),
    ],
)
def test_it_refuses_what_it_cannot_use(attributes: dict[str, Any], what: str) -> None:
    """When it is made, so that nothing runs first."""
    with pytest.raises(BadDecorator) as caught:
        Catch(attributes)

    assert caught.value.findings[0].what == f"@catch: {what}"
