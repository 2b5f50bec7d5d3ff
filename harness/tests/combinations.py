"""Templates for every combination of @retry, @catch and @timeout with every way to fail."""

from itertools import cycle, product
from types import FunctionType

from plait_harness import FlowTest, steps, tag

_OUTCOMES = {
    # How the step fails: what the client calls it, what it says, and whether its code is still
    # there to see it, so that the attempt keeps its artifacts and @catch needs no other.
    "exception": ("ValueError", "as told", True),
    "hang": ("plait.plugins.timeout.TimeoutException", "timed out after 0.2 s", True),
    "signal": ("", "killed by SIGKILL", False),
    "exit": ("", "its process left with exit code 7", False),
    "exit 202": ("", "its process left with exit code 202", False),
}

_POSITIONS = {
    "linear": ("single-linear-step", "linear", "single"),
    "branch": ("two-way-branch", "branch-inner", "left"),
    "foreach": ("small-foreach", "foreach-inner", "inner"),
    "join": ("small-foreach", "join", "join"),
}

_HEADER = f'''
import os
import signal
import time

OUTCOMES = {_OUTCOMES!r}


def fail(kind):
    """Fail in one of the ways."""
    print("attempt", current.retry_count, flush=True)
    if kind == "exception":
        raise ValueError("as told")
    if kind == "hang":
        time.sleep(60)
    if kind == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(202 if kind == "exit 202" else 7)
'''


class _Passing(FlowTest):
    """Every task fails, and the run goes on: by another attempt, or because it is caught."""

    ONLY_GRAPHS = {"branch-in-foreach": "it has steps of every kind: alone, in splits, and joins"}

    def step_failing(self):
        self.made = (current.step_name, current.retry_count)
        self.place = (current.step_name, self.index)
        # Without @catch the last attempt has to succeed. With both, it does for some.
        always = CATCH and not (RETRY and (self.index == 1 or current.step_name == "end"))
        if always or current.retry_count == 0:
            fail(KIND)
        print("attempt", current.retry_count)

    def step_foreach(self):
        pass

    def check_results(self, flow, checker):
        kind, said, sees_it = OUTCOMES[KIND]
        checker.assert_status("done")
        assert_equals(0, checker.exit_code)
        run = checker.get_run()
        for step in flow:
            seconds = []
            for task in checker.tasks(step.name):
                if step.kind == "foreach":
                    continue
                second = task.values.get("place") == (step.name, 1)
                succeeds = bool(RETRY) and (not CATCH or step.name == "end" or second)
                seconds.append(second)
                last = RETRY
                if not succeeds and not sees_it:
                    last += 1  # the attempt in which @catch keeps what no code saw
                where = f"{step.name}/{task.task}"
                assert_equals((where, True), (where, task.attempt in (None, last)))
                made = (step.name, last) if succeeds or sees_it else None
                mine = task.values.get("made")
                assert_equals(
                    (where, made), (where, mine if mine and mine[0] == step.name else None)
                )
                printed = f"attempt {last}\n" if succeeds or sees_it else ""
                shown_log = checker.log_dict(step.name, "stdout", lines=True)[task.task]
                assert_equals((where, printed), (where, shown_log))
                if CATCH and succeeds:
                    assert_equals((where, None), (where, task.values["caught"]))
                elif CATCH:
                    caught = task.values["caught"]
                    assert_equals(kind or "FailureHandledByCatch", caught.type)
                    assert_equals((said, True), (said, said in caught.message))
                if run is not None:
                    shown = run[step.name][task.task]
                    assert_equals((True, last + 1), (shown.successful, shown.attempts))
                    assert_equals(not succeeds, shown.exception is not None)
                    for number in range(last):
                        before = Task(shown.pathspec, attempt=number)
                        assert_equals((False, True), (before.successful, before.finished))
                        assert_equals(True, said in str(before.exception.failure.summary))
                        assert_equals(f"attempt {number}\n", before.stdout)
            if RETRY and "foreach-inner" in step.quals:
                # The element at index 1 is one of three, and its last attempt succeeded.
                assert_equals((step.name, 3, 1), (step.name, len(seconds), sum(seconds)))


