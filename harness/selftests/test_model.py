"""The reference model against answers worked out by hand."""

from __future__ import annotations

import json
import os

import pytest

from plait_harness.model import FrameModel, Prediction, TaskId, UnpredictableGraph, predict

GRAPHS = os.path.join(os.path.dirname(__file__), os.pardir, "graphs")


def graph(name):
    """Read one of the harness's own graphs."""
    with open(os.path.join(GRAPHS, f"{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def predict_nodes(nodes) -> Prediction:
    """Predict a graph written in a test."""
    return predict({"name": "test", "shows": "", "graph": nodes})


def ids(*names):
    """Give task ids from `step` or `step 0 1`."""
    split = [name.split() for name in names]
    return tuple(TaskId(step, tuple(int(part) for part in rest)) for step, *rest in split)


def test_linear_steps_have_one_task_each():
    """In a linear flow each step has one task, whose parent and input is the one before."""
    prediction = predict(graph("single-linear-step"))

    assert prediction.counts == {"start": 1, "single": 1, "end": 1}
    assert [task.id for task in prediction.tasks] == list(ids("start", "single", "end"))
    assert [task.parents for task in prediction.tasks] == [
        (),
        *((i,) for i in ids("start", "single")),
    ]
    assert all(task.inputs == task.parents for task in prediction.tasks)
    assert all(task.stack == () and task.index is None for task in prediction.tasks)
    assert prediction.paths == (("start", "single", "end"),)


def test_inputs_of_a_join_come_in_the_order_of_the_branches():
    """A join's inputs are the last tasks of the branches, in the order of the split."""
    prediction = predict(graph("unequal-branches"))

    assert prediction.task("join").inputs == ids("long_4", "short", "fork_join", "middle_2")
    assert prediction.task("fork_join").inputs == ids("prong_b", "prong_a")
    assert prediction.paths == (
        ("start", "long_1", "long_2", "long_3", "long_4", "join", "end"),
        ("start", "short", "join", "end"),
        ("start", "fork", "prong_b", "fork_join", "join", "end"),
        ("start", "fork", "prong_a", "fork_join", "join", "end"),
        ("start", "middle_1", "middle_2", "join", "end"),
    )


def test_foreach_has_a_task_for_each_element():
    """Each element of a foreach has a task with its index and value, joined in order."""
    prediction = predict(graph("small-foreach"))

    assert prediction.counts == {"start": 1, "split": 1, "inner": 3, "join": 1, "end": 1}
    assert prediction.task("split").width == 3
    assert [task.stack for task in prediction.of("inner")] == [
        (FrameModel(0, 3, 1),),
        (FrameModel(1, 3, 2),),
        (FrameModel(2, 3, 3),),
    ]
    assert [task.input for task in prediction.of("inner")] == [1, 2, 3]
    assert [task.parents for task in prediction.of("inner")] == [ids("split")] * 3
    assert prediction.task("join").inputs == ids("inner 0", "inner 1", "inner 2")
    assert prediction.task("join").stack == ()


def test_nested_foreach_keeps_the_outer_frame():
    """In nested foreaches of unequal widths every task knows all frames, outermost first."""
    prediction = predict(graph("three-level-foreach"))

    assert prediction.counts == {
        "start": 1,
        "outer": 2,
        "split_middle": 2,
        "split_inner": 6,
        "leaf": 12,
        "join_inner": 6,
        "after_inner": 6,
        "join_middle": 2,
        "join_outer": 1,
        "end": 1,
    }
    leaf = prediction.task("leaf", 1, 2, 0)
    assert leaf.stack == ((1, 2, "b"), (2, 3, 30), (0, 2, True))
    assert leaf.parents == ids("split_inner 1 2")
    assert prediction.task("join_inner", 1, 2).inputs == ids("leaf 1 2 0", "leaf 1 2 1")
    assert prediction.task("join_middle", 1).inputs == ids(
        "after_inner 1 0", "after_inner 1 1", "after_inner 1 2"
    )
    assert prediction.task("join_middle", 1).stack == ((1, 2, "b"),)
    assert [task.position for task in prediction.of("split_inner")] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
        (1, 2),
    ]


def test_empty_foreach_goes_straight_to_its_join():
    """The join of an empty foreach has no inputs, and the task that split is its parent."""
    prediction = predict(graph("foreach-width-0"))

    assert prediction.counts == {
        "start": 1,
        "split": 1,
        "first": 0,
        "second": 0,
        "join": 1,
        "after": 1,
        "end": 1,
    }
    assert prediction.task("split").width == 0
    assert prediction.task("join").inputs == ()
    assert prediction.task("join").parents == ids("split")
    assert prediction.of("first") == ()


def test_inner_foreach_may_be_empty_for_some_elements():
    """Where the width depends on the outer element, each outer element has its own inner tasks."""
    prediction = predict(graph("inner-width-0-for-some"))

    assert [task.id for task in prediction.of("leaf")] == list(
        ids("leaf 0 0", "leaf 0 1", "leaf 2 0")
    )
    joins = prediction.of("join_inner")
    assert [task.position for task in joins] == [(0,), (1,), (2,), (3,)]
    assert [len(task.inputs) for task in joins] == [2, 0, 1, 0]
    assert joins[1].parents == ids("split_inner 1")
    assert joins[2].parents == ids("leaf 2 0")
    assert prediction.task("join_outer").inputs == ids(
        "after_inner 0", "after_inner 1", "after_inner 2", "after_inner 3"
    )


def test_empty_foreach_skips_the_joins_within_it():
    """An empty foreach skips every split within it and goes to the join that closes itself."""
    prediction = predict_nodes(
        {
            "start": {"foreach": "a", "foreach_var": "x", "foreach_var_default": "()"},
            "a": {"branch": ["b", "c"]},
            "b": {"foreach": "d", "foreach_var": "y", "foreach_var_default": "(1,)"},
            "d": {"linear": "e"},
            "e": {"linear": "f", "join": True},
            "c": {"linear": "f"},
            "f": {"linear": "g", "join": True},
            "g": {"linear": "end", "join": True},
            "end": {},
        }
    )

    assert [task.id for task in prediction.tasks] == list(ids("start", "g", "end"))
    assert prediction.task("g").parents == ids("start")


def test_join_may_split_again():
    """A step may close one split and open the next."""
    branches, foreaches = predict(graph("join-splits")), predict(graph("join-fans-out"))

    assert branches.task("middle").inputs == ids("a", "b")
    assert branches.task("join").inputs == ids("c", "d", "e")
    assert len(branches.paths) == 6
    assert foreaches.task("middle").inputs == ids("draw 0", "draw 1")
    assert foreaches.task("middle").width == 3
    assert [task.input for task in foreaches.of("again")] == [7, 8, 9]


def test_branches_within_a_foreach_keep_its_frame():
    """A branch adds nothing to the stack; its tasks are told apart by step."""
    prediction = predict(graph("branch-in-foreach"))

    assert prediction.task("branch_join", 2).inputs == ids("left 2", "right_2 2")
    assert prediction.task("right_2", 2).stack == ((2, 3, "w"),)
    assert prediction.task("foreach_join").inputs == ids(
        "branch_join 0", "branch_join 1", "branch_join 2"
    )


def test_same_name_in_nested_foreaches():
    """The elements of an inner foreach may be made from the outer's, under the same name."""
    prediction = predict(graph("nested-foreach-same-name"))

    assert prediction.task("leaf", 1, 2).stack == ((1, 2, "q"), (2, 3, "q3"))


def test_elements_may_be_made_from_the_stack():
    """The source of a foreach's elements may ask for all that a step may ask for."""
    source = "[self.index, self.input, self.foreach_stack()]"
    prediction = predict_nodes(
        {
            "start": {"foreach": "a", "foreach_var": "x", "foreach_var_default": "'b'"},
            "a": {"foreach": "c", "foreach_var": "y", "foreach_var_default": source},
            "c": {"linear": "d"},
            "d": {"linear": "e", "join": True},
            "e": {"linear": "end", "join": True},
            "end": {},
        }
    )

    assert [task.input for task in prediction.of("c")] == [0, "b", [(0, 1, "b")]]


def test_lineages_follow_the_inputs():
    """A task's lineages are every path on which values came to it, in join order."""
    prediction = predict(graph("join-fans-out"))

    assert prediction.lineages(prediction.task("again", 2)) == (
        ids("start", "draw 0", "middle", "again 2"),
        ids("start", "draw 1", "middle", "again 2"),
    )
    empty = predict(graph("foreach-width-0"))
    assert empty.lineages(empty.task("end")) == (ids("join", "after", "end"),)


def test_task_ids_read_like_indexing():
    """A task id prints as its step and its indices."""
    assert str(TaskId("leaf", (1, 0))) == "leaf[1][0]"


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ({"start": {"linear": "nowhere"}}, "graph 'test' has no step 'nowhere'"),
        ({"begin": {}}, "graph 'test' has no step 'start'"),
        (
            {"start": {"linear": "a"}, "a": {"linear": "start"}, "end": {}},
            "graph 'test': step 'start' comes after itself",
        ),
        (
            {"start": {"linear": "a"}, "a": {}, "end": {}},
            "graph 'test': step 'a' is followed by none, and is not 'end'",
        ),
        (
            {"start": {"linear": "a"}, "a": {"linear": "end", "join": True}, "end": {}},
            "graph 'test': step 'a' joins what no step split: it comes after 'start'",
        ),
        (
            {
                "start": {"branch": ["a", "b"]},
                "a": {"linear": "end"},
                "b": {"linear": "end"},
                "end": {},
            },
            "graph 'test': step 'start' splits, but its parts don't meet in one join: None",
        ),
        (
            {
                "start": {"branch": ["a", "b"]},
                "a": {"linear": "j"},
                "b": {"linear": "k"},
                "j": {"linear": "end", "join": True},
                "k": {"linear": "end", "join": True},
                "end": {},
            },
            "graph 'test': step 'start' splits, but its parts don't meet in one join: j, k",
        ),
        (
            {
                "start": {"foreach": "a", "foreach_var": "x", "foreach_var_default": "()"},
                "a": {"linear": "end"},
                "end": {},
            },
            "graph 'test': step 'start' splits, but its parts don't meet in one join: None",
        ),
        (
            {
                "start": {"switch": {"x": "end"}, "condition": "c", "condition_default": "'y'"},
                "end": {},
            },
            "graph 'test': step 'start' has no case for 'y'",
        ),
        (
            {
                "start": {"linear": "a"},
                "a": {
                    "switch": {"x": "a", "y": "end"},
                    "condition": "c",
                    "condition_default": "'x'",
                },
                "end": {},
            },
            "graph 'test': step 'a' goes round a loop for ever",
        ),
        (
            {
                "start": {"foreach": "a", "foreach_var": "x", "foreach_var_default": "()"},
                "a": {"switch": {"x": "j", "y": "k"}, "condition": "c", "condition_default": "'x'"},
                "j": {"linear": "end", "join": True},
                "k": {"linear": "end", "join": True},
                "end": {},
            },
            "graph 'test': step 'a' chooses, but its cases don't meet in one join: j, k",
        ),
        (
            {
                "start": {"foreach": "a", "foreach_var": "x", "foreach_var_default": "1 / 0"},
                "a": {"linear": "j"},
                "j": {"linear": "end", "join": True},
                "end": {},
            },
            (
                "graph 'test', step 'start': '1 / 0' can't be evaluated: "
                "ZeroDivisionError('division by zero')"
            ),
        ),
    ],
)
def test_wrong_graphs_are_refused(nodes, message):
    """A graph that no flow can have is refused by a message that names graph and step."""
    with pytest.raises(UnpredictableGraph) as caught:
        predict_nodes(nodes)

    assert str(caught.value) == message
