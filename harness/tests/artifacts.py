"""Templates about artifacts: set, changed, passed on, deleted, and read back."""

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


class BasicArtifact(FlowTest):
    """An artifact set in the first step is there in every step downstream."""

    PRIORITY = 0
    SKIP_GRAPHS = {"foreach-width-1000": "WideForeach asks the same of it, and more"}

    @steps(0, ["start"])
    def step_start(self):
        self.data = "abc"

    @steps(1, ["join"])
    def step_join(self):
        assert_equals(["abc"] * len(inputs), [i.data for i in inputs])
        # The join of an empty foreach is given nothing to take it from.
        self.data = inputs[0].data if len(inputs) else "abc"

    @steps(2, ["all"])
    def step_all(self):
        assert_equals("abc", self.data)

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        for step in flow:
            checker.assert_tasks(step.name, predicted.counts[step.name])
            if predicted.counts[step.name]:
                checker.assert_artifact(step.name, "data", "abc")


class ChangedInPlace(FlowTest):
    """A value changed in place is kept as changed, one changed in another task's copy is not."""

    PRIORITY = 1
    SKIP_GRAPHS = _ALIKE

    @steps(0, ["start"])
    def step_start(self):
        self.position = ()
        self.nested = {"list": [0], "set": {0}, "deep": [{"bytes": bytearray(b"x")}]}
        self.left_alone = {"list": [0]}

    @steps(1, ["join"])
    def step_join(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.nested = {"list": [0], "set": {0}, "deep": [{"bytes": bytearray(b"x")}]}
        items = list(inputs)
        for item in items:
            # What a join does to the values of its inputs stays in the join.
            item.left_alone["list"].append("changed by the join")
            item.nested["list"].append("changed by the join")
            assert_equals([0, "changed by the join"], item.left_alone["list"])
        if items:
            self.nested = items[0].nested
            assert_equals("changed by the join", self.nested["list"].pop())
        self.left_alone = {"list": [0]}
        self.nested["list"].append(len(self.nested["list"]))
        self.nested["set"].add(len(self.nested["set"]))
        self.nested["deep"][0]["bytes"] += b"x"

    @steps(2, ["all"])
    def step_all(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        assert_equals({"list": [0]}, self.left_alone)
        self.nested["list"].append(len(self.nested["list"]))
        self.nested["set"].add(len(self.nested["set"]))
        self.nested["deep"][0]["bytes"] += b"x"

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        for step in flow:
            checker.assert_tasks(step.name, predicted.counts[step.name])
            seen = []
            for task in checker.tasks(step.name):
                position = task.values["position"]
                # In a loop a step comes to one place several times.
                turn = seen.count(position)
                seen.append(position)
                path = predicted.lineages(predicted.task(step.name, *position, turn=turn))[0]
                size = len(path) + (path[0].step != "start")
                expected = {
                    "list": list(range(size)),
                    "set": set(range(size)),
                    "deep": [{"bytes": bytearray(b"x" * size)}],
                }
                assert_equals(expected, task.values["nested"])
                assert_equals({"list": [0]}, task.values["left_alone"])


class PassedByReference(FlowTest):
    """An artifact that no task changes is one and the same object of the store everywhere."""

    PRIORITY = 2
    SKIP_GRAPHS = {
        "foreach-width-1000": "a thousand times the same as small-foreach",
        "wide-branch": "twenty times the same as two-way-branch",
    }

    @steps(0, ["start"])
    def step_start(self):
        self.big = b"big" * 50_000
        self.small = {"k": [1, 2.5, None]}
        self.only_read = list(range(50))

    @steps(1, ["join"])
    def step_join(self):
        self.merge_artifacts(inputs, include=["big", "small", "only_read"] if len(inputs) else [])
        if not len(inputs):
            # Made anew, but equal: an equal value has an equal address.
            self.big = b"big" * 50_000
            self.small = {"k": [1, 2.5, None]}
            self.only_read = list(range(50))
        assert_equals(1225, sum(self.only_read))

    @steps(2, ["all"])
    def step_all(self):
        assert_equals(1225, sum(self.only_read))

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(b"big" * 50_000, task.values["big"])
                assert_equals({"k": [1, 2.5, None]}, task.values["small"])
                assert_equals(list(range(50)), task.values["only_read"])
        run = checker.get_run()
        if run is not None:
            for name in ("big", "small", "only_read"):
                facts = {
                    (task[name].sha, task[name].size, task[name].type)
                    for step in run
                    for task in step
                }
                assert_equals(1, len(facts))


class DeletedArtifact(FlowTest):
    """An artifact that a step deletes is gone from there on, and stays with the steps before."""

    PRIORITY = 3
    SKIP_GRAPHS = _ALIKE

    @steps(0, ["start"])
    def step_start(self):
        self.doomed = "still there"
        self.made_and_deleted = 1
        del self.made_and_deleted

    @steps(1, ["join"])
    def step_join(self):
        assert_equals([False] * len(inputs), [hasattr(item, "doomed") for item in inputs])
        self.merge_artifacts(inputs, exclude=["deleted_here", "items", "parts", "kind"])
        assert_equals(False, hasattr(self, "doomed"))

    @steps(2, ["all"])
    def step_all(self):
        assert_equals(False, hasattr(self, "made_and_deleted"))
        if hasattr(self, "doomed"):
            del self.doomed
            self.deleted_here = True
        else:
            self.deleted_here = False
        assert_exception(lambda: self.doomed, AttributeError)
        assert_exception(lambda: delattr(self, "doomed"), AttributeError)

    def check_results(self, flow, checker):
        checker.assert_artifact("start", "doomed", "still there")
        for step in flow:
            for names in checker.artifact_names(step.name).values():
                assert_equals(step.name == "start", "doomed" in names)
                assert_equals(False, "made_and_deleted" in names)
        for step in flow["start"].targets:
            is_first = flow["start"].kind != "switch" and "loop" not in flow[step].quals
            if checker.tasks(step) and not flow[step].join and is_first:
                checker.assert_artifact(step, "deleted_here", True)


class ArtifactNames(FlowTest):
    """Any name that Python allows for an attribute serves as the name of an artifact."""

    PRIORITY = 4
    HEADER = """
NAMES = ["größe", "名前", "X", "x", "x" * 200, "data", "id", "tags", "artifacts", "run"]
"""
    ONLY_GRAPHS = {
        "start-end": "names are the same on every graph: here they are read back from the end",
        "two-way-branch": "names are the same on every graph: here they are merged",
    }

    @steps(0, ["start"])
    def step_start(self):
        for name in NAMES:
            setattr(self, name, name)
        self._private = "kept for the steps, hidden from readers"
        # The class puts its own name before this one.
        self.__own = "kept and hidden too"

    @steps(1, ["join"])
    def step_join(self):
        assert_equals([[n for n in NAMES]] * 2, [[getattr(i, n) for n in NAMES] for i in inputs])
        self.merge_artifacts(inputs)

    @steps(2, ["all"])
    def step_all(self):
        assert_equals(NAMES, [getattr(self, name) for name in NAMES])
        assert_equals("kept for the steps, hidden from readers", self._private)
        assert_equals("kept and hidden too", self.__own)

    def check_results(self, flow, checker):
        shown = {name for name in NAMES if not name.startswith("_")}
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals({name: name for name in shown}, dict(task.values))


class ClassAttributes(FlowTest):
    """Class attributes are artifacts of every task; what one task does to them is its own."""

    PRIORITY = 5
    CLASS_VARS = {
        "a_word": "'class'",
        "some_numbers": [0],
        "a_table": {"a": {"b": 1}},
        "untouched": [1, {"two": 2}],
        "a_none": None,
    }
    HEADER = "FRESH = ('class', [0], {'a': {'b': 1}})\n"
    SKIP_GRAPHS = _ALIKE

    @steps(0, ["start"])
    def step_start(self):
        assert_equals(FRESH, (self.a_word, self.some_numbers, self.a_table))
        self.a_word = "start"
        self.some_numbers.append(1)
        self.a_table["a"]["b"] = 2
        assert_equals(FRESH, (type(self).a_word, type(self).some_numbers, type(self).a_table))
        self.expected = ("start", [0, 1], {"a": {"b": 2}})

    @steps(1, ["join"])
    def step_join(self):
        for item in inputs:
            assert_equals(item.expected, (item.a_word, item.some_numbers, item.a_table))
            assert_equals([1, {"two": 2}], item.untouched)
        assert_equals(FRESH, (self.a_word, self.some_numbers, self.a_table))
        self.some_numbers.append("joined")
        self.expected = ("class", [0, "joined"], {"a": {"b": 1}})

    @steps(2, ["all"])
    def step_all(self):
        assert_equals(self.expected, (self.a_word, self.some_numbers, self.a_table))
        assert_equals([1, {"two": 2}], self.untouched)
        assert_equals(None, self.a_none)
        self.some_numbers.append(len(self.some_numbers))
        self.expected = (self.a_word, list(self.some_numbers), self.a_table)

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                values = task.values
                got = (values["a_word"], values["some_numbers"], values["a_table"])
                assert_equals(values["expected"], got)
                assert_equals([1, {"two": 2}], values["untouched"])
                assert_equals(None, values["a_none"])
