"""Templates about @environment: variables that a step has and the next one has not."""

from plait_harness import FlowTest, steps, tag

_SHAPES = {
    "linear": "variables are a step's own: here of one after another",
    "two-way-branch": "variables are a step's own: here of branches beside each other",
    "small-foreach": "variables are a step's own: here of a foreach",
    "join-splits": "variables are a step's own: here of a join that splits",
}


class EnvironmentOfAStep(FlowTest):
    """Variables are there for a step and what it starts, and the next step has its own again."""

    PRIORITY = 150
    ENV = {"PLAITTEST_MODE": "outside"}
    HEADER = """
import os
import subprocess
"""
    ONLY_GRAPHS = _SHAPES

    @tag("environment(vars={'PLAITTEST_MODE': 'größer = \"2\"', 'PLAITTEST_NEW': ''})")
    @steps(0, ["linear"])
    def step_linear(self):
        self.mode = os.environ["PLAITTEST_MODE"]
        shown = subprocess.run(["printenv", "PLAITTEST_MODE"], stdout=subprocess.PIPE)
        assert_equals(self.mode, shown.stdout.decode().rstrip())
        assert_equals("", os.environ["PLAITTEST_NEW"])

    @steps(1, ["all"])
    def step_all(self):
        self.mode = os.environ["PLAITTEST_MODE"]
        assert_equals(False, "PLAITTEST_NEW" in os.environ)

    def check_results(self, flow, checker):
        for step in flow:
            mode = 'größer = "2"' if "linear" in step.quals else "outside"
            for task in checker.tasks(step.name):
                assert_equals((step.name, mode), (step.name, task.values["mode"]))


class EnvironmentFromOutside(FlowTest):
    """`--with environment` takes JSON and reaches every step but those with their own."""

    PRIORITY = 151
    TOP_OPTIONS = ["--with", 'environment:vars={"PLAITTEST_A": "x,y", "PLAITTEST_B": "z"}']
    HEADER = "import os\n"
    ONLY_GRAPHS = {"small-foreach": "it is about the option, which reaches every step alike"}

    @tag("environment(vars={'PLAITTEST_A': 'own'})")
    @steps(0, ["end"])
    def step_end(self):
        self.seen = [os.environ.get(f"PLAITTEST_{name}") for name in "AB"]

    @steps(1, ["all"])
    def step_all(self):
        self.seen = [os.environ.get(f"PLAITTEST_{name}") for name in "AB"]

    def check_results(self, flow, checker):
        for step in flow:
            seen = ["own", None] if step.name == "end" else ["x,y", "z"]
            checker.assert_artifact(step.name, "seen", seen)


class EnvironmentOfEachAttempt(FlowTest):
    """Each attempt has the variables anew, also one after a process that died or ran too long."""

    PRIORITY = 152
    HEADER = """
import os
import signal
import time
"""
    ONLY_GRAPHS = {"single-linear-step": "attempts are a task's own matter"}

    @tag("environment(vars={'PLAITTEST_MODE': 'set'})")
    @tag("retry(times=3, minutes_between_retries=0)")
    @tag("timeout(seconds=0.2)")
    @steps(0, ["linear"])
    def step_linear(self):
        assert_equals("set", os.environ.pop("PLAITTEST_MODE"))
        os.environ["PLAITTEST_LEFT"] = "behind"
        if current.retry_count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        elif current.retry_count == 1:
            time.sleep(30)
        elif current.retry_count == 2:
            raise TestRetry

    @steps(1, ["all"])
    def step_all(self):
        assert_equals(None, os.environ.get("PLAITTEST_MODE"))
        assert_equals(None, os.environ.get("PLAITTEST_LEFT"))

    def check_results(self, flow, checker):
        checker.assert_status("done")
        for step in flow:
            last = 3 if "linear" in step.quals else 0
            for task in checker.tasks(step.name):
                assert_equals((step.name, True), (step.name, task.attempt in (last, None)))
