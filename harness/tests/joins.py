"""Templates about joins: their inputs, and what merge_artifacts carries over."""

from plait_harness import FlowTest, steps


class JoinInputs(FlowTest):
    """A join's inputs come in split order, and answer by place, by name, and as often as asked."""

    PRIORITY = 50
    SKIP_GRAPHS = {"foreach-width-1000": "WideForeach asks the same of it, and more"}

    @steps(0, ["join"], required=True)
    def step_join(self):
        self.here = current.step_name
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.order = [(item.here, item.position) for item in inputs]
        assert_equals(self.order, [(item.here, item.position) for item in inputs])
        assert_equals(len(self.order), len(inputs))
        for place, (here, position) in enumerate(self.order):
            assert_equals((here, position), (inputs[place].here, inputs[place].position))
            assert_equals(position, inputs[place - len(inputs)].position)
            assert_exception(lambda: inputs[place].not_an_artifact, AttributeError)
        assert_exception(lambda: inputs[len(inputs)], IndexError)
        assert_exception(lambda: inputs.no_such_step, AttributeError)
        if len({here for here, _ in self.order}) == len(self.order):
            for here, position in self.order:
                assert_equals((here, position), (getattr(inputs, here).here, position))
        # Nothing of the inputs is an artifact of the join unless it is taken over.
        assert_exception(lambda: self.only_in_start, AttributeError)

    @steps(1, ["start"])
    def step_start(self):
        self.only_in_start = True
        self.here = current.step_name
        self.position = ()

    @steps(2, ["all"])
    def step_all(self):
        self.here = current.step_name
        self.position = tuple(frame[0] for frame in self.foreach_stack())

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        for step in flow:
            if step.join:
                got = {t.values["position"]: t.values["order"] for t in checker.tasks(step.name)}
                expected = {
                    t.position: [tuple(i)[:2] for i in t.inputs] for t in predicted.of(step.name)
                }
                assert_equals(sorted(expected), sorted(got))
                assert_equals(expected, got)


class MergeArtifacts(FlowTest):
    """Merging carries over what is equal on all ways in, and leaves what was set already."""

    PRIORITY = 51
    SKIP_GRAPHS = {
        "foreach-width-1000": "a thousand times the same as small-foreach",
        "wide-branch": "twenty times the same as two-way-branch",
    }

    @steps(0, ["start"])
    def step_start(self):
        self.from_start = {"a": [1, 2]}
        self.made_equal = None
        self.here = "start"

    @steps(1, ["join"], required=True)
    def step_join(self):
        self.here = current.step_name
        # The collections of inner foreaches differ from element to element of the outer one.
        self.merge_artifacts(inputs, exclude=["items", "parts", "kind"])
        if not len(inputs):
            assert_exception(lambda: self.from_start, AttributeError)
            self.from_start, self.made_equal = {"a": [1, 2]}, ["made", "equal"]
        assert_equals({"a": [1, 2]}, self.from_start)
        assert_equals(["made", "equal"], self.made_equal)

    @steps(2, ["all"])
    def step_all(self):
        self.here = current.step_name
        # Other objects in other processes, but equal.
        self.made_equal = ["made", "equal"]

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                values = task.values
                equal = None if step.name == "start" else ["made", "equal"]
                assert_equals({"a": [1, 2]}, values["from_start"])
                assert_equals((equal, step.name), (values["made_equal"], values["here"]))


class MergeConflict(FlowTest):
    """A conflict sets nothing and names every artifact; setting or excluding them resolves it."""

    PRIORITY = 52
    SKIP_GRAPHS = {
        "diamond-of-diamonds": "many times the same as join-splits",
        "eight-way-nested-branches": "many times the same as unequal-branches",
        "foreach-width-1000": "a thousand times the same as small-foreach",
        "wide-branch": "twenty times the same as two-way-branch",
    }

    @steps(0, ["join"], required=True)
    def step_join(self):
        if len(inputs) > 1:
            try:
                self.merge_artifacts(inputs)
            except MergeArtifactsException as error:
                said = str(error)
            else:
                raise ExpectationFailed("a MergeArtifactsException", "nothing raised")
            assert_equals((True, True, False), ("'one'" in said, "'two'" in said, "'same'" in said))
            for name in ("same", "one", "two"):
                assert_equals((name, False), (name, hasattr(self, name)))
        self.one = (current.step_name, self.index, "set before the merge")
        # The collections of inner foreaches differ from element to element of the outer one.
        self.merge_artifacts(inputs, exclude=["two", "items", "parts", "kind"])
        assert_equals((current.step_name, self.index, "set before the merge"), self.one)
        assert_equals((False, bool(len(inputs))), (hasattr(self, "two"), hasattr(self, "same")))
        self.same = "same"
        self.two = [current.step_name, self.index, "set after the merge"]

    @steps(1, ["all"])
    def step_all(self):
        self.same = "same"
        self.one = (current.step_name, self.index)
        self.two = [current.step_name, self.index]

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals("same", task.values["same"])
                if step.join:
                    one, two = task.values["one"], task.values["two"]
                    assert_equals((step.name, "set before the merge"), (one[0], one[2]))
                    assert_equals([step.name, "set after the merge"], [two[0], two[2]])


class MergeInclude(FlowTest):
    """With include only what it names is carried, in spite of conflicts; a missing name raises."""

    PRIORITY = 53
    ONLY_GRAPHS = {
        "two-way-branch": "what include does is the same on every graph: here over branches",
        "simple-foreach": "what include does is the same on every graph: here over elements",
        "unequal-branches": "what include does is the same on every graph: here over many ways",
        "inner-width-0-for-some": "what include does is the same on every graph: here over none",
    }

    @steps(0, ["start"])
    def step_start(self):
        self.wanted, self.unwanted = "wanted", "unwanted"

    @steps(1, ["join"], required=True)
    def step_join(self):
        if len(inputs):
            self.merge_artifacts(inputs, include=["wanted"])
            assert_equals((True, False), (hasattr(self, "wanted"), hasattr(self, "unwanted")))
        assert_exception(
            lambda: self.merge_artifacts(inputs, include=["wanted", "nowhere"]),
            MissingInMergeArtifactsException,
        )
        if len(inputs) > 1:
            assert_exception(
                lambda: self.merge_artifacts(inputs, include=["differs"]), MergeArtifactsException
            )
        assert_equals(False, hasattr(self, "differs"))
        self.wanted, self.unwanted = "wanted", "unwanted"

    @steps(2, ["all"])
    def step_all(self):
        self.differs = (current.step_name, self.index)

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                got = (task.values["wanted"], task.values["unwanted"])
                assert_equals(("wanted", "unwanted"), got)


class MergeOutsideJoin(FlowTest):
    """Merging in a step that is no join raises, and changes nothing."""

    PRIORITY = 54
    ONLY_GRAPHS = {
        "linear": "any step that is no join shows it: here those of a plain flow",
        "branch-in-foreach": "any step that is no join shows it: here those within splits",
    }

    @steps(0, ["join"])
    def step_join(self):
        self.kept = inputs[0].kept

    @steps(1, ["all"])
    def step_all(self):
        self.kept = "kept"
        assert_exception(lambda: self.merge_artifacts([self]), PlaitError)
        assert_exception(lambda: self.merge_artifacts([]), PlaitError)
        assert_equals("kept", self.kept)

    def check_results(self, flow, checker):
        for step in flow:
            checker.assert_artifact(step.name, "kept", "kept")
