"""The graph as text for people, as a picture for Graphviz and as JSON for programs."""

from __future__ import annotations

from typing import Any

from plait.base.records import TransitionKind
from plait.graph.model import Graph, Node

JSON_VERSION = 1
"""The version of the form that `to_json` gives; it rises when a field changes its meaning."""


def to_text(graph: Graph) -> str:
    """Give the steps in order, each with its line, docstring and transition, as plain text."""
    blocks = [_heading(graph.flow, graph.doc)]
    blocks += [_step_text(node, graph) for node in graph.nodes.values()]
    return "\n\n".join(blocks)


def to_json(graph: Graph) -> dict[str, Any]:
    """Give the graph as JSON values.

    Returns:
        `version` (this form's, 1), `flow`, `doc`, `start` and `end`: the names of the first and
        the last step, and `steps`: the steps by name, in the order of a walk from the first. Each
        has

        - `doc`, `file`, `line`, and `next_line`, the line of its `self.next`;
        - `kind`: `linear`, `branch`, `foreach` or `switch`; null for `end`;
        - `next`: the steps it leads to, in the order of its `self.next`;
        - `foreach`: the artifact it fans out over, or null;
        - `condition`: the artifact that chooses among the cases of a switch, or null, and `cases`:
          pairs of a value of it and the step that this leads to;
        - `join`: whether it takes `inputs`, and `joins`: the split that it joins, or null;
        - `parents`: the steps that lead to it;
        - `splits`: the splits open around it, outermost first;
        - `joined_by`: for a branch or foreach, the step that joins it, else null;
        - `decorators`: the names of its decorators, outermost first.
    """
    return {
        "version": JSON_VERSION,
        "flow": graph.flow,
        "doc": graph.doc,
        "start": graph.start,
        "end": graph.end,
        "steps": {name: _step_json(node) for name, node in graph.nodes.items()},
    }


def to_dot(graph: Graph) -> str:
    """Give the graph in Graphviz's language.

    Splits widen and joins narrow: they are trapezia, upright and upside down, and a step that is
    both is a hexagon. A foreach has a double outline, and its edge names the artifact. A switch is
    a diamond, whose edges name its cases; it has marks in its corners if it is a join, too.
    """
    lines = [
        f"digraph {_quote(graph.flow)} {{",
        "  rankdir=TB;",
        '  node [shape=box, style=rounded, fontname="Helvetica"];',
        '  edge [fontname="Helvetica", fontsize=10];',
    ]
    nodes = graph.nodes.values()
    lines += [f"  {_quote(node.name)} [{_dot_attributes(node)}];" for node in nodes]
    lines += [_dot_edge(node, target) for node in nodes for target in node.targets]
    return "\n".join([*lines, "}"])


def _step_text(node: Node, graph: Graph) -> str:
    title = f"{node.name} ({node.file}:{node.line})"
    if node.joins is not None:
        parts = "foreach" if graph[node.joins].kind is TransitionKind.FOREACH else "branches"
        title += f", joins the {parts} of '{node.joins}'"
    text = _heading(title, node.doc)
    if node.targets:
        each = f", once for each of '{node.foreach}'" if node.foreach else ""
        text += f"\n    -> {', '.join(node.targets)}{each}"
    if node.condition is not None:
        text += f", whichever '{node.condition}' names: "
        text += ", ".join(f"{value!r} -> {target}" for value, target in node.cases)
    return text


def _heading(title: str, doc: str) -> str:
    return "\n".join([title, *(f"    {line}".rstrip() for line in doc.splitlines())])


def _step_json(node: Node) -> dict[str, Any]:
    return {
        "doc": node.doc,
        "file": node.file,
        "line": node.line,
        "next_line": node.next_line,
        "kind": None if node.kind is None else node.kind.value,
        "next": list(node.targets),
        "foreach": node.foreach,
        "condition": node.condition,
        "cases": [list(case) for case in node.cases],
        "join": node.is_join,
        "joins": node.joins,
        "parents": list(node.parents),
        "splits": list(node.splits),
        "joined_by": node.joined_by,
        "decorators": list(node.decorators),
    }


def _dot_edge(node: Node, target: str) -> str:
    label = f"each of {node.foreach}" if node.foreach else ""
    if node.condition is not None:
        values = " or ".join(repr(value) for value, step in node.cases if step == target)
        label = f"{node.condition} is {values}"
    shown = f" [label={_quote(label)}]" if label else ""
    return f"  {_quote(node.name)} -> {_quote(target)}{shown};"


def _dot_attributes(node: Node) -> str:
    is_split = node.kind in (TransitionKind.BRANCH, TransitionKind.FOREACH)
    attributes = []
    if node.kind is TransitionKind.SWITCH:
        attributes.append(f"shape={'Mdiamond' if node.is_join else 'diamond'}, style=solid")
    elif node.is_join and is_split:
        attributes.append("shape=hexagon, style=solid")
    elif node.is_join:
        attributes.append("shape=invtrapezium, style=solid")
    elif is_split:
        attributes.append("shape=trapezium, style=solid")
    if node.kind is TransitionKind.FOREACH:
        attributes.append("peripheries=2")
    attributes.append(f"tooltip={_quote(node.doc or node.name)}")
    return ", ".join(attributes)


def _quote(text: str) -> str:
    # A backslash would begin an escape of Graphviz's own, such as \N for the node's name.
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\r", "").replace("\n", "\\n") + '"'
