"""Generated graphs on which a case failed: made smaller, told, and kept as graph files."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from plait_harness.crossing import Case
from plait_harness.fit import Fit, fit
from plait_harness.graphs import GraphSpec
from plait_harness.home import home_path
from plait_harness.result import CaseResult
from plait_harness.shapes import Shape, depth_of, digest_of, make_graph, outline_of, width_of
from plait_harness.shrink import shrink


def describe_generated(
    shapes: Mapping[str, Shape], graphs: Mapping[str, GraphSpec], ran: Collection[str]
) -> str:
    """Say in a line what the generated graphs came to of which a case ran."""
    chosen = [name for name in shapes if name in ran]
    outlines = {outline_of(graphs[name]) for name in chosen}
    depth = max((depth_of(shapes[name]) for name in chosen), default=0)
    width = max((width_of(shapes[name]) for name in chosen), default=0)
    steps = max((len(graphs[name].nodes) for name in chosen), default=0)
    return (
        f"generated: {len(chosen)} graphs of {len(outlines)} distinct shapes, "
        f"nested to depth {depth}, foreaches to width {width}, to {steps} steps"
    )


_LEAST_TIMEOUT = 20.0
"""Seconds that a smaller graph has at least, so that only one that hangs does not end in time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The smallest graph on which a case fails as a generated one did.

    Args:
        case: The case on that graph, which is kept in a file.
        result: How it went.
        note: The graph as JSON, where it is kept, and how it was found.
    """

    case: Case
    result: CaseResult
    note: str


def find_smallest(
    case: Case,
    shape: Shape,
    run: Callable[[Case], CaseResult],
    *,
    seconds_taken: float,
    folder: str,
    seconds: float,
) -> Finding | None:
    """Shrink the graph of a case that failed, and keep what is left of it.

    Args:
        case: The case.
        shape: The shape of its graph.
        run: Runs a case.
        seconds_taken: How long the case took.
        folder: Where to keep the graph.
        seconds: How long to look for smaller ones.

    Returns:
        The finding; None if the case passes when it runs again, so that nothing is learned from
        smaller ones that pass.
    """
    # A smaller graph takes no longer; one that hangs is not waited for until the time is over.
    limit = min(case.context.timeout, max(_LEAST_TIMEOUT, 5 * seconds_taken))
    hurried = dataclasses.replace(case, context=dataclasses.replace(case.context, timeout=limit))

    def fails(smaller: Shape) -> bool:
        tried = _case_on(make_graph(smaller, f"{case.graph.name}-smaller"), hurried)
        return tried is not None and bool(run(tried).failed)

    if not fails(shape):
        return None
    shrunk = shrink(shape, fails, seconds=seconds)
    plain = make_graph(shrunk.shape, "plain")
    graph = dataclasses.replace(
        plain,
        name=f"found-{digest_of(plain)}",
        shows=f"{case.template.name} failed on it, and on nothing smaller"
        + ("." if shrunk.complete else " that there was time for."),
        only_tests={case.template.name: "it was found with it"},
    )
    graph = dataclasses.replace(graph, file=keep_graph(graph, folder))
    smallest = _case_on(graph, case)
    assert smallest is not None, "what did not fit has not failed"
    end = "nothing smaller fails" if shrunk.complete else f"the limit of {seconds:g} s was reached"
    steps = f"{len(graph.nodes)} steps instead of {len(case.graph.nodes)}"
    effort = f"{shrunk.tries} tries in {shrunk.seconds:.0f} s"
    own = os.path.realpath(home_path("graphs"))
    place = os.path.dirname(graph.file)
    is_case = os.path.realpath(place) in (own, os.path.join(own, "found"))
    kept = "kept as a case from now on" if is_case else f"kept, for --graphs {shlex.quote(place)}"
    note = f"""\
the smallest graph that fails, of {steps}, after {effort} ({end}):
{format_graph(graph)}
{kept}: {graph.file}"""
    return Finding(smallest, run(smallest), note)


def _case_on(graph: GraphSpec, case: Case) -> Case | None:
    fitted = fit(case.template, graph)
    return dataclasses.replace(case, fit=fitted) if isinstance(fitted, Fit) else None


def keep_graph(graph: GraphSpec, folder: str) -> str:
    """Write a graph to a file of its name, and give its path."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(os.path.abspath(folder), f"{graph.name}.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(format_graph(graph) + "\n")
    return path


def format_graph(graph: GraphSpec) -> str:
    """Give a graph as the text of a graph file, a line for each step."""
    data = graph.to_json()
    nodes = data.pop("graph")
    width = max(map(len, nodes)) + 3
    lines = [f"    {json.dumps(name) + ':':<{width}} {json.dumps(nodes[name])}" for name in nodes]
    head = "\n".join(f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in data.items())
    return "{\n" + head + '\n  "graph": {\n' + ",\n".join(lines) + "\n  }\n}"
