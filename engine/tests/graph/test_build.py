"""From a valid flow to its graph: order, parents, splits and joins."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from plait.base.records import TransitionKind
from plait.graph.model import Graph

GraphOf = Callable[..., Graph]


def render(*steps: str) -> str:
    """Give a flow's source: each step as `name -> a, b`, `name * items -> a`, joins as `name+`."""
    lines = ["class F(FlowSpec):"]
    for text in steps:
        head, _, targets = text.partition("->")
        name, _, foreach = (part.strip() for part in head.partition("*"))
        given = [f"self.{target.strip()}" for target in targets.split(",") if target.strip()]
        given += [f"foreach={foreach!r}"] if foreach else []
        inputs = ", inputs" if name.endswith("+") else ""
        lines += ["    @step", f"    def {name.rstrip('+')}(self{inputs}):"]
        lines += [f"        self.next({', '.join(given)})" if given else "        pass"]
    return "\n".join(lines)


def shape(graph: Graph) -> dict[str, tuple[object, ...]]:
    """Give what the graph knows of splits: parents, splits, joined_by, joins of each step."""
    return {n.name: (n.parents, n.splits, n.joined_by, n.joins) for n in graph.nodes.values()}


def test_steps_in_a_row(graph_of: GraphOf) -> None:
    """Each step has one parent and no split around it."""
    graph = graph_of(render("end", "b -> end", "start -> a", "a -> b"))

    assert shape(graph) == {
        "start": ((), (), None, None),
        "a": (("start",), (), None, None),
        "b": (("a",), (), None, None),
        "end": (("b",), (), None, None),
    }
    assert list(graph.nodes) == ["start", "a", "b", "end"]
    assert (graph["start"].kind, graph["end"].kind) == (TransitionKind.LINEAR, None)


def test_branches_of_unequal_length(graph_of: GraphOf) -> None:
    """The order goes along each branch, and a join's parents are in the order of the branches."""
    graph = graph_of(render("start -> a, b", "a -> a2", "a2 -> j", "b -> j", "j+ -> end", "end"))

    assert shape(graph) == {
        "start": ((), (), "j", None),
        "a": (("start",), ("start",), None, None),
        "a2": (("a",), ("start",), None, None),
        "b": (("start",), ("start",), None, None),
        "j": (("a2", "b"), (), None, "start"),
        "end": (("j",), (), None, None),
    }
    assert list(graph.nodes) == ["start", "a", "a2", "b", "j", "end"]


def test_nested_branches_joined_by_pairs(graph_of: GraphOf) -> None:
    """The inner joins are parts of the outer split."""
    graph = graph_of(
        render(
            "start -> a, b",
            "a -> c, d", "b -> e, f",
            "c -> i", "d -> i", "e -> k", "f -> k",
            "i+ -> j", "k+ -> j",
            "j+ -> end", "end",
        )
    )  # fmt: skip

    assert shape(graph)["c"] == (("a",), ("start", "a"), None, None)
    assert shape(graph)["i"] == (("c", "d"), ("start",), None, "a")
    assert shape(graph)["k"] == (("e", "f"), ("start",), None, "b")
    assert shape(graph)["j"] == (("i", "k"), (), None, "start")


def test_a_branch_in_a_foreach_and_a_foreach_in_a_branch(graph_of: GraphOf) -> None:
    """Splits of both kinds nest in both ways."""
    graph = graph_of(
        render(
            "start * items -> split",
            "split -> a, b",
            "a * parts -> deep", "deep -> up", "up+ -> j",
            "b -> j",
            "j+ -> all_items", "all_items+ -> end", "end",
        )
    )  # fmt: skip

    assert shape(graph)["deep"] == (("a",), ("start", "split", "a"), None, None)
    assert shape(graph)["up"] == (("deep",), ("start", "split"), None, "a")
    assert shape(graph)["j"] == (("up", "b"), ("start",), None, "split")
    assert shape(graph)["all_items"] == (("j",), (), None, "start")
    assert [graph[n].joined_by for n in ("start", "split", "a")] == ["all_items", "j", "up"]


@pytest.mark.parametrize("again", ["j+ -> c, d", "j+ * more -> c"])
def test_a_join_that_splits_again(graph_of: GraphOf, again: str) -> None:
    """A join may be a branch or a foreach itself."""
    graph = graph_of(
        render(
            "start -> a, b", "a -> j", "b -> j",
            again, "c -> k", *(["d -> k"] if "d" in again else []), "k+ -> end", "end",
        )
    )  # fmt: skip

    assert (graph["j"].joins, graph["j"].joined_by, graph["j"].splits) == ("start", "k", ())
    assert (graph["k"].joins, graph["c"].splits) == ("j", ("j",))


def test_a_join_within_an_outer_split_that_splits_again(graph_of: GraphOf) -> None:
    """What the second split opens stands within what was open before the first."""
    graph = graph_of(
        render(
            "start * items -> m", "m -> a, b", "a -> j", "b -> j",
            "j+ * parts -> c", "c -> k", "k+ -> z", "z+ -> end", "end",
        )
    )  # fmt: skip

    assert graph["c"].splits == ("start", "j")
    assert [graph[n].joins for n in ("j", "k", "z")] == ["m", "j", "start"]


def test_an_order_with_a_wide_branch(graph_of: GraphOf) -> None:
    """Twenty branches are joined in the order of `self.next`."""
    names = [f"b{i}" for i in range(20)]
    graph = graph_of(
        render(
            f"start -> {', '.join(reversed(names))}",
            *(f"{name} -> j" for name in names),
            "j+ -> end", "end",
        )
    )  # fmt: skip

    assert graph["j"].parents == tuple(reversed(names))


def test_a_chain_longer_than_pythons_stack(graph_of: GraphOf) -> None:
    """The walk keeps a stack of its own."""
    names = ["start", *(f"s{i}" for i in range(1500)), "end"]
    graph = graph_of(render(*(f"{a} -> {b}" for a, b in itertools.pairwise(names)), "end"))

    assert list(graph.nodes) == names


def test_what_a_node_says(graph_of: GraphOf) -> None:
    """Every field of a node comes from the source."""
    graph = graph_of('''
class F(FlowSpec):
    """Adds.

        More.
    """
    @retry(times=1)
    @step
    def start(me, /):
        """Begins.

        Here.
        """
        me.items = [1]
        me.next(
            me.work, foreach="items")
    @step
    def work(self):
        class Inner:
            def next(self): ...
            def go(self): self.next()
        walk = lambda self: self.next()
        self.next(self.join)
    @step
    def join(self, inputs): self.next(self.end)
    @step
    def end(self): pass
''')

    start = graph["start"]
    assert graph.doc == "Adds.\n\nMore."
    assert (start.doc, start.file, start.line, start.next_line) == (
        "Begins.\n\nHere.",
        "flow.py",
        9,
        15,
    )
    assert (start.kind, start.foreach, start.targets) == (
        TransitionKind.FOREACH,
        "items",
        ("work",),
    )
    assert (start.is_join, start.decorators) == (False, ("retry",))
    assert (graph["join"].is_join, graph["end"].next_line) == (True, None)
