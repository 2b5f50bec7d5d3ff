"""Graph files: what is read from them, and what is said of those that are not graphs."""

from __future__ import annotations

import glob
import json

import pytest

from plait_harness.graphs import load_graph, parse_graph
from plait_harness.home import home_path
from plait_harness.mistakes import Mistake


def refused(nodes: dict, **top: object) -> str:
    """Give what is said of a graph that is refused."""
    with pytest.raises(Mistake) as refusal:
        parse_graph({"name": "g", "shows": "It.", "graph": nodes, **top}, file="g.json")
    return str(refusal.value)


def test_a_node_has_the_qualifiers_of_what_it_is(make_graph, shapes):
    """Built-in qualifiers come from the name, the transition and whether it joins."""
    graph = make_graph(shapes["foreach"])

    assert {node.name: sorted(node.quals) for node in graph} == {
        "start": ["all", "foreach", "foreach-split", "start"],
        "inner": ["all", "foreach-inner", "linear"],
        "join": ["all", "join", "linear"],
        "end": ["all", "end"],
    }


def test_a_switch_has_cases_in_order(make_graph):
    """A switch is read with its condition, its cases, and each target once."""
    graph = make_graph(
        {
            "start": {
                "switch": {"x": "a", "y": "end", "z": "a"},
                "condition": "kind",
                "condition_default": "'x'",
            },
            "a": {"linear": "end"},
            "end": {},
        }
    )

    start = graph["start"]
    assert (start.kind, start.targets, start.condition) == ("switch", ("a", "end"), "kind")
    assert start.cases == {"x": "a", "y": "end", "z": "a"}
    assert start.condition_default == "'x'"


@pytest.mark.parametrize("path", sorted(glob.glob(home_path("graphs") + "/*.json")))
def test_every_graph_of_the_harness_comes_back_as_it_was_written(path):
    """`to_json` and `parse_graph` are inverse to each other."""
    graph = load_graph(path)

    assert parse_graph(graph.to_json(), file=path) == graph


def test_what_is_not_json_is_named_with_its_line(tmp_path):
    """A file that is not JSON is named, with the place where it stops being JSON."""
    path = tmp_path / "broken.json"
    path.write_text('{"name": "broken",\n "graph": }')

    with pytest.raises(Mistake, match=r"broken\.json is not JSON\n.*line 2"):
        load_graph(str(path))


def test_a_file_that_is_not_there_is_named(tmp_path):
    """A file that can't be read is named."""
    with pytest.raises(Mistake, match=r"nowhere\.json can't be read"):
        load_graph(str(tmp_path / "nowhere.json"))


def test_every_misfit_of_the_schema_is_told_with_its_node():
    """All misfits are told at once, each with the node that it is in."""
    said = refused({"start": {"linear": 3}, "Bad": {"foreach": "end"}, "end": {"colour": "red"}})

    assert said.startswith("g.json is not a valid graph")
    assert "node 'start'/linear: 3 is not of type 'string'" in said
    assert "node 'Bad': 'foreach_var' is a dependency of 'foreach'" in said
    assert "node 'end': Additional properties are not allowed ('colour' was unexpected)" in said


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (
            {"start": {"linear": "nowhere"}, "end": {}},
            "node 'start': goes to 'nowhere', which is not in the graph",
        ),
        (
            {"start": {"linear": "end"}, "end": {"linear": "start"}},
            "node 'end': ends the flow, so it has no transition",
        ),
        (
            {"start": {"linear": "end"}, "lost": {}, "end": {}},
            "node 'lost': needs one of linear, branch, foreach, switch",
        ),
        (
            {"start": {"linear": "end", "join": True}, "end": {}},
            "node 'start': begins the flow, so there is nothing for it to join",
        ),
        (
            {"start": {"linear": "end"}, "lost": {"linear": "end"}, "end": {}},
            "node 'lost': is never reached from start",
        ),
        (
            {"start": {"linear": "a"}, "a": {"linear": "start"}, "end": {}},
            "node 'a': is in or behind a loop that no switch makes",
        ),
        (
            {"start": {"linear": "end"}, "end": {"join": True}},
            "node 'end': joins, but no split or foreach is open before it",
        ),
        (
            {
                "start": {"branch": ["a", "b"]},
                "a": {"linear": "end"},
                "b": {"linear": "end"},
                "end": {},
            },
            "node 'end': is reached before 'start' is joined",
        ),
        (
            {
                "start": {"branch": ["a", "b"]},
                "a": {"linear": "m"},
                "b": {"linear": "m"},
                "m": {"linear": "j"},
                "j": {"linear": "end", "join": True},
                "end": {},
            },
            "node 'm': is where branches meet, so it needs \"join\": true",
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
            "node 'start': is joined more than once: j, k",
        ),
        (
            {
                "start": {"foreach": "j", "foreach_var": "a", "foreach_var_default": "[1]"},
                "j": {"linear": "end", "join": True},
                "end": {},
            },
            "node 'start': fans out straight into its join 'j'",
        ),
        (
            {
                "start": {"branch": ["a", "j"]},
                "a": {"branch": ["b", "j"]},
                "b": {"linear": "j"},
                "j": {"linear": "end", "join": True},
                "end": {},
            },
            "node 'j': is reached from inside of different splits",
        ),
    ],
)
def test_what_no_flow_can_have_is_told_with_its_node(nodes, said):
    """A graph that fits the schema but is no flow's is refused, naming the node."""
    assert said in refused(nodes)


def test_the_message_is_whole():
    """The message names the file first, then each node on a line of its own."""
    assert refused({"start": {"linear": "end"}, "lost": {"linear": "end"}, "end": {}}) == (
        "g.json is not a valid graph\n  node 'lost': is never reached from start"
    )


def test_a_graph_has_a_sentence_for_what_it_shows():
    """A graph without `shows` is refused."""
    with pytest.raises(Mistake, match="top level: 'shows' is a required property"):
        parse_graph(json.loads('{"name": "g", "graph": {"start": {}, "end": {}}}'), file="g.json")
