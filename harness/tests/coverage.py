"""Templates about --coverage: what a run reaches of a flow's code is measured in all its processes."""

from plait_harness import FlowTest, steps


class MeasuredRun(FlowTest):
    """With --coverage each line of a step that ran is reached, and no line of one that did not."""

    PRIORITY = 175
    TOP_OPTIONS = ["--coverage"]
    LEAVES = [".coverage"]
    HEADER = """
def reached():
    return "in a task"


def never_reached():
    return "by nobody"
"""
    ONLY_GRAPHS = {
        "small-foreach": "each process is measured alike: here of single steps and of a foreach",
    }

    @steps(0, ["all"])
    def step_all(self):
        self.made = reached()

    def check_results(self, flow, checker):
        from coverage import CoverageData

        checker.assert_status("done")
        assert_equals(1, checker.console.count("coverage of the flow's code: "))
        data = CoverageData(checker.run.folder + "/.coverage")
        data.read()
        assert_equals([checker.run.folder + "/flow.py"], [file for file in data.measured_files()])
        lines = data.lines(checker.run.folder + "/flow.py")
        with open(checker.run.folder + "/flow.py") as file:
            source = [line.strip() for line in file]
        for text, expected in (
            ("self.made = reached()", len(list(flow))),
            ('return "in a task"', 1),
            ('return "by nobody"', 0),
            ("def never_reached():", 1),
        ):
            got = [n for n, line in enumerate(source, 1) if line == text and n in lines]
            assert_equals((text, expected), (text, len(got)))
