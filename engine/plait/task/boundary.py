"""The boundary around the user's code: what it raised, told as the user would tell it."""

from __future__ import annotations

import os
import sys
from types import TracebackType

from plait.base.errors import PlaitError
from plait.base.exits import NO_RETRY
from plait.base.records import Failure, FailureKind

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_TUTORIALS = os.path.join(_PACKAGE, "tutorials") + os.sep

_LONGEST = 2000
"""The most characters of a summary, which is shown in many places; the traceback has it all."""


def describe_failure(error: BaseException) -> Failure:
    """Make facts of what the user's code raised.

    The traceback begins at the user's first frame; frames of plait's own at its start and end
    are left out, those between the user's (a decorator's, say) stay.
    """
    kind, exit_code, retry = FailureKind.EXCEPTION, None, True
    if isinstance(error, SystemExit):
        kind, exit_code = FailureKind.EXIT, _exit_code(error)
        retry = exit_code != NO_RETRY
        summary = f"the step's code left by sys.exit({_show_code(error)})"
    else:
        summary = _summary(error)
    return Failure(
        kind=kind,
        summary=summary if len(summary) <= _LONGEST else f"{summary[:_LONGEST]}...",
        traceback=_format(error),
        exit_code=exit_code,
        where=_where(error.__traceback__) or _place_of(error),
        retry=retry,
    )


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1


def _show_code(error: SystemExit) -> str:
    try:
        return repr(error.code)
    except Exception as broken:  # noqa: BLE001  # the user's __repr__ may raise anything
        return f"<its __repr__ raised {type(broken).__qualname__}>"


def _summary(error: BaseException) -> str:
    """Give `Type: message` in one line, also for an error that cannot even print itself."""
    name = type(error).__qualname__
    if isinstance(error, PlaitError):
        return f"{name}: {error.findings[0].what}"
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001  # the user's __str__ may raise anything
        text = f"<its __str__ raised {type(broken).__qualname__}>"
    head = text.strip().splitlines()[0] if text.strip() else ""
    return f"{name}: {head}" if head else name


def _is_ours(trace: TracebackType) -> bool:
    name = trace.tb_frame.f_code.co_filename
    # Tutorials come with the package, and are a user's code all the same.
    return name.startswith(_PACKAGE) and not name.startswith(_TUTORIALS)


def _user_part(trace: TracebackType | None) -> TracebackType | None:
    """Leave out plait's frames at both ends; all of them if there is nothing else."""
    while trace is not None and _is_ours(trace):
        trace = trace.tb_next
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    while frames and _is_ours(frames[-1]):
        frames.pop()
    rebuilt: TracebackType | None = None
    for frame in reversed(frames):
        rebuilt = TracebackType(rebuilt, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return rebuilt


def _format(error: BaseException) -> str:
    import traceback

    is_users = _trim(error, set())
    if isinstance(error, PlaitError) and not is_users:
        return error.format() + "\n"
    try:
        return "".join(traceback.format_exception(error))
    except Exception as broken:  # noqa: BLE001  # the user's __str__ or __repr__ may raise anything
        return f"{type(error).__qualname__}, which raised {type(broken).__qualname__} when shown\n"


def _trim(error: BaseException | None, seen: set[int]) -> bool:
    """Trim the tracebacks of an error and of its causes; say if any frame of a user's is left."""
    if error is None or id(error) in seen:
        return False
    seen.add(id(error))
    # Not by assignment: the class of an error may forbid that, as a frozen dataclass does.
    BaseException.with_traceback(error, _user_part(error.__traceback__))
    # Each of them, whatever the others say.
    return any(
        [
            error.__traceback__ is not None,
            _trim(error.__cause__, seen),
            _trim(error.__context__, seen),
        ]
    )


def _place_of(error: BaseException) -> str:
    """Give `file:line` as an error of plait's says it, where no frame of the user's was open."""
    where = error.findings[0].where if isinstance(error, PlaitError) else None
    return "" if where is None else f"{os.path.abspath(where.file)}:{where.line}"


def _where(trace: TracebackType | None) -> str:
    """Give `file:line` of the innermost frame in code that is neither plait's nor installed."""
    place = nearest = ""
    installed = (sys.prefix + os.sep, sys.base_prefix + os.sep, "<frozen")
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not _is_ours(trace):
            nearest = f"{name}:{trace.tb_lineno}"
            if not name.startswith(installed) and "site-packages" not in name:
                place = nearest
        trace = trace.tb_next
    return place or nearest
