"""What `@resources` asks for, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from plait.hooks.registry import get_decorator
from plait.hooks.step import AttemptPlan, BadDecorator, Needs
from plait.plugins.resources import Resources


def test_it_is_found_by_name() -> None:
    """As `--with resources` looks for it."""
    assert get_decorator("resources") is Resources


@pytest.mark.parametrize(
    ("attributes", "needs"),
    [
        ({}, Needs(1.0, 4000.0, 0)),
        ({"cpu": 0.5, "memory": 100}, Needs(0.5, 100.0, 0)),
        ({"cpu": "8", "gpu": "2", "memory": "16000"}, Needs(8.0, 16000.0, 2)),
    ],
)
def test_it_asks_for_what_is_needed(attributes: dict[str, Any], needs: Needs) -> None:
    """Numbers may be written as text."""
    assert Resources(attributes).plan_attempts() == AttemptPlan(needs=needs)


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"cpu": 0}, "cpu=0 is not a number of cores"),
        ({"cpu": -1}, "cpu=-1 is not a number of cores"),
        ({"cpu": "many"}, "cpu='many' is not a number of cores"),
        ({"cpu": True}, "cpu=True is not a number of cores"),
        ({"cpu": float("inf")}, "cpu=inf is not a number of cores"),
        ({"cpu": None}, "cpu=None is not a number of cores"),
        ({"gpu": 0.5}, "gpu=0.5 is not a number of graphics cards"),
        ({"memory": "0"}, "memory='0' is not a number of MB"),
        ({"memory": 10**400}, f"memory={10**400} is not a number of MB"),
        ({"disk": 3}, "there is no attribute 'disk'"),
    ],
)
def test_it_refuses_what_it_cannot_use(attributes: dict[str, Any], what: str) -> None:
    """When it is made, so that nothing runs first."""
    with pytest.raises(BadDecorator) as caught:
        Resources(attributes)

    assert caught.value.findings[0].what == f"@resources: {what}"
