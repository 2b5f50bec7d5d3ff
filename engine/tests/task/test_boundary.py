"""How errors of the user's code are told: summary, traceback, place."""

from __future__ import annotations

import pytest

from plait.base.errors import PlaitError
from plait.base.records import FailureKind
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
