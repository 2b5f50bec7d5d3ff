"""Decorators by name: built in, installed, or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from plait.base.pathspec import AttemptKey
from plait.base.records import Failure, FailureKind, TaskOrder
from plait.hooks.registry import (
    UnknownDecorator,
    command_line,
    get_decorator,
)
from plait.hooks.step import (
    AttemptBegun,
    AttemptPlan,
    BadDecorator,
    StepChecked,
    StepDecorator,
    StepRaised,
)


def test_built_in_decorators_are_found_by_name() -> None:
    """Without importing them before."""
    assert get_decorator("retry").name == "retry"
    assert get_decorator("project").name == "project"


def test_a_name_that_nobody_offers_is_refused_with_the_nearest() -> None:
    """It may be one for steps or for flows."""
    with pytest.raises(UnknownDecorator, match="did you mean 'retry'"):
        get_decorator("rety")
    with pytest.raises(UnknownDecorator, match="did you mean 'project'"):
        get_decorator("projct")


def test_a_package_offers_a_decorator_by_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is installed is found like one that is built in."""
    (tmp_path / "acme_plait.py").write_text(
        "from plait.hooks.step import StepDecorator\n"
        "from plait.hooks.flow import FlowDecorator\n"
        "class Audit(StepDecorator):\n    name = 'audit'\n"
        "class Team(FlowDecorator):\n    name = 'team'\n",
        encoding="utf-8",
    )
    info = tmp_path / "acme_plait-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-plait\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[plait.decorators]\naudit = acme_plait:Audit\n"
        "[plait.flow_decorators]\nteam = acme_plait:Team\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    assert get_decorator("audit").name == "audit"
    assert get_decorator("team").name == "team"


def test_the_command_line_is_found_by_name() -> None:
    """What `MyFlow()` calls."""
    assert callable(command_line())


def test_an_attribute_that_a_decorator_has_not_is_refused() -> None:
    """The message names what it has."""

    class Audit(StepDecorator):
        name = "audit"
        defaults = {"level": 1}  # noqa: RUF012  # as plugins do

    with pytest.raises(BadDecorator, match="@audit: there is no attribute 'levle'") as raised:
        Audit({"levle": 2})
    assert "did you mean 'level'" in str(raised.value)
    assert Audit({"level": 2}).attributes == {"level": 2}


def test_a_decorator_that_overrides_nothing_changes_nothing() -> None:
    """Every hook has a default that lets the step be as it was."""

    class Plain(StepDecorator):
        name = "plain"

    plain = Plain()
    order = TaskOrder(AttemptKey("F", "1", "s", "1", 0))
    begun = AttemptBegun(order, None, is_last=True)
    failure = Failure(FailureKind.EXCEPTION, "ValueError")

    def body() -> None:
        """Do nothing."""

    assert list(plain.check(StepChecked("F", "s", "linear", False, ("plain",), None))) == []
    assert plain.plan_attempts() == AttemptPlan()
    assert plain.wrap_step(begun, body) is body
    plain.before_step(begun)
    plain.after_step(begun)
    assert plain.on_exception(StepRaised(begun, ValueError(), failure)) is False
    assert plain.run_fallback(begun, failure) is False
