"""Templates about parameters: every type, every place they come from, and that they stay."""

from plait_harness import FlowTest, steps

_ALIKE = {
    "diamond-of-diamonds": "many times the same as join-splits",
    "eight-way-nested-branches": "many times the same as unequal-branches",
    "foreach-width-1": "the same as small-foreach but for the joins, which others look at",
    "foreach-width-1000": "a thousand times the same as small-foreach",
    "inner-width-0-for-all": "the same as inner-width-0-for-some but for the joins",
    "long-chain": "fifty times the same as linear",
    "nested-foreach-same-name": "the same as three-level-foreach but for the stack",
    "wide-branch": "twenty times the same as two-way-branch",
}

_SHAPES = {
    "single-linear-step": "parameters are the same in every task: here from task to task",
    "two-way-branch": "parameters are the same in every task: here in branches and their join",
    "foreach-width-0": "parameters are the same in every task: here in a join without inputs",
    "three-level-foreach": "parameters are the same in every task: here deep in foreaches",
    "foreach-in-branch": "parameters are the same in every task: here in mixed splits",
}


class ParameterTypes(FlowTest):
    """Parameters of every type have their default's value and type, in every task and every join."""

    PRIORITY = 10
    HEADER = """
import http
from typing import Literal

EXPECTED = {
    "an_int": 42,
    "a_float": 2.5,
    "a_text": "grün & süß",
    "an_empty_text": "",
    "a_bool": True,
    "a_false_bool": False,
    "not_given": None,
    "some_json": {"a": [1, None, "ü"]},
    "json_of_text": [1, {"b": 2.5}],
    "some_list": ["a", "b c", "d"],
    "a_choice": "red",
    "a_method": http.HTTPMethod.POST,
    "computed": "computed",
}


def compute(context):
    return context.parameter_name
"""
    PARAMETERS = {
        "an_int": {"default": 42},
        "a_float": {"default": 2.5},
        "a_text": {"default": "'grün & süß'", "help": "'A text.'"},
        "an_empty_text": {"default": "''"},
        "a_bool": {"default": True},
        "a_false_bool": {"default": False},
        "not_given": {"default": None},
        "some_json": {"default": {"a": [1, None, "ü"]}, "type": "JSONType"},
        "json_of_text": {"default": "'[1, {\"b\": 2.5}]'", "type": "JSONType"},
        "some_list": {"default": "'a,b c,d'", "separator": "','"},
        "a_choice": {"default": "'red'", "type": "Literal['red', 'green']"},
        "a_method": {"default": "http.HTTPMethod.POST", "type": "http.HTTPMethod"},
        "computed": {"default": "compute"},
    }
    SKIP_GRAPHS = _ALIKE

    @steps(0, ["join"])
    def step_join(self):
        for name, value in EXPECTED.items():
            assert_equals((type(value), value), (type(getattr(self, name)), getattr(self, name)))
            assert_equals([value] * len(inputs), [getattr(item, name) for item in inputs])

    @steps(1, ["all"])
    def step_all(self):
        for name, value in EXPECTED.items():
            assert_equals((type(value), value), (type(getattr(self, name)), getattr(self, name)))

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                got = {name: task.values[name] for name in EXPECTED}
                assert_equals(EXPECTED, got)
                assert_equals(
                    {name: type(value) for name, value in EXPECTED.items()},
                    {name: type(value) for name, value in got.items()},
                )


class ParametersAreReadOnly(FlowTest):
    """A parameter can't be set, deleted or changed for the tasks after, in whatever step."""

    PRIORITY = 11
    PARAMETERS = {
        "number": {"default": 1},
        "table": {"default": {"a": [1]}, "type": "JSONType"},
    }
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["all"])
    def step_all(self):
        for name in ("number", "table"):
            assert_exception(lambda: setattr(self, name, 5), AttributeError)
            assert_exception(lambda: delattr(self, name), AttributeError)
        assert_equals((1, {"a": [1]}), (self.number, self.table))
        # Whatever this task does to the value, the next one finds it as it was given.
        self.table["a"].append(2)

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals((1, {"a": [1]}), (task.values["number"], task.values["table"]))


