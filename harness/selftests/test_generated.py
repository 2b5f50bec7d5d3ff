"""Generated graphs find planted bugs: shrunk to a few steps, kept, and failing again by command."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys

import pytest

import plait
from plait_harness.case import CaseRunner
from plait_harness.generated import find_smallest, format_graph, keep_graph
from plait_harness.grammar import generate_graphs
from plait_harness.graphs import load_graph
from plait_harness.home import HOME, find_project, home_path
from plait_harness.matrix import Selection, build_matrix
from plait_harness.mistakes import Mistake, UnknownName
from plait_harness.planting import load_bugs, plant
from plait_harness.shapes import Foreach, make_graph
from plait_harness.starter import PreparedProcess
from plait_harness.templates import load_templates

ENGINE = os.path.dirname(os.path.dirname(os.path.abspath(plait.__file__)))


SEEDED = load_bugs()
BUGS = [
    SEEDED[name]
    for name in (
        "join-inputs-reversed",
        "second-branch-lost",
        "index-of-a-task-is-the-outer-one",
        "switch-goes-the-last-way",
        "barrier-one-part-short",
        "join-of-an-empty-foreach-lost",
    )
]

SEEDS = {
    "join-of-an-empty-foreach-lost": 20,
    "second-branch-lost": 22,
}
"""Seeds one of whose first graphs shows the bug, so that few are run; the others' is 5."""


@pytest.fixture(scope="module")
def any_graph():
    """Give the template for any graph."""
    return load_templates(home_path("tests/any_graph.py"))["AnyGraph"]


@pytest.fixture
def make_runner(tmp_path, base_env):
    """Give a function that makes what runs cases with an engine."""
    processes = []

    def make(engine: str) -> CaseRunner:
        env = {**base_env, "PYTHONPATH": engine}
        processes.append(PreparedProcess(env))
        root = tmp_path / f"cases-{len(processes)}"
        root.mkdir()
        return CaseRunner(processes[-1], env, str(root), env)

    yield make
    for process in processes:
        process.close()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found_and_made_small(bug, tmp_path, any_graph, make_runner, make_case):
    """On a graph of at most eight steps, which is kept, fails again, and passes without the bug."""
    runner = make_runner(plant(bug, ENGINE, str(tmp_path / "engine")))

    def case_of(graph):
        return make_case(any_graph, graph, timeout=20)

    failing = (
        (case, shape)
        for shape, graph in generate_graphs(SEEDS.get(bug.name, 5), 3).values()
        if runner.run(case := case_of(graph)).failed
    )
    case, shape = next(failing)
    found = find_smallest(
        case, shape, runner.run, seconds_taken=1, folder=str(tmp_path / "found"), seconds=60
    )

    assert found.result.failed
    kept = load_graph(found.case.graph.file)
    assert len(kept.nodes) <= 8
    assert format_graph(kept) in found.note
    assert kept.only_tests == {"AnyGraph": "it was found with it"}
    assert runner.run(case_of(kept)).failed
    assert not make_runner(ENGINE).run(case_of(kept)).failed


def test_the_printed_command_repeats_what_was_found(tmp_path, base_env):
    """As a person sees it: the run prints the smallest graph and a command, which fails alike."""
    bug = SEEDED["join-inputs-reversed"]
    engine = plant(bug, ENGINE, str(tmp_path / "engine"))

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=os.path.dirname(HOME),
            env={**os.environ, **base_env, "PYTHONPATH": engine},
            capture_output=True,
            text=True,
            check=False,
        )

    kept, report = tmp_path / "found", ("--report", str(tmp_path / "report"))
    first = run(
        "harness/run_tests.py",
        *("--contexts", "dev-local", "--generate", "2", "--seed", "5", "--num-parallel", "1"),
        *("--keep-found", str(kept), "--shrink-seconds", "10", *report),
    )

    assert first.returncode == 1
    assert re.search(
        r"^generated: 2 graphs of 2 distinct shapes, nested to", first.stdout, re.MULTILINE
    )
    (file,) = os.listdir(kept)
    graph = load_graph(str(kept / file))
    assert format_graph(graph) in first.stdout
    assert f"kept, for --graphs {kept}: {kept / file}" in first.stdout
    command = re.search(r"repeat it with:\n\s+(.*found-.*)", first.stdout)[1]
    python, *words = shlex.split(command)
    assert python == sys.executable
    second = run(*words, *report)
    assert second.returncode == 1
    assert f"AnyGraph[{graph.name}-dev-local-cli] failed" in second.stdout
    assert "join: parents" in second.stdout


