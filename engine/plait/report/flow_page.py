"""The page of a flow: its graph, and what is written of each step."""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import dataclass

from plait.flow.definition import FlowDefinition
from plait.graph.draw import to_json
from plait.graph.model import Node
from plait.report.pages import render_page
from plait.report.picture import describe, label_edge, make_picture

_MOST_LINES = 400


@dataclass(frozen=True, slots=True)
class StepWritten:
    """A step as the page shows it.

    Args:
        node: The step.
        decorators: Its decorators with their attributes, outermost first.
        words: What kind of step it is.
        targets: The steps after it, each with when it is chosen; empty where it always is.
        source: Its lines of source, where they can be read.
        more: How many lines are left out.
    """

    node: Node
    decorators: tuple[str, ...]
    words: str
    targets: tuple[tuple[str, str], ...]
    source: str
    more: int


def make_flow_page(definition: FlowDefinition) -> str:
    """Give the page of a flow.

    Args:
        definition: The flow.

    Raises:
        ReportExtraMissing: Jinja2 is not installed.
    """
    graph = to_json(definition.graph)
    steps = []
    for name, node in definition.graph.nodes.items():
        step = graph["steps"][name]
        lines = _read_source(definition.cls, name)
        steps.append(
            StepWritten(
                node,
                tuple(
                    _write_decorator(d.name, d.attributes, type(d).defaults)
                    for d in definition.decorators[name]
                ),
                describe({**step, "decorators": []}),
                tuple((target, label_edge(step, target)) for target in node.targets),
                textwrap.dedent("".join(lines[:_MOST_LINES])),
                max(len(lines) - _MOST_LINES, 0),
            )
        )
    parameters = [(name, parameter.help or "") for name, parameter in definition.parameters.items()]
    return render_page(
        "flow.html.j2",
        {
            "graph": graph,
            "picture": make_picture(graph),
            "steps": steps,
            "parameters": parameters,
            "title": definition.name,
        },
    )


def _read_source(cls: type, step: str) -> list[str]:
    try:
        return inspect.getsourcelines(getattr(cls, step))[0]
    except (OSError, TypeError):
        return []  # made by a program, or its file is gone


def _write_decorator(name: str, given: object, defaults: object) -> str:
    """Give a decorator as it would be written, without what is as it is by default."""
    assert isinstance(given, dict), "attributes are given by name"
    own = {k: v for k, v in given.items() if not isinstance(defaults, dict) or defaults.get(k) != v}
    inside = ", ".join(f"{key}={value!r}" for key, value in own.items())
    return f"@{name}({inside})" if inside else f"@{name}"
