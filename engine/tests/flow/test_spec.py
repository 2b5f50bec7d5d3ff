"""What a flow object offers, in a step and outside of one."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from plait.base.errors import shown_path
from plait.flow.errors import FixedName, OutsideRun
from plait.flow.parameters import Parameter
from plait.flow.spec import FlowSpec
from plait.flow.step import step
from plait.hooks import registry

HERE = shown_path(__file__)


class Base(FlowSpec):
    @step
    def start(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None: ...


class Hello(Base):
    """Says hello."""

    @step
    def greet(self) -> None:
        self.next(self.end)

    @step
    def start(self) -> None:
        self.next(self.greet)

    def helper(self) -> None: ...


@pytest.fixture
def flow(bench: Callable[..., Any]) -> Any:
    """A flow object in step `start`."""
    run = bench(Hello)
    return run.bind(run.order("start"))


def test_a_flow_object_answers_without_running() -> None:
    """Its name, its script and its steps."""
    hello = Hello(use_cli=False)

    assert hello.name == "Hello"
    assert hello.script_name == os.path.basename(__file__)
    assert [found.__name__ for found in hello] == ["start", "end", "greet"]
    assert (hello.index, hello.input, hello.foreach_stack()) == (None, None, [])
    assert repr(hello) == "<flow Hello: not running>"


def test_a_flow_of_no_file_names_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one that was made in a notebook."""
    monkeypatch.setattr("sys.argv", ["/somewhere/kernel.py"])
    made: Any = type("Made", (Hello,), {"__module__": "nowhere"})

    assert made(use_cli=False).script_name == "kernel.py"


def test_calling_the_class_runs_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is the last line of every script."""
    called: list[type] = []
    monkeypatch.setattr(registry, "_load", lambda target: called.append)

    Hello()

    assert called == [Hello]


def test_outside_of_a_run_an_object_is_a_plain_one() -> None:
    """Attributes can be set and deleted, and are missing in Python's own words."""
    hello: Any = Hello(use_cli=False)
    hello.x = 1
    del hello.x

    with pytest.raises(AttributeError, match="'Hello' object has no attribute 'x'"):
        hello.x  # noqa: B018  # the access is the act
    with pytest.raises(AttributeError):
        del hello.x


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda f: f.next(f.end), "self.next"),
        (lambda f: f.merge_artifacts([]), "self.merge_artifacts"),
    ],
)
def test_what_only_a_step_can_do_says_so(call: Callable[[Any], object], name: str) -> None:
    """A step that is called like a function does not go anywhere."""
    with pytest.raises(OutsideRun, match=f"{name} works only inside a step of a run"):
        call(Hello(use_cli=False))


def test_in_a_step_the_object_is_one_of_the_flow(flow: Any) -> None:
    """With the flow's name, documentation and methods."""
    assert isinstance(flow, Hello)
    assert type(flow).__name__ == "Hello"
    assert type(flow).__qualname__ == Hello.__qualname__
    assert type(flow).__module__ == __name__
    assert flow.__doc__ == "Says hello."
    assert flow.name == "Hello"
    assert flow.greet.__self__ is flow
    assert flow.greet.__func__ is Hello.greet
    assert type(flow).greet is Hello.greet
    assert [found.__name__ for found in flow] == ["start", "end", "greet"]
    assert repr(flow) == "<flow Hello: Hello/1/start/1 (attempt 0)>"


@pytest.mark.parametrize("name", ["greet", "start", "next", "merge_artifacts", "input", "index"])
def test_what_steps_need_cannot_be_an_artifact(flow: Any, name: str) -> None:
    """Overwriting a step would break the flow where nobody looks for it."""
    with pytest.raises(FixedName, match=f"self.{name} cannot be an artifact") as caught:
        setattr(flow, name, 3)
    (found,) = caught.value.findings
    assert (found.where and found.where.file) == HERE
    assert found.fix == f"use another name, such as self.{name}_value"
    assert isinstance(caught.value, AttributeError)
    with pytest.raises(AttributeError):
        delattr(flow, name)


def test_the_name_may_be_an_artifact(flow: Any) -> None:
    """Many things have one."""
    flow.name = "ada"
    flow.script_name = "x"

    assert (flow.name, flow.script_name) == ("ada", "x")


def test_the_name_of_an_earlier_step_is_seen_later(bench: Callable[..., Any]) -> None:
    """Although every flow has an attribute of that name."""

    class Named(Base):
        @step
        def start(self) -> None:
            self.name = "ada"
            self.next(self.end)

        @step
        def end(self) -> None:
            self.seen = self.name

    assert bench(Named).run()["seen"] == "ada"


def test_the_name_may_be_a_parameter_or_data_of_the_class(bench: Callable[..., Any]) -> None:
    """Then that is what it is, and not the flow's."""

    class ByParameter(Base):
        name = Parameter("name", default="ada")
        script_name = "mine"

        @step
        def start(self) -> None:
            self.seen = (self.name, self.script_name)
            self.next(self.end)

    assert bench(ByParameter).run()["seen"] == ("ada", "mine")


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_flow_object_cannot_be_copied(flow: Any, act: Callable[[Any], object]) -> None:
    """It stands for a task, of which there is one."""
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        act(flow)


def test_what_the_class_has_is_seen_on_the_class() -> None:
    """Properties give themselves, as Python's do."""
    assert Hello.index.__doc__
    assert Hello.input.__doc__
    assert Hello.name.__doc__ == "The flow's name."
