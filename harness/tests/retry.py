"""Templates about @retry: what is tried again, how often, and what is left to see."""

from plait_harness import FlowTest, steps, tag

_ALIKE = {
    "diamond-of-diamonds": "many times the same as join-splits",
    "eight-way-nested-branches": "many times the same as unequal-branches",
    "foreach-width-1": "the same as small-foreach but for the joins, which others look at",
    "foreach-width-1000": "a thousand times the same as small-foreach",
    "inner-width-0-for-all": "the same as inner-width-0-for-some but for the joins",
    "long-chain": "fifty times the same as linear",
    "nested-foreach-same-name": "the same as three-level-foreach but for the stack",
    "wide-branch": "twenty times the same as two-way-branch",
}

_FEW = {
    "single-linear-step": "how an attempt ends is its own matter: here in single steps",
    "branch-in-foreach": "how an attempt ends is its own matter: here deep in splits",
    "foreach-width-0": "how an attempt ends is its own matter: here in a join without inputs",
    "unequal-branches": "how an attempt ends is its own matter: here beside many others",
}


class RetryExceptions(FlowTest):
    """A step that raises is tried again, and nothing of its failed attempts is seen."""

    PRIORITY = 80
    SKIP_GRAPHS = _ALIKE

    @tag("retry(times=2, minutes_between_retries=0)")
    @steps(0, ["join"])
    def step_join(self):
        assert_equals([2] * len(inputs), [item.attempt for item in inputs])
        assert_equals([False] * len(inputs), [hasattr(item, "ghost_1") for item in inputs])
        self.attempt = current.retry_count
        setattr(self, f"ghost_{current.retry_count}", True)
        print("attempt", current.retry_count)
        if current.retry_count < 2:
            raise TestRetry(f"attempt {current.retry_count} is to fail")

    @tag("retry(times=2, minutes_between_retries=0)")
    @steps(1, ["all"])
    def step_all(self):
        assert_equals((False, False), (hasattr(self, "ghost_0"), hasattr(self, "ghost_1")))
        self.attempt = current.retry_count
        setattr(self, f"ghost_{current.retry_count}", True)
        print("attempt", current.retry_count)
        if current.retry_count < 2:
            raise TestRetry(f"attempt {current.retry_count} is to fail")

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(2, task.values["attempt"])
                assert_equals(True, task.attempt in (2, None))
                ghosts = sorted(name for name in task.values if name.startswith("ghost_"))
                assert_equals(["ghost_2"], ghosts)
            if checker.tasks(step.name):
                checker.assert_log(step.name, "stdout", "attempt 2\n", lines=True)


class RetryDeaths(FlowTest):
    """A task whose process dies, by signal, exit or an odd exception, is tried again."""

    PRIORITY = 81
    ONLY_GRAPHS = _FEW
    HEADER = '''
import os
import signal
import sys


class Unpicklable(Exception):
    """Can't be carried from one process to another, nor shown without care."""

    def __reduce__(self):
        raise TypeError("can't be pickled")

    def __str__(self):
        raise RuntimeError("can't be shown")
'''

    @tag("retry(times=5, minutes_between_retries=0)")
    @steps(0, ["all"])
    def step_all(self):
        self.attempt = current.retry_count
        if self.attempt == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.attempt == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif self.attempt == 2:
            os._exit(7)
        elif self.attempt == 3:
            raise Unpicklable
        elif self.attempt == 4:
            sys.exit("leaving")

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(5, task.values["attempt"])
                assert_equals(True, task.attempt in (5, None))


class RetryGivesUp(FlowTest):
    """When the last attempt fails too, the flow fails, after exactly as many as were asked for."""

    PRIORITY = 82
    SHOULD_FAIL = True
    LEAVES = ["attempts.txt"]
    ONLY_GRAPHS = _FEW

    @tag("retry(times=2, minutes_between_retries=0)")
    @steps(0, ["end"])
    def step_end(self):
        with open("attempts.txt", "a") as file:
            file.write(f"{current.retry_count}\n")
        raise ValueError(f"attempt {current.retry_count} failed")

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        with open(checker.run.folder + "/attempts.txt") as file:
            assert_equals("0\n1\n2\n", file.read())
        checker.assert_status("failed")
        assert_equals(True, "ValueError: attempt 2 failed" in checker.console)
        (end,) = checker.tasks("end")
        assert_equals(True, end.attempt in (2, None))


