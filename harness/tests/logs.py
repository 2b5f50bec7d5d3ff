"""Templates about logs: what a task printed, byte by byte, by stream."""

from plait_harness import FlowTest, steps, tag

_SHAPES = {
    "start-end": "tasks print alike on every graph: here of the first and the last",
    "linear": "tasks print alike on every graph: here from one to the next",
    "two-way-branch": "tasks print alike on every graph: here in branches and their join",
    "simple-foreach": "tasks print alike on every graph: here in a foreach",
    "foreach-width-0": "tasks print alike on every graph: here in a join without inputs",
    "three-level-foreach": "tasks print alike on every graph: here deep in foreaches",
    "foreach-in-branch": "tasks print alike on every graph: here in mixed splits",
    "join-splits": "tasks print alike on every graph: here in a join that splits",
}


class Logs(FlowTest):
    """What a task prints on either stream is kept apart and exactly, Unicode and odd ends included."""

    PRIORITY = 60
    HEADER = "import sys\n"
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["all"])
    def step_all(self):
        print("out: ∂δ 日本語 🐍")
        print("err: größer", file=sys.stderr)
        print("two\nlines and a tab\t and blanks  ")
        print("")
        print("err again", file=sys.stderr)
        # Read of many tasks at once, a line has a newline at its end whether printed or not.
        last = "" if self.index is None else "\n"
        print("  no newline at the end", end=last)
        print("none here either", end=last, file=sys.stderr)

    def check_results(self, flow, checker):
        predicted = predict(flow.to_json())
        out = "out: ∂δ 日本語 🐍\ntwo\nlines and a tab\t and blanks  \n\n  no newline at the end"
        err = "err: größer\nerr again\nnone here either"
        for step in flow:
            tasks = predicted.of(step.name)
            if tasks:
                last = "" if tasks[0].index is None else "\n"
                checker.assert_log(step.name, "stdout", out + last)
                checker.assert_log(step.name, "stderr", err + last)


class SilentTasks(FlowTest):
    """A task that prints nothing has logs that are empty, not missing."""

    PRIORITY = 61
    ONLY_GRAPHS = {
        "single-linear-step": "silence is the same on every graph: here in single tasks",
        "small-foreach": "silence is the same on every graph: here beside one that speaks",
    }

    @steps(0, ["foreach-inner"])
    def step_inner(self):
        if self.index == 1:
            print("only I speak")

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        for step in flow:
            spoken = ["", "only I speak\n", ""] if step.name == "inner" else [""]
            assert_equals(spoken, list(checker.log_dict(step.name, "stdout").values()))
            checker.assert_log(step.name, "stderr", "")


class LargeLogs(FlowTest):
    """Tens of thousands of lines, and a line of hundreds of kilobytes, are kept in order and whole."""

    PRIORITY = 62
    HEADER = """
import sys

LINES = "".join(f"line {i:05d} of a long text äöü\\n" for i in range(20_000))
LONG = "x" * 300_000 + "end\\n"
"""
    ONLY_GRAPHS = {"start-end": "each task writes megabytes"}

    @steps(0, ["all"])
    def step_all(self):
        for line in LINES.splitlines():
            print(line)
        print(LONG, end="")
        print("short", file=sys.stderr)

    def check_results(self, flow, checker):
        for step in flow:
            for task, got in checker.log_dict(step.name, "stdout").items():
                assert_equals((task, len(LINES) + len(LONG)), (task, len(got)))
                assert_equals((task, True), (task, got == LINES + LONG))
            checker.assert_log(step.name, "stderr", "short\n")


class LimitedLogs(FlowTest):
    """With --max-log-size the log of a task ends with a notice where it would grow too large."""

    PRIORITY = 63
    RUN_OPTIONS = ["--max-log-size", "1"]
    ONLY_GRAPHS = {"single-linear-step": "it is about one task's log, not about the graph"}

    @steps(0, ["start"])
    def step_start(self):
        for i in range(30_000):
            print(f"line {i:05d} {'x' * 50}")

    @steps(1, ["all"])
    def step_all(self):
        print("short")

    def check_results(self, flow, checker):
        log = "".join(checker.log_dict("start", "stdout").values())
        assert_equals(f"line {0:05d} {'x' * 50}", log.splitlines()[0])
        assert_equals(True, 900_000 < len(log) <= 1_100_000)
        assert_equals(False, "line 29999" in log)
        checker.assert_log("single", "stdout", "short\n")


