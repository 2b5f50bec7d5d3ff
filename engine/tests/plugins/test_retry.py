"""What `@retry` asks for, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from plait.hooks.registry import get_decorator
from plait.hooks.step import AttemptPlan, BadDecorator
from plait.plugins.retry import Retry


def test_it_is_found_by_name() -> None:
    """As `--with retry` looks for it."""
    assert get_decorator("retry") is Retry


@pytest.mark.parametrize(
    ("attributes", "plan"),
    [
        ({}, AttemptPlan(3, 2.0)),
        ({"times": 0}, AttemptPlan(0, 2.0)),
        ({"times": 5, "minutes_between_retries": 0}, AttemptPlan(5, 0.0)),
        ({"minutes_between_retries": 0.5}, AttemptPlan(3, 0.5)),
    ],
)
def test_it_asks_for_retries(attributes: dict[str, Any], plan: AttemptPlan) -> None:
    """With a pause, and without a fallback."""
    assert Retry(attributes).plan_attempts() == plan


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"times": -1}, "times=-1 is not a number of times"),
        ({"times": 1.5}, "times=1.5 is not a number of times"),
        ({"times": "3"}, "times='3' is not a number of times"),
        ({"times": True}, "times=True is not a number of times"),
        ({"minutes_between_retries": -1}, "minutes_between_retries=-1 is not a time"),
        ({"minutes_between_retries": "soon"}, "minutes_between_retries='soon' is not a time"),
        ({"minutes_between_retries": float("nan")}, "minutes_between_retries=nan is not a time"),
        ({"minutes_between_retries": float("inf")}, "minutes_between_retries=inf is not a time"),
        ({"minute": 3}, "there is no attribute 'minute'"),
    ],
)
def test_it_refuses_what_it_cannot_use(attributes: dict[str, Any], what: str) -> None:
    """When it is made, so that nothing runs first."""
    with pytest.raises(BadDecorator) as caught:
        Retry(attributes)

    assert caught.value.findings[0].what == f"@retry: {what}"
