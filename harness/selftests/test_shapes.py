"""Shapes are valid graphs, whatever is in them; they are drawn the same each time, and shrink."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, find, given, settings

from plait_harness.grammar import SIZES, draw_shapes, generate_graphs, shapes
from plait_harness.graph_rules import find_problems
from plait_harness.graphs import parse_graph
from plait_harness.model import predict
from plait_harness.shapes import (
    Branch,
    Foreach,
    Loop,
    Step,
    Switch,
    depth_of,
    digest_of,
    iter_parts,
    make_graph,
    outline_of,
    width_of,
)
from plait_harness.shrink import candidates, iter_smaller, shrink, size_of

FEW = settings(
    max_examples=60,
    database=None,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def nodes_of(shape):
    """Give the nodes of a shape's graph without qualifiers."""
    nodes = make_graph(shape, "shape").to_json()["graph"]
    return {name: {k: v for k, v in n.items() if k != "quals"} for name, n in nodes.items()}


def test_steps_are_shared_where_they_can_be():
    """The step before a split is the split, and a join may be the next one."""
    assert nodes_of((Foreach(2), Branch(((), (Step(),))))) == {
        "start": {
            "foreach": "a",
            "foreach_var": "items",
            "foreach_var_default": "list(range(2))",
        },
        "a": {"linear": "start_join"},
        "start_join": {"branch": ["c", "d"], "join": True},
        "c": {"linear": "start_join_join"},
        "d": {"linear": "e"},
        "e": {"linear": "start_join_join"},
        "start_join_join": {"linear": "end", "join": True},
        "end": {},
    }


def test_ways_of_a_switch_meet_behind_it():
    """A way straight on has no step, and the step behind the switch is shared by all."""
    assert nodes_of((Switch((None, ()), "turn", 1), Step())) == {
        "start": {
            "switch": {"x": "b", "y": "a"},
            "condition": "kind",
            "condition_default": "'xy'[(turn + 1) % 2]",
        },
        "a": {"linear": "b"},
        "b": {"linear": "end"},
        "end": {},
    }


def test_a_loop_leads_back_to_a_step_that_is_neither_first_nor_a_join():
    """Where there is none, it begins with one of its own."""
    expected = "'again' if (turn + 1) % 3 else 'done'"
    nodes = nodes_of((Loop(2), Foreach(1), Loop(1, (Step(),))))

    assert nodes["start"] == {"linear": "a"}
    assert nodes["a"]["switch"] == {"again": "a", "done": "b"}
    assert nodes["a"]["condition_default"] == expected
    assert nodes["b_join"]["linear"] == "e"
    assert nodes["f"]["switch"] == {"again": "e", "done": "end"}


def test_in_a_loop_no_foreach_is_empty():
    """Its join would find nothing, and so not know how often the loop went round."""
    for elements in ("range", "letters", "uneven"):
        graph = make_graph((Loop(2, (Foreach(0, (), elements),)),), "shape")
        prediction = predict(graph.to_json())
        assert prediction.counts["b"] == 3


def test_qualifiers_say_where_a_step_stands():
    """Templates that ask for them fit generated graphs as they do those of the harness."""
    graph = make_graph((Foreach(2, (Branch(((), ())),)), Loop(1)), "shape")

    assert graph["start"].quals == {"all", "foreach", "foreach-split", "once", "start"}
    assert graph["a"].quals >= {"foreach-inner", "split"}
    assert "branch-inner" not in graph["a"].quals
    assert graph["c"].quals >= {"foreach-inner", "branch-inner"}
    assert graph["a_join"].quals >= {"branch-join", "foreach-inner", "join"}
    assert graph["start_join"].quals >= {"foreach-join", "join", "once"}
    assert any("loop" in node.quals and "once" not in node.quals for node in graph)


@FEW
@given(shapes())
def test_every_shape_is_a_valid_graph(shape):
    """By the schema, by the rules of graphs, and by the model, which comes to its end."""
    graph = make_graph(shape, "shape")

    again = parse_graph(json.loads(json.dumps(graph.to_json())))
    assert again == graph
    assert find_problems(graph) == []
    tasks = predict(graph.to_json()).tasks
    assert (tasks[0].step, tasks[-1].step) == ("start", "end")


@settings(FEW, max_examples=15)
@given(shapes(SIZES[2]))
def test_every_smaller_shape_is_a_valid_graph(shape):
    """Whatever is cut out, it stays a graph, and candidates are smaller than what they are of."""
    for smaller in [*iter_smaller(shape)][:20]:
        graph = make_graph(smaller, "shape")
        assert find_problems(graph) == []
        predict(graph.to_json())
    assert all(size_of(each) < size_of(shape) for each in candidates(shape)[:20])


