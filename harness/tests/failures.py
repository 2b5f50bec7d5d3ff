"""Templates about flows that must fail: what they leave behind, and what they say."""

from plait_harness import FlowTest, steps

_SHAPES = {
    "start-end": "a step fails alike on every graph: here of the first and the last",
    "linear": "a step fails alike on every graph: here from one to the next",
    "two-way-branch": "a step fails alike on every graph: here in branches and their join",
    "simple-foreach": "a step fails alike on every graph: here in a foreach",
    "foreach-width-0": "a step fails alike on every graph: here in a join without inputs",
    "three-level-foreach": "a step fails alike on every graph: here deep in foreaches",
    "foreach-in-branch": "a step fails alike on every graph: here in mixed splits",
    "join-splits": "a step fails alike on every graph: here in a join that splits",
}


class FailingStep(FlowTest):
    """A step that raises ends the run, which says which step, where in its code, and why."""

    PRIORITY = 100
    SHOULD_FAIL = True
    HEADER = """
def deep(number):
    if number == 0:
        raise ValueError("it broke: größer")
    deep(number - 1)
"""
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["end"], required=True)
    def step_end(self):
        print("about to fail")
        self.made_before_it = True
        deep(2)

    @steps(1, ["all"])
    def step_all(self):
        self.kept = current.step_name

    def check_results(self, flow, checker):
        (end,) = checker.tasks("end")
        said = checker.console
        place = f"{checker.run.flow}/{checker.run_id}/end/{end.task}"
        for expected in ("ValueError: it broke: größer", 'raise ValueError("it broke', "deep(2)"):
            assert_equals((expected, True), (expected, expected in said))
        assert_equals(True, place in said or f"{checker.run_id}/end/{end.task}" in said)
        # The user's traceback begins with the user's code: no frame of the engine in it.
        assert_equals(0, said.count("/plait/"))
        report = said[said.rindex("error[") :]
        assert_equals(1, report.count("Traceback (most recent call last)"))
        # What the step had made is kept for whoever looks into the failure.
        assert_equals(True, end.values["made_before_it"])
        checker.assert_status("failed")
        assert_equals("about to fail\n", checker.log_dict("end", "stdout")[end.task])
        assert_equals(True, "ValueError: it broke" in checker.log_dict("end", "stderr")[end.task])
        for step in flow:
            for task in checker.tasks(step.name):
                if step.name != "end":
                    assert_equals(step.name, task.values["kept"])

        run = checker.get_run()
        if run is not None:
            assert_equals((False, True), (run.successful, run.finished))
            task = run["end"].task
            assert_equals((False, True), (task.successful, task.finished))
            raised = (task.exception.type, task.exception.message)
            assert_equals(("ValueError", "it broke: größer"), raised)
            first = run.failed_task
            assert_equals((task.pathspec, 0), (first.pathspec, first.attempt))
            assert_equals(raised, (run.exception.type, run.exception.message))
            assert_equals((True, True), (run.data.made_before_it, run["start"].task.successful))


class FailingStart(FlowTest):
    """A first step that fails leaves a run with one failed task and no others."""

    PRIORITY = 101
    SHOULD_FAIL = True
    ONLY_GRAPHS = {
        "start-end": "nothing after start runs: here one step is left out",
        "two-way-branch": "nothing after start runs: here branches are left out",
        "simple-foreach": "nothing after start runs: here a foreach is left out",
    }

    @steps(0, ["start"], required=True)
    def step_start(self):
        raise KeyError("no such key")

    @steps(1, ["all"])
    def step_all(self):
        raise AssertionError("no other task may run")

    def check_results(self, flow, checker):
        counts = {step.name: len(checker.tasks(step.name)) for step in flow}
        assert_equals({step.name: int(step.name == "start") for step in flow}, counts)
        assert_equals(True, "KeyError: 'no such key'" in checker.console)


