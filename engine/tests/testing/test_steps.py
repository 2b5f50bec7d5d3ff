"""`run_step`: one step's code on values that a test gives."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from plait import Config, FlowSpec, Parameter, catch, current, retry, step
from plait.base.errors import InvalidFlow
from plait.base.records import TransitionKind
from plait.flow.parameters import InvalidParameters
from plait.testing import BadStepSetting, StepFailed, StepResult, WhichFlow, run_step


class Shop(FlowSpec):
    """A foreach in a foreach, with branches inside."""

    rate = Parameter("exchange-rate", default=2)
    log: ClassVar = ["opened"]

    @step
    def start(self):
        """Fan out."""
        self.regions = ["north", "south"]
        self.log.append("started")
        self.next(self.region, foreach="regions")

    @step
    def region(self):
        """Fan out again, over what is no list."""
        self.shops = {self.input: 1}
        self.next(self.shop, foreach="shops")

    @catch(var="failure", print_exception=False)
    @retry(times=1)
    @step
    def shop(self):
        """Divide the way."""
        self.stack = self.foreach_stack()
        self.at = (self.index, self.input, current.retry_count, current.step_name)
        if self.input == "fail":
            raise ValueError("told to")
        self.next(self.a, self.b)

    @step
    def a(self):
        """Change a thing in place."""
        self.items.append("a")
        self.next(self.both)

    @step
    def b(self):
        """Leave what is no result."""
        self.bad = self.what
        self.next(self.both)

    @step
    def both(self, inputs):
        """Join branches."""
        self.items = (inputs.a.items, inputs.b.items)
        self.element = self.input
        self.next(self.shops_done)

    @step
    def shops_done(self, inputs):
        """Join the inner foreach."""
        self.total = [i.x * self.rate for i in inputs]
        self.where = [i.index for i in inputs]
        self.region_name = self.input
        self.next(self.end_of_all)

    @step
    def end_of_all(self, inputs):
        """Join the outer foreach."""
        self.merge_artifacts(inputs)
        self.next(self.end)

    @step
    def end(self):
        """Say nothing."""


class Base(FlowSpec):
    """No flow of its own: it lacks an end."""

    @step
    def start(self):
        """Begin."""
        self.name_of = type(self).__name__
        self.next(self.end)


class One(Base):
    """A flow."""

    @step
    def end(self):
        """End."""


class Two(One):
    """Another."""


def test_what_a_step_sets_and_where_it_goes() -> None:
    """Class attributes that it changed are among it, parameters are not."""
    result = run_step(Shop.start)

    assert result.artifacts == {"regions": ["north", "south"], "log": ["opened", "started"]}
    assert (result.next, result.elements) == (("region",), ("north", "south"))
    assert result.transition is not None
    assert result.transition.kind is TransitionKind.FOREACH
    assert (result.successful, result.failure, result.handled) == (True, None, None)
    assert result["regions"] == ["north", "south"]


def test_one_step_after_another() -> None:
    """What is visible after one is what the next one finds; and each has values of its own."""
    first = run_step(Shop.start)
    second = run_step(Shop.region, artifacts=first.visible, input="north")

    assert second.artifacts == {"shops": {"north": 1}}
    assert second.visible == {**first.visible, **second.artifacts}
    assert second.elements == ("north",)

    items: list[str] = []
    changed = run_step(Shop.a, artifacts={"items": items, "same": (1,)})
    assert changed.artifacts == {"items": ["a"]}
    assert items == []


def test_the_place_in_a_foreach() -> None:
    """By input and index, or all of it; without, it is the first and None."""
    plain = run_step(Shop.shop)
    one = run_step(Shop.shop, input="x", index=2, attempt=1)
    whole = run_step(Shop.shop, foreach_stack=[(1, 2, "south"), (0, 3, "y")])

    assert plain["stack"] == [(0, 1, None), (0, 1, None)]
    assert one["stack"] == [(0, 1, None), (2, 3, "x")]
    assert one["at"] == (2, "x", 1, "shop")
    assert whole["stack"] == [(1, 2, "south"), (0, 3, "y")]
    assert whole.next == ("a", "b")


def test_the_join_of_a_foreach() -> None:
    """Inputs in order, results among them, or none at all."""
    left = StepResult("shop", {}, {"x": 5})
    some = run_step(Shop.shops_done, inputs=[{"x": 1}, left], parameters={"rate": 10}, input="w")
    none = run_step(Shop.shops_done, inputs=[])

    assert some.artifacts == {"total": [10, 50], "where": [0, 1], "region_name": "w"}
    assert none["total"] == []


def test_the_join_of_branches() -> None:
    """By the names of the steps before it, or in their order."""
    named = run_step(Shop.both, inputs={"b": {"items": 2}, "a": {"items": 1}}, input="e")
    ordered = run_step(Shop.both, inputs=[{"items": 1}, {"items": 2}])

    assert named.artifacts == {"items": (1, 2), "element": "e"}
    assert ordered["items"] == (1, 2)


def test_parameters_by_either_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are not given have their defaults, whatever the environment says."""
    monkeypatch.setenv("PLAIT_RUN_EXCHANGE_RATE", "99")

    for given, total in ({}, 2), ({"rate": 3}, 3), ({"exchange-rate": "4"}, 4):
        assert run_step(Shop.shops_done, inputs=[{"x": 1}], parameters=given)["total"] == [total]
    with pytest.raises(InvalidParameters, match="did you mean 'exchange-rate'"):
        run_step(Shop.start, parameters={"exchange_rates": 1})


