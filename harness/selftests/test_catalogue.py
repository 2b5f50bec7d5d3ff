"""The catalogue of templates and graphs is complete, and says what they themselves say."""

from __future__ import annotations

import os

import pytest

from plait_harness.fit import Fit, fit
from plait_harness.graphs import BUILT_IN_QUALS, load_graph
from plait_harness.home import home_path
from plait_harness.model import predict
from plait_harness.templates import load_templates

PAGE = os.path.join(home_path(os.pardir), "docs", "harness-templates.md")


def files_in(folder, suffix):
    """Give the files of one of the harness's own folders, sorted."""
    where = home_path(folder)
    found = sorted(file for file in os.listdir(where) if file.endswith(suffix))
    return [os.path.join(where, file) for file in found]


@pytest.fixture(scope="module")
def page():
    """The catalogue, as lines."""
    with open(PAGE, encoding="utf-8") as file:
        return file.read().splitlines()


@pytest.fixture(scope="module")
def graphs():
    """Every graph of the harness, by name."""
    return {graph.name: graph for graph in map(load_graph, files_in("graphs", ".json"))}


@pytest.fixture(scope="module")
def templates():
    """Every template of the harness, by name."""
    found = {}
    for file in files_in("tests", ".py"):
        found.update(load_templates(file))
    return found


def rows_under(page, heading):
    """Give the rows of the tables between a heading and the next one of its level."""
    begin = page.index(heading)
    level = heading.split()[0] + " "
    end = next((n for n in range(begin + 1, len(page)) if page[n].startswith(level)), len(page))
    return [line for line in page[begin:end] if line.startswith("| `")]


def assert_same_rows(rows: list[str], expected: list[str]) -> None:
    """Compare by what is missing and what is too much; a diff of long lines takes minutes."""
    missing, surplus = sorted(set(expected) - set(rows)), sorted(set(rows) - set(expected))
    assert not missing, f"add to the page: {missing}"
    assert not surplus, f"remove from the page: {surplus}"
    assert len(rows) == len(expected), "a row stands twice"


def test_every_graph_is_in_the_catalogue(page, graphs):
    """The table of graphs has a row for each graph file, with the sentence of its `shows`."""
    expected = [f"| `{name}` | {graph.shows} |" for name, graph in graphs.items()]

    assert_same_rows(rows_under(page, "## Graphs"), expected)


def test_every_template_is_in_the_catalogue(page, templates):
    """The tables of templates have a row for each template, with the sentence of its docstring."""
    expected = [f"| `{name}` | {template.doc} |" for name, template in templates.items()]

    assert_same_rows(rows_under(page, "## Templates"), expected)


def test_every_qualifier_is_in_the_catalogue(page, graphs):
    """The table of qualifiers has a row for each one that a graph's nodes have of their own."""
    own = {qual for graph in graphs.values() for node in graph for qual in node.quals}
    named = [row.split("`")[1] for row in rows_under(page, "## Qualifiers")]

    assert sorted(named) == sorted(own.difference(BUILT_IN_QUALS))


def test_a_template_says_one_sentence(templates):
    """The docstring of a template is one sentence, as the catalogue and `flow.py` show it."""
    for name, template in templates.items():
        assert template.doc.endswith("."), name
        assert "|" not in template.doc, name
        assert len(template.doc) <= 100, name


def test_priorities_follow_the_catalogue(page, templates):
    """Templates stand in the catalogue in the order in which they run."""
    named = [row.split("`")[1] for row in rows_under(page, "## Templates")]

    assert named == sorted(named, key=lambda name: templates[name].priority)


def test_every_graph_is_used_by_many_templates(graphs, templates):
    """No graph is there for a single template only, but for the wide one, which takes long."""
    used = dict.fromkeys(graphs, 0)
    for template in templates.values():
        for graph in graphs.values():
            used[graph.name] += isinstance(fit(template, graph), Fit)

    assert min(count for name, count in used.items() if name != "foreach-width-1000") >= 3


def open_splits(graph):
    """Give the kinds of the splits open around each step, outermost first, and what it joins."""
    around, joined = {"start": ()}, {}
    pending = ["start"]
    while pending:
        node = graph[pending.pop()]
        opened = around[node.name]
        if node.kind in ("split", "foreach"):
            opened = (*opened, node.kind)
        for target in node.targets:
            after = opened
            if graph[target].join:
                after, joined[target] = opened[:-1], opened[-1]
            if target not in around:
                pending.append(target)
            around[target] = after
    return around, joined


def reach(graph, step):
    """Give the steps that a way leads to from *step*."""
    reached, pending = set(), [step]
    while pending:
        ahead = set(graph[pending.pop()].targets) - reached
        reached |= ahead
        pending.extend(ahead)
    return reached


def test_qualifiers_are_true_of_their_steps(graphs):
    """A step is called inner, join, split or once exactly where the shape of its graph says so."""
    for graph in graphs.values():
        around, joined = open_splits(graph)
        counts = predict(graph.to_json()).counts
        for node in graph:
            expected = {
                "once": "foreach" not in around[node.name] and counts[node.name] == 1,
                "loop": node.name in reach(graph, node.name),
                "foreach-inner": "foreach" in around[node.name],
                "branch-inner": "split" in around[node.name],
                "foreach-split": node.kind == "foreach",
                "foreach-join": joined.get(node.name) == "foreach",
                "branch-join": joined.get(node.name) == "split",
            }
            given = {qual: qual in node.quals for qual in expected}
            assert (graph.name, node.name, given) == (graph.name, node.name, expected)
