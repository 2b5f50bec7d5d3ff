"""How parameters get their values, and what steps may do with them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Literal

import pytest

from plait.base.errors import shown_path
from plait.flow.definition import read_definition
from plait.flow.parameters import (
    DeployContext,
    InvalidParameters,
    Parameter,
    ParameterHelp,
    ReadOnlyParameter,
    describe,
    resolve_parameters,
)
from plait.flow.spec import FlowSpec
from plait.flow.step import step
from plait.flow.types import JSONType

HERE = shown_path(__file__)


class Color(Enum):
    RED = "red"
    BLUE = "blue"


def make_date(context: DeployContext) -> str:
    return f"{context.flow_name} {context.user_name} {context.parameter_name}"


class Train(FlowSpec):
    alpha = Parameter("alpha", default=0.01, help="Learning rate.")
    rounds = Parameter("max-rounds", type=int, required=True)
    color = Parameter("color", default=Color.RED)
    mode = Parameter("mode", type=Literal["fast", "good"], default="good")
    settings = Parameter("settings", type=JSONType, default='{"depth": 3}')
    names = Parameter("names", separator=",", default="ada,grace")
    dry = Parameter("dry", default=False)
    date = Parameter("date", default=make_date, show_default=True)
    note = Parameter("note")

    @step
    def start(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None: ...


TRAIN = read_definition(Train)


def resolve(environ: dict[str, str] | None = None, /, **given: object) -> dict[str, object]:
    return resolve_parameters(TRAIN, given, environ or {})


@pytest.fixture(autouse=True)
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as ada."""
    monkeypatch.setenv("PLAIT_USER", "ada")


def test_parameters_have_their_defaults() -> None:
    """Each as a value of its type, by the name that steps use."""
    assert resolve(max_rounds=1) == {
        "alpha": 0.01,
        "rounds": 1,
        "color": Color.RED,
        "mode": "good",
        "settings": {"depth": 3},
        "names": ["ada", "grace"],
        "dry": False,
        "date": "Train ada date",
        "note": None,
    }


def test_given_values_win_over_the_environment_over_the_default() -> None:
    """A variable that is empty counts as not set."""
    environ = {
        "PLAIT_RUN_ALPHA": "0.5",
        "PLAIT_RUN_MAX_ROUNDS": "7",
        "PLAIT_RUN_MODE": "",
        "PLAIT_RUN_DATE": "today",
    }
    values = resolve(environ, alpha="0.25", dry="yes", settings='["x"]', names="alan")

    assert values == {
        "alpha": 0.25,
        "rounds": 7,
        "color": Color.RED,
        "mode": "good",
        "settings": ["x"],
        "names": ["alan"],
        "dry": True,
        "date": "today",
        "note": None,
    }


def test_values_may_be_given_as_objects() -> None:
    """A program that starts a run need not write text."""
    values = resolve(
        None,
        **{"max-rounds": 3},
        alpha=1,
        color=Color.BLUE,
        settings={"a": (1,)},
        names=["x"],
        dry=True,
    )

    assert values["rounds"] == 3
    assert values["alpha"] == 1.0
    assert values["color"] is Color.BLUE
    assert values["settings"] == {"a": [1]}
    assert values["names"] == ["x"]
    assert values["dry"] is True


