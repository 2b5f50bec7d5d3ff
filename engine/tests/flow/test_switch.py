"""Switches at run time: the value of the condition chooses, or the message says what it may be."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from plait.base.errors import PlaitError, shown_path
from plait.base.records import Transition, TransitionKind
from plait.flow.parameters import Parameter
from plait.flow.spec import FlowSpec
from plait.flow.step import step
from plait.flow.transition import (
    MissingCondition,
    NextCalledTwice,
    NextNotCalled,
    NoSuchCase,
    TransitionMismatch,
)

HERE = shown_path(__file__)


class Size(StrEnum):
    BIG = "big"


class Choices(FlowSpec):
    mode = Parameter("mode", default="fast")

    @step
    def start(self) -> None:
        self.next(self.by_kind)

    @step
    def by_kind(self) -> None:
        self.next({"big": self.by_mode, 7: self.end, True: self.by_kind}, condition="kind")

    @step
    def by_mode(self) -> None:
        self.next({"fast": self.end, "slow": self.start_over}, condition="mode")

    @step
    def start_over(self) -> None:
        self.next(self.by_kind)

    @step
    def end(self) -> None: ...


@pytest.fixture
def bound(bench: Callable[..., Any]) -> Callable[..., Any]:
    """Give a flow object in a step of `Choices`, with artifacts set."""
    run = bench(Choices, mode="slow")

    def bind(name: str, **artifacts: object) -> Any:
        flow = run.bind(run.order(name))
        for artifact, value in artifacts.items():
            setattr(flow, artifact, value)
        return flow

    return bind


def choose(flow: Any) -> Any:
    """Call `self.next` as `by_kind` does, and give what came of it."""
    flow.next({"big": flow.by_mode, 7: flow.end, True: flow.by_kind}, condition="kind")
    return flow._plait.transition


def error_of(call: Callable[[], object], kind: type[PlaitError]) -> Any:
    with pytest.raises(kind) as caught:
        call()
    (found,) = caught.value.findings
    return found


@pytest.mark.parametrize(
    ("value", "target", "case"),
    [
        ("big", "by_mode", "big"),
        (Size.BIG, "by_mode", "big"),
        (7, "end", 7),
        (7.0, "end", 7),
        (True, "by_kind", True),
        (1, "by_kind", True),
    ],
)
def test_the_case_that_is_equal_is_chosen(
    bound: Callable[..., Any], value: object, target: str, case: object
) -> None:
    """Equal as Python sees it; the transition has the one step, and why."""
    went = choose(bound("by_kind", kind=value))

    assert went == Transition(TransitionKind.SWITCH, (target,), condition="kind", case=case)
    assert type(went.case) is type(case)


def test_values_of_numpy_choose(bound: Callable[..., Any]) -> None:
    """They are equal to plain ones, and what is kept is the plain one."""
    np = pytest.importorskip("numpy")

    assert choose(bound("by_kind", kind=np.int64(7))).targets == ("end",)
    assert choose(bound("by_kind", kind=np.str_("big"))).targets == ("by_mode",)
    assert choose(bound("by_kind", kind=np.bool_(True))).case is True


def test_a_parameter_chooses(bound: Callable[..., Any]) -> None:
    """Anything that a step can read as `self.NAME`."""
    flow = bound("by_mode")
    flow.next({"fast": flow.end, "slow": flow.start_over}, condition="mode")

    assert flow._plait.transition.targets == ("start_over",)


@pytest.mark.parametrize(
    ("value", "shown", "kind"),
    [
        ("tiny", "'tiny'", ""),
        (8, "8", ""),
        (None, "None", "NoneType"),
        (["big"], "['big']", "list"),
        ({"big"}, "{'big'}", "set"),
    ],
)
def test_a_value_that_is_no_case_is_refused(
    bound: Callable[..., Any], value: object, shown: str, kind: str
) -> None:
    """The value and the cases are named; of an odd value its type, too."""
    flow = bound("by_kind", kind=value)
    found = error_of(lambda: choose(flow), NoSuchCase)

    assert found.slug == "no-such-case"
    assert found.what == (f"the switch of step 'by_kind' has no case for 'kind', which is {shown}")
    assert "the cases are 'big', 7, True" in found.why
    assert (f"of type {kind}" in found.why) == bool(kind)
    assert shown in found.fix
    assert found.where.file == HERE


def test_an_array_is_no_case_and_a_long_value_is_cut(bound: Callable[..., Any]) -> None:
    """The message stays readable, whatever the value."""
    np = pytest.importorskip("numpy")

    found = error_of(lambda: choose(bound("by_kind", kind=np.zeros(5000))), NoSuchCase)
    assert len(found.what) < 160
    found = error_of(lambda: choose(bound("by_kind", kind="x" * 5000)), NoSuchCase)
    assert len(found.what) < 160


def test_a_condition_that_is_not_set_names_the_nearest(bound: Callable[..., Any]) -> None:
    """A typing mistake shows."""
    found = error_of(lambda: choose(bound("by_kind", kinds="big")), MissingCondition)

    assert found.what == "the switch of step 'by_kind' asks for 'kind', which is not set"
    assert found.why == "did you mean 'kinds'?"
    assert "one of 'big', 7, True" in found.fix


CALLS: list[tuple[Callable[[Any], object], str]] = [
    (lambda f: f.next({"big": f.end}, condition="kind"), "{'big': self.end}, condition='kind'"),
    (
        lambda f: f.next({"big": f.by_mode, 7: f.end, True: f.by_kind}, condition="other"),
        "{'big': self.by_mode, 7: self.end, True: self.by_kind}, condition='other'",
    ),
    (
        lambda f: f.next({"big": f.by_mode, 8: f.end, True: f.by_kind}, condition="kind"),
        "{'big': self.by_mode, 8: self.end, True: self.by_kind}, condition='kind'",
    ),
    (
        lambda f: f.next({"big": f.by_mode, 7: f.end, True: f.by_kind}),
        "{'big': self.by_mode, 7: self.end, True: self.by_kind}",
    ),
    (lambda f: f.next(f.end), "self.end"),
]


@pytest.mark.parametrize(("call", "shown"), CALLS)
def test_another_switch_than_the_source_says_is_refused(
    bound: Callable[..., Any], call: Callable[[Any], object], shown: str
) -> None:
    """Both are shown whole."""
    flow = bound("by_kind", kind="big", other="big")
    found = error_of(lambda: call(flow), TransitionMismatch)

    assert found.what.endswith(f"it called self.next({shown})")
    assert found.why.endswith(
        "self.next({'big': self.by_mode, 7: self.end, True: self.by_kind}, condition='kind')"
    )


def test_a_switch_is_called_once(bound: Callable[..., Any]) -> None:
    """The second call is shown as it stands in the source."""
    flow = bound("by_kind", kind=7)
    choose(flow)
    found = error_of(lambda: choose(flow), NextCalledTwice)

    assert "{'big': self.by_mode, 7: self.end, True: self.by_kind}" in found.what


def test_a_switch_cannot_be_made_up_for(bound: Callable[..., Any]) -> None:
    """Where a step would have gone whose code failed, nobody knows."""
    flow = bound("by_kind", kind="big")

    assert flow._plait.collect(flow, handled=True).transition is None
    found = error_of(lambda: flow._plait.collect(flow), NextNotCalled)
    assert "{'big': self.by_mode, 7: self.end, True: self.by_kind}" in found.why