class LogsOfSubprocesses(FlowTest):
    """What a step's own processes print is part of its log, in the order in which it came."""

    PRIORITY = 64
    HEADER = """
import os
import subprocess
import sys
"""
    ONLY_GRAPHS = {
        "single-linear-step": "it is about one task's processes: here alone",
        "small-foreach": "it is about one task's processes: here beside others",
    }

    @steps(0, ["all"])
    def step_all(self):
        print("before")
        subprocess.run(["sh", "-c", "echo from a shell; echo its complaint >&2"], check=True)
        os.write(1, b"past Python's buffers\n")
        subprocess.run([sys.executable, "-c", "print('from Python: ü')"], check=True)
        print("after")

    def check_results(self, flow, checker):
        out = "before\nfrom a shell\npast Python's buffers\nfrom Python: ü\nafter\n"
        for step in flow:
            checker.assert_log(step.name, "stdout", out)
            checker.assert_log(step.name, "stderr", "its complaint\n")


class LogsThatAreNotText(FlowTest):
    """Bytes that are no text do no harm to the lines around them."""

    PRIORITY = 65
    HEADER = "import os\n"
    ONLY_GRAPHS = {"single-linear-step": "it is about one task's log, not about the graph"}

    @steps(0, ["all"])
    def step_all(self):
        print("before")
        os.write(1, b"bad \xff\xfe\n")
        print("progress 10%\rprogress 100%\x00\x1b[31mred\x1b[0m")
        print("after")

    def check_results(self, flow, checker):
        for step in flow:
            for log in checker.log_dict(step.name, "stdout").values():
                first, bad, progress, last, rest = log.split("\n")
                assert_equals(("before", "after", ""), (first, last, rest))
                assert_equals("bad \\xff\\xfe", bad)
                assert_equals("progress 10%\rprogress 100%\x00\x1b[31mred\x1b[0m", progress)


class LogsOfDyingTask(FlowTest):
    """What a task printed before it was killed is kept, without its having flushed anything."""

    PRIORITY = 66
    SHOULD_FAIL = True
    HEADER = """
import os
import signal
import sys
"""
    ONLY_GRAPHS = {
        "start-end": "it is about one task's end: here of the last step's",
        "wide-branch": "it is about one task's end: here of the last step's, after many",
    }

    @steps(0, ["end"])
    def step_end(self):
        print("first words")
        print("a complaint", file=sys.stderr)
        print("last words")
        os.kill(os.getpid(), signal.SIGKILL)

    @steps(1, ["all"])
    def step_all(self):
        print("fine")

    def check_results(self, flow, checker):
        checker.assert_log("end", "stdout", "first words\nlast words\n")
        checker.assert_log("end", "stderr", "a complaint", exact=False)
        for step in flow:
            if step.name != "end":
                checker.assert_log(step.name, "stdout", "fine\n")
        assert_equals(True, "last words" in checker.console)


class LogsOfLastAttempt(FlowTest):
    """Only what the last attempt printed is its task's log."""

    PRIORITY = 67
    ONLY_GRAPHS = {
        "single-linear-step": "it is about one task's attempts: here alone",
        "simple-foreach": "it is about one task's attempts: here beside others",
    }

    @tag("retry(times=2, minutes_between_retries=0)")
    @steps(0, ["all"])
    def step_all(self):
        self.place = self.index or 0
        print(f"attempt {current.retry_count}")
        if current.retry_count < 1 + (self.index or 0) % 2:
            raise TestRetry

    def check_results(self, flow, checker):
        for step in flow:
            out, err = checker.log_dict(step.name, "stdout"), checker.log_dict(step.name, "stderr")
            for task in checker.tasks(step.name):
                last = f"attempt {1 + task.values['place'] % 2}\n"
                assert_equals((last, ""), (out[task.task], err[task.task]))
