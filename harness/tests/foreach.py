"""Templates about foreach: elements, positions, stacks, and what may be fanned out over."""

from plait_harness import FlowTest, steps


class ForeachStack(FlowTest):
    """Every task knows its element, its position and all open foreaches; joins keep the order."""

    PRIORITY = 30
    SKIP_GRAPHS = {"foreach-width-1000": "WideForeach asks the same of it, and more"}

    @steps(0, ["join"])
    def step_join(self):
        self.stack = self.foreach_stack()
        self.at = (self.index, self.input)
        self.joined = [item.stack for item in inputs]

    @steps(1, ["foreach-inner"], required=True)
    def step_inner(self):
        self.stack = self.foreach_stack()
        self.at = (self.index, self.input)
        # Asking again gives the same, and what is given is the asker's own.
        self.foreach_stack().clear()
        assert_equals(self.stack, self.foreach_stack())

    @steps(2, ["all"])
    def step_all(self):
        self.stack = self.foreach_stack()
        self.at = (self.index, self.input)
        assert_equals(([], (None, None)), (self.stack, self.at))

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        for step in flow:
            expected = {t.position: t for t in predicted.of(step.name)}
            seen = {
                tuple(frame[0] for frame in t.values["stack"]): t for t in checker.tasks(step.name)
            }
            assert_equals(sorted(expected), sorted(seen))
            for position, task in expected.items():
                values = seen[position].values
                assert_equals([tuple(f) for f in task.stack], [tuple(f) for f in values["stack"]])
                assert_equals(list, type(values["stack"]))
                assert_equals((task.index, task.input), values["at"])
                if step.join:
                    stacks = [predicted.task(i.step, *i.position).stack for i in task.inputs]
                    assert_equals(
                        [[tuple(f) for f in stack] for stack in stacks],
                        [[tuple(f) for f in stack] for stack in values["joined"]],
                    )


