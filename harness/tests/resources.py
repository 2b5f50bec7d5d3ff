"""Templates about @resources: tasks wait rather than take more than the machine has."""

from plait_harness import FlowTest, steps, tag


class ResourcesWait(FlowTest):
    """A step that asks for more than there is runs one task at a time, and the run says so."""

    PRIORITY = 160
    HEADER = """
import os
import time
"""
    ONLY_GRAPHS = {
        "small-foreach": "what waits is tasks: here of a foreach",
        "two-way-branch": "what waits is tasks: here of branches",
        "branch-in-foreach": "what waits is tasks: here of branches in a foreach",
    }

    @tag("resources(memory=1000000000)")
    @steps(0, ["branch-inner", "foreach-inner"])
    def step_inner(self):
        # Fails if another one is at it.
        os.close(os.open("at-work", os.O_CREAT | os.O_EXCL))
        time.sleep(0.02)
        os.remove("at-work")

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_status("done")
        for step in flow:
            asks = bool({"branch-inner", "foreach-inner"} & set(step.quals))
            said = f"step '{step.name}' asks for 1e+09 MB" in checker.console
            assert_equals((step.name, asks), (step.name, said))


class ResourcesBesideOthers(FlowTest):
    """Steps that say nothing of what they need run beside one that takes all there is."""

    PRIORITY = 161
    LEAVES = ["full", "plain"]
    HEADER = """
import os
import time


def meet(mine, other):
    with open(mine, "w"):
        pass
    deadline = time.monotonic() + 20
    while not os.path.exists(other):
        assert time.monotonic() < deadline, f"{mine} waits for {other}"
        time.sleep(0.005)
"""
    ONLY_GRAPHS = {"unequal-branches": "its branches begin with steps of different kinds"}

    @steps(0, ["start", "join", "end"])
    def step_rest(self):
        pass

    @tag("resources(cpu=1000)")
    @steps(1, ["split"], required=True)
    def step_full(self):
        meet("full", "plain")

    @steps(2, ["linear"], required=True)
    def step_plain(self):
        meet("plain", "full")

    def check_results(self, flow, checker):
        checker.assert_status("done")


class ResourcesThatFit(FlowTest):
    """Needs that fit change nothing, whether given as numbers, as text, or by --with."""

    PRIORITY = 162
    RUN_OPTIONS = ["--with", "resources:memory=1,cpu=0.01"]
    ONLY_GRAPHS = {
        "linear": "the order of tasks stays as it is: here one after another",
        "unequal-branches": "the order of tasks stays as it is: here of many branches",
        "three-level-foreach": "the order of tasks stays as it is: here deep in foreaches",
        "inner-width-0-for-some": "the order of tasks stays as it is: here with nothing to do",
    }

    @tag("resources(cpu='0.01', gpu=0, memory='2')")
    @steps(0, ["join"])
    def step_join(self):
        self.path = [item.path for item in inputs]

    @steps(1, ["all"])
    def step_all(self):
        self.path = [current.step_name, self.index]

    def check_results(self, flow, checker):
        checker.assert_status("done")
        assert_equals(False, "asks for" in checker.console)
        for step in flow:
            for task in checker.tasks(step.name):
                if not step.join:
                    assert_equals(step.name, task.values["path"][0])
