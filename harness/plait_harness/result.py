"""How a case went: what each judge said, how it ended, and how long each part took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["passed", "failed", "not offered", "differs"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one judge said.

    Args:
        checker: The judge's name; `always` for what is checked on every case.
        outcome: What it came to.
        message: What was expected, or why it was not offered; empty if it passed. One that differs
            from plait, and is listed as doing so, has failed and is no failure.
        traceback: Where in `check.py` it failed; may be empty.
        seconds: How long it took.
    """

    checker: str
    outcome: Outcome
    message: str = ""
    traceback: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a case went.

    Args:
        id: The case's id.
        folder: Its folder.
        exit_code: What the run's command ended with.
        checks: What each judge said, and what holds for every case.
        seconds: How long it took in all.
        phases: How long each part of it took, in seconds.
    """

    id: str
    folder: str
    exit_code: int
    checks: tuple[CheckResult, ...]
    seconds: float
    phases: Mapping[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome == "failed")