class _Failing(FlowTest):
    """One task fails in each attempt that it has, and the run with it."""

    SHOULD_FAIL = True

    def step_plain(self):
        pass

    def step_failing(self):
        self.made = (current.step_name, current.retry_count)
        if current.step_name == STEP and self.index in (None, 1):
            fail(KIND)

    def check_results(self, flow, checker):
        kind, said, sees_it = OUTCOMES[KIND]
        checker.assert_status("failed")
        assert_equals(1, checker.exit_code)
        tasks = checker.tasks(STEP)
        # In the foreach the second of its three tasks; with one worker the third never begins.
        task = tasks[1] if len(tasks) > 1 else tasks[0]
        # Nothing is tried again after exit code 202.
        last = 0 if KIND == "exit 202" else RETRY
        assert_equals(True, task.attempt in (None, last))
        assert_equals((STEP, last) if sees_it else None, task.values.get("made"))
        assert_equals(False, "caught" in task.values)
        assert_equals(f"attempt {last}\n", checker.log_dict(STEP, "stdout")[task.task])
        report = checker.console[checker.console.rindex("error[") :]
        for expected in (said, f"{checker.run_id}/{STEP}/{task.task}"):
            assert_equals((expected, True), (expected, expected in report))
        assert_equals([], checker.tasks("end"))
        run = checker.get_run()
        if run is not None:
            shown = run[STEP][task.task]
            assert_equals(
                (False, True, last + 1), (shown.successful, shown.finished, shown.attempts)
            )
            assert_equals(kind.rpartition(".")[2], shown.exception.type.rpartition(".")[2])
            assert_equals((said, True), (said, said in shown.exception.failure.summary))
            assert_equals((False, True), (run.successful, run.finished))
            for number in range(last + 1):
                one = Task(shown.pathspec, attempt=number)
                assert_equals((False, True), (one.successful, one.finished))
                assert_equals(f"attempt {number}\n", one.stdout)


def _copy(function, precedence, quals, tags=(), required=False):
    """Give a function of its own, so that what it is marked with is one template's alone."""
    copied = FunctionType(function.__code__, function.__globals__, function.__name__)
    for decorator in reversed(tags):
        copied = tag(decorator)(copied)
    return steps(precedence, quals, required)(copied)


def _tags(retries, catches, limited, kind):
    found = ["catch(var='caught', print_exception=False)"] if catches else []
    found += [f"retry(times={retries}, minutes_between_retries=0)"] if retries else []
    if limited:
        found.append("timeout(seconds=0.2)" if kind == "hang" else "timeout(minutes=5)")
    return found


def _name(retries, catches, limited):
    parts = (("Retry", retries), ("Catch", catches), ("Timeout", limited))
    return "".join(word for word, there in parts if there) or "Bare"


def _words(retries, catches, limited, kind):
    parts = (("retry", retries), ("catch", catches), ("timeout", limited))
    given = [f"@{word}" for word, there in parts if there]
    return f"{', '.join(given) or 'no decorator'}; {kind}"


def _settings(retries, catches, kind, step=""):
    return f"\nRETRY, CATCH, KIND, STEP = {retries}, {catches}, {kind!r}, {step!r}\n"


def _make_all():
    """Make a template for each combination that there is."""
    number = 400
    places = cycle(_POSITIONS.items())
    for (retries, catches, limited), kind in product(
        product((0, 1), (False, True), (False, True)), _OUTCOMES
    ):
        if kind == "hang" and not limited:
            continue  # it would hang for ever
        tags = _tags(retries, catches, limited, kind)
        words = _words(retries, catches, limited, kind)
        title = "".join(word.capitalize() for word in kind.split())
        if kind != "exit 202" and (retries or catches):
            yield type(
                f"{_name(retries, catches, limited)}PassesOn{title}",
                (_Passing,),
                {
                    "__doc__": f"Every task fails and the run goes on: {words}.",
                    "PRIORITY": number,
                    "HEADER": _HEADER + _settings(retries, catches, kind),
                    "step_foreach": _copy(_Passing.step_foreach, 0, ["foreach"]),
                    "step_failing": _copy(_Passing.step_failing, 1, ["all"], tags),
                },
            )
            number += 1
        if kind == "exit 202" or not catches:
            place, (graph, qual, step) = next(places)
            yield type(
                f"{_name(retries, catches, limited)}FailsOn{title}",
                (_Failing,),
                {
                    "__doc__": f"A task fails and the run with it: {words}; in a {place} step.",
                    "PRIORITY": number,
                    "ONLY_GRAPHS": {graph: f"it has the step that is to fail, {step}"},
                    "HEADER": _HEADER + _settings(retries, catches, kind, step),
                    "step_start": _copy(_Failing.step_plain, 0, ["start", "end"]),
                    "step_failing": _copy(_Failing.step_failing, 1, [qual], tags, True),
                    "step_plain": _copy(_Failing.step_plain, 2, ["all"]),
                },
            )
            number += 1


globals().update({made.__name__: made for made in _make_all()})
