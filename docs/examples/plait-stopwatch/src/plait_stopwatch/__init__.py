"""Two decorators for plait: `@stopwatch` times a step, `@team` says whose runs a flow's are."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from plait.base.errors import Finding, Where
from plait.flow.decorate import decorate
from plait.flow.flow_decorate import decorate_flow
from plait.hooks.flow import FlowDecorator, FlowOption, RunPlanned, RunTraits
from plait.hooks.step import AttemptBegun, BadDecorator, StepChecked, StepDecorator, StepRaised


class Stopwatch(StepDecorator):
    """Times a step.

    Attributes:
        var: The artifact that gets the seconds which the step's code took.
        warn_after: Seconds after which the log says that it was slow; None for never.
    """

    name: ClassVar[str] = "stopwatch"
    defaults: ClassVar[Mapping[str, Any]] = {"var": "seconds", "warn_after": None}

    def __init__(
        self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None
    ) -> None:
        super().__init__(attributes, where=where)
        limit = self.attributes["warn_after"]
        if limit is not None and not isinstance(limit, (int, float)):
            raise BadDecorator(
                self.name,
                f"warn_after={limit!r} is no time",
                why="it is a number of seconds",
                fix="write @stopwatch(warn_after=60)",
            )
        self._began = 0.0

    def check(self, event: StepChecked) -> Iterable[Finding]:
        """Refuse an artifact that a parameter has taken the name of."""
        var = self.attributes["var"]
        if var in event.parameters:
            yield Finding(
                slug="stopwatch-var-taken",
                what=f"@stopwatch of step '{event.step}' would set parameter '{var}'",
                why="parameters are read-only",
                fix=f"write @stopwatch(var='{var}_taken')",
                where=self.where,
            )

    def before_step(self, event: AttemptBegun) -> None:
        """Start the watch."""
        self._began = time.perf_counter()

    def after_step(self, event: AttemptBegun) -> None:
        """Stop it, and keep what it says."""
        self._stop(event)

    def on_exception(self, event: StepRaised) -> bool:
        """Stop it also where the step fails, which stays a failure."""
        self._stop(event.begun)
        return False

    def _stop(self, event: AttemptBegun) -> None:
        seconds = time.perf_counter() - self._began
        setattr(event.flow, self.attributes["var"], seconds)
        limit = self.attributes["warn_after"]
        if limit is not None and seconds > limit:
            print(f"step {event.order.key.step} was slow")


class Team(FlowDecorator):
    """Tags the runs of a flow with the team that they belong to.

    Attributes:
        name: The team; may be given by `--team` instead.
    """

    name: ClassVar[str] = "team"
    defaults: ClassVar[Mapping[str, Any]] = {"name": "nobody"}
    options: ClassVar[tuple[FlowOption, ...]] = (FlowOption("team", "Whose run this is."),)

    def plan_run(self, event: RunPlanned) -> RunTraits:
        """Give the tag, and `current.team`."""
        team = event.options.get("team", self.attributes["name"])
        return RunTraits(tags=frozenset({f"team:{team}"}), current={"team": team})


def _stopwatch(*, var: str = "seconds", warn_after: float | None = None) -> None: ...


def _team(*, name: str = "nobody") -> None: ...


stopwatch = decorate(Stopwatch, _stopwatch)
team = decorate_flow(Team, _team)