class ExitThatForbidsRetry(FlowTest):
    """Exit 202 fails the task at once, however many attempts are left."""

    PRIORITY = 83
    SHOULD_FAIL = True
    LEAVES = ["attempts.txt"]
    HEADER = "import os\n"
    ONLY_GRAPHS = _FEW

    @tag("retry(times=4, minutes_between_retries=0)")
    @steps(0, ["end"])
    def step_end(self):
        with open("attempts.txt", "a") as file:
            file.write(f"{current.retry_count}\n")
        os._exit(202)

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        with open(checker.run.folder + "/attempts.txt") as file:
            assert_equals("0\n", file.read())
        checker.assert_status("failed")
        assert_equals(True, "202" in checker.console)


class RetryFromOutside(FlowTest):
    """`--with retry` reaches every step, and a decorator in the code wins over it."""

    PRIORITY = 84
    TOP_OPTIONS = ["--with", "retry:times=1,minutes_between_retries=0"]
    ONLY_GRAPHS = _FEW

    @tag("retry(times=3, minutes_between_retries=0)")
    @steps(0, ["end"])
    def step_end(self):
        self.attempt = current.retry_count
        assert_equals(3, current.retry_count)

    @steps(1, ["all"])
    def step_all(self):
        self.attempt = current.retry_count
        assert_equals(1, current.retry_count)

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(3 if step.name == "end" else 1, task.values["attempt"])


class RetryWithRun(FlowTest):
    """`run --with retry` does the same as giving it before the command."""

    PRIORITY = 85
    RUN_OPTIONS = ["--with", "retry:times=1,minutes_between_retries=0"]
    ONLY_GRAPHS = {"small-foreach": "it is about the option, which reaches every step alike"}

    @steps(0, ["all"])
    def step_all(self):
        self.attempt = current.retry_count
        assert_equals(1, current.retry_count)

    def check_results(self, flow, checker):
        for step in flow:
            checker.assert_artifact(step.name, "attempt", 1)


class AttemptsInTheClient(FlowTest):
    """The client lists every attempt at a task, in order, and each says how it ended."""

    PRIORITY = 86
    ONLY_GRAPHS = {
        "linear": "it is about what the client tells of a task: here of single ones",
        "simple-foreach": "it is about what the client tells of a task: here of many of a step",
    }

    @tag("retry(times=3, minutes_between_retries=0)")
    @steps(0, ["all"])
    def step_all(self):
        self.attempt = current.retry_count
        print("attempt", current.retry_count)
        if current.retry_count < (self.index or 0):
            raise TestRetry(f"attempt {current.retry_count}")

    def check_results(self, flow, checker):
        run = checker.get_run()
        if run is None:
            raise NotOffered("only the client lists attempts")
        for step in run:
            for task in step:
                last = task.index or 0
                assert_equals((last, last + 1), (task.attempt, task.attempts))
                assert_equals((True, True, None), (task.finished, task.successful, task.exception))
                assert_equals((last, f"attempt {last}\n"), (task.data.attempt, task.stdout))
                begun = [note.value for note in task.metadata if note.name == "attempt"]
                assert_equals([str(number) for number in range(last + 1)], begun)
                for number in range(last + 1):
                    shown = Task(task.pathspec, attempt=number)
                    assert_equals((True, number == last), (shown.finished, shown.successful))
                    said = (shown.data.attempt, shown.stdout)
                    assert_equals((number, f"attempt {number}\n"), said)
                    failed = None if number == last else f"attempt {number}"
                    assert_equals(failed, shown.exception and shown.exception.message)
                assert_exception(lambda: Task(task.pathspec, attempt=last + 1), PlaitNotFound)
