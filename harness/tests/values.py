"""Templates about what artifacts hold: values of every type, large ones, and impossible ones."""

from plait_harness import FlowTest, steps


class ManyArtifacts(FlowTest):
    """Hundreds of artifacts of every built-in type come back with their values and types."""

    PRIORITY = 6
    HEADER = '''
import collections
import datetime
import decimal
import fractions
import math
import pathlib
import uuid


def make_values():
    """Give a value of many a type, by the name of the artifact that will hold it."""
    values = {
        "none": None,
        "true": True,
        "false": False,
        "zero": 0,
        "huge": -(7**400),
        "fraction": 0.1,
        "negative_zero": -0.0,
        "infinite": math.inf,
        "imaginary": 1 - 2j,
        "empty_text": "",
        "text": "grün 日本語 🐍 \\n\\t\\x00 \\\\ ' \\"",
        "lone_surrogate": "\\udc80",
        "empty_bytes": b"",
        "all_bytes": bytes(range(256)),
        "changeable_bytes": bytearray(b"abc"),
        "pair": (1, ("a", [None])),
        "deep": [[[[[[]]]]], {"a": {"b": {1: {2.5: {None: {(): "end"}}}}}}],
        "mixed_keys": {1: "a", "1": "b", (1,): "c", None: "d"},
        "a_set": {1, 2, 3},
        "frozen": frozenset({1, (2, 3)}),
        "a_range": range(3, 30, 4),
        "a_slice": slice(1, None, 2),
        "a_type": collections.OrderedDict,
        "a_function": math.sqrt,
        "a_date": datetime.date(2024, 2, 29),
        "a_time": datetime.datetime(2024, 2, 29, 12, 0, 0, 1, datetime.timezone.utc),
        "a_span": datetime.timedelta(days=-1, microseconds=1),
        "a_decimal": decimal.Decimal("1.10"),
        "a_ratio": fractions.Fraction(1, 3),
        "a_path": pathlib.PurePosixPath("/a/b c"),
        "a_uuid": uuid.UUID(int=5),
        "a_counter": collections.Counter("abca"),
        "a_queue": collections.deque([1, 2], maxlen=2),
        "an_error": KeyError("missing"),
    }
    values.update((f"number_{i:03d}", i) for i in range(200))
    return values


def describe(value):
    """Give what two values must share to be the same: errors have no equality of their own."""
    return (type(value), repr(value))
'''
    ONLY_GRAPHS = {
        "single-linear-step": "it is about values, and they pass from one task to the next here",
        "small-foreach": "they pass by reference through a foreach and by value out of its join",
    }

    @steps(0, ["start"])
    def step_start(self):
        for name, value in make_values().items():
            setattr(self, name, value)

    @steps(1, ["join"])
    def step_join(self):
        for name, value in make_values().items():
            for item in inputs:
                assert_equals(describe(value), describe(getattr(item, name)))
            setattr(self, name, getattr(inputs[0], name))

    @steps(2, ["all"])
    def step_all(self):
        for name, value in make_values().items():
            assert_equals(describe(value), describe(getattr(self, name)))

    def check_results(self, flow, checker):
        expected = {name: describe(value) for name, value in make_values().items()}
        for step in flow:
            for task in checker.tasks(step.name):
                for name, value in expected.items():
                    assert_equals((name, value), (name, describe(task.values[name])))