class WideForeach(FlowTest):
    """A foreach over a thousand elements runs each once and joins them in order."""

    PRIORITY = 31
    ONLY_GRAPHS = {"foreach-width-1000": "it is about many elements"}

    @steps(0, ["foreach-split-wide"], required=True)
    def step_split(self):
        self.many = [f"element {i}" for i in range(1000)]

    @steps(1, ["foreach-inner-wide"], required=True)
    def step_inner(self):
        assert_equals(f"element {self.index}", self.input)
        assert_equals([(self.index, 1000, self.input)], self.foreach_stack())
        self.square = self.index**2

    @steps(2, ["foreach-join-wide"], required=True)
    def step_join(self):
        assert_equals(1000, len(inputs))
        assert_equals([i**2 for i in range(1000)], [item.square for item in inputs])
        assert_equals((0, 999**2), (inputs[0].square, inputs[-1].square))
        self.total = sum(item.square for item in inputs)

    @steps(3, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_tasks("inner", 1000)
        squares = list(checker.artifact_dict("inner", "square").values())
        assert_equals([i**2 for i in range(1000)], squares)
        checker.assert_artifact("end", "total", 332833500)


class _ForeachOver(FlowTest):
    """A foreach over another kind of collection than a list."""

    PRIORITY = 32
    ONLY_GRAPHS = {
        "small-foreach": "it is about the collection, and this graph has one of three elements"
    }

    @steps(1, ["foreach-inner-small"], required=True)
    def step_inner(self):
        self.element = self.input
        self.at = self.index
        assert_equals([(self.index, 3, self.input)], self.foreach_stack())
        assert_equals(ELEMENTS[self.index], self.input)
        assert_equals(type(ELEMENTS[self.index]), type(self.input))

    @steps(2, ["foreach-join-small"], required=True)
    def step_join(self):
        assert_equals([0, 1, 2], [item.at for item in inputs])
        assert_equals(list(ELEMENTS), [item.element for item in inputs])
        # The collection itself stays what it was, whatever its elements are handed out as.
        assert_equals([KIND] * 3, [type(item.arr).__name__ for item in inputs])

    @steps(3, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        elements = list(checker.artifact_dict("inner", "element").values())
        assert_equals([repr(e) for e in ELEMENTS], [repr(e) for e in elements])
        kinds = {type(value).__name__ for value in checker.artifact_dict("inner", "arr").values()}
        assert_equals({KIND}, kinds)


class ForeachOverTuple(_ForeachOver):
    """A foreach over a tuple, whose elements are of unlike types."""

    HEADER = "KIND = 'tuple'\nELEMENTS = (None, ('a', 'b'), 2.5)\n"

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        self.arr = (None, ("a", "b"), 2.5)


class ForeachOverText(_ForeachOver):
    """A foreach over a text takes its characters."""

    HEADER = "KIND = 'str'\nELEMENTS = ['a', 'ü', '日']\n"

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        self.arr = "aü日"


class ForeachOverBytes(_ForeachOver):
    """A foreach over bytes takes them as numbers."""

    HEADER = "KIND = 'bytes'\nELEMENTS = [0, 10, 255]\n"

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        self.arr = b"\x00\n\xff"


class ForeachOverRange(_ForeachOver):
    """A foreach over a range."""

    HEADER = "KIND = 'range'\nELEMENTS = [10, 8, 6]\n"

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        self.arr = range(10, 4, -2)


class ForeachOverDict(_ForeachOver):
    """A foreach over a dict takes its keys, in the order in which they were set."""

    HEADER = "KIND = 'dict'\nELEMENTS = ['z', 'a', 3]\n"

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        self.arr = {"z": 1, "a": 2, 3: 3}


class ForeachOverDeque(_ForeachOver):
    """A foreach over a collection of the standard library that is no sequence of its own kind."""

    HEADER = "import collections\nKIND = 'deque'\nELEMENTS = ['x', 'y', 'z']\n"

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        self.arr = collections.deque("xyz")


class ForeachOverNumpyArray(_ForeachOver):
    """A foreach over a NumPy array takes its elements, NumPy's own numbers."""

    HEADER = """
import numpy

KIND = "ndarray"
ELEMENTS = [numpy.int64(5), numpy.int64(6), numpy.int64(7)]
"""

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        self.arr = numpy.array([5, 6, 7], dtype="int64")


class ForeachOverPandasColumn(_ForeachOver):
    """A foreach over a column of a table takes its values, whatever the index."""

    HEADER = """
import pandas

KIND = "Series"
ELEMENTS = ["p", "q", "r"]
"""

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        import pandas

        self.arr = pandas.Series(["p", "q", "r"], index=[2, 0, 1])


class ForeachOverSet(FlowTest):
    """A foreach over a set, whose order differs between processes, gives each element to one task."""

    PRIORITY = 33
    ONLY_GRAPHS = {
        "small-foreach": "it is about the collection, and this graph has one of three elements"
    }

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        self.arr = {"one", "two", "three"}
        self.order = list(self.arr)

    @steps(1, ["foreach-inner-small"], required=True)
    def step_inner(self):
        assert_equals(self.order[self.index], self.input)
        self.element = self.input

    @steps(2, ["foreach-join-small"], required=True)
    def step_join(self):
        assert_equals(inputs[0].order, [item.element for item in inputs])
        assert_equals({"one", "two", "three"}, {item.element for item in inputs})

    @steps(3, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        order = checker.tasks("split")[0].values["order"]
        assert_equals(order, list(checker.artifact_dict("inner", "element").values()))


class ForeachElementsAreFixed(FlowTest):
    """What tasks do to the collection they came from changes no one's element."""

    PRIORITY = 34
    HEADER = """
ELEMENTS = [{"n": 0}, {"n": 1}, {"n": 2}]
"""
    ONLY_GRAPHS = {
        "small-foreach": "the bodies use the name of this graph's collection",
        "branch-in-foreach": "the bodies use the name of this graph's collection",
    }

    @steps(0, ["foreach"], required=True)
    def step_split(self):
        self.arr = [{"n": 0}, {"n": 1}, {"n": 2}]

    @steps(1, ["foreach-join"], required=True)
    def step_foreach_join(self):
        assert_equals(ELEMENTS, [item.first_seen for item in inputs])
        self.arr = [item.first_seen for item in inputs]

    @steps(2, ["branch-join"])
    def step_branch_join(self):
        assert_equals((self.index, ELEMENTS[self.index]), (self.index, self.input))
        self.merge_artifacts(inputs, include=["first_seen"])

    @steps(3, ["foreach-inner"], required=True)
    def step_inner(self):
        assert_equals(ELEMENTS[self.index], self.input)
        if not hasattr(self, "first_seen"):
            self.first_seen = dict(self.input)
        # The element is changed, and the collection cut and replaced: neither is seen again.
        self.input["n"] = "changed"
        self.arr = self.arr[:1]

    @steps(4, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_artifact("split", "arr", [{"n": 0}, {"n": 1}, {"n": 2}])
        checker.assert_artifact(flow["split"].targets[0], "arr", [{"n": 0}])


class ForeachOverNoCollection(FlowTest):
    """A foreach over what has no length fails its task, and says which artifact of which step."""

    PRIORITY = 35
    SHOULD_FAIL = True
    ONLY_GRAPHS = {"small-foreach": "it is about the collection, not about the graph"}

    @steps(0, ["foreach-split-small"], required=True)
    def step_split(self):
        self.arr = 5

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        for said in ("'split'", "'arr'", "int"):
            assert_equals((said, True), (said, said in checker.console))
        checker.assert_status("failed")
        assert_equals([], checker.tasks("inner"))


class TooManySplits(FlowTest):
    """A foreach wider than --max-num-splits fails its task, and says how wide it is and may be."""

    PRIORITY = 36
    SHOULD_FAIL = True
    RUN_OPTIONS = ["--max-num-splits", "2"]
    ONLY_GRAPHS = {"small-foreach": "any foreach of more than two elements shows it"}

    @steps(0, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        for said in ("split", "arr", "3", "--max-num-splits"):
            assert_equals((said, True), (said, said in checker.console))
        checker.assert_status("failed")
        assert_equals([], checker.tasks("inner"))
