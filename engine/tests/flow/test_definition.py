"""Reading a flow class, with everything that is wrong with it at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from plait.base.errors import Finding, InvalidFlow
from plait.flow.decorate import decorate, parse_with
from plait.flow.definition import NotAFlow, read_definition
from plait.flow.parameters import Parameter
from plait.flow.plans import plan_attempts
from plait.flow.spec import FlowSpec
from plait.flow.step import step
from plait.hooks.step import AttemptPlan, StepChecked, StepDecorator
from plait.plugins.catch import catch
from plait.plugins.retry import Retry, retry


class Mixin:
    """Steps and data that more than one flow has."""

    shared = Parameter("shared", default=1)
    folder = "data"

    def helper(self) -> None: ...

    @step
    def end(self) -> None: ...


class Good(Mixin, FlowSpec):
    """A flow."""

    rate = Parameter("rate", default=0.5)
    sizes: ClassVar[list[int]] = [1, 2]
    folder = "other"
    _private = "not an artifact"
    Nested = dict
    module = os

    @property
    def total(self) -> int:
        return 3

    @staticmethod
    def static() -> None: ...

    @classmethod
    def of_class(cls) -> None: ...

    @catch(var="failure")
    @retry(times=2)
    @step
    def start(self) -> None:
        self.next(self.end)  # type: ignore[attr-defined]  # the mixin has it


def test_a_flow_is_read() -> None:
    """Parameters and data of base classes first, and every step with its decorators."""
    definition = read_definition(Good)

    assert definition.cls is Good
    assert definition.name == "Good"
    assert definition.file == __file__
    assert list(definition.graph.nodes) == ["start", "end"]
    assert list(definition.parameters) == ["shared", "rate"]
    assert definition.constants == {"folder": "other", "sizes": [1, 2]}
    assert [d.name for d in definition.decorators["start"]] == ["catch", "retry"]
    assert definition.decorators["end"] == ()
    assert definition.plans == {
        "start": AttemptPlan(retries=2, minutes_between=2.0, fallback=True),
        "end": AttemptPlan(),
    }


def test_with_adds_decorators_where_the_code_has_none() -> None:
    """Those in the code win; each step has an instance of its own."""
    definition = read_definition(Good, with_=["retry:times=1", "catch"])

    start, end = definition.decorators["start"], definition.decorators["end"]
    assert [(d.name, d.attributes["times"]) for d in start if isinstance(d, Retry)] == [
        ("retry", 2)
    ]
    assert [d.name for d in end] == ["retry", "catch"]
    assert definition.plans["end"] == AttemptPlan(1, 2.0, fallback=True)


def test_reading_a_flow_leaves_its_class_as_it_was() -> None:
    """It can be read again, with other decorators."""
    before = dict(vars(Good))
    read_definition(Good, with_=["retry"])

    assert dict(vars(Good)) == before
    assert read_definition(Good).plans["end"] == AttemptPlan()


@pytest.mark.parametrize("given", [3, "Good", FlowSpec, dict, Good(use_cli=False)])
def test_what_is_no_flow_is_refused(given: Any) -> None:
    """With what a flow is."""
    with pytest.raises(NotAFlow, match="derived from FlowSpec") as caught:
        read_definition(given)
    (found,) = caught.value.findings
    assert found.fix == "write class MyFlow(FlowSpec), and call it as MyFlow()"


def findings(cls: type, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFlow) as caught:
        read_definition(cls, **more)
    placed = [f for f in caught.value.findings if f.slug != "fixed-name"]  # data has no line
    assert more or all(f.where is not None for f in placed)
    return [(f.slug, f.what) for f in caught.value.findings]


def test_findings_of_all_kinds_are_given_together() -> None:
    """Of the graph, the parameters, the decorators and the names."""

    class Bad(FlowSpec):
        tag = Parameter("tag")
        input = [1]  # noqa: RUF012  # what a user would write

        @retry(tims=1)  # type: ignore[call-overload]  # the mistake that is tested
        @step
        def start(self) -> None:
            self.next(self.stop)  # type: ignore[attr-defined]  # the mistake that is tested

        @retry
        @retry
        @step
        def end(self) -> None: ...

        @catch
        def helper(self) -> None: ...

    slugs = {slug for slug, _ in findings(Bad)}
    assert slugs >= {
        "unknown-target",
        "reserved-parameter-name",
        "fixed-name",
        "bad-decorator",
        "duplicate-decorator",
        "misplaced-decorator",
    }


def test_one_decorator_twice_is_found() -> None:
    """Which of them would count could only be guessed."""

    class Twice(Good):
        @retry(times=1)
        @retry(times=2)
        @step
        def start(self) -> None:
            self.next(self.end)  # type: ignore[attr-defined]  # the mixin has it

    assert findings(Twice) == [("duplicate-decorator", "step 'start' has @retry twice")]


def test_a_decorator_without_step_is_found() -> None:
    """The method would never run."""

    class Half(Good):
        @retry
        def work(self) -> None: ...

    assert findings(Half) == [
        ("misplaced-decorator", "@retry is on method 'work', which is not a step")
    ]


def test_one_with_given_twice_is_found() -> None:
    """The same as in the code."""
    assert findings(Good, with_=["catch", "catch"]) == [
        ("duplicate-decorator", "step 'end' has @catch twice")
    ]


@pytest.mark.parametrize(
    ("times", "caught", "attempts"), [(5, False, 6), (4, True, 6), (6, False, 7), (5, True, 7)]
)
def test_there_are_at_most_six_attempts(times: int, *, caught: bool, attempts: int) -> None:
    """The fallback of `@catch` is one of them."""
    with_ = [f"retry:times={times}", *(["catch"] if caught else [])]

    class Plain(Mixin, FlowSpec):
        @step
        def start(self) -> None:
            self.next(self.end)  # type: ignore[attr-defined]  # the mixin has it

    if attempts <= 6:
        assert read_definition(Plain, with_=with_).plans["start"].retries == times
    else:
        assert findings(Plain, with_=with_) == [
            ("too-many-attempts", f"step '{name}' would have up to 7 attempts")
            for name in ("end", "start")
        ]
        with pytest.raises(InvalidFlow) as refused:
            read_definition(Plain, with_=with_)
        assert all(f.where and f.where.line for f in refused.value.findings)


class Patient(StepDecorator):
    """Waits longer and tries less often."""

    name: ClassVar[str] = "patient"
    defaults: ClassVar[Mapping[str, Any]] = {}
    allow_multiple: ClassVar[bool] = True
    seen: ClassVar[list[StepChecked]] = []

    def check(self, event: StepChecked) -> Iterator[Finding]:
        self.seen.append(event)
        if event.step == "end":
            yield Finding("not-at-the-end", "@patient is on 'end'", where=event.where)

    def plan_attempts(self) -> AttemptPlan:
        return AttemptPlan(retries=1, minutes_between=10)


def test_the_decorator_with_most_retries_says_how_many() -> None:
    """They are not added up, because each was written without knowing of the others."""
    decorators = [Patient(), parse_with("retry:times=3,minutes_between_retries=1"), Patient()]

    assert plan_attempts(decorators) == AttemptPlan(3, 1.0)
    assert plan_attempts([]) == AttemptPlan()


def test_decorators_check_each_step_that_they_are_on() -> None:
    """They are told what is known of it, and what they say is a finding."""
    patient = decorate(Patient)
    Patient.seen.clear()

    class Checked(FlowSpec):
        rate = Parameter("rate", default=0.5)

        @patient
        @patient
        @step
        def start(self) -> None:
            self.items = [1]
            self.next(self.work, foreach="items")

        @step
        def work(self) -> None:
            self.next(self.join)

        @step
        def join(self, inputs: Any) -> None:
            self.next(self.end)

        @patient
        @step
        def end(self) -> None: ...

    assert findings(Checked) == [("not-at-the-end", "@patient is on 'end'")]
    first, _, last = Patient.seen
    assert first.where is not None
    assert first == StepChecked(
        flow="Checked",
        step="start",
        transition="foreach",
        is_join=False,
        decorators=("patient", "patient"),
        where=first.where,
        steps=("start", "work", "join", "end"),
        parameters=("rate",),
    )
    assert (last.step, last.transition, last.is_join) == ("end", "", False)


def test_a_step_over_a_parameter_of_a_base_class_is_found() -> None:
    """The parameter would be gone without a word."""

    class Over(Good):
        @step
        def rate(self) -> None:  # type: ignore[override]  # the mistake that is tested
            self.next(self.end)  # type: ignore[attr-defined]  # the mixin has it

        @step
        def start(self) -> None:
            self.next(self.rate)

    assert findings(Over) == [("step-is-parameter", "'rate' is both a step and a Parameter")]


def test_with_leaves_out_steps_that_cannot_have_it() -> None:
    """A foreach split can't have @catch; the other steps get it all the same."""

    class Fans(FlowSpec):
        @step
        def start(self):
            self.items = [1]
            self.next(self.work, foreach="items")

        @step
        def work(self):
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass

    decorators = read_definition(Fans, with_=["catch"]).decorators
    assert {name: len(found) for name, found in decorators.items()} == {
        "start": 0, "work": 1, "join": 1, "end": 1,
    }  # fmt: skip


def test_with_that_no_step_can_have_is_refused_with_the_reason() -> None:
    """Otherwise it would be ignored without a word."""
    assert {slug for slug, _ in findings(Good, with_=["catch:var=rate"])} == {"catch-var-taken"}


class Raising:
    """Raises whatever it is asked for, as proxies of things that are not there do."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_a_class_attribute_may_be_anything() -> None:
    """What raises for every attribute is data like any other, and so is what has every one."""
    from unittest.mock import MagicMock

    class AnyData(FlowSpec):
        proxy = Raising()
        mock = MagicMock()

        @step
        def start(self) -> None:
            self.next(self.end)

        @step
        def end(self) -> None: ...

    definition = read_definition(AnyData)

    assert definition.constants == {"proxy": AnyData.proxy, "mock": AnyData.mock}
    assert [one.__name__ for one in AnyData(use_cli=False)] == ["start", "end"]
