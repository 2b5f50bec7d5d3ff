"""Templates for graphs that nobody has seen: each checks of any graph all that the model knows."""

from plait_harness import FlowTest, steps, tag


class AnyGraph(FlowTest):
    """Each task of any graph has the place, element, inputs and artifacts that the model says."""

    PRIORITY = 45
    GENERATED = True
    SKIP_GRAPHS = {
        "diamond-of-diamonds": "many times the same as join-splits",
        "eight-way-nested-branches": "many times the same as unequal-branches",
        "foreach-width-1000": "a thousand times the same as small-foreach",
        "long-chain": "fifty times the same as linear",
        "wide-branch": "twenty times the same as two-way-branch",
    }
    HEADER = """
def names_of(flow):
    # Every step sets one artifact of its own.
    return ["by_" + step.name for step in flow]


def artifacts_of(place, names):
    return {name: getattr(place, name) for name in names if hasattr(place, name)}


def enter(flow, before, turns):
    # Says of a task all that the model predicts, and by which name it goes.
    stack = flow.foreach_stack()
    place = (current.step_name, tuple(frame[0] for frame in stack))
    flow.turns = {**turns, place: turns.get(place, -1) + 1}
    flow.me = (*place, flow.turns[place])
    flow.came_from = before
    flow.found = artifacts_of(flow, names_of(flow))
    flow.seen = (flow.index, flow.input, stack)
    setattr(flow, "by_" + current.step_name, flow.me)
"""

    @steps(0, ["start"])
    def step_start(self):
        enter(self, [], {})

    @steps(1, ["join"])
    def step_join(self):
        turns = {}
        for item in inputs:
            for place, turn in item.turns.items():
                turns[place] = max(turn, turns.get(place, -1))
        enter(self, [item.me for item in inputs], turns)
        assert_equals(len(self.came_from), len(inputs))
        names = [name for name in names_of(self) if name != "by_" + current.step_name]
        lefts = [artifacts_of(item, names) for item in inputs]
        ways = {name: {left[name] for left in lefts if name in left} for name in names}
        self.differing = sorted(name for name, values in ways.items() if len(values) > 1)
        if self.differing:
            assert_exception(
                lambda: self.merge_artifacts(inputs, include=self.differing),
                MergeArtifactsException,
            )
        agreed = sorted(name for name, values in ways.items() if len(values) == 1)
        if agreed:
            self.merge_artifacts(inputs, include=agreed)

    @steps(2, ["all"])
    def step_all(self):
        enter(self, [self.me], self.turns)

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        names = {step.name: ["by_" + step.name] for step in flow}
        scopes = predict_scopes(predicted, names)

        def plain(origins):
            return {name: tuple(task) for name, task in origins.items()}

        for step in flow:
            tasks = checker.tasks(step.name)
            expected = {tuple(task.id): task for task in predicted.of(step.name)}
            assert_equals(sorted(expected), sorted(task.values["me"] for task in tasks))
            for task in tasks:
                values = task.values
                model = expected[values["me"]]
                scope = scopes[model.id]
                assert_equals([tuple(each) for each in model.inputs], values["came_from"])
                stack = [tuple(frame) for frame in model.stack]
                assert_equals((model.index, model.input, stack), values["seen"])
                assert_equals(plain(scope.before), values["found"])
                left = {k: v for k, v in values.items() if k.startswith("by_")}
                assert_equals(plain(scope.after), left)
                if step.join:
                    assert_equals(sorted(scope.conflicts), values["differing"])
                if step.kind == "switch":
                    assert_equals(model.case, values[step.condition])
        checker.assert_status("done")


class AnyFate(FlowTest):
    """Each task's first attempts fail as often as its fate says; what they set is not seen."""

    PRIORITY = 45
    ENV = {"HARNESS_FATES": '{"*": 1}'}
    ONLY_GRAPHS = {
        "inner-width-0-for-some": "what fails is the same on every graph: here empty foreaches",
        "join-splits": "what fails is the same on every graph: here joins that are splits",
        "switch-recursive": "what fails is the same on every graph: here rounds of a loop",
    }
    HEADER = """
import json
import os

FATES = json.loads(os.environ["HARNESS_FATES"])


def meet(flow, turns):
    # By its fate: how many attempts at the task of this name fail; `*` is any other.
    place = (current.step_name, tuple(frame[0] for frame in flow.foreach_stack()))
    flow.turns = {**turns, place: turns.get(place, -1) + 1}
    flow.me = (*place, flow.turns[place])
    flow.attempt = current.retry_count
    name = json.dumps([place[0], list(place[1]), flow.turns[place]])
    if "HARNESS_RAN" in os.environ:
        with open(os.environ["HARNESS_RAN"], "a") as file:
            file.write(current.run_id + " " + name + "\\n")
    if current.retry_count < FATES.get(name, FATES.get("*", 0)):
        flow.lost = "by an attempt that failed"
        raise TestRetry(name)
"""

    @steps(0, ["start"])
    @tag("retry(times=1, minutes_between_retries=0)")
    def step_start(self):
        meet(self, {})

    @steps(1, ["join"])
    @tag("retry(times=1, minutes_between_retries=0)")
    def step_join(self):
        turns = {}
        for item in inputs:
            for place, turn in item.turns.items():
                turns[place] = max(turn, turns.get(place, -1))
        meet(self, turns)

    @steps(2, ["all"])
    @tag("retry(times=1, minutes_between_retries=0)")
    def step_all(self):
        meet(self, self.turns)

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        attempts = predict_attempts(1, retries=1)
        assert_equals((2, True), (attempts.count, attempts.ok))
        for step in flow:
            tasks = checker.tasks(step.name)
            expected = sorted(tuple(task.id) for task in predicted.of(step.name))
            assert_equals(expected, sorted(task.values["me"] for task in tasks))
            for task in tasks:
                assert_equals(attempts.count - 1, task.values["attempt"])
                assert_equals(False, "lost" in task.values)
        checker.assert_status("done")
