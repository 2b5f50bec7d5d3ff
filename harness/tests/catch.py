"""Templates about @catch: the flow goes on after a failure, and what failed is kept."""

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
    "single-linear-step": "how a step ends is its own matter: here of single steps",
    "two-way-branch": "how a step ends is its own matter: here of a split, branches and a join",
    "small-foreach": "how a step ends is its own matter: here beside a foreach",
}


class CatchExceptions(FlowTest):
    """A step that raises is passed over, and its exception and what it set before are kept."""

    PRIORITY = 90
    SKIP_GRAPHS = _ALIKE

    @steps(0, ["foreach", "switch"])
    def step_foreach(self):
        # Nobody but its code knows what comes after it, so it can't be passed over.
        self.set_before = current.step_name

    @tag("catch(var='caught', print_exception=False)")
    @steps(1, ["join"])
    def step_join(self):
        self.set_before = current.step_name
        for item in inputs:
            assert_equals(("ValueError", True), (item.caught.type, hasattr(item, "set_before")))
        assert_exception(lambda: self.caught, AttributeError)
        raise ValueError(f"größer than {current.step_name}")

    @tag("catch(var='caught', print_exception=False)")
    @steps(2, ["all"])
    def step_all(self):
        self.set_before = current.step_name
        raise ValueError(f"größer than {current.step_name}")

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(step.name, task.values["set_before"])
                if step.kind not in ("foreach", "switch"):
                    caught = task.values["caught"]
                    assert_equals(
                        ("ValueError", f"größer than {step.name}"), (caught.type, caught.message)
                    )
                    assert_equals(ValueError, type(caught.exception))
                    assert_equals((f"größer than {step.name}",), caught.exception.args)
                    assert_equals(True, "raise ValueError(f" in caught.traceback)
                    assert_equals(False, "/plait/" in caught.traceback)
            if checker.tasks(step.name):
                checker.assert_log(step.name, "stdout", "", lines=True)
                checker.assert_log(step.name, "stderr", "", lines=True)
        checker.assert_status("done")
        run = checker.get_run()
        if run is not None:
            assert_equals((True, "ValueError"), (run.successful, run.end_task.exception.type))
            assert_equals(True, run.end_task.successful)


class CatchNothing(FlowTest):
    """Where nothing goes wrong, the artifact of @catch is None."""

    PRIORITY = 91
    ONLY_GRAPHS = _FEW

    @steps(0, ["foreach", "switch"])
    def step_foreach(self):
        pass

    @tag("catch(var='caught')")
    @steps(1, ["all"])
    def step_all(self):
        self.fine = True

    def check_results(self, flow, checker):
        for step in flow:
            if step.kind != "foreach":
                checker.assert_artifact(step.name, "caught", None)
                checker.assert_artifact(step.name, "fine", True)


class CatchWithoutVariable(FlowTest):
    """Without a variable nothing is kept of an exception but what is printed of it."""

    PRIORITY = 92
    ONLY_GRAPHS = _FEW

    @steps(0, ["foreach", "switch"])
    def step_foreach(self):
        pass

    @tag("catch")
    @steps(1, ["all"])
    def step_all(self):
        print("before")
        raise ValueError("printed and passed over")

    def check_results(self, flow, checker):
        for step in flow:
            if step.kind != "foreach":
                for log in checker.log_dict(step.name, "stdout").values():
                    assert_equals("before", log.splitlines()[0])
                    assert_equals(1, log.count("Traceback (most recent call last)"))
                    assert_equals(True, "ValueError: printed and passed over" in log)
        checker.assert_status("done")


class CatchAfterRetries(FlowTest):
    """With retries the last attempt's exception is caught, and an earlier one is not."""

    PRIORITY = 93
    ONLY_GRAPHS = {
        **_FEW,
        "three-level-foreach": "how a step ends is its own matter: here deep in foreaches",
    }

    @tag("retry(times=1, minutes_between_retries=0)")
    @steps(0, ["foreach", "switch"])
    def step_foreach(self):
        if current.retry_count < 1:
            raise TestRetry

    @tag("retry(times=2, minutes_between_retries=0)")
    @tag("catch(var='caught', print_exception=False)")
    @steps(1, ["join"])
    def step_join(self):
        self.attempt = current.retry_count
        if current.retry_count < 2:
            raise TestRetry(f"attempt {current.retry_count}")

    @tag("catch(var='caught', print_exception=False)")
    @tag("retry(times=2, minutes_between_retries=0)")
    @steps(2, ["all"])
    def step_all(self):
        self.attempt = current.retry_count
        raise TestRetry(f"attempt {current.retry_count}")

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                if step.join:
                    assert_equals((2, None), (task.values["attempt"], task.values["caught"]))
                elif step.kind != "foreach":
                    caught = task.values["caught"]
                    assert_equals((2, "attempt 2"), (task.values["attempt"], caught.message))
                    assert_equals("TestRetry", type(caught.exception).__name__)


