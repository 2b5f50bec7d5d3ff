"""What the harness's own tests share: graphs and templates written in a test, and cases of them."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plait_harness.case import CaseRunner
from plait_harness.contexts import CheckSpec, ContextSpec
from plait_harness.crossing import Case
from plait_harness.fit import Fit, fit
from plait_harness.graphs import GraphSpec, parse_graph
from plait_harness.home import home_path
from plait_harness.result import CaseResult
from plait_harness.sources import CheckerSource
from plait_harness.starter import PreparedProcess
from plait_harness.surroundings import make_base_env
from plait_harness.templates import TemplateSpec, load_templates

LINEAR = {
    "start": {"linear": "middle", "quals": ["first"]},
    "middle": {"linear": "end"},
    "end": {},
}

FOREACH = {
    "start": {
        "foreach": "inner",
        "foreach_var": "arr",
        "foreach_var_default": "[1, 2, 3]",
        "quals": ["foreach-split"],
    },
    "inner": {"linear": "join", "quals": ["foreach-inner"]},
    "join": {"linear": "end", "join": True},
    "end": {},
}

BRANCH = {
    "start": {"branch": ["left", "right"]},
    "left": {"linear": "join"},
    "right": {"linear": "join"},
    "join": {"linear": "end", "join": True},
    "end": {},
}


@pytest.fixture
def make_graph() -> Callable[..., GraphSpec]:
    """Give a function that makes a graph of nodes."""

    def make(nodes: dict, name: str = "shape") -> GraphSpec:
        return parse_graph({"name": name, "shows": "A shape.", "graph": nodes}, file=f"{name}.json")

    return make


@pytest.fixture
def make_templates(tmp_path: Path) -> Callable[[str], dict[str, TemplateSpec]]:
    """Give a function that reads templates from source."""

    def make(source: str) -> dict[str, TemplateSpec]:
        # A folder for each: a file that changes within a second looks unchanged to an import.
        folder = tmp_path / f"templates-{len(os.listdir(tmp_path))}"
        folder.mkdir()
        path = folder / "mine.py"
        head = "from plait_harness import FlowTest, steps, tag\n"
        path.write_text(head + textwrap.dedent(source), encoding="utf-8")
        return load_templates(str(path))

    return make


@pytest.fixture
def make_template(make_templates: Callable[..., dict]) -> Callable[[str], TemplateSpec]:
    """Give a function that reads the one template of a source."""

    def make(source: str) -> TemplateSpec:
        (template,) = make_templates(source).values()
        return template

    return make


@pytest.fixture(scope="session")
def base_env() -> dict[str, str]:
    """Give the environment that cases start from."""
    return make_base_env(inherit=False)


@pytest.fixture(scope="session")
def prepared(base_env: dict[str, str]) -> Iterator[PreparedProcess]:
    """Give a prepared process, as a worker has one."""
    with PreparedProcess(base_env) as process:
        yield process


@pytest.fixture
def runner(tmp_path: Path, prepared: PreparedProcess, base_env: dict[str, str]) -> CaseRunner:
    """Give what runs cases."""
    (tmp_path / "cases").mkdir()
    return CaseRunner(prepared, base_env, str(tmp_path / "cases"), base_env)


@pytest.fixture
def run_case(runner: CaseRunner) -> Callable[..., CaseResult]:
    """Give a function that runs a template on a graph, judged by two checkers."""

    def run(template: TemplateSpec, graph: GraphSpec, **context: object) -> CaseResult:
        return runner.run(make_case(template, graph, **context))

    return run


def make_case(template: TemplateSpec, graph: GraphSpec, **context: object) -> Case:
    """Make a case of a template on a graph that it fits."""
    fitted = fit(template, graph)
    assert isinstance(fitted, Fit), fitted
    judges = tuple(
        (CheckSpec(name), CheckerSource(name, home_path(os.path.join("checkers", f"{name}.py"))))
        for name in ("cli", "mli")
    )
    facts = {"name": "here", "shows": "Here.", **context}
    return Case(ContextSpec(**facts), "cli", fitted, judges)


@pytest.fixture(name="make_case")
def _make_case() -> Callable[..., Case]:
    return make_case


@pytest.fixture
def shapes() -> dict[str, dict]:
    """Give some nodes of graphs by name."""
    return json.loads(json.dumps({"linear": LINEAR, "foreach": FOREACH, "branch": BRANCH}))