def test_hypothesis_shrinks_shapes():
    """The least shape with a foreach in a branch is just that."""
    found = find(
        shapes(),
        lambda shape: any(
            isinstance(block, Branch)
            and any(isinstance(each, Foreach) for arm in block.arms for each in arm)
            for block in shape
        ),
        settings=settings(FEW, max_examples=2000),
    )

    assert len(make_graph(found, "found").nodes) <= 9


def test_a_seed_means_the_same_everywhere():
    """Another process, with other modules and another order of hashes, draws the same graphs."""
    program = (
        "from plait_harness.grammar import generate_graphs\n"
        "from plait_harness.shapes import digest_of\n"
        "print(*(digest_of(graph) for _, graph in generate_graphs(7, 40).values()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(filter(None, sys.path)), "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )

    here = generate_graphs(7, 40)
    assert done.stdout.split() == [digest_of(graph) for _, graph in here.values()]
    assert list(here)[:2] == ["generated-7-1", "generated-7-2"]
    assert draw_shapes(8, 40) != draw_shapes(7, 40) == draw_shapes(7, 60)[:40]


def test_three_hundred_graphs_of_seed_one_are_of_all_kinds():
    """Of many outlines, nested deep, wide, empty, small enough to run, and each once."""
    drawn = draw_shapes(1, 300)
    graphs = [graph for _, graph in generate_graphs(1, 300).values()]

    assert len(set(drawn)) == 300
    assert len({outline_of(graph) for graph in graphs}) >= 200
    assert max(map(depth_of, drawn)) >= 5
    assert sum(depth_of(shape) >= 4 for shape in drawn) >= 20
    assert sum(width_of(shape) == 50 for shape in drawn) >= 5
    predictions = [predict(graph.to_json()) for graph in graphs]
    assert max(len(prediction.tasks) for prediction in predictions) <= 150
    assert sum(any(task.width == 0 for task in p.tasks) for p in predictions) >= 20
    assert sum(any(task.id.turn for task in p.tasks) for p in predictions) >= 50
    for kind in (Branch, Foreach, Switch, Loop):
        assert (
            sum(holds(shape, lambda block, kind=kind: isinstance(block, kind)) for shape in drawn)
            >= 50
        )


def holds(shape, asked):
    """Tell whether any block of a shape, at any depth, is as asked."""
    return any(
        asked(block) or any(holds(part, asked) for part in iter_parts(block)) for block in shape
    )


PLANTED = {
    "a foreach in a foreach": (
        lambda block: (
            isinstance(block, Foreach)
            and holds(block.body, lambda inner: isinstance(inner, Foreach))
        ),
        (Foreach(0, (Foreach(0),)),),
    ),
    "a foreach of three or more": (
        lambda block: isinstance(block, Foreach) and block.width > 2,
        (Foreach(3),),
    ),
    "a switch by the turn": (
        lambda block: isinstance(block, Switch) and block.by == "turn",
        ((Switch((None,), "turn"),), (Switch(((),), "turn"),)),
    ),
    "a loop of two rounds": (
        lambda block: isinstance(block, Loop) and block.rounds > 1,
        (Loop(2),),
    ),
    "a branch": (lambda block: isinstance(block, Branch), (Branch(((), ())),)),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_shape_shrinks_to_what_makes_it_fail(name):
    """From each of many shapes with the fault, to the least one that has it."""
    asked, least = PLANTED[name]
    wanted = least if isinstance(least[0], tuple) else (least,)
    failing = [shape for shape in draw_shapes(3, 60) if holds(shape, asked)][:5]

    assert failing
    for shape in failing:
        found = shrink(shape, lambda each: holds(each, asked))
        assert found.shape in wanted
        assert found.complete


def test_a_branch_shrinks_to_a_foreach():
    """Where what matters is how many parts there are: it has one step for all of them."""
    wide = (Branch(((), (Step(),), (), ())),)
    found = shrink(wide, lambda each: parts_of(each) > 3)

    assert found.shape == (Foreach(4),)


def parts_of(shape):
    """Give the most parts of a split."""
    widths = {Branch: lambda block: len(block.arms), Foreach: lambda block: block.width}
    return max((widths.get(type(block), lambda _: 0)(block) for block in shape), default=0)


def test_shrinking_ends_when_its_time_is_over():
    """With the smallest that was found until then."""
    times = iter(range(1000))
    (shape, *_) = (s for s in draw_shapes(3, 60) if depth_of(s) > 3)
    found = shrink(shape, lambda _: False, seconds=5, clock=lambda: float(next(times)))

    assert not found.complete
    assert found.shape == shape
    assert found.tries <= 5


def test_a_random_choice_is_not_needed_to_shrink():
    """The same failing shape shrinks to the same one, by the same tries."""
    shape = random.Random(5).choice([s for s in draw_shapes(3, 60) if width_of(s) > 3])
    ends = [shrink(shape, lambda each: width_of(each) > 0) for _ in range(2)]

    assert (ends[0].shape, ends[0].tries) == (ends[1].shape, ends[1].tries)
    assert ends[0].shape == (Foreach(1),)
