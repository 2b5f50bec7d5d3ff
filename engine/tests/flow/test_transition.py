"""`self.next` at run time, against what the source says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plait.base.errors import PlaitError, shown_path
from plait.base.records import Transition, TransitionKind
from plait.flow.spec import FlowSpec
from plait.flow.step import step
from plait.flow.transition import (
    ForeachNotSized,
    MissingForeach,
    NextCalledTwice,
    NextTarget,
    TransitionMismatch,
)

HERE = shown_path(__file__)


class Ways(FlowSpec):
    @step
    def start(self) -> None:
        self.next(self.a, self.b)

    @step
    def a(self) -> None:
        self.items = [1, 2, 3]
        self.next(self.work, foreach="items")

    @step
    def work(self) -> None:
        self.next(self.inner)

    @step
    def inner(self, inputs: Any) -> None:
        self.next(self.join)

    @step
    def b(self) -> None:
        self.next(self.join)

    @step
    def join(self, inputs: Any) -> None:
        self.next(self.end)

    @step
    def end(self) -> None: ...

    def helper(self) -> None: ...


@pytest.fixture
def bound(bench: Callable[..., Any]) -> Callable[[str], Any]:
    """Give a flow object in a step of `Ways`."""
    run = bench(Ways)
    start = run.run_step("start")
    before = {"b": (start,), "a": (start,), "start": (), "end": (start,)}
    return lambda name: run.bind(run.order(name, *before[name]))


def error_of(call: Callable[[], object], kind: type[PlaitError]) -> Any:
    with pytest.raises(kind) as caught:
        call()
    (found,) = caught.value.findings
    assert found.where is not None
    assert found.where.file == HERE
    return found


def test_a_transition_is_recorded(bound: Callable[[str], Any]) -> None:
    """Its form, its targets in order and its foreach; the width comes at the end of the step."""
    start, a, b = bound("start"), bound("a"), bound("b")
    a.items = [1, 2, 3]

    start.next(start.a, start.b)
    a.next(a.work, foreach="items")
    b.next(b.join)

    assert start._plait.transition == Transition(TransitionKind.BRANCH, ("a", "b"))
    assert a._plait.transition == Transition(TransitionKind.FOREACH, ("work",), "items")
    assert a._plait.collect(a).transition.width == 3
    assert b._plait.transition == Transition(TransitionKind.LINEAR, ("join",))


@pytest.mark.parametrize(
    ("name", "call", "called"),
    [
        ("start", lambda f: f.next(f.b, f.a), "self.next(self.b, self.a)"),
        ("start", lambda f: f.next(f.a), "self.next(self.a)"),
        ("b", lambda f: f.next(f.end), "self.next(self.end)"),
        ("b", lambda f: f.next(f.join, foreach="x"), "self.next(self.join, foreach='x')"),
        ("a", lambda f: f.next(f.work, foreach="other"), "self.next(self.work, foreach='other')"),
        ("a", lambda f: f.next(f.work), "self.next(self.work)"),
    ],
)
def test_another_way_than_the_source_says_is_refused(
    bound: Callable[[str], Any], name: str, call: Callable[[Any], object], called: str
) -> None:
    """Both are shown, with the line of each."""
    flow = bound(name)
    found = error_of(lambda: call(flow), TransitionMismatch)

    node = flow._plait.node
    assert found.what == f"step '{name}' went elsewhere than it says: it called {called}"
    assert found.why.startswith(f"read at {HERE}:{node.next_line}: self.next(")


def test_end_goes_nowhere(bound: Callable[[str], Any]) -> None:
    """Even if something else calls `self.next` for it."""
    flow = bound("end")
    found = error_of(lambda: flow.next(flow.a), TransitionMismatch)

    assert found.why == "step 'end' was read as one without self.next"


def test_next_is_called_once(bound: Callable[[str], Any]) -> None:
    """The second call is the one that is named."""
    flow = bound("b")
    flow.next(flow.join)
    found = error_of(lambda: flow.next(flow.join), NextCalledTwice)

    assert found.what == "step 'b' called self.next a second time: self.next(self.join)"


@pytest.mark.parametrize(
    ("call", "what", "why"),
    [
        (lambda f: f.next(), "no step", "self.next was called without one"),
        (lambda f: f.next("join"), "'join'", "it is text; write self.join"),
        (lambda f: f.next("x"), "'x'", "it is text"),
        (lambda f: f.next(f.helper), "'helper'", "it is not marked by @step"),
        (lambda f: f.next(3), "3", "it is of type int, not a step"),
        (lambda f: f.next(f.a, condition="k"), "condition='k'", "given one dict of steps and"),
        (lambda f: f.next({"x": f.a}, f.b, condition="k"), "condition='k'", "and nothing else"),
        (lambda f: f.next({"x": f.a}, foreach="k"), "a dict of steps", "and nothing else"),
        (lambda f: f.next({"x": "a"}, condition="k"), "'a'", "it is text; write self.a"),
    ],
)
def test_only_steps_can_follow(
    bound: Callable[[str], Any], call: Callable[[Any], object], what: str, why: str
) -> None:
    """What else was given is shown."""
    flow = bound("b")
    found = error_of(lambda: call(flow), NextTarget)

    assert found.what == f"step 'b' cannot go on to {what}"
    assert why in found.why
    assert found.why == why or why.startswith(("given one", "and nothing"))


@pytest.mark.parametrize(
    ("value", "lacks", "fix"),
    [
        ((x for x in "ab"), "no length", "self.items = list(self.items)"),
        (iter([1]), "no length", "self.items = list(self.items)"),
        (3, "no length", "set self.items to a list"),
        (None, "no length", "set self.items to a list"),
        (type("Length", (), {"__len__": lambda self: 1})(), "no elements", "to a list"),
    ],
)
def test_a_foreach_has_to_be_over_something_that_can_be_counted(
    bound: Callable[[str], Any], value: Any, lacks: str, fix: str
) -> None:
    """The step, the artifact and its type are named, with the line to write."""
    flow = bound("a")
    flow.items = value
    found = error_of(lambda: flow.next(flow.work, foreach="items"), ForeachNotSized)

    assert found.what == "step 'a' cannot fan out over 'items'"
    assert found.why == f"it is of type {type(value).__name__}, which has {lacks}"
    assert fix in found.fix


def test_an_array_of_no_dimension_cannot_be_counted(bound: Callable[[str], Any]) -> None:
    """Though its type has a length."""
    np = pytest.importorskip("numpy")
    flow = bound("a")
    flow.items = np.array(3)

    error_of(lambda: flow.next(flow.work, foreach="items"), ForeachNotSized)


def test_a_foreach_over_what_is_not_set_names_the_nearest(bound: Callable[[str], Any]) -> None:
    """A typing mistake shows."""
    flow = bound("a")
    flow.itms = [1]
    found = error_of(lambda: flow.next(flow.work, foreach="items"), MissingForeach)

    assert found.what == "step 'a' fans out over 'items', which is not set"
    assert found.why == "did you mean 'itms'?"
