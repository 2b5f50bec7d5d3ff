"""Flow classes made from source text, without the flow package, for all tests of the graph."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from typing import Any

import pytest

from plait.base.errors import Finding, Where
from plait.graph.build import analyse
from plait.graph.model import Graph

FILE = "flow.py"


class FlowSpec:
    """Stands in for the flow package's base class, which the graph does not know."""

    def merge_artifacts(self, inputs: object) -> None: ...


class Parameter:
    """Stands in for a Parameter: a name, and where it was written."""

    def __init__(self, name: str, **options: object) -> None:
        self.name = name
        self.where = Where(FILE, sys._getframe(1).f_lineno)


class Config(Parameter):
    """Another thing that is declared as Parameters are."""


def step(function: Any = None, *, start: bool = False, end: bool = False) -> Any:
    """Mark a step as the flow package does."""
    if function is None:
        return lambda marked: step(marked, start=start, end=end)
    function.is_step = True
    function.is_first, function.is_last = start, end
    return function


def retry(function: Any = None, **options: object) -> Any:
    """Stands in for a decorator with and without arguments."""
    return function or (lambda decorated: decorated)


def load_flow(source: str, file: str = FILE, **names: object) -> type:
    """Run *source* as if it were the text of *file*, and give the last class it makes."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"FlowSpec": FlowSpec, "Parameter": Parameter, "step": step}
    namespace |= {"retry": retry, "Config": Config, "__name__": "a_user_module", **names}
    exec(compile(source, file, "exec"), namespace)
    return [value for value in namespace.values() if isinstance(value, type)][-1]


def judge_flow(cls: type) -> tuple[Graph | None, list[Finding]]:
    """Analyse *cls* together with the Parameters of all its classes."""
    declared = [v for c in cls.__mro__ for v in vars(c).values() if isinstance(v, Parameter)]
    return analyse(cls, parameters=[(p.name, p.where) for p in declared])


@pytest.fixture(name="load_flow", scope="session")
def _load_flow() -> Callable[..., type]:
    return load_flow


@pytest.fixture(name="graph_of")
def _graph_of() -> Callable[..., Graph]:
    """Give the graph of a flow that is valid."""

    def graph_of(source: str, **names: object) -> Graph:
        graph, findings = judge_flow(load_flow(source, **names))
        assert graph is not None, [finding.format() for finding in findings]
        return graph

    return graph_of


@pytest.fixture(name="findings_of")
def _findings_of() -> Callable[..., list[Finding]]:
    """Give the findings of a flow that is not."""

    def findings_of(source: str, **names: object) -> list[Finding]:
        graph, findings = judge_flow(load_flow(source, **names))
        assert graph is None
        return findings

    return findings_of


@pytest.fixture(name="mistakes_in")
def _mistakes_in() -> Callable[..., list[tuple[str, int | None]]]:
    """Give the slug and line of each finding of a flow, in order."""

    def mistakes_in(source: str, **names: object) -> list[tuple[str, int | None]]:
        _, findings = judge_flow(load_flow(source, **names))
        return [(f.slug, f.where.line if f.where else None) for f in findings]

    return mistakes_in
