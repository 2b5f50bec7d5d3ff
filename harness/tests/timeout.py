"""Templates about @timeout: what runs too long ends, and that is a failure like any other."""

from plait_harness import FlowTest, steps, tag

_FEW = {
    "single-linear-step": "how a step ends is its own matter: here of single steps",
    "two-way-branch": "how a step ends is its own matter: here of a split, branches and a join",
    "small-foreach": "how a step ends is its own matter: here beside a foreach",
}

_ONE = {"single-linear-step": "how a step ends is its own matter"}


class TimeoutFails(FlowTest):
    """A step that runs too long fails the run, which says its limit and the line it was at."""

    PRIORITY = 140
    SHOULD_FAIL = True
    HEADER = "import time\n"
    ONLY_GRAPHS = {
        "start-end": "a step ends alike on every graph: here the last one",
        "foreach-width-0": "a step ends alike on every graph: here after a join without inputs",
    }

    @tag("timeout(seconds=0.15)")
    @steps(0, ["end"])
    def step_end(self):
        self.before_it = True
        time.sleep(30)  # far too long

    @tag("timeout(minutes=1)")
    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_status("failed")
        (end,) = checker.tasks("end")
        assert_equals(True, end.values["before_it"])
        said = checker.console
        for expected in ("step 'end' timed out after 0.15 s", "time.sleep(30)  # far too long"):
            assert_equals((expected, True), (expected, expected in said))
        assert_equals(0, said.count("/plait/"))


class TimeoutCaught(FlowTest):
    """@catch keeps what @timeout raised, wherever in the code that was, and the flow goes on."""

    PRIORITY = 141
    HEADER = """
import subprocess
import time
"""
    ONLY_GRAPHS = _FEW

    @steps(0, ["foreach"])
    def step_foreach(self):
        pass

    @tag("catch(var='caught', print_exception=False)")
    @tag("timeout(seconds=0.1)")
    @steps(1, ["join"])
    def step_join(self):
        self.set_before = "join"
        subprocess.run(["sleep", "30"])

    @tag("timeout(seconds=0.1)")
    @tag("catch(var='caught', print_exception=False)")
    @steps(2, ["all"])
    def step_all(self):
        self.set_before = "all"
        all(time.monotonic() for _ in iter(int, 1))

    def check_results(self, flow, checker):
        checker.assert_status("done")
        for step in flow:
            for task in checker.tasks(step.name):
                if step.kind != "foreach":
                    caught = task.values["caught"]
                    said = f"step '{step.name}' timed out after 0.1 s"
                    assert_equals(said, caught.message)
                    assert_equals(TimeoutException, type(caught.exception))
                    line = "subprocess.run(" if step.join else "all(time.monotonic()"
                    assert_equals((step.name, True), (step.name, line in caught.traceback))
                    assert_equals("join" if step.join else "all", task.values["set_before"])


class TimeoutRetried(FlowTest):
    """With retries each attempt has the whole time, and the last one's end is what holds."""

    PRIORITY = 142
    HEADER = "import time\n"
    ONLY_GRAPHS = _FEW

    @steps(0, ["foreach", "start", "end"])
    def step_foreach(self):
        self.attempt = 0

    @tag("catch(var='caught', print_exception=False)")
    @tag("retry(times=2, minutes_between_retries=0)")
    @tag("timeout(seconds=0.1)")
    @steps(1, ["join"])
    def step_join(self):
        self.attempt = current.retry_count
        time.sleep(30)

    @tag("timeout(seconds=0.2)")
    @tag("retry(times=2, minutes_between_retries=0)")
    @tag("catch(var='caught')")
    @steps(2, ["all"])
    def step_all(self):
        self.attempt = current.retry_count
        time.sleep(0.1 if current.retry_count else 30)

    def check_results(self, flow, checker):
        checker.assert_status("done")
        for step in flow:
            for task in checker.tasks(step.name):
                if step.join:
                    said = f"step '{step.name}' timed out after 0.1 s"
                    assert_equals(
                        (2, said), (task.values["attempt"], task.values["caught"].message)
                    )
                elif step.name in ("start", "end") or step.kind == "foreach":
                    assert_equals(0, task.values["attempt"])
                else:
                    assert_equals((1, None), (task.values["attempt"], task.values["caught"]))


class TimeoutInNativeCode(FlowTest):
    """Code that heeds no exception, as native code may, is killed; that is retried and caught."""

    PRIORITY = 143
    HEADER = """
import itertools
import subprocess
import time
"""
    ONLY_GRAPHS = _ONE

    @tag("retry(times=1, minutes_between_retries=0)")
    @tag("timeout(seconds=0.05, grace_seconds=0.1)")
    @steps(0, ["start"])
    def step_start(self):
        if current.retry_count == 0:
            all(itertools.repeat(True))
        self.attempt = current.retry_count

    @tag("catch(var='caught', print_exception=False)")
    @tag("timeout(seconds=0.05, grace_seconds=0.1)")
    @steps(1, ["linear"])
    def step_linear(self):
        subprocess.Popen(["sleep", "30"])
        while True:
            try:
                time.sleep(30)
            except Exception:
                print("not now")

    @steps(2, ["end"])
    def step_end(self):
        assert_equals("FailureHandledByCatch", type(self.caught).__name__)

    def check_results(self, flow, checker):
        checker.assert_status("done")
        checker.assert_artifact("start", "attempt", 1)
        (task,) = checker.tasks("single")
        assert_equals(
            "timed out after 0.05 s, and was killed because it went on for 0.1 s after that",
            task.values["caught"].message,
        )


class TimeoutInTime(FlowTest):
    """A limit that is not reached changes nothing, given in the code or by --with."""

    PRIORITY = 144
    RUN_OPTIONS = ["--with", "timeout:seconds=30"]
    ONLY_GRAPHS = {
        **_FEW,
        "branch-in-foreach": "a limit is each task's own: here within splits",
        "foreach-width-0": "a limit is each task's own: here of a join without inputs",
    }
    HEADER = "import signal\n"

    @tag("timeout(hours=2)")
    @steps(0, ["join"])
    def step_join(self):
        self.time_left = signal.getitimer(signal.ITIMER_REAL)[0]

    @steps(1, ["all"])
    def step_all(self):
        self.time_left = signal.getitimer(signal.ITIMER_REAL)[0]

    def check_results(self, flow, checker):
        checker.assert_status("done")
        for step in flow:
            most = 7200 if step.join else 30
            for task in checker.tasks(step.name):
                assert_equals(
                    (step.name, True), (step.name, 0 < most - task.values["time_left"] < 29)
                )