class FirstFailure(FlowTest):
    """Of several tasks that fail the first is what is reported; none begins after it."""

    PRIORITY = 102
    SHOULD_FAIL = True
    LEAVES = ["failed-first"]
    HEADER = """
import os
import time
"""
    ONLY_GRAPHS = {"small-foreach": "three tasks at once are enough"}

    @steps(0, ["foreach-inner-small"], required=True)
    def step_inner(self):
        if self.index == 1:
            with open("failed-first", "w"):
                pass
            raise ValueError("the first to fail")
        while not os.path.exists("failed-first"):
            time.sleep(0.01)
        # Long enough for the run to have heard of the other.
        time.sleep(0.5)
        raise ValueError("a later failure")

    @steps(1, ["join"])
    def step_join(self):
        raise AssertionError("no join may run after a failure")

    @steps(2, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_status("failed")
        assert_equals([], checker.tasks("join"))
        ids = [task.task for task in checker.tasks("inner")]
        failing = [log for log in checker.log_dict("inner", "stderr").values()]
        assert_equals(True, "the first to fail" in failing[1])
        report = checker.console[checker.console.rindex("error[") :]
        for said in ("the first to fail", "inner", ids[1]):
            assert_equals((said, True), (said, said in report))
        assert_equals(False, "a later failure" in report)


class OthersFinish(FlowTest):
    """When a task fails, those that run beside it end in order and none is left without a result."""

    PRIORITY = 103
    SHOULD_FAIL = True
    HEADER = "import time\n"
    RUN_OPTIONS = ["--max-workers", "2"]
    ONLY_GRAPHS = {"wide-branch": "there are more tasks than run at once"}

    @steps(0, ["wide-inner"], required=True)
    def step_inner(self):
        if current.step_name == "branch_01":
            raise ValueError("the only one to fail")
        time.sleep(0.05)
        self.done = True

    @steps(1, ["join"])
    def step_join(self):
        raise AssertionError("no join may run after a failure")

    @steps(2, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_status("failed")
        begun = [step.name for step in flow if checker.tasks(step.name)]
        assert_equals(["start", "branch_01"], begun[:2])
        # Two at once: with the one that failed at most a few others began, and none long after.
        assert_equals(True, len(begun) <= 6)
        assert_equals([], checker.tasks("join"))
        run = checker.get_run()
        if run is not None:
            for step in run:
                assert_equals((step.id, True), (step.id, step.task.finished))


class ExitCodeOfTask(FlowTest):
    """A task that leaves without a word fails, whatever it leaves with, and its exit is named."""

    PRIORITY = 104
    SHOULD_FAIL = True
    HEADER = "import os\n"
    ONLY_GRAPHS = {
        "single-linear-step": "how a task ends is its own matter: here a single one",
        "foreach-width-1": "how a task ends is its own matter: here after a foreach",
    }

    @steps(0, ["end"], required=True)
    def step_end(self):
        self.lost = True
        os._exit(77)

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        (end,) = checker.tasks("end")
        checker.assert_status("failed")
        assert_equals(False, "lost" in end.values)
        for said in ("exit code 77", f"{checker.run_id}/end/{end.task}"):
            assert_equals((said, True), (said, said in checker.console))


class SilentExitOfTask(FlowTest):
    """A task that exits with 0 in the middle of its step has no result, and so it failed."""

    PRIORITY = 105
    SHOULD_FAIL = True
    HEADER = "import os\n"
    ONLY_GRAPHS = {"single-linear-step": "how a task ends is its own matter"}

    @steps(0, ["end"], required=True)
    def step_end(self):
        self.lost = True
        os._exit(0)

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        (end,) = checker.tasks("end")
        checker.assert_status("failed")
        assert_equals(False, "lost" in end.values)
        # What went wrong is told on standard error alone, also where Python started the run.
        assert_equals(
            (True, False), ("error[" in checker.run.stderr, "error[" in checker.run.stdout)
        )


class SystemExitOfTask(FlowTest):
    """`sys.exit` with a message fails the task like any exception, and the message is shown."""

    PRIORITY = 106
    SHOULD_FAIL = True
    HEADER = "import sys\n"
    ONLY_GRAPHS = {"single-linear-step": "how a task ends is its own matter"}

    @steps(0, ["end"], required=True)
    def step_end(self):
        sys.exit("leaving early")

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_status("failed")
        assert_equals(True, "leaving early" in checker.console)


class KilledTask(FlowTest):
    """A task killed by a signal fails, the signal is named, and the run's process lives on."""

    PRIORITY = 107
    SHOULD_FAIL = True
    HEADER = """
import ctypes
import os
import signal
"""
    ONLY_GRAPHS = {
        "single-linear-step": "how a task ends is its own matter: here a single one",
        "foreach-in-branch": "how a task ends is its own matter: here after mixed splits",
    }

    @steps(0, ["end"], required=True)
    def step_end(self):
        self.lost = True
        # A real crash, not a polite kill: reads address 0.
        ctypes.string_at(0)

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        (end,) = checker.tasks("end")
        checker.assert_status("failed")
        assert_equals(False, "lost" in end.values)
        for said in ("SIGSEGV", f"{checker.run_id}/end/{end.task}"):
            assert_equals((said, True), (said, said in checker.console))


class UnpicklableException(FlowTest):
    """An exception that can neither be carried over nor shown still fails its task in order."""

    PRIORITY = 108
    SHOULD_FAIL = True
    HEADER = '''
class Odd(Exception):
    """Can't be pickled, nor shown."""

    def __reduce__(self):
        raise TypeError("can't be pickled")

    def __str__(self):
        raise RuntimeError("can't be shown")
'''
    ONLY_GRAPHS = {"single-linear-step": "how a task ends is its own matter"}

    @steps(0, ["end"], required=True)
    def step_end(self):
        raise Odd("never seen")

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_status("failed")
        assert_equals(True, "Odd" in checker.console)
        run = checker.get_run()
        if run is not None:
            assert_equals(True, "Odd" in str(run["end"].task.exception))


class ChainedException(FlowTest):
    """A cause, notes and groups of an exception are shown with it."""

    PRIORITY = 109
    SHOULD_FAIL = True
    ONLY_GRAPHS = {"single-linear-step": "how a task ends is its own matter"}

    @steps(0, ["end"], required=True)
    def step_end(self):
        try:
            {}["missing"]
        except KeyError as error:
            late = ValueError("on top of it")
            late.add_note("a note for the reader")
            raise ExceptionGroup("several", [late, TypeError("beside it")]) from error

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        log = "".join(checker.log_dict("end", "stderr").values())
        for said in ("KeyError: 'missing'", "on top of it", "a note for the reader", "beside it"):
            assert_equals((said, True), (said, said in log))
