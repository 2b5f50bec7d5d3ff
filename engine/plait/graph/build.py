"""From a flow class to its graph, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from plait.base.errors import Finding, Where
from plait.base.records import TransitionKind
from plait.graph.model import Graph, Node
from plait.graph.nesting import Nesting, find_nesting, takes_inputs
from plait.graph.outline import Outline, draw_outline
from plait.graph.read import read_flow, show_path
from plait.graph.source import FlowSource
from plait.graph.validate import validate
from plait.graph.validate.subject import Subject


def analyse(
    cls: type, *, parameters: Sequence[tuple[str, Where | None]] = (), lint: bool = True
) -> tuple[Graph | None, list[Finding]]:
    """Read a flow class from its source and judge its graph.

    Args:
        cls: The flow class.
        parameters: The names of its Parameters, each with where it is written; those of all
            classes of the MRO, so that one that a step replaces is seen.
        lint: Whether to apply the rules that a run can do without as well.

    Returns:
        The graph and no findings, or no graph and every finding, in the order of the source.
    """
    shown = [(n, w and Where(show_path(w.file), w.line)) for n, w in parameters]
    return judge(read_flow(cls), parameters=shown, lint=lint)


def judge(
    source: FlowSource, *, parameters: Sequence[tuple[str, Where | None]] = (), lint: bool = True
) -> tuple[Graph | None, list[Finding]]:
    """Judge what was read of a flow, as `analyse` does, without touching any file."""
    outline = draw_outline(source)
    nesting = find_nesting(outline)
    findings = validate(Subject(outline, nesting, parameters), lint=lint)
    return (None, findings) if findings else (build_graph(outline, nesting), [])


def build_graph(outline: Outline, nesting: Nesting) -> Graph:
    """Give the graph of a flow with which nothing is wrong."""
    parents: dict[str, list[str]] = {name: [] for name in outline.order}
    for name in outline.order:
        for edge in (*outline.edges[name], *(e for e in outline.back if e.source == name)):
            parents[edge.target].append(name)
    nodes = {
        name: _build_node(name, outline, nesting, tuple(parents[name])) for name in outline.order
    }
    source = outline.source
    return Graph(source.name, source.doc, nodes, source.start, source.end)


def _build_node(name: str, outline: Outline, nesting: Nesting, parents: tuple[str, ...]) -> Node:
    step, form = outline.steps[name], outline.forms[name]
    is_split = form.kind in (TransitionKind.BRANCH, TransitionKind.FOREACH)
    return Node(
        name=name,
        doc=step.doc,
        file=step.where.file,
        line=step.where.line or 0,
        is_join=takes_inputs(step) is True,
        kind=form.kind,
        targets=form.targets,
        foreach=form.foreach,
        condition=form.condition,
        cases=form.cases,
        next_line=step.calls[0].line if step.calls else None,
        decorators=step.decorators,
        parents=parents,
        splits=tuple(part.split for part in nesting.stacks[name]),
        joined_by=nesting.ends_at[name][0][0] if is_split else None,
        joins=nesting.joins.get(name),
    )
