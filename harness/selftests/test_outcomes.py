"""What the reference model says of attempts, failures and resumes, against answers by hand."""

from __future__ import annotations

import json
import os

import pytest

from plait_harness.model import TaskId, predict
from plait_harness.outcomes import (
    AttemptsModel,
    ancestors,
    find_impossible,
    plan_clones,
    predict_attempts,
    predict_outcome,
)

GRAPHS = os.path.join(os.path.dirname(__file__), os.pardir, "graphs")


def prediction_of(name):
    """Predict one of the harness's own graphs."""
    with open(os.path.join(GRAPHS, f"{name}.json"), encoding="utf-8") as file:
        return predict(json.load(file))


def tasks(*names):
    """Give task ids from `step` or `step 0 1`."""
    split = [name.split() for name in names]
    return {TaskId(step, tuple(int(part) for part in rest)) for step, *rest in split}


@pytest.mark.parametrize(
    ("failures", "facts", "expected"),
    [
        (0, {}, AttemptsModel(1, ok=True)),
        (0, {"retries": 3, "catches": True}, AttemptsModel(1, ok=True)),
        (1, {}, AttemptsModel(1, ok=False)),
        (2, {"retries": 2}, AttemptsModel(3, ok=True)),
        (3, {"retries": 2}, AttemptsModel(3, ok=False)),
        (1, {"catches": True}, AttemptsModel(2, ok=True, caught=True)),
        (3, {"retries": 2, "catches": True}, AttemptsModel(4, ok=True, caught=True)),
        (9, {"retries": 4, "catches": True}, AttemptsModel(6, ok=True, caught=True)),
        (9, {"retries": 5, "catches": True}, AttemptsModel(6, ok=False)),
        (5, {"retries": 5}, AttemptsModel(6, ok=True)),
        (1, {"retries": 5, "catches": True, "final": True}, AttemptsModel(1, ok=False)),
    ],
)
def test_attempts(failures, facts, expected):
    """Retries come first, then @catch; six attempts are the most, and some failures are final."""
    assert predict_attempts(failures, **facts) == expected


def test_nothing_fails():
    """A run in which the failing task is never come to is done, with all its tasks."""
    prediction = prediction_of("two-way-branch")
    outcome = predict_outcome(prediction, ())

    everything = {task.id for task in prediction.tasks}
    assert (outcome.status, outcome.surely, outcome.perhaps) == ("done", everything, everything)
    assert outcome.failing == frozenset()


def test_one_task_fails():
    """What is before it has finished, what is beside it perhaps, what is behind it never."""
    outcome = predict_outcome(prediction_of("small-foreach"), tasks("inner 1"))

    assert outcome.status == "failed"
    assert outcome.failing == tasks("inner 1")
    assert outcome.surely == tasks("start", "split")
    assert outcome.perhaps == tasks("start", "split", "inner 0", "inner 2")


def test_two_tasks_fail():
    """Only what is before both is sure to finish: the second may never begin."""
    outcome = predict_outcome(prediction_of("unequal-branches"), tasks("long_3", "prong_a"))

    assert outcome.failing == tasks("long_3", "prong_a")
    assert outcome.surely == tasks("start")
    assert outcome.perhaps >= tasks("long_1", "long_2", "fork", "prong_b", "short", "middle_2")
    assert not outcome.perhaps & tasks("long_3", "long_4", "fork_join", "join", "end")


def test_a_failure_behind_a_failure_is_never_come_to():
    """Of two failing tasks one after the other only the first is reached."""
    outcome = predict_outcome(prediction_of("small-foreach"), tasks("split", "join"))

    assert outcome.failing == tasks("split")
    assert outcome.surely == outcome.perhaps == tasks("start")


def test_what_a_stopped_run_can_have_finished():
    """Any tasks whose parents finished too; a task alone, or a stranger, is said by name."""
    prediction = prediction_of("small-foreach")

    assert find_impossible(prediction, tasks("start", "split", "inner 2")) == []
    assert find_impossible(prediction, ()) == []
    assert find_impossible(prediction, tasks("start", "inner 0", "stranger")) == [
        "stranger has no place in the run",
        "inner[0] finished, and split before it did not",
    ]


def test_what_finished_is_taken_over():
    """All tasks that finished with all before them; one whose parent did not is run again."""
    prediction = prediction_of("small-foreach")

    finished = tasks("start", "split", "inner 0", "inner 2")
    assert plan_clones(prediction, finished) == (
        *(TaskId("start"), TaskId("split")),
        *(TaskId("inner", (0,)), TaskId("inner", (2,))),
    )
    assert plan_clones(prediction, tasks("start", "inner 0")) == (TaskId("start"),)
    assert plan_clones(prediction, ()) == ()


def test_a_step_to_rerun_is_run_with_all_behind_it():
    """What is beside the step is taken over; all behind it is not, though it finished."""
    prediction = prediction_of("unequal-branches")
    everything = {task.id for task in prediction.tasks}

    cloned = set(plan_clones(prediction, everything, rerun={"prong_a"}))
    assert everything - cloned == tasks("prong_a", "fork_join", "join", "end")
    assert plan_clones(prediction, everything, rerun={"start"}) == ()


def test_rounds_of_a_loop_are_taken_over_one_by_one():
    """A loop that was stopped in its third round goes on there."""
    prediction = prediction_of("switch-self-loop")
    rounds = [TaskId("again", (), turn) for turn in range(4)]

    assert plan_clones(prediction, {TaskId("start"), *rounds[:2]}) == (
        TaskId("start"),
        *rounds[:2],
    )


def test_a_join_of_nothing_comes_behind_its_split():
    """The join of an empty foreach is behind the task that split, and runs again with it."""
    prediction = prediction_of("foreach-width-0")
    (split,) = (task for task in prediction.tasks if task.width == 0)
    (join,) = (task for task in prediction.tasks if task.joins)

    assert split.id in ancestors(prediction)[join.id]
    everything = {task.id for task in prediction.tasks}
    assert join.id not in plan_clones(prediction, everything, rerun={split.step})