class ParametersFromCommandLine(FlowTest):
    """Values given on the command line are converted and win over defaults and the environment."""

    PRIORITY = 12
    HEADER = """
import http
from typing import Literal

EXPECTED = {
    "an_int": -7,
    "a_float": 1e-300,
    "a_text": "--two words, ünï 'quoted' \\"twice\\" $HOME",
    "empty": "",
    "a_bool": False,
    "some_json": {"k": [True, None, {"deep": "ü"}]},
    "some_list": ["x", " y", ""],
    "a_choice": "green",
    "a_method": http.HTTPMethod.DELETE,
    "required_one": 3,
    "computed": "given",
    "with_dashes": "found with its dashes",
}


def compute(context):
    raise AssertionError("a default is not asked for when a value is given")
"""
    PARAMETERS = {
        "an_int": {"default": 42},
        "a_float": {"type": "float"},
        "a_text": {"default": "'x'"},
        "empty": {"default": "'not empty'"},
        "a_bool": {"default": True},
        "some_json": {"type": "JSONType", "default": "'{}'"},
        "some_list": {"default": "'a;b'", "separator": "';'"},
        "a_choice": {"default": "'red'", "type": "Literal['red', 'green']"},
        "a_method": {"default": "http.HTTPMethod.POST", "type": "http.HTTPMethod"},
        "required_one": {"type": "int", "required": True},
        "computed": {"default": "compute", "type": "str"},
        "with-dashes": {"default": "'x'"},
    }
    ENV = {"PLAIT_RUN_AN_INT": "99", "PLAIT_RUN_REQUIRED_ONE": "98"}
    RUN_OPTIONS = [
        "--an_int=-7",
        "--a_float",
        "1e-300",
        "--a_text=--two words, ünï 'quoted' \"twice\" $HOME",
        "--empty",
        "",
        "--a_bool",
        "False",
        "--some_json",
        '{"k": [true, null, {"deep": "ü"}]}',
        "--some_list",
        "x; y;",
        "--a_choice",
        "green",
        "--a_method",
        "DELETE",
        "--required_one",
        "3",
        "--computed",
        "given",
        "--with-dashes",
        "found with its dashes",
    ]
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["all"])
    def step_all(self):
        for name, value in EXPECTED.items():
            assert_equals((type(value), value), (type(getattr(self, name)), getattr(self, name)))

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(EXPECTED, {name: task.values[name] for name in EXPECTED})


class ParametersFromEnvironment(FlowTest):
    """Values in PLAIT_RUN_<NAME> are converted, win over defaults, and lose to the command line."""

    PRIORITY = 13
    HEADER = """
EXPECTED = {
    "an_int": 7,
    "a_text": "from the environment, ünï",
    "a_bool": False,
    "some_json": [1, {"a": None}],
    "some_list": ["p", "q"],
    "required_one": 2.5,
    "both": "from the command line",
    "MixedCase": "found by its upper case name",
    "with_dashes": "found under underscores",
}
"""
    PARAMETERS = {
        "an_int": {"default": 42},
        "a_text": {"default": "'x'"},
        "a_bool": {"default": True},
        "some_json": {"type": "JSONType", "default": "'{}'"},
        "some_list": {"default": "'a,b'", "separator": "','"},
        "required_one": {"type": "float", "required": True},
        "both": {"default": "'from the default'"},
        "MixedCase": {"default": "'from the default'"},
        "with-dashes": {"default": "'from the default'"},
    }
    ENV = {
        "PLAIT_RUN_AN_INT": "7",
        "PLAIT_RUN_A_TEXT": "from the environment, ünï",
        "PLAIT_RUN_A_BOOL": "false",
        "PLAIT_RUN_SOME_JSON": '[1, {"a": null}]',
        "PLAIT_RUN_SOME_LIST": "p,q",
        "PLAIT_RUN_REQUIRED_ONE": "2.5",
        "PLAIT_RUN_BOTH": "from the environment",
        "PLAIT_RUN_MIXEDCASE": "found by its upper case name",
        "PLAIT_RUN_WITH_DASHES": "found under underscores",
    }
    RUN_OPTIONS = ["--both", "from the command line"]
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["all"])
    def step_all(self):
        for name, value in EXPECTED.items():
            assert_equals((type(value), value), (type(getattr(self, name)), getattr(self, name)))

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(EXPECTED, {name: task.values[name] for name in EXPECTED})


class DefaultIsAskedOnce(FlowTest):
    """A default that is a function is asked once per run, and every task has the same answer."""

    PRIORITY = 14
    HEADER = """
import uuid


def draw(context):
    return uuid.uuid4().hex


def describe(context):
    return f"{context.flow_name} {context.parameter_name} {bool(context.user_name)}"
"""
    PARAMETERS = {"drawn": {"default": "draw"}, "described": {"default": "describe"}}
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["start"])
    def step_start(self):
        self.seen = self.drawn

    @steps(1, ["join"])
    def step_join(self):
        assert_equals([self.drawn] * len(inputs), [item.drawn for item in inputs])
        self.seen = self.drawn

    @steps(2, ["all"])
    def step_all(self):
        assert_equals(self.seen, self.drawn)

    def check_results(self, flow, checker):
        drawn = {t.values["drawn"] for step in flow for t in checker.tasks(step.name)}
        assert_equals((1, {32}), (len(drawn), {len(value) for value in drawn}))
        checker.assert_artifact("end", "described", f"{checker.run.flow} described True")


class WrongParameter(FlowTest):
    """Values that can't be are all refused before anything runs, each by name."""

    PRIORITY = 15
    SHOULD_FAIL = 2
    PARAMETERS = {
        "an_int": {"default": 42},
        "some_json": {"type": "JSONType", "default": "'{}'"},
        "required_one": {"type": "str", "required": True},
    }
    RUN_OPTIONS = ["--an_int", "seven", "--some_json", "{broken"]
    ONLY_GRAPHS = {"start-end": "the command fails before the graph matters"}

    @steps(0, ["all"])
    def step_all(self):
        raise AssertionError("no task may run")

    def check_results(self, flow, checker):
        assert_equals(None, checker.run_id)
        for said in ("an_int", "seven", "some_json", "required_one"):
            assert_equals((said, True), (said, said in checker.console))
        assert_equals(False, "Traceback" in checker.console)