def test_the_environment_of_the_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no other is named."""
    monkeypatch.setenv("PLAIT_RUN_MAX_ROUNDS", "9")

    assert resolve_parameters(TRAIN, {})["rounds"] == 9


def test_everything_wrong_is_said_at_once() -> None:
    """Each with the name of the option or variable that it came from."""
    with pytest.raises(InvalidParameters) as caught:
        resolve({"PLAIT_RUN_COLOR": "RAD"}, alpha="much", dri="1", settings="{")

    found = {finding.slug: finding for finding in caught.value.findings}
    assert caught.value.exit_code == 2
    assert [finding.what for finding in caught.value.findings] == [
        "parameter 'alpha' cannot be 'much'",
        "parameter 'max-rounds' needs a value",
        "parameter 'color' cannot be 'RAD', from PLAIT_RUN_COLOR",
        "parameter 'settings' cannot be '{'",
        "flow 'Train' has no parameter 'dri'",
    ]
    assert found["missing-parameter"].fix == (
        "give a whole number: --max-rounds VALUE, or set PLAIT_RUN_MAX_ROUNDS"
    )
    assert found["unknown-parameter"].why == "did you mean 'dry'?"
    color = caught.value.findings[2]
    assert color.why == "'RAD' is not one of RED, BLUE; did you mean 'RED'?"
    assert color.fix == "set PLAIT_RUN_COLOR to one of RED, BLUE"


def test_a_long_value_is_shown_short() -> None:
    """A file pasted into an option does not fill the screen."""
    with pytest.raises(InvalidParameters) as caught:
        resolve(alpha="x" * 500, max_rounds=1)

    assert len(caught.value.findings[0].what) < 100


def make_flow(**parameters: Parameter) -> Any:
    members: dict[str, Any] = dict(parameters)
    return type("Made", (Train,), members)


def fail(context: DeployContext) -> str:
    raise RuntimeError(f"no {context.parameter_name} today")


@pytest.mark.parametrize(
    ("parameter", "why"),
    [
        (Parameter("x", default=fail), "RuntimeError: no x today"),
        (Parameter("x", default=lambda: 3), "TypeError: "),
        (Parameter("x", default=lambda context: "y", type=int), "'y' is not a whole number"),
        (Parameter("x", default=lambda context: 3), "3 (int) is not text"),
    ],
)
def test_a_default_function_that_fails_is_named(parameter: Parameter, why: str) -> None:
    """With what it raised, or what was wrong with what it gave."""
    definition = read_definition(make_flow(x=parameter))

    with pytest.raises(InvalidParameters) as caught:
        resolve_parameters(definition, {"max-rounds": 1}, {})

    (found,) = caught.value.findings
    assert found.slug == "parameter-default-failed"
    assert found.what == "the function that gives parameter 'x' its default failed"
    assert why in found.why
    assert (found.where and found.where.file) == HERE


@pytest.mark.parametrize(("gives", "value"), [(3, 3), ("4", 4), (None, None)])
def test_a_default_function_is_called_only_if_it_is_needed(gives: Any, value: object) -> None:
    """What it gives is converted as if it had been given."""
    calls = []

    def default(context: DeployContext) -> Any:
        calls.append(context)
        return gives

    definition = read_definition(make_flow(x=Parameter("x", type=int, default=default)))
    given = resolve_parameters(definition, {"max-rounds": 1, "x": "9"}, {})
    defaulted = resolve_parameters(definition, {"max-rounds": 1}, {})

    assert given["x"] == 9
    assert defaulted["x"] == value
    assert calls == [DeployContext("Made", "ada", "x")]


def test_required_means_nothing_beside_a_default() -> None:
    """A value is there already."""
    definition = read_definition(make_flow(x=Parameter("x", default=1, required=True)))

    assert resolve_parameters(definition, {"max-rounds": 1}, {})["x"] == 1


def test_a_parameter_describes_itself() -> None:
    """What a command line needs to offer it."""
    assert describe(Train.alpha) == ParameterHelp(
        name="alpha",
        attribute="alpha",
        env="PLAIT_RUN_ALPHA",
        words="a number",
        choices=(),
        default="0.01",
        help="Learning rate.",
        required=False,
    )
    assert describe(Train.rounds).required
    assert describe(Train.rounds).attribute == "rounds"
    assert describe(Train.color).choices == ("RED", "BLUE")
    assert describe(Train.color).default == "RED"
    assert describe(Train.settings).default == '{"depth": 3}'
    assert describe(Train.names).default == "ada,grace"
    assert describe(Train.date).default == "given by make_date()"
    assert describe(Train.note).default is None
    assert describe(Parameter("x", default=1, show_default=False)).default is None


def test_outside_a_run_a_parameter_is_itself() -> None:
    """On the class, and on an object that runs nothing."""
    assert isinstance(Train.alpha, Parameter)
    assert isinstance(Train(use_cli=False).alpha, Parameter)
    assert repr(Train.alpha) == "<Parameter 'alpha'>"


def test_steps_read_parameters_and_cannot_change_them(bench: Callable[..., Any]) -> None:
    """They have the value of the run in every task, joins too."""

    class Show(FlowSpec):
        rate = Parameter("learning-rate", default=0.5)
        options = Parameter("options", default={"a": 1})

        @step
        def start(self) -> None:
            self.seen = [self.rate]
            for change in (
                lambda: setattr(self, "rate", 1),
                lambda: delattr(self, "rate"),
            ):
                try:
                    change()
                except AttributeError as error:
                    self.seen.append(str(error))
            self.options["a"] = 2
            self.next(self.a, self.b)

        @step
        def a(self) -> None:
            self.next(self.join)

        @step
        def b(self) -> None:
            self.next(self.join)

        @step
        def join(self, inputs: Any) -> None:
            self.merge_artifacts(inputs)
            self.rates = [self.rate, *(i.rate for i in inputs)]
            self.unchanged = self.options
            self.next(self.end)

        @step
        def end(self) -> None: ...

    end = bench(Show, learning_rate="0.25").run()

    assert end["rate"] == 0.25
    assert end["rates"] == [0.25] * 3
    assert end["unchanged"] == {"a": 1}
    first, set_, deleted = end["seen"]
    assert first == 0.25
    assert "error[read-only-parameter]: a step cannot set parameter 'rate'" in set_
    assert HERE in set_
    assert "a step cannot delete parameter 'rate'" in deleted


def test_a_read_only_parameter_is_an_attribute_error() -> None:
    """As with anything else in Python that cannot be set; also outside a run."""
    with pytest.raises(ReadOnlyParameter):
        Train(use_cli=False).alpha = 1
    assert issubclass(ReadOnlyParameter, AttributeError)


def test_a_parameter_added_to_a_finished_class_is_found() -> None:
    """Python tells an attribute its name only in the class body."""
    flow = make_flow()
    flow.late = Parameter("late", default=1)
    definition = read_definition(flow)

    assert definition.parameters["late"].attribute == "late"
    assert resolve_parameters(definition, {"max-rounds": 1}, {})["late"] == 1
