"""How errors of the user's code are told: summary, traceback, place."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

import pytest

from plait.artifacts.store import ArtifactStore
from plait.base.errors import PlaitError
from plait.base.records import FailureKind
from plait.storage.memory import MemoryStorage
from plait.task.boundary import describe_failure


class Mute(Exception):
    """An error that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("mute")


def caught(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """Give an error with a traceback."""
    try:
        raise error from cause  # noqa: TRY301  # to be raised is all that it is for
    except BaseException as raised:  # noqa: BLE001  # any error is what is wanted
        return raised


@pytest.mark.parametrize(
    ("error", "summary"),
    [
        (ValueError("too small"), "ValueError: too small"),
        (ValueError(), "ValueError"),
        (ValueError("one\ntwo"), "ValueError: one"),
        (Mute(), "Mute: <its __str__ raised RuntimeError>"),
        (PlaitError("a thing is wrong", fix="mend it"), "PlaitError: a thing is wrong"),
        (SystemExit("bye"), "the step's code left by sys.exit('bye')"),
    ],
)
def test_a_summary_is_one_line_with_the_type(error: BaseException, summary: str) -> None:
    """Whatever the error, and even if it can't print itself."""
    assert describe_failure(caught(error)).summary == summary


@pytest.mark.parametrize(("code", "number"), [(None, 0), (7, 7), ("bye", 1), (True, True)])
def test_exits_have_pythons_codes(code: object, number: int) -> None:
    """No code is 0, text is 1, as the interpreter has it."""
    failure = describe_failure(caught(SystemExit(code)))

    assert (failure.kind, failure.exit_code) == (FailureKind.EXIT, number)


def test_causes_are_told() -> None:
    """A chain of errors is shown as Python shows it."""
    failure = describe_failure(caught(ValueError("outer"), caught(KeyError("inner"))))

    assert "KeyError: 'inner'" in failure.traceback
    assert "direct cause" in failure.traceback
    assert failure.traceback.rstrip().endswith("ValueError: outer")


def test_an_error_that_holds_itself_is_told() -> None:
    """A loop among causes ends."""
    error = caught(ValueError("loop"))
    other = caught(KeyError("k"), error)
    error.__context__ = other

    assert "ValueError: loop" in describe_failure(error).traceback


def test_an_error_without_a_place_is_told() -> None:
    """An error that was never raised has neither traceback nor place."""
    failure = describe_failure(ValueError("made up"))

    assert failure.traceback == "ValueError: made up\n"
    assert failure.where == ""


@dataclass(frozen=True)
class Frozen(Exception):
    """An error whose attributes nobody may set."""

    code: int


def test_an_error_that_forbids_changes_is_told() -> None:
    """Its traceback is trimmed all the same."""
    failure = describe_failure(caught(Frozen(3)))

    assert failure.summary == "Frozen: 3"
    assert "in caught" in failure.traceback


def test_a_very_long_message_is_cut_in_the_summary_alone() -> None:
    """The summary is shown in many places; the traceback has all of it."""
    failure = describe_failure(caught(ValueError("x" * 100_000)))

    assert len(failure.summary) < 3000
    assert failure.summary.endswith("x...")
    assert "x" * 100_000 in failure.traceback


def test_an_exit_with_what_cannot_be_shown_is_an_exit() -> None:
    """The code of `sys.exit` may be any object."""

    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("odd")

    failure = describe_failure(caught(SystemExit(Odd())))

    assert failure.kind is FailureKind.EXIT
    assert "its __repr__ raised RuntimeError" in failure.summary


def test_an_error_of_plaits_that_passed_no_code_of_the_users_has_no_traceback() -> None:
    """What, why and fix say it; the lines of plait's own do not."""
    store = ArtifactStore(MemoryStorage(), "F")
    try:
        store.encode("x", (one for one in ()))
    except PlaitError as error:
        failure = describe_failure(error.with_traceback(_inner(error)))

    assert failure.traceback.startswith("error[unpicklable-artifact]: artifact 'x'")
    assert "Traceback" not in failure.traceback


def _inner(error: BaseException) -> TracebackType | None:
    """Give a traceback without its first frame, which is this test's."""
    return None if error.__traceback__ is None else error.__traceback__.tb_next
