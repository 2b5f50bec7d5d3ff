"""`@timeout`: ends a task that runs too long, first by an exception, at last by killing it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, ClassVar

from plait.base.errors import Where
from plait.flow.decorate import decorate
from plait.hooks.step import AttemptBegun, AttemptPlan, BadDecorator, StepDecorator, TimeLimit

_LONGEST = 1e8
"""The longest time to set an alarm for, in seconds (three years); some systems take no more."""


_MOST = 1e9
"""The most of any unit."""


class TimeoutException(Exception):  # the name that users of workflow engines know
    """Raised in a step's code when its time is over.

    It is an `Exception`, so that cleaning up after errors cleans up after this one too. Code that
    passes over every `Exception` passes over this one, and is killed a little later.
    """


class Timeout(StepDecorator):
    """Ends a task that runs too long; each attempt has the whole time.

    At first `TimeoutException` is raised where the step's code is just then. If the task has not
    ended `grace_seconds` after that, say because native code does not come back, it is killed with
    all that it started.

    Attributes:
        seconds: How long the step's code may run; added to the others.
        minutes: The same in minutes.
        hours: The same in hours.
        grace_seconds: How long a task whose time is over has to end by itself.
    """

    name: ClassVar[str] = "timeout"
    defaults: ClassVar[Mapping[str, Any]] = {
        "seconds": 0,
        "minutes": 0,
        "hours": 0,
        "grace_seconds": 5,
    }

    def __init__(
        self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None
    ) -> None:
        super().__init__(attributes, where=where)
        for key, value in self.attributes.items():
            if type(value) not in (int, float) or not 0 <= value <= _MOST:
                raise BadDecorator(
                    self.name,
                    f"{key}={value!r} is not a length of time",
                    why="it is a number, 0 or more",
                    fix="write @timeout(minutes=10)",
                )
        seconds, minutes, hours, grace = (float(self.attributes[key]) for key in self.defaults)
        self._limit = TimeLimit(seconds + 60 * minutes + 3600 * hours, grace)
        if self._limit.seconds == 0:
            raise BadDecorator(
                self.name,
                "it does not say how long the step may take",
                why="seconds, minutes and hours are added up, and give 0",
                fix="write @timeout(minutes=10), or --with timeout:minutes=10",
            )

    def plan_attempts(self) -> AttemptPlan:
        """Ask that attempts be killed that the exception does not end."""
        return AttemptPlan(limit=self._limit)

    def wrap_step(self, event: AttemptBegun, body: Callable[[], None]) -> Callable[[], None]:
        """Have the step's code interrupted when its time is over."""
        return lambda: _run_limited(self._limit, event.order.key.step, body)


def _run_limited(limit: TimeLimit, step: str, body: Callable[[], None]) -> None:
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        # Only inline, or on a system without alarms: a task's process has its main thread.
        print(f"@timeout cannot end step '{step}' here: alarms need a main thread", file=sys.stderr)
        body()
        return

    def heed(_number: int, _frame: FrameType | None) -> None:
        # First, because the exception may leave `_run_limited` at any line of it.
        signal.signal(signal.SIGALRM, former)
        raise TimeoutException(f"step '{step}' timed out after {limit}")

    former = signal.signal(signal.SIGALRM, heed)
    try:
        signal.setitimer(signal.ITIMER_REAL, min(limit.seconds, _LONGEST))
        body()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _attributes(
    *, seconds: float = 0, minutes: float = 0, hours: float = 0, grace_seconds: float = 5
) -> None: ...


timeout = decorate(Timeout, _attributes)
