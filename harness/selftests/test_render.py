"""Rendering: what comes out for given specifications, byte for byte."""

from __future__ import annotations

import ast
import os

import pytest

from plait_harness.fit import Fit, fit
from plait_harness.graphs import load_graph
from plait_harness.home import home_path
from plait_harness.mistakes import Mistake
from plait_harness.render import render
from plait_harness.templates import load_templates

GOLD = os.path.join(os.path.dirname(__file__), "gold")

DIAMOND = {
    "start": {"branch": ["left", "right"]},
    "left": {"linear": "join"},
    "right": {"linear": "join"},
    "join": {
        "join": True,
        "foreach": "inner",
        "foreach_var": "items",
        "foreach_var_default": "range(2)",
    },
    "inner": {"linear": "meet"},
    "meet": {"linear": "end", "join": True},
    "end": {},
}


def assert_gold(name: str, text: str) -> None:
    """Compare with a gold file; with PLAIT_HARNESS_WRITE_GOLD set, write it instead."""
    path = os.path.join(GOLD, name)
    if os.environ.get("PLAIT_HARNESS_WRITE_GOLD"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    with open(path, encoding="utf-8") as file:
        assert text == file.read()


@pytest.fixture
def everything(make_graph):
    """The template that uses everything, on a graph with a branch and a foreach."""
    template = load_templates(os.path.join(GOLD, "template.py"))["Everything"]
    fitted = fit(template, make_graph(DIAMOND, name="diamond"))
    assert isinstance(fitted, Fit)
    return fitted


def test_everything_is_rendered_as_the_gold_files_say(everything):
    """Both programs come out as they were once read and found good."""
    rendered = render(everything)

    assert rendered.flow_name == "EverythingFlow"
    assert_gold("everything.diamond.flow.py.txt", rendered.flow)
    assert_gold("everything.diamond.check.py.txt", rendered.check)


def test_a_template_of_the_harness_is_rendered_as_the_gold_file_says():
    """The first of all templates comes out as it was once read and found good."""
    template = load_templates(home_path("tests/artifacts.py"))["BasicArtifact"]
    fitted = fit(template, load_graph(home_path("graphs/small-foreach.json")))

    assert isinstance(fitted, Fit)
    assert_gold("basic-artifact.small-foreach.flow.py.txt", render(fitted).flow)


def test_the_same_specifications_give_the_same_bytes(everything):
    """Nothing of the time, the process or the order of sets comes into it."""
    assert render(everything) == render(everything)


def test_what_is_rendered_compiles(everything):
    """Both programs are Python."""
    rendered = render(everything)

    ast.parse(rendered.flow)
    ast.parse(rendered.check)


def test_a_switch_is_rendered_with_its_cases(make_graph, make_template):
    """A switch names its cases and the artifact that chooses."""
    graph = make_graph(
        {
            "start": {
                "switch": {"x": "a", "y": "end"},
                "condition": "kind",
                "condition_default": "'x'",
            },
            "a": {"linear": "end"},
            "end": {},
        }
    )
    template = make_template(
        'class Mine(FlowTest):\n    """It."""\n    @steps(0, ["all"])\n    def one(self):\n'
        "        pass\n    def check_results(self, flow, checker):\n        pass\n"
    )

    fitted = fit(template, graph)
    assert isinstance(fitted, Fit)
    assert 'self.next({"x": self.a, "y": self.end}, condition="kind")' in render(
        fitted
    ).flow.replace("'", '"')


def test_source_that_is_not_python_is_named(make_graph, make_template, shapes):
    """A decorator or value that is not Python is an error naming template and part."""
    template = make_template(
        'class Mine(FlowTest):\n    """It."""\n    @steps(0, ["all"])\n    @tag("retry(")\n'
        "    def one(self):\n        pass\n    def check_results(self, flow, checker):\n"
        "        pass\n"
    )
    fitted = fit(template, make_graph(shapes["linear"]))

    assert isinstance(fitted, Fit)
    with pytest.raises(Mistake, match=r"template 'Mine': @tag of one is not Python"):
        render(fitted)
