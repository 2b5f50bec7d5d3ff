"""A task's failure as an exception."""

from __future__ import annotations

import pickle

import pytest

from plait.base.records import Failure, FailureKind
from plait.client.failure import AttemptFailure

RAISED = Failure(
    FailureKind.EXCEPTION,
    "ValueError: too small: 3",
    traceback='Traceback ...:\n  File "flow.py", line 9, in start\nValueError: too small: 3\n',
)
KILLED = Failure(FailureKind.SIGNAL, "killed by SIGSEGV", signal=11)


def test_what_was_raised_is_told_apart_and_printed_whole() -> None:
    """Its type and message are there by name; printed, it is the user's traceback."""
    failure = AttemptFailure(RAISED)

    assert (failure.type, failure.message) == ("ValueError", "too small: 3")
    assert str(failure) == RAISED.traceback.rstrip("\n")
    assert repr(failure) == "AttemptFailure('ValueError: too small: 3')"


def test_an_exception_without_a_message_has_none() -> None:
    """`raise KeyError` leaves only a name."""
    failure = AttemptFailure(Failure(FailureKind.EXCEPTION, "KeyError"))

    assert (failure.type, failure.message, str(failure)) == ("KeyError", "", "KeyError")


def test_a_process_that_died_raised_nothing() -> None:
    """Then there is one line that says how it ended."""
    failure = AttemptFailure(KILLED)

    assert (failure.type, failure.message, failure.traceback) == ("", "killed by SIGSEGV", "")
    assert str(failure) == "killed by SIGSEGV"


def test_it_can_be_raised_and_pickled() -> None:
    """It is an exception like any other."""
    copy = pickle.loads(pickle.dumps(AttemptFailure(RAISED)))

    with pytest.raises(AttemptFailure, match="too small"):
        raise copy
    assert copy.failure == RAISED
