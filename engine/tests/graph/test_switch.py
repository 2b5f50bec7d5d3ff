"""Switches and loops: which are valid and how they are read, and what each mistake says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from plait.base.errors import Finding
from plait.base.records import TransitionKind
from plait.graph.draw import to_dot, to_json, to_text
from plait.graph.model import Graph

GraphOf = Callable[..., Graph]
FindingsOf = Callable[..., list[Finding]]
MistakesIn = Callable[..., list[tuple[str, int | None]]]

END = "end: pass"


def flow(*steps: str) -> str:
    """Give a flow's source from steps such as `start: self.next(self.a)`, one a line.

    The `def` of the n-th step, from 0, stands in line 3 * n + 3, its body in the one below.
    """
    lines = ["class F(FlowSpec):"]
    for text in steps:
        name, _, body = text.partition(": ")
        name, _, arguments = name.partition("(")
        inputs = ", inputs" if arguments else ""
        lines += ["    @step", f"    def {name}(self{inputs}):", f"        {body}"]
    return "\n".join(lines)


def to(*targets: str) -> str:
    """Give the call of `self.next` that leads to *targets*."""
    return f"self.next({', '.join('self.' + target for target in targets)})"


def each(target: str) -> str:
    """Give the call of `self.next` that fans out to *target*."""
    return f"self.next(self.{target}, foreach='items')"


def choose(**cases: str) -> str:
    """Give the call of `self.next` that chooses among *cases*."""
    items = ", ".join(f"'{key}': self.{target}" for key, target in cases.items())
    return f"self.next({{{items}}}, condition='kind')"


VALID = {
    "one case": [f"start: {choose(x='end')}", END],
    "cases that meet in a plain step": [
        f"start: {choose(x='a', y='b')}", f"a: {to('end')}", f"b: {to('end')}", END,
    ],
    "one step for two values": [
        f"start: {choose(x='a', y='end', z='a')}", f"a: {to('end')}", END,
    ],
    "a switch behind a case": [
        f"start: {choose(x='a', y='b')}", f"a: {choose(p='c', q='d')}", f"b: {to('end')}",
        f"c: {to('b')}", f"d: {to('end')}", END,
    ],
    "a loop to itself": [f"start: {to('a')}", f"a: {choose(x='a', y='end')}", END],
    "a loop over two steps": [
        f"start: {to('ask')}", f"ask: {choose(x='mend', y='end')}", f"mend: {to('ask')}", END,
    ],
    "a loop with two ways in": [
        f"start: {choose(x='a', y='b')}", f"a: {choose(x='b', y='end')}", f"b: {to('a')}", END,
    ],
    "a loop in a loop": [
        f"start: {to('a')}", f"a: {to('b')}", f"b: {choose(x='b', y='a', z='end')}", END,
    ],
    "a switch in a foreach, straight into its join": [
        f"start: {each('a')}", f"a: {choose(x='b', y='j')}", f"b: {to('j')}",
        f"j(inputs): {to('end')}", END,
    ],
    "a switch in a branch": [
        f"start: {to('a', 'b')}", f"a: {choose(x='c', y='d')}", f"b: {to('j')}",
        f"c: {to('j')}", f"d: {to('j')}", f"j(inputs): {to('end')}", END,
    ],
    "a loop in a foreach": [
        f"start: {each('a')}", f"a: {choose(x='a', y='j')}", f"j(inputs): {to('end')}", END,
    ],
    "a loop around a foreach": [
        f"start: {to('s')}", f"s: {each('a')}", f"a: {to('j')}",
        f"j(inputs): {choose(x='s', y='end')}", END,
    ],
    "splits behind the cases": [
        f"start: {choose(x='s', y='t')}", f"s: {each('a')}", f"a: {to('j')}",
        f"j(inputs): {to('end')}", f"t: {to('b', 'c')}", f"b: {to('k')}", f"c: {to('k')}",
        f"k(inputs): {to('end')}", END,
    ],
}  # fmt: skip


@pytest.mark.parametrize("steps", VALID.values(), ids=VALID.keys())
def test_a_switch_may_stand_anywhere(graph_of: GraphOf, steps: list[str]) -> None:
    """Steps know those before them, those of loops included, and splits their joins."""
    graph = graph_of(flow(*steps))

    assert len(graph.nodes) == len(steps)
    for node in graph.nodes.values():
        assert all(node.name in graph[target].parents for target in node.targets)
        assert all(node.name in graph[parent].targets for parent in node.parents)
        assert node.joined_by is None or graph[node.joined_by].joins == node.name
        is_switch = node.kind is TransitionKind.SWITCH
        assert (node.condition, bool(node.cases)) == ("kind" if is_switch else None, is_switch)


def test_cases_are_read_in_order_with_their_types(graph_of: GraphOf) -> None:
    """Texts, whole numbers and truth values are told apart; each step is a target once."""
    call = "self.next({'x': self.a, 3: self.end, -1: self.a, False: self.end}, condition='kind')"
    start = graph_of(flow(f"start: {call}", f"a: {to('end')}", END))["start"]

    assert start.cases == (("x", "a"), (3, "end"), (-1, "a"), (False, "end"))
    assert [type(key) for key, _ in start.cases] == [str, int, int, bool]
    assert start.targets == ("a", "end")
    assert (start.joined_by, start.foreach) == (None, None)


def test_the_steps_of_a_loop_have_its_last_step_among_their_parents(graph_of: GraphOf) -> None:
    """The order of the graph is that of the first round."""
    graph = graph_of(flow(*VALID["a loop over two steps"]))

    assert [*graph.nodes] == ["start", "ask", "mend", "end"]
    assert graph["ask"].parents == ("start", "mend")
    assert graph["end"].parents == ("ask",)


def test_a_switch_leaves_splits_as_they_are(graph_of: GraphOf) -> None:
    """What is open around a step does not change with how it is reached."""
    graph = graph_of(flow(*VALID["a switch in a foreach, straight into its join"]))

    assert {name: node.splits for name, node in graph.nodes.items()} == {
        "start": (), "a": ("start",), "b": ("start",), "j": (), "end": (),
    }  # fmt: skip
    assert graph["j"].parents == ("a", "b")


def test_a_switch_is_drawn_with_its_cases(graph_of: GraphOf) -> None:
    """As text, for Graphviz and as JSON."""
    graph = graph_of(flow(f"start: {choose(x='a', y='end', z='a')}", f"a: {to('end')}", END))

    assert "-> a, end, whichever 'kind' names: 'x' -> a, 'y' -> end, 'z' -> a" in to_text(graph)
    dot = to_dot(graph)
    assert '"start" [shape=diamond, style=solid, tooltip="start"];' in dot
    assert '"start" -> "a" [label="kind is \'x\' or \'z\'"];' in dot
    start = to_json(graph)["steps"]["start"]
    assert (start["kind"], start["next"]) == ("switch", ["a", "end"])
    assert (start["condition"], start["cases"]) == (
        "kind",
        [["x", "a"], ["y", "end"], ["z", "a"]],
    )


def test_a_join_that_is_a_switch_is_drawn_as_both(graph_of: GraphOf) -> None:
    """A diamond with marks in its corners."""
    dot = to_dot(graph_of(flow(*VALID["a loop around a foreach"])))

    assert '"j" [shape=Mdiamond, style=solid, tooltip="j"];' in dot


WRONG = {
    "a join where cases meet": (
        [
            f"start: {choose(x='a', y='b')}", f"a: {to('j')}", f"b: {to('j')}",
            f"j(inputs): {to('end')}", END,
        ],
        [("join-without-split", 12)],
    ),
    "a loop without a switch, beside one with": (
        [
            f"start: {choose(x='a', y='b')}", f"a: {to('c')}", f"c: {to('a')}",
            f"b: {choose(x='b', y='end')}", END,
        ],
        [("loop", 10)],
    ),
    "a loop that only leads round": (
        [f"start: {to('a')}", f"a: {choose(x='a', y='b')}", f"b: {to('a')}", END],
        [("endless-loop", 7)],
    ),
    "a loop of one case": (
        [f"start: {to('a')}", f"a: {choose(x='a')}", END],
        [("endless-loop", 7)],
    ),
    "two ways back in one endless loop": (
        [
            f"start: {to('a')}", f"a: {choose(x='b', y='c')}", f"b: {to('a')}",
            f"c: {choose(x='a', y='c')}", END,
        ],
        [("endless-loop", 13)],
    ),
    "an endless loop behind one without a switch": (
        [
            f"start: {choose(x='a', y='b', z='end')}", f"a: {to('c')}", f"c: {to('a')}",
            f"b: {choose(x='b')}", END,
        ],
        [("loop", 10), ("endless-loop", 13)],
    ),
    "an endless loop before one without a switch": (
        [
            f"start: {choose(x='b', y='a', z='end')}", f"b: {choose(x='b')}",
            f"a: {to('c')}", f"c: {to('a')}", END,
        ],
        [("endless-loop", 7), ("loop", 13)],
    ),
    "out of a branch without a switch": (
        [
            f"start: {to('s')}", f"s: {to('a', 'b')}", f"a: {to('s')}", f"b: {to('j')}",
            f"j(inputs): {to('end')}", END,
        ],
        [("loop", 10)],
    ),
    "back to start": (
        [f"start: {to('a')}", f"a: {choose(x='start', y='end')}", END],
        [("next-to-start", 7)],
    ),
    "out of a foreach": (
        [
            f"start: {to('s')}", f"s: {each('a')}", f"a: {choose(x='s', y='j')}",
            f"j(inputs): {to('end')}", END,
        ],
        [("loop-across-split", 10)],
    ),
    "into a foreach": (
        [
            f"start: {to('s')}", f"s: {each('a')}", f"a: {to('j')}",
            f"j(inputs): {choose(x='a', y='end')}", END,
        ],
        [("loop-across-split", 13)],
    ),
    "back to a join": (
        [
            f"start: {to('s')}", f"s: {each('a')}", f"a: {to('j')}",
            f"j(inputs): {choose(x='j', y='end')}", END,
        ],
        [("loop-across-split", 13)],
    ),
    "cases that end in different joins": (
        [
            f"start: {each('a')}", f"a: {choose(x='j', y='k')}", f"j(inputs): {to('end')}",
            f"k(inputs): {to('end')}", END,
        ],
        [("incomplete-join", 4)],
    ),
    "a case that leaves a foreach for end": (
        [f"start: {each('a')}", f"a: {choose(x='j', y='end')}", f"j(inputs): {to('end')}", END],
        [("incomplete-join", 4)],
    ),
    "a case that leaves a foreach for a step behind its join": (
        [
            f"start: {each('a')}", f"a: {choose(x='j', y='k')}", f"j(inputs): {to('k')}",
            f"k: {to('end')}", END,
        ],
        [("incomplete-join", 4)],
    ),
    "a case into the join of an outer split": (
        [
            f"start: {each('a')}", f"a: {each('b')}", f"b: {choose(x='i', y='o')}",
            f"i(inputs): {to('o')}", f"o(inputs): {to('end')}", END,
        ],
        [("incomplete-join", 7)],
    ),
    "a case into the join of an outer branch": (
        [
            f"start: {to('p', 'q')}", f"p: {each('b')}", f"q: {to('o')}",
            f"b: {choose(x='i', y='o')}", f"i(inputs): {to('o')}", f"o(inputs): {to('end')}", END,
        ],
        [("incomplete-join", 7)],
    ),
    "a case into another branch": (
        [
            f"start: {to('a', 'b')}", f"a: {choose(x='j', y='c')}", f"b: {to('c')}",
            f"c: {to('j')}", f"j(inputs): {to('end')}", END,
        ],
        [("missing-inputs", 12)],
    ),
    "a step that is lost beside a loop": (
        [f"start: {to('a')}", f"a: {choose(x='a', y='end')}", f"b: {to('end')}", END],
        [("unreachable-step", 9)],
    ),
    "a case that leads nowhere": (
        [f"start: {to('a')}", f"a: {choose(x='a', y='gone')}", END],
        [("unknown-target", 7)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_found_once(
    mistakes_in: MistakesIn, steps: list[str], expected: list[tuple[str, int]]
) -> None:
    """What follows from a wrong way of a switch is not a finding of its own."""
    assert mistakes_in(flow(*steps)) == expected


@pytest.mark.parametrize(
    ("call", "slug", "what", "fix"),
    [
        ("{'x': self.a}, condition=self.k", "bad-condition", "condition=self.k", "condition='k'"),
        ("{'x': self.a}, condition=k", "bad-condition", "condition=k", "set self.k in"),
        ("{'x': self.a}, condition='self.k'", "bad-condition", "", "write condition='k'"),
        ("{'x': self.a}, condition='a'", "bad-condition", "", "set self.kind in"),
        ("{'x': self.a}, condition='index'", "bad-condition", "", "self.kind = self.index"),
        ("{KIND: self.a}, condition='k'", "bad-case", "the case KIND", "one by one"),
        ("{1.5: self.a}, condition='k'", "bad-case", "the case 1.5", "one by one"),
        ("{None: self.a}, condition='k'", "bad-case", "the case None", "one by one"),
        ("{-True: self.a}, condition='k'", "bad-case", "the case -True", "one by one"),
        ("{**more, 'x': self.a}, condition='k'", "bad-case", "the case **more", "one by one"),
        ("{'x': self.a, 'x': self.a}, condition='k'", "duplicate-case", "'x' twice", "remove one"),
        ("{1: self.a, True: self.a}, condition='k'", "duplicate-case", "1 and True", "remove one"),
        ("{'x': 'a'}, condition='k'", "bad-next-argument", "'a'", "write self.a"),
        ("{'x': self.a()}, condition='k'", "bad-next-argument", "", "do not call the step"),
        ("{'x': self.a, 'y': [self.a]}, condition='k'", "bad-next-argument", "", ""),
    ],
)
def test_a_switch_is_written_so_that_it_can_be_read(
    findings_of: FindingsOf, call: str, slug: str, what: str, fix: str
) -> None:
    """The condition is a name, the keys are literals, each leads to a step."""
    source = flow(f"start: self.next({call})", f"a: {to('end')}", END)
    (finding,) = findings_of(source)

    assert finding.slug == slug
    assert what in finding.what
    assert fix in finding.fix
    assert finding.where is not None
    assert finding.where.line == 4


@pytest.mark.parametrize(
    "call", ["self.next(self.on, self.turn)", "self.next(self.turn, foreach='items')"]
)
def test_a_split_cannot_lead_back(findings_of, call):
    """A part of a branch or a foreach that goes round would never come to a join."""
    source = f"""
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.turn)
    @step
    def turn(self):
        self.next({{0: self.split, 1: self.on}}, condition='kind')
    @step
    def split(self):
        {call}
    @step
    def on(self):
        self.next(self.end)
    @step
    def end(self):
        pass
"""
    findings = [f for f in findings_of(source) if f.slug == "loop-across-split"]

    assert [(f.what, f.why) for f in findings] == [
        (
            "step 'split' leads back to 'turn', across a split",
            "a part of 'split' would leave it, and its join would wait for ever",
        )
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "a join where cases meet",
            "open where it stands; the cases of a switch meet in a plain step",
        ),
        ("back to a join", "'j' is the join of 's', and its parts have all come already"),
    ],
)
def test_what_is_wrong_is_told_by_what_is_there(
    name: str, why: str, findings_of: FindingsOf
) -> None:
    """The same rule, and the reason that this flow breaks it for."""
    (finding,) = findings_of(flow(*WRONG[name][0]))

    assert why in finding.why
