"""Templates about `@signed`: who answers for what, wherever a step stands."""

from plait_harness import FlowTest, steps, tag


class EveryTaskIsSigned(FlowTest):
    """Each task of a step has the step's signature, and joins see those of their inputs."""

    HEADER = "from signed import signed\n"

    @tag("signed(by='grace')")
    @steps(0, ["join"])
    def step_join(self):
        self.seen = [item.signature for item in inputs]

    @tag("signed(by='ada')")
    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        counts = predict(flow.to_json()).counts
        for step in flow:
            who = "grace" if step.join else "ada"
            checker.assert_tasks(step.name, counts[step.name])
            if counts[step.name]:  # a foreach over nothing has no task in it
                checker.assert_artifact(step.name, "signature", f"{step.name} by {who}")


class AFailureIsNotSigned(FlowTest):
    """A step that fails has no signature: nobody answers for it."""

    SHOULD_FAIL = True
    HEADER = "from signed import signed\n"

    @tag("signed(by='ada')")
    @steps(0, ["end"])
    def step_end(self):
        raise ValueError("not today")

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_status("failed")
        checker.assert_no_artifact("end", "signature")
