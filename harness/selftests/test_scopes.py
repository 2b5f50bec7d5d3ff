"""Which artifacts the reference model says are in scope where, against answers by hand."""

from __future__ import annotations

import json
import os

from plait_harness.model import TaskId, predict
from plait_harness.scopes import predict_scopes

GRAPHS = os.path.join(os.path.dirname(__file__), os.pardir, "graphs")


def prediction_of(name):
    """Predict one of the harness's own graphs."""
    with open(os.path.join(GRAPHS, f"{name}.json"), encoding="utf-8") as file:
        return predict(json.load(file))


def test_a_step_finds_what_the_steps_before_left():
    """What is set stays, until a later step sets the same name."""
    scopes = predict_scopes(
        prediction_of("single-linear-step"),
        {"start": ["a", "b"], "single": ["b"], "end": ["c"]},
    )
    start, single, end = TaskId("start"), TaskId("single"), TaskId("end")

    assert scopes[start].before == {}
    assert scopes[single].before == {"a": start, "b": start}
    assert scopes[end].before == scopes[single].after == {"a": start, "b": single}
    assert scopes[end].after == {"a": start, "b": single, "c": end}


def test_a_join_finds_nothing_and_merges_what_all_agree_on():
    """Equal on all ways, or there on one alone: carried. Different: a conflict, unless set here."""
    sets = {
        "start": ["a"],
        "left": ["differs", "only_left", "set_here"],
        "right": ["differs", "set_here"],
        "join": ["set_here"],
    }
    nodes = {
        "start": {"branch": ["left", "right"]},
        "left": {"linear": "join"},
        "right": {"linear": "join"},
        "join": {"linear": "end", "join": True},
        "end": {},
    }
    prediction = predict({"name": "test", "shows": "", "graph": nodes})
    start, left, join = TaskId("start"), TaskId("left"), TaskId("join")

    scope = predict_scopes(prediction, sets)[join]
    assert scope.before == {}
    assert scope.merged == {"a": start, "only_left": left}
    assert scope.conflicts == {"differs"}
    assert scope.after == {"a": start, "only_left": left, "set_here": join}
    unmerged = predict_scopes(prediction, sets, merges=False)
    assert unmerged[join].after == unmerged[TaskId("end")].before == {"set_here": join}


def test_the_join_of_an_empty_foreach_merges_nothing():
    """It is given no inputs, so that not even what was set before the split is carried."""
    prediction = prediction_of("foreach-width-0")
    (join,) = (task.id for task in prediction.tasks if task.joins)

    scope = predict_scopes(prediction, {"start": ["a"], join.step: ["b"]})[join]
    assert (scope.merged, scope.after) == ({}, {"b": join})


def test_a_round_of_a_loop_finds_what_the_round_before_left():
    """Each time the step runs, the artifact is the last round's, and then its own."""
    scopes = predict_scopes(prediction_of("switch-self-loop"), {"start": ["a"], "again": ["a"]})

    assert scopes[TaskId("again", (), 0)].before == {"a": TaskId("start")}
    assert scopes[TaskId("again", (), 2)].before == {"a": TaskId("again", (), 1)}
    assert scopes[TaskId("end")].before == {"a": TaskId("again", (), 3)}