def test_what_is_found_stays_with_those_who_look_for_it(tmp_path):
    """In plait's checkout it is plait's; run in another project's folder, it is theirs."""
    assert find_project(os.path.dirname(HOME)) == HOME
    assert find_project(os.path.join(HOME, "graphs")) == HOME
    example = os.path.join(os.path.dirname(HOME), "docs", "examples", "harness-project")
    assert find_project(example) == example
    assert find_project(str(tmp_path)) == str(tmp_path)


def test_what_passes_when_run_again_is_not_made_smaller(any_graph, make_case, tmp_path):
    """A failure that does not come back would shrink to nothing."""
    case = make_case(any_graph, make_graph((Foreach(2),), "generated-1-1"))
    passed = type("Passed", (), {"failed": ()})

    found = find_smallest(
        case, (Foreach(2),), lambda _: passed, seconds_taken=1, folder=str(tmp_path), seconds=9
    )
    assert found is None
    assert os.listdir(tmp_path) == []


def test_found_graphs_are_cases_of_their_template_alone(tmp_path):
    """In a folder of graphs, those in `found` are chosen with the others, for whom they are for."""
    graph = make_graph((Foreach(2),), "mine")
    keep_graph(graph, str(tmp_path))
    keep_graph(
        type(graph)("kept", "Kept.", graph.nodes, "", {"AnyGraph": "why"}), str(tmp_path / "found")
    )

    matrix = build_matrix(Selection(("dev-local",), (str(tmp_path),), ("AnyGraph", "Lineage")))
    assert [case.id for case in matrix.cases] == [
        "Lineage[mine-dev-local-cli]",
        "AnyGraph[kept-dev-local-cli]",
        "AnyGraph[mine-dev-local-cli]",
    ]
    assert [each.why for each in matrix.excluded] == ["the graph is only for AnyGraph: why"]


def test_a_found_graph_names_templates_that_there_are(tmp_path):
    """A name that has been changed is a mistake, and not a graph that nobody runs."""
    graph = make_graph((Foreach(2),), "mine")
    keep_graph(type(graph)("kept", "Kept.", graph.nodes, "", {"AnyGraf": "why"}), str(tmp_path))

    with pytest.raises(UnknownName, match="test, named by graph 'kept', 'AnyGraf'"):
        build_matrix(Selection(("dev-local",), (str(tmp_path),)))


def test_a_found_graph_of_another_template_is_left_out(tmp_path):
    """Where only some templates are chosen, one that is not among them is none that is wrong."""
    graph = make_graph((Foreach(2),), "mine")
    keep_graph(graph, str(tmp_path))
    kept = type(graph)("kept", "Kept.", graph.nodes, "", {"Theirs": "why"})
    keep_graph(kept, str(tmp_path / "found"))

    matrix = build_matrix(Selection(("dev-local",), (str(tmp_path),), ("Lineage",)))
    assert [case.id for case in matrix.cases] == ["Lineage[mine-dev-local-cli]"]


def test_generated_graphs_are_not_chosen():
    """Naming graphs and generating them at once is a mistake."""
    with pytest.raises(Mistake, match="--generate makes the graphs"):
        build_matrix(Selection(("dev-local",), ("linear",), generate=3))


def test_templates_for_any_graph_are_crossed_with_generated_ones():
    """Those that say so; or the ones that are named, where they fit."""
    matrix = build_matrix(Selection(("dev-local",), seed=1, generate=6))
    assert {case.template.name for case in matrix.cases} == {"AnyGraph"}
    assert sorted(case.graph.name for case in matrix.cases) == [
        f"generated-1-{number}" for number in range(1, 7)
    ]
    assert (matrix.lonely, matrix.full) == ((), frozenset())

    named = build_matrix(Selection(("dev-local",), tests=("Lineage",), seed=1, generate=6))
    assert {case.template.name for case in named.cases} == {"Lineage"}


def test_a_graph_is_printed_as_it_is_read():
    """A line for each step, and the same graph."""
    graph = make_graph((Foreach(2),), "mine")
    text = format_graph(graph)

    assert json.loads(text) == graph.to_json()
    assert text.splitlines()[:4] == [
        "{",
        '  "name": "mine",',
        '  "shows": "Generated.",',
        '  "graph": {',
    ]
    assert len(text.splitlines()) == 4 + len(graph.nodes) + 2
