"""Templates about switches and loops: which way was gone, how often, and what is no case at all."""

from plait_harness import FlowTest, steps


class ChosenWay(FlowTest):
    """Of the cases of a switch one is gone on, the one that its condition names; the others rest."""

    PRIORITY = 42

    @steps(0, ["switch"], required=True)
    def step_switch(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.last_switch = current.step_name

    @steps(1, ["start"])
    def step_start(self):
        self.position = ()
        self.last_switch = None

    @steps(2, ["join"])
    def step_join(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.last_switch = [item.last_switch for item in inputs]

    @steps(3, ["all"])
    def step_all(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        for step in flow:
            checker.assert_tasks(step.name, predicted.counts[step.name])
            seen = []
            for task in checker.tasks(step.name):
                position = task.values["position"]
                turn = seen.count(position)
                seen.append(position)
                expected = predicted.task(step.name, *position, turn=turn)
                if step.kind == "switch":
                    assert_equals(expected.case, task.values[step.condition])
                    assert_equals(step.name, task.values["last_switch"])
                elif len(expected.inputs) == 1 and flow[expected.inputs[0].step].kind == "switch":
                    before = expected.inputs[0].step
                    last = [before] if step.join else before
                    assert_equals(last, task.values["last_switch"])
        checker.assert_status("done")


class Rounds(FlowTest):
    """What a loop sets is there in its next round, in each element of a foreach on its own."""

    PRIORITY = 43

    @steps(0, ["join"])
    def step_join(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.rounds = sum(item.rounds for item in inputs)
        self.rows = [row for item in inputs for row in item.rows]

    @steps(1, ["loop"], required=True)
    def step_loop(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.rounds += 1
        # A list that is changed in place is another one in each round.
        self.rows.append((current.step_name, self.position, self.rounds))

    @steps(2, ["start"])
    def step_start(self):
        self.position = ()
        self.rounds, self.rows = 0, []

    @steps(3, ["all"])
    def step_all(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        rounds, rows = {}, {}
        for task in predicted.tasks:
            rounds[task.id] = sum(rounds[each] for each in task.inputs)
            rows[task.id] = [row for each in task.inputs for row in rows[each]]
            if "loop" in flow[task.step].quals and not flow[task.step].join:
                rounds[task.id] += 1
                rows[task.id] = [*rows[task.id], (task.step, task.position, rounds[task.id])]
        for step in flow:
            expected = [
                (task.position, rounds[task.id], rows[task.id]) for task in predicted.of(step.name)
            ]
            got = [
                (task.values["position"], task.values["rounds"], task.values["rows"])
                for task in checker.tasks(step.name)
            ]
            # Elements go round at their own pace, but each in order.
            assert_equals(expected, sorted(got, key=lambda each: each[0]))


class NoCase(FlowTest):
    """A value that no case of the switch has fails the task, and the message names both."""

    PRIORITY = 44
    SHOULD_FAIL = True
    ONLY_GRAPHS = {
        "switch": "the body names the cases and the condition of this graph",
        "switch-in-branch": "the body names the condition, which is the same in this graph",
    }

    @steps(0, ["switch"], required=True)
    def step_switch(self):
        self.kind = "no such way"

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        for said in ("'ask'", "'kind'", "'no such way'", "no-such-case", *flow["ask"].cases):
            assert_equals((said, True), (said, said in checker.console))
        checker.assert_status("failed")
        for arm in flow["ask"].targets:
            assert_equals([], checker.tasks(arm))
        assert_equals([], checker.tasks("end"))
