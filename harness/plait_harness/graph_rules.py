"""What makes a graph one that a flow can have; each problem names its node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # graphs.py calls this module; the names are only needed for annotations.
    from plait_harness.graphs import GraphSpec, NodeSpec

Problem = tuple[str, str]
"""A node's name, and what is wrong with it."""

Opened = Mapping[str, tuple[str, ...]]
"""For every step reached: the splits open where it is entered, outermost first."""


def find_problems(graph: GraphSpec) -> list[Problem]:
    """Give everything that makes *graph* no graph of a flow."""
    problems = [*_find_bad_ends(graph), *_find_unknown_targets(graph)]
    # What follows walks from step to step, so each needs the one before it to hold.
    if not problems:
        problems = [*_find_loops(graph)]
    if not problems:
        opened, problems = _walk(graph)
        if not problems:
            problems = [
                *_find_unreached(graph, opened),
                *_find_unjoined(graph, opened),
                *_find_meetings(graph, opened),
            ]
    return problems


def _find_bad_ends(graph: GraphSpec) -> Iterator[Problem]:
    if graph["start"].join:
        yield "start", "begins the flow, so there is nothing for it to join"
    for node in graph:
        if node.name == "end" and node.kind != "end":
            yield node.name, "ends the flow, so it has no transition"
        if node.name != "end" and node.kind == "end" and len(graph.nodes) > 1:
            yield node.name, "needs one of linear, branch, foreach, switch"
    if "end" not in graph.nodes and len(graph.nodes) > 1:
        yield "start", "is not the only step, so that there must be an 'end'"


def _find_unknown_targets(graph: GraphSpec) -> Iterator[Problem]:
    for node in graph:
        for target in node.targets:
            if target not in graph.nodes:
                yield node.name, f"goes to '{target}', which is not in the graph"


def _find_loops(graph: GraphSpec) -> Iterator[Problem]:
    # Only a switch may go back, so without the switches' edges there must be no cycle.
    waiting = {node.name: 0 for node in graph}
    for node in graph:
        for target in _forward(node):
            waiting[target] += 1
    ready = [name for name, count in waiting.items() if count == 0]
    while ready:
        name = ready.pop()
        del waiting[name]
        for target in _forward(graph[name]):
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    for name in waiting:
        yield name, "is in or behind a loop that no switch makes"


def _forward(node: NodeSpec) -> tuple[str, ...]:
    return () if node.kind == "switch" else node.targets


def _walk(graph: GraphSpec) -> tuple[Opened, list[Problem]]:
    opened: dict[str, tuple[str, ...]] = {"start": ()}
    problems: list[Problem] = []
    pending = ["start"]
    while pending:
        node = graph[pending.pop()]
        splits = opened[node.name]
        if node.join and not splits:
            problems.append((node.name, "joins, but no split or foreach is open before it"))
            continue
        if node.join:
            splits = splits[:-1]
        if node.kind == "end" and splits:
            problems.append((node.name, f"is reached before '{splits[-1]}' is joined"))
        if node.kind in ("split", "foreach"):
            splits = (*splits, node.name)
        for target in node.targets:
            if node.kind == "foreach" and graph[target].join:
                problems.append((node.name, f"fans out straight into its join '{target}'"))
            if target not in opened:
                opened[target] = splits
                pending.append(target)
            elif opened[target] != splits:
                problems.append((target, "is reached from inside of different splits"))
    return opened, problems


def _find_unreached(graph: GraphSpec, opened: Opened) -> Iterator[Problem]:
    for node in graph:
        if node.name not in opened:
            yield node.name, "is never reached from start"


def _find_unjoined(graph: GraphSpec, opened: Opened) -> Iterator[Problem]:
    joins: dict[str, list[str]] = {}
    for node in graph:
        if node.join:
            joins.setdefault(opened[node.name][-1], []).append(node.name)
    for node in graph:
        if node.kind in ("split", "foreach"):
            its_joins = joins.get(node.name, [])
            if not its_joins:
                yield node.name, "is never joined"
            elif len(its_joins) > 1:
                yield node.name, f"is joined more than once: {', '.join(its_joins)}"


def _find_meetings(graph: GraphSpec, opened: Opened) -> Iterator[Problem]:
    # Ways that a switch chose between meet in a plain step, but branches meet only in a join.
    if any(node.kind == "switch" for node in graph):
        return
    ways_in = dict.fromkeys(opened, 0)
    for name in opened:
        for target in graph[name].targets:
            ways_in[target] += 1
    for name, count in ways_in.items():
        if count > 1 and not graph[name].join:
            yield name, 'is where branches meet, so it needs "join": true'
