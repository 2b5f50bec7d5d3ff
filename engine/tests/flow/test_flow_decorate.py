"""Decorators of flows: in the code, by `--with`, inherited, with configs, and misplaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import pytest

from plait.base.errors import Finding, InvalidFlow
from plait.flow.config import Config, config_expr
from plait.flow.definition import read_definition
from plait.flow.flow_decorate import MisplacedFlowDecorator, decorate_flow
from plait.flow.parameters import Parameter
from plait.flow.spec import FlowSpec
from plait.flow.step import step
from plait.hooks.flow import FlowChecked, FlowDecorator, RunPlanned, RunTraits
from plait.hooks.step import BadDecorator
from plait.plugins.project import project
from plait.plugins.retry import retry


class Note(FlowDecorator):
    """Keeps what it was asked."""

    name: ClassVar[str] = "note"
    defaults: ClassVar[Mapping[str, Any]] = {"text": "none"}
    asked: ClassVar[list[FlowChecked]] = []

    def check(self, event: FlowChecked) -> Iterable[Finding]:
        """Find fault with one text."""
        self.asked.append(event)
        if self.attributes["text"] == "wrong":
            yield Finding("bad-note", "the note is wrong", where=self.where)


note = decorate_flow(Note)


class Plain(FlowSpec):
    a = Parameter("a", default=1)

    @step
    def start(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None: ...


def decorated(cls: type, **more: Any) -> list[tuple[str, Any]]:
    """Give the name and first attribute of each decorator of a flow."""
    found = read_definition(cls, **more).flow_decorators
    return [(one.name, next(iter(one.attributes.values()))) for one in found]


def test_a_flow_has_its_decorators_and_those_of_its_bases() -> None:
    """Outermost first; its own takes the place of an inherited one of the same name."""

    @note
    @project(name="base")
    class Base(Plain): ...

    @project(name="own")
    class Own(Base): ...

    class Inherits(Own): ...

    assert decorated(Plain) == []
    assert decorated(Base) == [("note", "none"), ("project", "base")]
    assert decorated(Inherits) == [("project", "own"), ("note", "none")]


def test_a_decorator_is_asked_about_its_flow() -> None:
    """With the steps, the parameters and all decorators."""
    Note.asked.clear()

    @note(text="fine")
    @project(name="p")
    class Flow(Plain): ...

    read_definition(Flow)

    assert Note.asked == [FlowChecked("Flow", ("start", "end"), ("a",), ("note", "project"))]


def test_its_findings_come_with_all_others() -> None:
    """Of the check, and of attributes that it can't have."""

    @note(text="wrong")
    @project(name="NO")
    class Wrong(Plain): ...

    @note(txet="x")
    class Unknown(Plain): ...

    for cls, slugs in ((Wrong, ["bad-decorator", "bad-note"]), (Unknown, ["bad-decorator"])):
        with pytest.raises(InvalidFlow) as caught:
            read_definition(cls)
        assert sorted(found.slug for found in caught.value.findings) == slugs
        assert all(found.where is not None for found in caught.value.findings)


def test_configs_give_attributes() -> None:
    """By an expression, since the class stands below its decorators."""

    @note(text=config_expr("cfg.text"))
    class Flow(Plain):
        cfg = Config("cfg", default_value={"text": "configured"})

    assert decorated(Flow) == [("note", "configured")]


def test_with_puts_one_on_the_flow() -> None:
    """Unless the code has it already."""

    @project(name="code")
    class Flow(Plain): ...

    assert decorated(Plain, with_=["project:name=line", "retry"]) == [("project", "line")]
    assert decorated(Flow, with_=["project:name=line"]) == [("project", "code")]


def test_a_decorator_of_flows_belongs_on_a_class() -> None:
    """And gets its attributes by name; one of steps does not belong there."""
    with pytest.raises(MisplacedFlowDecorator, match="the function 'start'"):

        @note
        def start() -> None: ...

    with pytest.raises(BadDecorator, match="without the name of its attribute"):
        note("text")
    with pytest.raises(Exception, match="not on a step"):
        retry(Plain)
    assert repr(note) == "@note"


def test_the_base_gives_a_run_nothing() -> None:
    """What is not overridden does nothing."""
    made = FlowDecorator.__new__(FlowDecorator)

    assert made.plan_run(RunPlanned("Flow", "ada")) == RunTraits()
    assert list(made.check(FlowChecked("Flow", (), (), ()))) == []
