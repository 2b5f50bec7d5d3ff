"""What several decorators of one step ask for together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plait.flow.plans import plan_attempts
from plait.hooks.step import AttemptPlan, Needs, StepDecorator, TimeLimit


class Asking(StepDecorator):
    """A decorator that asks for what a test says."""

    name = "asking"

    def __init__(self, plan: AttemptPlan) -> None:
        super().__init__()
        self.plan = plan

    def plan_attempts(self) -> AttemptPlan:
        return self.plan


def together(*plans: Mapping[str, Any]) -> AttemptPlan:
    """Give the plan of a step whose decorators ask for these, outermost first."""
    return plan_attempts([Asking(replace(AttemptPlan(), **plan)) for plan in plans])


def test_a_step_without_decorators_asks_for_nothing() -> None:
    """One attempt, any time, no needs, no variables."""
    assert together() == AttemptPlan()


def test_one_with_the_most_retries_says_how_long_to_wait() -> None:
    """And a fallback is made if anybody asks for it."""
    plan = together(
        {"retries": 1, "minutes_between": 9.0}, {"retries": 2, "minutes_between": 3.0},
        {"fallback": True},
    )  # fmt: skip

    assert (plan.retries, plan.minutes_between, plan.fallback) == (2, 3.0, True)


def test_the_shortest_limit_holds() -> None:
    """With its own grace."""
    plan = together({"limit": TimeLimit(5.0)}, {"limit": TimeLimit(3.0, 1.0)}, {})

    assert plan.limit == TimeLimit(3.0, 1.0)


def test_the_largest_of_each_need_is_counted() -> None:
    """Whoever asks for it."""
    plan = together({"needs": Needs(4.0, 100.0)}, {}, {"needs": Needs(1.0, 200.0, 1)})

    assert plan.needs == Needs(4.0, 200.0, 1)


def test_of_variables_the_inner_one_holds() -> None:
    """All others are there too."""
    plan = together({"environment": {"A": "1", "B": "2"}}, {"environment": {"B": "3"}})

    assert plan.environment == {"A": "1", "B": "3"}
