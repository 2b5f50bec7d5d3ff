"""A template that uses everything that rendering knows, for the gold files beside it."""

# ruff: noqa: F821, RUF012 - bodies are sources: what they name is in scope where they are rendered

from plait_harness import FlowTest, steps, tag


class Everything(FlowTest):
    """Parameters, files, class attributes, decorators, joins and a header are all rendered."""

    HEADER = '''
import math


class Point:
    """A class that artifacts are of."""

    def __init__(self, x):
        self.x = x


class Tuned:
    """What flows have in common."""

    rate = Parameter("rate", default=0.5)
'''
    PARAMETERS = {
        "alpha": {"default": 3, "help": "'A number.'"},
        "the-list": {"default": "'a,b'", "separator": "','"},
        "now": {"default": "lambda context: math.floor(1.5)", "type": "int"},
    }
    INCLUDE_FILES = {"notes": {"default": "'notes.txt'", "is_text": True}}
    CONFIGS = {
        "cfg": {"default_value": {"retries": 1, "spot": "somewhere"}},
        "second-one": {"default": "'second.toml'", "required": False},
    }
    FLOW_DECORATORS = ("project(name='gold')",)
    BASES = ("Tuned", "FlowSpec")
    CLASS_VARS = {"where": "'here'", "numbers": [1, 2]}
    REQUIRED_FILES = {"notes.txt": "some notes\n"}

    @steps(0, ["start"])
    @tag("retry(times=cfg.retries)")
    @tag('catch(var="failure")')
    def step_start(self):
        # What stands in a body comes as it is, comments too.
        self.point = Point(self.alpha)
        self.text = """two
lines"""
        if current.retry_count == 0:
            raise TestRetry("once")

    @steps(1, ["join"], required=True)
    def step_join(self):
        assert_equals([3, 3], [each.point.x for each in inputs])
        self.merge_artifacts(inputs)

    @steps(2, ["all"])
    def step_all(self):
        assert_exception(lambda: self.nothing, AttributeError)

    def check_results(self, flow, checker):
        expected = predict(flow.to_json()).counts
        for step in flow:
            checker.assert_tasks(step.name, expected[step.name])
        checker.assert_artifact("end", "point", None, fields={"x": 3})
        if checker.get_run() is None:
            raise NotOffered("the rest is about the client")
        assert_equals(True, isinstance(Run(checker.get_run().pathspec), Run))
