"""Why a task failed, as an exception that can be looked at or raised again."""

from __future__ import annotations

from plait.base.records import Failure, FailureKind


class AttemptFailure(Exception):
    """What an attempt at a task ended with, if not with a result.

    Printed, it is the traceback of the user's code; where there is none because the process died,
    one line that says how.

    Attributes:
        failure: All that was recorded.
        type: The name of the exception's type, such as `ValueError`; empty unless one was raised.
        message: Its text, or how the process ended.
        traceback: The traceback from the user's first frame on; may be empty.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure
        name, colon, message = failure.summary.partition(": ")
        raised = failure.kind is FailureKind.EXCEPTION
        self.type = name if raised else ""
        self.message = (message if colon else "") if raised else failure.summary
        self.traceback = failure.traceback

    def __str__(self) -> str:
        return self.traceback.rstrip("\n") or self.failure.summary

    def __repr__(self) -> str:
        return f"AttemptFailure({self.failure.summary!r})"
