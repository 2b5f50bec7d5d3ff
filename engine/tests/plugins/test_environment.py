"""What `@environment` asks for, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from plait.flow.decorate import parse_with
from plait.hooks.registry import get_decorator
from plait.hooks.step import AttemptPlan, BadDecorator
from plait.plugins.environment import Environment


def test_it_is_found_by_name() -> None:
    """As `--with environment:...` looks for it."""
    assert get_decorator("environment") is Environment


@pytest.mark.parametrize("variables", [{}, {"LEVEL": "debug"}, {"é.x": "", "A": "b=c\nd"}])
def test_it_asks_for_variables(variables: dict[str, str]) -> None:
    """Whatever text they hold."""
    plan = Environment({"vars": variables}).plan_attempts()

    assert plan == AttemptPlan(environment=variables)


def test_what_is_changed_later_changes_nothing() -> None:
    """The dict that somebody wrote is copied."""
    variables = {"LEVEL": "debug"}
    made = Environment({"vars": variables})
    variables["LEVEL"] = "info"

    assert made.plan_attempts().environment == {"LEVEL": "debug"}


def test_the_command_line_takes_json() -> None:
    """An object of names and values."""
    made = parse_with('environment:vars={"LEVEL": "debug", "A": "b,c"}')

    assert made.plan_attempts().environment == {"LEVEL": "debug", "A": "b,c"}


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"vars": ["A"]}, "vars=['A'] does not give names values"),
        ({"vars": "A=b"}, "vars='A=b' does not give names values"),
        ({"vars": {"": "x"}}, "'' is not the name of a variable"),
        ({"vars": {"A=B": "x"}}, "'A=B' is not the name of a variable"),
        ({"vars": {"A\0": "x"}}, "'A\\x00' is not the name of a variable"),
        ({"vars": {3: "x"}}, "3 is not the name of a variable"),
        ({"vars": {"A": 3}}, "variable 'A' cannot be 3"),
        ({"vars": {"A": None}}, "variable 'A' cannot be None"),
        ({"vars": {"A": "b\0"}}, "variable 'A' cannot be 'b\\x00'"),
        ({"A": "b"}, "there is no attribute 'A'"),
    ],
)
def test_it_refuses_what_it_cannot_use(attributes: dict[str, Any], what: str) -> None:
    """When it is made, so that nothing runs first."""
    with pytest.raises(BadDecorator) as caught:
        Environment(attributes)

    assert caught.value.findings[0].what == f"@environment: {what}"


def test_the_cure_for_a_number_is_its_text() -> None:
    """So that it can be pasted."""
    with pytest.raises(BadDecorator) as caught:
        Environment({"vars": {"THREADS": 3}})

    assert caught.value.findings[0].fix == "write @environment(vars={'THREADS': '3'})"