def test_what_a_step_raises_is_raised() -> None:
    """The object itself; or it is a fact, beside what had been set."""
    with pytest.raises(ValueError, match="told to"):
        run_step(Shop.shop, input="fail")

    result = run_step(Shop.shop, input="fail", raises=False)
    assert not result.successful
    assert result.failure is not None
    assert result.failure.summary == "ValueError: told to"
    assert result["at"] == (0, "fail", 0, "shop")
    assert result.next == ()


def test_decorators_take_part_if_asked() -> None:
    """Then a failure may be dealt with."""
    result = run_step(Shop.shop, input="fail", decorators=True)

    assert result.successful
    assert result.handled is not None
    assert result["failure"].type == "ValueError"
    assert result.next == ("a", "b")


def test_what_is_left_is_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    """An artifact that cannot be stored fails a step that raised nothing."""
    with pytest.raises(AttributeError, match="what"):
        run_step(Shop.b)

    class Bad(FlowSpec):
        @step
        def start(self):
            self.x = lambda: None
            self.next(self.end)

        @step
        def end(self):
            pass

    with pytest.raises(StepFailed, match="step 'start' failed: UnpicklableArtifact") as caught:
        run_step(Bad.start)
    assert caught.value.failure.summary.startswith("UnpicklableArtifact")
    assert "unpicklable-artifact" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("function", "given", "words"),
    [
        (Shop.start, {"artifacts": {"x": 1}}, "nothing is before it"),
        (Shop.start, {"input": None}, "it is in no foreach"),
        (Shop.a, {"inputs": []}, "it is not a join"),
        (Shop.both, {"artifacts": {}}, "a join finds only what its inputs hold"),
        (Shop.both, {}, "give inputs={'step'"),
        (Shop.shops_done, {}, r"give inputs=\[\{"),
        (Shop.shops_done, {"inputs": {"both": {}}}, "inputs by name"),
        (Shop.both, {"inputs": {"a": {}, "bb": {}}}, "did you mean 'b'"),
        (Shop.both, {"inputs": {"a": {}}}, "with 1 inputs"),
        (Shop.both, {"inputs": [{}, {}, {}]}, "with 3 inputs"),
        (Shop.shop, {"input": 1, "foreach_stack": []}, "both input and foreach_stack"),
        (Shop.shop, {"foreach_stack": [(0, 1, 1)]}, "it is in 2: start, region"),
        (Shop.shop, {"foreach_stack": [(0, 1, 1), (3, 2, 1)]}, "index 3 of 2"),
    ],
)
def test_what_a_step_cannot_have(function: Any, given: dict[str, Any], words: str) -> None:
    """Each says what the step is, and what to give instead."""
    with pytest.raises(BadStepSetting, match=words):
        run_step(function, **given)


def test_which_flow_a_step_is_of() -> None:
    """The one that defines it, else the one that is named, or that an object is of."""
    with pytest.raises(WhichFlow, match="inherited by One, Two"):
        run_step(Base.start)
    assert run_step(Base.start, flow=Two)["name_of"] == "Two"
    assert run_step(One(use_cli=False).start)["name_of"] == "One"
    assert run_step(Two.end).step == "end"
    with pytest.raises(WhichFlow, match="'len' is not a step"):
        run_step(len)
    with pytest.raises(InvalidFlow):
        run_step(Base.start, flow=Base)


def test_configs_may_be_given_and_are_no_artifacts():
    """A step sees them as in a run; what is not given has its default."""

    class Tuned(FlowSpec):
        cfg = Config("cfg", default_value={"rate": 1})

        @step
        def start(self):
            self.rate = self.cfg.rate
            self.next(self.end)

        @step
        def end(self):
            pass

    assert run_step(Tuned.start).artifacts == {"rate": 1}
    given = run_step(Tuned.start, configs={"cfg": {"rate": 2}})
    assert (given["rate"], "cfg" in given.visible) == (2, False)
