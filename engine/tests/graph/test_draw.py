"""The graph as text, as Graphviz and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

from plait.graph.draw import to_dot, to_json, to_text
from plait.graph.model import Graph

GraphOf = Callable[..., Graph]

FLOW = '''
class F(FlowSpec):
    """Adds numbers.

    Slowly.
    """
    @step
    def start(self):
        """Says "hi" \\\\o/.

        Twice.
        """
        self.next(self.a, self.b)
    @step
    def a(self): self.next(self.j)
    @step
    def b(self): self.next(self.j)
    @step
    def j(self, inputs): self.next(self.work, foreach="items")
    @retry
    @step
    def work(self): self.next(self.k)
    @step
    def k(self, inputs): self.next(self.end)
    @step
    def end(self): pass
'''


def test_text_lists_steps_with_place_docstring_and_transition(graph_of: GraphOf) -> None:
    """It is what `show` prints."""
    assert to_text(graph_of(FLOW)) == (
        "F\n"
        "    Adds numbers.\n"
        "\n"
        "    Slowly.\n"
        "\n"
        "start (flow.py:8)\n"
        '    Says "hi" \\o/.\n'
        "\n"
        "    Twice.\n"
        "    -> a, b\n"
        "\n"
        "a (flow.py:15)\n"
        "    -> j\n"
        "\n"
        "b (flow.py:17)\n"
        "    -> j\n"
        "\n"
        "j (flow.py:19), joins the branches of 'start'\n"
        "    -> work, once for each of 'items'\n"
        "\n"
        "work (flow.py:22)\n"
        "    -> k\n"
        "\n"
        "k (flow.py:24), joins the foreach of 'j'\n"
        "    -> end\n"
        "\n"
        "end (flow.py:26)"
    )


def test_dot_shows_splits_joins_and_foreaches(graph_of: GraphOf) -> None:
    """Text from the user is escaped, and the order is the graph's."""
    assert to_dot(graph_of(FLOW)).splitlines() == [
        'digraph "F" {',
        "  rankdir=TB;",
        '  node [shape=box, style=rounded, fontname="Helvetica"];',
        '  edge [fontname="Helvetica", fontsize=10];',
        '  "start" [shape=trapezium, style=solid, tooltip="Says \\"hi\\" \\\\o/.\\n\\nTwice."];',
        '  "a" [tooltip="a"];',
        '  "b" [tooltip="b"];',
        '  "j" [shape=hexagon, style=solid, peripheries=2, tooltip="j"];',
        '  "work" [tooltip="work"];',
        '  "k" [shape=invtrapezium, style=solid, tooltip="k"];',
        '  "end" [tooltip="end"];',
        '  "start" -> "a";',
        '  "start" -> "b";',
        '  "a" -> "j";',
        '  "b" -> "j";',
        '  "j" -> "work" [label="each of items"];',
        '  "work" -> "k";',
        '  "k" -> "end";',
        "}",
    ]


def test_json_has_everything_that_the_graph_has(graph_of: GraphOf) -> None:
    """It can be written as JSON, and programs can rely on its form."""
    data = json.loads(json.dumps(to_json(graph_of(FLOW))))

    assert {key: data[key] for key in ("version", "flow", "doc")} == {
        "version": 1,
        "flow": "F",
        "doc": "Adds numbers.\n\nSlowly.",
    }
    assert list(data["steps"]) == ["start", "a", "b", "j", "work", "k", "end"]
    assert data["steps"]["j"] == {
        "doc": "",
        "file": "flow.py",
        "line": 19,
        "next_line": 19,
        "kind": "foreach",
        "next": ["work"],
        "foreach": "items",
        "condition": None,
        "cases": [],
        "join": True,
        "joins": "start",
        "parents": ["a", "b"],
        "splits": [],
        "joined_by": "k",
        "decorators": [],
    }
    assert data["steps"]["end"]["kind"] is None
    assert data["steps"]["work"]["decorators"] == ["retry"]
