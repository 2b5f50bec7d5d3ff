"""What step bodies and checks state expectations with; generated flows import it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SHOWN = 2000


class ExpectationFailed(Exception):
    """Something is not what a template expects.

    Args:
        expected: What it should have been.
        got: What it was.
        what: What it is about; may be empty.
    """

    def __init__(self, expected: Any, got: Any, what: str = "") -> None:
        super().__init__(expected, got, what)

    def __str__(self) -> str:
        expected, got, what = self.args
        about = f"{what}: " if what else ""
        return f"{about}expected {_show(expected)}, got {_show(got)}"


class ResumeFromHere(Exception):
    """Raised by a body where a run is to fail, so that it can be resumed from there."""


class TestRetry(Exception):
    """Raised by a body whose step is to be retried."""

    __test__ = False  # for pytest, which takes every class called Test... for a test


def next_turn(flow: Any, step: str) -> int:
    """Give how often a switch ran before at this place, and count this time.

    Generated flows call it where a graph's `condition_default` asks for the `turn`.
    """
    place = (step, tuple(frame[0] for frame in flow.foreach_stack()))
    turns = dict(getattr(flow, "_turns", {}))
    turn: int = turns.get(place, 0)
    flow._turns = {**turns, place: turn + 1}  # noqa: SLF001  # private so that no check sees it
    return turn


def carry_turns(flow: Any, inputs: Any) -> None:
    """Carry over a join what `next_turn` has counted on the ways into it."""
    turns: dict[tuple[str, tuple[int, ...]], int] = {}
    for item in inputs:
        for place, count in getattr(item, "_turns", {}).items():
            turns[place] = max(count, turns.get(place, 0))
    flow._turns = turns  # noqa: SLF001  # private so that no check sees it


def assert_equals(expected: Any, got: Any) -> None:
    """Check that *got* equals *expected*.

    Raises:
        ExpectationFailed: It does not.
    """
    if expected != got:
        raise ExpectationFailed(expected, got)


def assert_exception(function: Callable[[], Any], kind: type[BaseException]) -> None:
    """Check that calling *function* raises a *kind*.

    Raises:
        ExpectationFailed: It returned, or raised something else.
    """
    try:
        function()
    except kind:
        return
    except Exception as error:
        raise ExpectationFailed(kind.__name__, repr(error), "exception") from error
    raise ExpectationFailed(kind.__name__, "none", "exception")


def origin_run_id_for_resume() -> str | None:
    """Give the id of the run that this one resumes, or None."""
    from plait import current

    origin: str | None = current.origin_run_id
    return origin


def is_resumed() -> bool:
    """Say whether this run resumes another."""
    return origin_run_id_for_resume() is not None


def _show(value: Any) -> str:
    text = value if isinstance(value, str) and "\n" in value else repr(value)
    if len(text) <= _SHOWN:
        return text
    return f"{text[:_SHOWN]}... ({len(text)} characters)"
