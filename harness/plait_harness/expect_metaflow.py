"""What `expect` offers to step bodies, in flows of an installed Metaflow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from plait_harness.expect import (
    ExpectationFailed,
    ResumeFromHere,
    TestRetry,
    assert_equals,
    assert_exception,
    carry_turns,
    next_turn,
)

__all__ = [
    "ExpectationFailed",
    "ResumeFromHere",
    "TestRetry",
    "assert_equals",
    "assert_exception",
    "carry_turns",
    "counted",
    "is_resumed",
    "next_turn",
    "origin_run_id_for_resume",
]


def origin_run_id_for_resume() -> str | None:
    """Give the id of the run that this one resumes, or None."""
    from metaflow import current  # type: ignore[import-not-found]  # there in its own tox environment

    origin: str | None = current.origin_run_id
    return origin


def is_resumed() -> bool:
    """Say whether this run resumes another."""
    return origin_run_id_for_resume() is not None


class CountedInputs(list[Any]):
    """The inputs of a join, which Metaflow's own do not tell the number of."""

    def __init__(self, inputs: Iterable[Any]) -> None:
        super().__init__(inputs)
        self._inputs = inputs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inputs, name)


def counted(inputs: Iterable[Any]) -> CountedInputs:
    """Let `len` count the inputs of a join; templates do."""
    return CountedInputs(inputs)