class LargeArtifact(FlowTest):
    """Values of megabytes, NumPy arrays among them, are kept, and changed in place by each task."""

    PRIORITY = 7
    HEADER = '''
import numpy

BLOB = bytes(range(256)) * 6_000


def make_array():
    return numpy.arange(300_000, dtype="float64")


def make_matrix():
    """Give a matrix that lies in memory column by column."""
    numbers = (numpy.arange(200_000) % 1_000).astype("int16")
    return numpy.asfortranarray(numbers.reshape(400, 500))


def is_whole(array):
    """Say whether an array is as made but for its first element."""
    return array.dtype == "float64" and numpy.array_equal(array[1:], make_array()[1:])
'''
    ONLY_GRAPHS = {
        "single-linear-step": "each case moves megabytes: this one from task to task",
        "two-way-branch": "each case moves megabytes: this one to two readers at once",
        "small-foreach": "each case moves megabytes: this one to the elements of a foreach",
    }

    @steps(0, ["start"])
    def step_start(self):
        self.position = ()
        self.array = make_array()
        self.matrix = make_matrix()
        self.blob = BLOB
        self.changes = 0

    @steps(1, ["join"])
    def step_join(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        for item in inputs:
            assert_equals(item.changes, int(item.array[0]))
            assert_equals(True, is_whole(item.array))
        if len(inputs):
            self.merge_artifacts(inputs, include=["blob", "matrix"])
            self.array = inputs[0].array
            self.changes = inputs[0].changes
        else:
            self.array, self.matrix, self.blob, self.changes = make_array(), make_matrix(), BLOB, 0
        self.array[0] += 1
        self.changes += 1

    @steps(2, ["all"])
    def step_all(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        assert_equals(self.changes, int(self.array[0]))
        assert_equals(True, is_whole(self.array))
        self.array[0] += 1
        self.changes += 1

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        for step in flow:
            checker.assert_tasks(step.name, predicted.counts[step.name])
            for task in checker.tasks(step.name):
                values = task.values
                path = predicted.lineages(predicted.task(step.name, *values["position"]))[0]
                # `start` makes the array; the join of an empty foreach makes it and changes it.
                changes = len(path) - (path[0].step == "start")
                assert_equals((changes, float(changes)), (values["changes"], values["array"][0]))
                assert_equals(True, is_whole(values["array"]))
                matrix = values["matrix"]
                assert_equals(("int16", True), (str(matrix.dtype), matrix.flags.f_contiguous))
                assert_equals(True, numpy.array_equal(matrix, make_matrix()))
                assert_equals(True, values["blob"] == BLOB)


class SeveralArrays(FlowTest):
    """Several arrays in one value are each what they were, and one that is there twice is one."""

    PRIORITY = 8
    HEADER = """
import numpy


def make_arrays():
    up, down = numpy.arange(20_000), numpy.arange(30_000)[::-1].copy()
    return {"up": up, "down": down, "again": up}
"""
    ONLY_GRAPHS = {"single-linear-step": "it is about one value, whichever task reads it"}

    @steps(0, ["start"])
    def step_start(self):
        self.arrays = make_arrays()

    @steps(1, ["all"])
    def step_all(self):
        self.arrays["up"][0] += 1
        assert_equals(True, self.arrays["again"] is self.arrays["up"])

    def check_results(self, flow, checker):
        for step in flow:
            changes = [each.name for each in flow].index(step.name)
            for task in checker.tasks(step.name):
                expected = make_arrays()
                expected["up"][0] += changes
                assert_equals(sorted(expected), sorted(task.values["arrays"]))
                for name, array in expected.items():
                    got = task.values["arrays"][name]
                    assert_equals((name, True), (name, numpy.array_equal(array, got)))


class UnpicklableArtifact(FlowTest):
    """A value that can't be kept fails its task, and the message has its name, type and place."""

    PRIORITY = 8
    SHOULD_FAIL = True
    ONLY_GRAPHS = {
        "start-end": "what it says does not depend on the graph: here the last step fails",
        "small-foreach": "what it says does not depend on the graph: here it fails after a join",
    }

    @steps(0, ["end"], required=True)
    def step_end(self):
        self.harmless = "fine"
        self.broken = {"models": [1, {"loss": lambda x: x}]}

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_status("failed")
        for said in ("'broken'", "function", "['models'][1]['loss']", "/end/"):
            assert_equals((said, True), (said, said in checker.console))
        assert_equals(
            [True], ["broken" in log for log in checker.log_dict("end", "stderr").values()]
        )
        # Nothing of an attempt that failed is shown as its result.
        assert_equals(False, any("broken" in t.values for t in checker.tasks("end")))
