"""What every checker asserts, over an interface held in memory."""

from __future__ import annotations

import pytest

from plait_harness.checker import Checker, NotOffered, RunFacts, TaskSeen
from plait_harness.expect import (
    ExpectationFailed,
    assert_equals,
    assert_exception,
    is_resumed,
    origin_run_id_for_resume,
)


class Memory(Checker):
    """Shows two steps, one of them with ten tasks."""

    name = "memory"

    def read_step(self, step):
        if step == "many":
            return [TaskSeen(step, str(n), {"n": n}) for n in (10, 9, 2, 11)]
        return [TaskSeen(step, "1", {"x": 1, "point": complex(1, 2)})] if step == "one" else []

    def read_log(self, step, stream):
        return {task.task: f"{stream} of {task.task}\n" for task in self.tasks(step)}


@pytest.fixture
def checker():
    """A checker of a run that is done."""
    facts = RunFacts("F", "1", 0, "out", "err", "/case", ("one", "many", "none"))
    return Memory(facts, lambda arguments, *, expect=0: None)


def failure(function, *arguments, **named) -> str:
    """Give what is said where an expectation fails."""
    with pytest.raises(ExpectationFailed) as failed:
        function(*arguments, **named)
    return str(failed.value)


def test_tasks_come_in_the_order_of_their_numbers(checker):
    """Not in that of their names, nor as the interface gave them."""
    assert [task.task for task in checker.tasks("many")] == ["2", "9", "10", "11"]
    assert list(checker.log_dict("many", "stderr")) == ["2", "9", "10", "11"]
    assert checker.artifact_dict("many", "n") == {"2": 2, "9": 9, "10": 10, "11": 11}
    assert checker.artifact_names("one") == {"1": frozenset({"x", "point"})}


def test_an_artifact_has_its_value_and_its_type(checker):
    """True is not 1."""
    checker.assert_artifact("one", "x", 1)
    assert failure(checker.assert_artifact, "one", "x", True) == (
        "artifact 'x' of one/1: expected True, got 1"
    )
    assert failure(checker.assert_artifact, "one", "y", 1) == (
        "expected \"an artifact 'y' of one/1\", got ['point', 'x']"
    )
    assert failure(checker.assert_artifact, "many", "n", 2) == (
        "artifact 'n' of many/9: expected 2, got 9"
    )


def test_an_artifacts_attributes_are_checked_instead(checker):
    """With `fields`, what is compared is attributes."""
    checker.assert_artifact("one", "point", None, fields={"real": 1.0, "imag": 2.0})
    assert failure(checker.assert_artifact, "one", "point", None, fields={"real": 2.0}) == (
        "point.real of one/1: expected 2.0, got 1.0"
    )
    assert "no attribute 'reel' on a complex" in failure(
        checker.assert_artifact, "one", "point", None, fields={"reel": 2.0}
    )


def test_a_step_without_tasks_satisfies_nothing(checker):
    """What is said of every task is not said of none."""
    for check in (checker.assert_artifact, checker.assert_log):
        assert "at least one task of none" in failure(check, "none", "stdout", "x")
    assert "at least one task of none" in failure(checker.assert_no_artifact, "none", "x")
    checker.assert_tasks("none", 0)
    assert "number of tasks of many: expected 3" in failure(checker.assert_tasks, "many", 3)


def test_an_artifact_that_should_not_be_there_is_told(checker):
    """Its value is shown."""
    checker.assert_no_artifact("one", "y")
    assert failure(checker.assert_no_artifact, "one", "x") == (
        "expected \"no artifact 'x' of one/1\", got 1"
    )


def test_logs_are_compared_whole_or_in_part(checker):
    """An exact log has nothing else in it."""
    checker.assert_log("one", "stdout", "stdout of 1\n")
    checker.assert_log("one", "stdout", "of 1", exact=False)
    assert "stdout of one/1: expected 'of 1'" in failure(
        checker.assert_log, "one", "stdout", "of 1"
    )
    assert "with 'of 2' in it" in failure(checker.assert_log, "one", "stdout", "of 2", exact=False)


def test_a_status_that_is_not_shown_is_told_by_the_exit_code(checker):
    """Not every interface shows a status; each has an exit code."""
    checker.assert_status("done")
    assert failure(checker.assert_status, "failed") == (
        "exit code of a run that is failed: expected 1, got 0"
    )


def test_what_an_interface_does_not_offer_is_said(checker):
    """Tags and status are not everybody's."""
    with pytest.raises(NotOffered, match="memory does not change tags \\(asked about a, b\\)"):
        checker.replace_tag("a", "b")
    for ask in (checker.get_user_tags, checker.get_system_tags, checker.run_status):
        with pytest.raises(NotOffered, match="memory does not show"):
            ask()
    for change in (checker.add_tag, checker.remove_tag):
        with pytest.raises(NotOffered, match="asked about a"):
            change("a")
    assert (checker.get_run(), checker.run_id, checker.exit_code) == (None, "1", 0)
    assert checker.console == "outerr"


def test_a_base_reads_nothing():
    """An interface has to say how it reads."""
    bare = Checker(RunFacts("F", "1", 0, "", "", "/", ()), lambda arguments, *, expect=0: None)

    with pytest.raises(NotImplementedError):
        bare.read_step("one")
    with pytest.raises(NotImplementedError):
        bare.read_log("one", "stdout")


def test_ids_that_are_not_numbers_come_last(checker, monkeypatch):
    """In the order of their names."""
    seen = [TaskSeen("s", task, {}) for task in ("b", "10", "a", "9")]
    monkeypatch.setattr(Memory, "read_step", lambda self, step: seen)

    assert [task.task for task in checker.tasks("s")] == ["9", "10", "a", "b"]


def test_expectations_of_bodies_say_what_they_got():
    """Long values are cut; text over lines is shown as it is."""
    assert failure(assert_equals, [1], [2]) == "expected [1], got [2]"
    assert failure(assert_equals, "a\nb", "c") == "expected a\nb, got 'c'"
    assert "... (5002 characters)" in failure(assert_equals, "x" * 5000, 1)
    assert_exception(lambda: 1 / 0, ZeroDivisionError)
    assert failure(assert_exception, lambda: 1, ZeroDivisionError) == (
        "exception: expected 'ZeroDivisionError', got 'none'"
    )
    assert "KeyError" in failure(assert_exception, lambda: {}["x"], ZeroDivisionError)


def test_outside_of_a_run_nothing_is_resumed():
    """There is no origin."""
    assert origin_run_id_for_resume() is None
    assert not is_resumed()
