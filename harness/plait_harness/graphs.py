"""Graph files: JSON in, nodes with their qualifiers out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from plait_harness.graph_rules import find_problems
from plait_harness.mistakes import Mistake
from plait_harness.schemas import read_json, validate

Kind = Literal["linear", "split", "foreach", "switch", "end"]

BUILT_IN_QUALS = ("all", "start", "end", "join", "linear", "split", "foreach", "switch")
"""The qualifiers that a node has by what it is; a graph file can't give them."""


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One step of a graph.

    Args:
        name: The step's name.
        kind: What it does next: `linear`, `split` (a static branch), `foreach`, `switch`, or `end`.
        targets: The steps after it, in order; for a switch, in the order of its cases.
        join: Whether it takes `inputs`.
        quals: Its own qualifiers and the built-in ones. Built in are: `all`; `start` and `end` by
            name; `join` if it joins; and its kind. So a join that goes on to one step is both
            `join` and `linear`.
        foreach_var: The artifact that is fanned out over; only for a foreach.
        foreach_var_default: Python source of its value, evaluated where the step begins.
        condition: The artifact that names the case; only for a switch.
        condition_default: Python source of its value, evaluated where the step begins; `turn` in it
            is how often the step ran before at this place.
        cases: Value of the condition -> step; only for a switch.
    """

    name: str
    kind: Kind
    targets: tuple[str, ...] = ()
    join: bool = False
    quals: frozenset[str] = frozenset()
    foreach_var: str | None = None
    foreach_var_default: str | None = None
    condition: str | None = None
    condition_default: str | None = None
    cases: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """A graph: nodes by name, in the order of the file; iterating gives the nodes.

    Args:
        name: The graph's name.
        shows: One sentence: what the shape is there for.
        nodes: Every step by name.
        file: Where it was read from; empty if it was made in memory.
        only_tests: If not empty, the only templates to combine it with: name -> because.
    """

    name: str
    shows: str
    nodes: Mapping[str, NodeSpec]
    file: str = ""
    only_tests: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[NodeSpec]:
        return iter(self.nodes.values())

    def __getitem__(self, step: str) -> NodeSpec:
        return self.nodes[step]

    def to_json(self) -> dict[str, Any]:
        """Give the graph in the form of a graph file; `parse_graph` reads it back."""
        only = {"only_tests": dict(self.only_tests)} if self.only_tests else {}
        return {
            "name": self.name,
            "shows": self.shows,
            **only,
            "graph": {node.name: _node_to_json(node) for node in self},
        }


def load_graph(path: str) -> GraphSpec:
    """Read a graph file.

    Raises:
        Mistake: The file can't be read, or is not a valid graph.
    """
    return parse_graph(read_json(path), file=path)


def parse_graph(data: Any, *, file: str = "") -> GraphSpec:
    """Read a graph from its JSON form.

    Args:
        data: What a graph file holds.
        file: Where it came from, for messages.

    Raises:
        Mistake: It is not a valid graph; names the file, the node and what is wrong, all at once.
    """
    validate(data, "graph", file=file, name_of=_node_of)
    graph = parse_valid_graph(data, file=file)
    problems = list(find_problems(graph))
    if problems:
        listed = "\n".join(f"node '{node}': {what}" for node, what in problems)
        raise Mistake(f"{file or graph.name} is not a valid graph", listed)
    return graph


def parse_valid_graph(data: Mapping[str, Any], *, file: str = "") -> GraphSpec:
    """Read a graph that is known to be valid, as `to_json` gives it, without checking it again."""
    nodes = {name: _parse_node(name, node) for name, node in data["graph"].items()}
    return GraphSpec(data["name"], data["shows"], nodes, file, data.get("only_tests", {}))


def _parse_node(name: str, data: Mapping[str, Any]) -> NodeSpec:
    kind: Kind = "end"
    targets: tuple[str, ...] = ()
    if "linear" in data:
        kind, targets = "linear", (data["linear"],)
    elif "branch" in data:
        kind, targets = "split", tuple(data["branch"])
    elif "foreach" in data:
        kind, targets = "foreach", (data["foreach"],)
    elif "switch" in data:
        kind, targets = "switch", tuple(dict.fromkeys(data["switch"].values()))
    join = data.get("join", False)
    quals = {"all", *data.get("quals", ())}
    if name in ("start", "end"):
        quals.add(name)
    if join:
        quals.add("join")
    quals.add(kind)
    return NodeSpec(
        name=name,
        kind=kind,
        targets=targets,
        join=join,
        quals=frozenset(quals),
        foreach_var=data.get("foreach_var"),
        foreach_var_default=data.get("foreach_var_default"),
        condition=data.get("condition"),
        condition_default=data.get("condition_default"),
        cases=data.get("switch"),
    )


def _node_to_json(node: NodeSpec) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if node.kind == "linear":
        data["linear"] = node.targets[0]
    elif node.kind == "split":
        data["branch"] = list(node.targets)
    elif node.kind == "foreach":
        data["foreach"] = node.targets[0]
        data["foreach_var"] = node.foreach_var
        data["foreach_var_default"] = node.foreach_var_default
    elif node.kind == "switch":
        data["switch"] = dict(node.cases or {})
        data["condition"] = node.condition
        data["condition_default"] = node.condition_default
    if node.join:
        data["join"] = True
    own = sorted(node.quals.difference(BUILT_IN_QUALS))
    if own:
        data["quals"] = own
    return data


def _node_of(path: list[str]) -> str:
    is_in_node = len(path) > 1 and path[0] == "graph"
    return "/".join([f"node '{path[1]}'", *path[2:]]) if is_in_node else ""
