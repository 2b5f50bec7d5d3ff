"""What the exit of a process that left no result says, in words."""

from __future__ import annotations

import signal

from plait.base.exits import NO_RETRY
from plait.base.records import Failure, FailureKind

_HINTS = {
    "SIGKILL": " (by a person, or by the system when memory ran out)",
    "SIGSEGV": " (a crash in native code)",
}


def describe_exit(code: int) -> Failure:
    """Make facts of an exit without a result.

    Args:
        code: The exit code; negative for the number of the signal that killed the process.
    """
    if code < 0:
        name = _signal_name(-code)
        return Failure(FailureKind.SIGNAL, f"killed by {name}{_HINTS.get(name, '')}", signal=-code)
    return Failure(
        FailureKind.EXIT,
        f"its process left with exit code {code} before the step ended",
        exit_code=code,
        retry=code != NO_RETRY,
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # a real-time signal has a number only
