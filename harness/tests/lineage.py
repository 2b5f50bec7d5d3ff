"""Templates about the graph as it ran: which tasks led to which."""

from plait_harness import FlowTest, steps


class Lineage(FlowTest):
    """Every path from start to end is walked: no branch or element lost, doubled or out of order."""

    PRIORITY = 40
    SKIP_GRAPHS = {"foreach-width-1000": "WideForeach asks the same of it, and more"}

    @steps(0, ["start"])
    def step_start(self):
        self.position = ()
        self.lineages = [(("start", ()),)]

    @steps(1, ["join"])
    def step_join(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        here = (current.step_name, self.position)
        before = [path for item in inputs for path in item.lineages]
        self.lineages = [(*path, here) for path in before or [()]]

    @steps(2, ["all"])
    def step_all(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        here = (current.step_name, self.position)
        self.lineages = [(*path, here) for path in self.lineages]

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        for step in flow:
            got = {
                t.values["position"]: tuple(t.values["lineages"]) for t in checker.tasks(step.name)
            }
            expected = {
                t.position: tuple(
                    tuple(tuple(task)[:2] for task in path) for path in predicted.lineages(t)
                )
                for t in predicted.of(step.name)
            }
            assert_equals(sorted(expected), sorted(got))
            assert_equals(expected, got)


class GraphOfTheClass(FlowTest):
    """A flow object lists its steps from start to end, and knows its name and its script."""

    PRIORITY = 41
    HEADER = "import os\n"
    ONLY_GRAPHS = {
        "single-linear-step": "what a class has does not depend on the task: here seen by all",
        "foreach-in-branch": "what a class has does not depend on the task: here of many steps",
    }

    @steps(0, ["all"])
    def step_all(self):
        self.described = (self.name, self.script_name, sorted(step.name for step in self))

    def check_results(self, flow, checker):
        names = sorted(step.name for step in flow)
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals((checker.run.flow, "flow.py", names), task.values["described"])
