"""`step` and `init`: what machines call."""

from __future__ import annotations

import json

import pytest

from plait.base.pathspec import AttemptKey
from plait.base.records import TaskOrder
from plait.cli.commands.step import BadOrder, parse_order


def order(step: str = "start", flow: str = "TrialFlow") -> str:
    return json.dumps(TaskOrder(AttemptKey(flow, "1", step, "1", 0)).to_json())


def test_an_order_is_read():
    """What a run writes is what `step` reads."""
    assert parse_order(order(), "TrialFlow", "start").key.task == "1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is not JSON: "),
        ("{}", "it has no 'inputs'"),
        ("[1]", "it is not of an order's form: "),
        (order("end"), "it is for step 'end' of TrialFlow, not for 'start' of TrialFlow"),
        (order(flow="Other"), "it is for step 'start' of Other"),
    ],
)
def test_what_is_no_order_is_refused(text, problem):
    """An order that is broken, or for something else, is told as such."""
    with pytest.raises(BadOrder) as caught:
        parse_order(text, "TrialFlow", "start")

    assert problem in str(caught.value)


def test_init_and_step_carry_out_a_run_by_hand(project):
    """`init` records a run; `step` runs a task of it, its order on stdin or in a file."""
    said = project.start("init", "--count", "2", "--tag", "by hand")
    assert (said.code, said.out, said.err) == (0, "1\n", "")

    source = project.script.read_text()
    reading = source.replace('"""Begin."""', "print('stdin is', repr(sys.stdin.read()))")
    project.script.write_text(reading)
    said = project.start("step", "start", "--order", "-", text=order() + "\n")
    assert (said.code, said.out) == (0, "stdin is ''\n")

    (project.folder / "order.json").write_text(
        json.dumps(
            TaskOrder.from_json(
                {
                    "key": ["TrialFlow", "1", "work", "2", 0],
                    "inputs": [["start", "1", 0]],
                    "parents": None,
                    "frames": [["start", "1", 1, 2, "items"]],
                    "retries": 0,
                    "fallback": False,
                    "origin_run": None,
                }
            ).to_json()
        )
    )
    said = project.start("step", "work", "--order", "order.json")
    assert (said.code, said.out) == (0, "out 1\n")


def test_init_in_this_process(project):
    """The id is all that `init` prints."""
    said = project.call("init")

    assert (said.code, said.out, said.err) == (0, "1\n", "")


def test_a_step_of_a_run_that_is_not_there(project):
    """An order for a run that nobody recorded fails with a message."""
    said = project.start("step", "start", "--order", "-", text=order())

    assert said.code == 1
    assert said.err.startswith("error[")