class CatchDeaths(FlowTest):
    """When the process of every attempt died, a record of how stands in for the exception."""

    PRIORITY = 94
    HEADER = """
import os
import signal
"""
    ONLY_GRAPHS = {
        **_FEW,
        "branch-in-foreach": "how a step ends is its own matter: here within splits",
    }

    @steps(0, ["foreach", "switch"])
    def step_foreach(self):
        self.before_it = "kept"

    @tag("catch(var='caught')")
    @steps(1, ["join"])
    def step_join(self):
        os._exit(7)

    @tag("catch(var='caught', print_exception=False)")
    @tag("retry(times=1, minutes_between_retries=0)")
    @steps(2, ["start", "split"])
    def step_split(self):
        self.lost = True
        os.kill(os.getpid(), signal.SIGABRT if current.retry_count else signal.SIGKILL)

    @tag("catch(var='caught', print_exception=False)")
    @steps(3, ["all"])
    def step_all(self):
        self.lost = True
        os.kill(os.getpid(), signal.SIGSEGV)

    def check_results(self, flow, checker):
        for step in flow:
            said = "7" if step.join else "SIGSEGV"
            if not step.join and (step.name == "start" or step.kind == "split"):
                said = "SIGABRT"
            for task in checker.tasks(step.name):
                assert_equals(False, "lost" in task.values)
                if step.kind != "foreach":
                    caught = task.values["caught"]
                    assert_equals(
                        ("FailureHandledByCatch", None), (type(caught).__name__, caught.exception)
                    )
                    assert_equals((said, True), (said, said in caught.message))
        checker.assert_status("done")


class CatchOddException(FlowTest):
    """An exception that can't be pickled is kept by its type, and the flow goes on."""

    PRIORITY = 95
    HEADER = '''
class Odd(Exception):
    """Can't be pickled, nor shown."""

    def __reduce__(self):
        raise TypeError("can't be pickled")

    def __str__(self):
        raise RuntimeError("can't be shown")


class Holding(Exception):
    """Holds what can't be pickled."""
'''
    ONLY_GRAPHS = _FEW

    @steps(0, ["foreach", "switch"])
    def step_foreach(self):
        pass

    @tag("catch(var='caught', print_exception=False)")
    @steps(1, ["end"])
    def step_end(self):
        raise Holding("holds a function", lambda: None)

    @tag("catch(var='caught', print_exception=False)")
    @steps(2, ["all"])
    def step_all(self):
        raise Odd

    def check_results(self, flow, checker):
        for step in flow:
            kind = "Holding" if step.name == "end" else "Odd"
            for task in checker.tasks(step.name):
                if step.kind != "foreach":
                    caught = task.values["caught"]
                    assert_equals((kind, None), (caught.type.split(".")[-1], caught.exception))
                    assert_equals(True, f"raise {kind}" in caught.traceback)
        checker.assert_status("done")


class CatchUnpicklableArtifact(FlowTest):
    """An artifact that can't be kept is a failure of its step like any other, and is caught."""

    PRIORITY = 96
    ONLY_GRAPHS = {"single-linear-step": "how a step ends is its own matter"}

    @tag("catch(var='caught', print_exception=False)")
    @steps(0, ["linear"])
    def step_linear(self):
        self.broken = [lambda: None]

    @steps(1, ["all"])
    def step_all(self):
        assert_equals(False, hasattr(self, "broken"))
        assert_equals(True, "broken" in self.caught.message)

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(False, "broken" in task.values)
                assert_equals(True, "broken" in task.values["caught"].message)


class CatchFromOutside(FlowTest):
    """`--with catch` reaches every step that may have it, and leaves out the others."""

    PRIORITY = 97
    TOP_OPTIONS = ["--with", "catch:var=caught,print_exception=false"]
    ONLY_GRAPHS = _FEW

    @steps(0, ["foreach", "switch"])
    def step_foreach(self):
        # It could not go on without its code, so it has no @catch that would say so.
        pass

    @steps(1, ["all"])
    def step_all(self):
        raise ValueError("from outside")

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                if step.kind != "foreach":
                    caught = task.values["caught"]
                    assert_equals(("ValueError", "from outside"), (caught.type, caught.message))
        checker.assert_status("done")


class CatchCannotCatch202(FlowTest):
    """Exit 202 ends the task for good: neither retry nor catch has a say."""

    PRIORITY = 98
    SHOULD_FAIL = True
    HEADER = "import os\n"
    ONLY_GRAPHS = {"single-linear-step": "how a step ends is its own matter"}

    @tag("catch(var='caught')")
    @tag("retry(times=2, minutes_between_retries=0)")
    @steps(0, ["end"])
    def step_end(self):
        os._exit(202)

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        (end,) = checker.tasks("end")
        checker.assert_status("failed")
        assert_equals(False, "caught" in end.values)
        assert_equals(True, "202" in checker.console)
