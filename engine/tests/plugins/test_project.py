"""What `@project` gives a run, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from plait.hooks.flow import RunPlanned
from plait.hooks.registry import get_decorator
from plait.hooks.step import BadDecorator
from plait.plugins.project import Project


def test_it_is_found_by_name() -> None:
    """As `--with project:...` looks for it."""
    assert get_decorator("project") is Project


@pytest.mark.parametrize(
    ("attributes", "options", "branch"),
    [
        ({}, {}, "user.ada"),
        ({}, {"branch": "new"}, "test.new"),
        ({"branch": "new"}, {}, "test.new"),
        ({}, {"production": True}, "prod"),
        ({"production": True}, {}, "prod"),
        ({"production": True}, {"branch": "v1.2"}, "prod.v1.2"),
        ({}, {"production": False}, "user.ada"),
    ],
)
def test_a_run_belongs_to_a_branch(
    attributes: dict[str, Any], options: dict[str, Any], branch: str
) -> None:
    """In the code or on the command line; by default the user's own."""
    made = Project({"name": "fraud", **attributes})

    traits = made.plan_run(RunPlanned("Train", "ada", options))

    assert traits.tags == {"project:fraud", f"project_branch:{branch}"}
    assert traits.current == {
        "project_name": "fraud",
        "branch_name": branch,
        "is_production": branch.startswith("prod"),
        "project_flow_name": f"fraud.{branch}.Train",
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"name": "Fraud"},
        {"name": ""},
        {"name": "a" * 129},
        {"name": 3},
        {"name": "fraud", "branch": "a b"},
        {"name": "fraud", "production": "yes"},
    ],
)
def test_names_that_deployments_cannot_have_are_refused(attributes: dict[str, Any]) -> None:
    """A project's, a branch's; and what is no truth value."""
    with pytest.raises(BadDecorator):
        Project(attributes)


@pytest.mark.parametrize(
    ("attributes", "options"),
    [
        ({"branch": "a"}, {"branch": "b"}),
        ({"production": True}, {"production": True}),
        ({}, {"branch": "no such"}),
    ],
)
def test_what_is_said_twice_or_wrong_on_the_command_line_is_refused(
    attributes: dict[str, Any], options: dict[str, Any]
) -> None:
    """Before there is a run."""
    made = Project({"name": "fraud", **attributes})

    with pytest.raises(BadDecorator):
        made.plan_run(RunPlanned("Train", "ada", options))
