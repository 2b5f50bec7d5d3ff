"""Resumed runs: what the model says was taken over, and differences from it are found and told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plait_harness.mistakes import Mistake
from plait_harness.model import predict
from plait_harness.render import render
from plait_harness.resumed import check_clones, trace_clones
from plait_harness.seals import SealedTask

BODIES = """
    @steps(0, ["join"])
    def meet(self):
        self.xs = [i.x for i in inputs]
        {meet}

    @steps(1, ["all"])
    def rest(self):
        self.x = (self.index, current.run_id)

    def check_results(self, flow, checker):
        {check}
"""
FAIL = "if not is_resumed(): raise ResumeFromHere"


def seal(step, task, parents=(), frames=(), *, ok=True, origin=None, x="1"):
    """Give a sealed attempt with one artifact."""
    return SealedTask(
        step, task, 0, ok, tuple(parents), tuple(frames), frozenset({"x"}), {"x": x}, origin
    )


def failed():
    """Give what a run left that failed in the second of three elements."""
    inner = [seal("inner", str(2 + i), [("start", "1")], [(i, 3)], ok=i != 1) for i in range(3)]
    return [seal("_parameters", "0"), seal("start", "1"), *inner]


def resumed():
    """Give what the run that resumes it has to leave."""
    parents = [("inner", "2"), ("inner", "3"), ("inner", "4")]
    inner = [seal("inner", str(2 + i), [("start", "1")], [(i, 3)]) for i in range(3)]
    return [
        seal("_parameters", "0"),
        seal("start", "1", origin="F/1/start/1"),
        replace(inner[0], origin="F/1/inner/2"),
        inner[1],
        replace(inner[2], origin="F/1/inner/4"),
        seal("join", "5", parents),
        seal("end", "6", [("join", "5")]),
    ]


@pytest.fixture
def prediction(shapes):
    """What the model says of a foreach over three elements."""
    return predict({"name": "g", "shows": "", "graph": shapes["foreach"]})


def test_a_right_resumed_run_has_no_differences(prediction):
    """Each clone names the task whose code ran; a clone of a clone names the first."""
    clones = trace_clones(prediction, "F", [("1", failed()), ("2", resumed())])
    assert clones == {
        ("start", "1"): "F/1/start/1",
        ("inner", "2"): "F/1/inner/2",
        ("inner", "4"): "F/1/inner/4",
    }
    assert check_clones(resumed(), clones, failed()) == []

    third = trace_clones(prediction, "F", [("1", failed()), ("2", resumed()), ("3", resumed())])
    assert third["start", "1"] == "F/1/start/1"
    assert third["inner", "3"] == "F/2/inner/3"


@pytest.mark.parametrize(
    ("step", "task", "facts", "said"),
    [
        ("start", "1", {"origin": None}, "ran again: start/1 (None, expected F/1/start/1)"),
        ("inner", "3", {"origin": "F/1/inner/3"}, "was taken over: inner/3 (F/1/inner/3, "),
        ("inner", "4", {"origin": "F/1/inner/2"}, "has another origin: inner/4 (F/1/inner/2, "),
        ("inner", "4", {"addresses": {"x": "2"}}, "inner/4 was taken over with other values of x"),
    ],
)
def test_a_wrong_resumed_run_is_told(prediction, step, task, facts, said):
    """By what is wrong with its tasks."""
    clones = trace_clones(prediction, "F", [("1", failed()), ("2", resumed())])
    wrong = [
        replace(each, **facts) if (each.step, each.task) == (step, task) else each
        for each in resumed()
    ]
    problems = check_clones(wrong, clones, failed())

    assert [said in problem for problem in problems] == [True], problems


def test_what_follows_the_code_may_change(prediction):
    """A class attribute of a clone is the code's."""
    clones = trace_clones(prediction, "F", [("1", failed()), ("2", resumed())])
    new = [replace(each, addresses={"x": "2"}) for each in resumed()]

    assert check_clones(new, clones, failed(), changing=["x"]) == []


@pytest.fixture
def run(run_case, make_template, make_graph, shapes):
    """Give a function that runs a template that is resumed."""

    def go(meet=FAIL, check='checker.assert_status("done")', attributes="RESUME = True"):
        head = f'class Mine(FlowTest):\n    """It."""\n    {attributes}\n'
        template = make_template(head + BODIES.format(meet=meet, check=check))
        return run_case(template, make_graph(shapes["foreach"]))

    return go


def test_a_case_is_resumed_and_judged_on_the_resumed_run(run):
    """The check is told the runs before, and which tasks ran in which."""
    result = run(
        check='assert_equals(("2", ("1",)), (checker.run_id, checker.origins)); '
        'assert_equals(["1"] * 3, [checker.run_of(task) for task in checker.tasks("inner")]); '
        'assert_equals(["2"], [checker.run_of(task) for task in checker.tasks("join")])'
    )

    assert [(each.checker, each.outcome) for each in result.checks] == [
        ("cli", "passed"),
        ("mli", "passed"),
        ("always", "passed"),
    ]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("meet", "attributes", "said"),
    [
        ("pass", "RESUME = True", "ended with exit code 0, expected 1\n"),
        ("raise KeyError", "RESUME = True", "run 1, which is to be resumed, did not fail by Resu"),
        (FAIL, "RESUME = 2", "run 2, which is to be resumed: the run ended with exit code 0"),
    ],
)
def test_a_run_that_does_not_fail_as_told_is_not_resumed(run, meet, attributes, said):
    """The case fails, and nobody is asked about it."""
    result = run(meet=meet, attributes=attributes)

    assert [each.checker for each in result.checks] == ["always"]
    assert said in result.checks[0].message


def test_a_wrong_expectation_of_where_a_task_ran_is_told(run):
    """With what the model says."""
    result = run(check='checker.assert_ran("inner", "x")')
    messages = {each.checker: each.message for each in result.failed}

    assert list(messages) == ["cli", "mli"]
    assert messages["cli"] == "run in which inner/2 ran: expected '1', got (0, '1')"


def test_code_changes_between_the_runs(run):
    """What was written instead is what runs."""
    result = run(
        meet='raise ResumeFromHere("mend me")',
        attributes="RESUME, RESUME_CHANGES = True, "
        "{'raise ResumeFromHere(\"mend me\")': 'self.mended = 7'}",
        check='checker.assert_artifact("join", "mended", 7)',
    )

    assert result.failed == ()


def test_a_change_of_what_is_not_there_is_a_mistake(make_template, make_graph, shapes):
    """It would silently change nothing."""
    from plait_harness.fit import fit

    head = (
        'class Mine(FlowTest):\n    """It."""\n    RESUME, RESUME_CHANGES = True, {"absent": "x"}\n'
    )
    template = make_template(head + BODIES.format(meet="pass", check="pass"))
    with pytest.raises(Mistake, match="RESUME_CHANGES has 'absent'"):
        render(fit(template, make_graph(shapes["foreach"])))


def test_a_step_to_resume_from_that_a_graph_lacks_does_not_fit(make_template, make_graph, shapes):
    """The reason names it."""
    from plait_harness.fit import Misfit, fit

    head = 'class Mine(FlowTest):\n    """It."""\n    RESUME, RESUME_STEP = True, "absent"\n'
    template = make_template(head + BODIES.format(meet="pass", check="pass"))
    found = fit(template, make_graph(shapes["foreach"]))

    assert isinstance(found, Misfit)
    assert found.why == "no step 'absent' to resume from"
