"""`@retry`: runs a task again when it failed, was killed, or could not be launched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from plait.base.errors import Where
from plait.flow.decorate import decorate
from plait.hooks.step import AttemptPlan, BadDecorator, StepDecorator


class Retry(StepDecorator):
    """Runs a task again when it failed, was killed, or could not be launched.

    Attributes:
        times: How many more times; 0 means that the task is not to be run again.
        minutes_between_retries: How long to wait before each, in minutes.
    """

    name: ClassVar[str] = "retry"
    defaults: ClassVar[Mapping[str, Any]] = {"times": 3, "minutes_between_retries": 2}

    def __init__(
        self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None
    ) -> None:
        super().__init__(attributes, where=where)
        times = self.attributes["times"]
        if type(times) is not int or times < 0:
            raise BadDecorator(
                self.name,
                f"times={times!r} is not a number of times",
                why="it is a whole number, 0 or more",
                fix="write @retry(times=3)",
            )
        minutes = self.attributes["minutes_between_retries"]
        if type(minutes) not in (int, float) or not 0 <= minutes < math.inf:
            raise BadDecorator(
                self.name,
                f"minutes_between_retries={minutes!r} is not a time",
                why="it is a number of minutes, 0 or more",
                fix="write @retry(minutes_between_retries=0.5) for half a minute",
            )

    def plan_attempts(self) -> AttemptPlan:
        """Ask for the retries."""
        return AttemptPlan(
            retries=self.attributes["times"],
            minutes_between=float(self.attributes["minutes_between_retries"]),
        )


def _attributes(*, times: int = 3, minutes_between_retries: float = 2) -> None: ...


retry = decorate(Retry, _attributes)
