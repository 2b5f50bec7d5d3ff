"""Any valid flow is read back as it was meant; any broken one gives findings, and no exception."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from plait.graph.build import analyse, judge
from plait.graph.draw import to_dot, to_json, to_text
from plait.graph.read import read_flow
from plait.graph.source import FlowSource


@dataclass(frozen=True)
class Block:
    """A piece of a flow: a step, or a split with what is in each of its parts, and its join.

    Args:
        kind: `step`, `branch`, `foreach`, `switch` or `loop`.
        parts: For a branch or switch, two or more sequences of blocks, else one; never empty.
    """

    kind: str
    parts: tuple[tuple[Block, ...], ...] = ()


def _splits(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    part = st.lists(inner, min_size=1, max_size=3).map(tuple)
    branch = st.lists(part, min_size=2, max_size=4).map(lambda p: Block("branch", tuple(p)))
    switch = st.lists(part, min_size=2, max_size=3).map(lambda p: Block("switch", tuple(p)))
    single = part.flatmap(lambda p: st.sampled_from([Block("foreach", (p,)), Block("loop", (p,))]))
    return branch | switch | single


BLOCKS = st.recursive(st.just(Block("step")), _splits, max_leaves=12)
FLOWS = st.lists(BLOCKS, max_size=4).map(tuple)


@dataclass
class Planned:
    """A step as it is meant, worked out without the engine."""

    name: str
    targets: tuple[str, ...] = ()
    foreach: str | None = None
    is_switch: bool = False
    is_join: bool = False
    parents: list[str] = field(default_factory=list)
    splits: tuple[str, ...] = ()
    joined_by: str | None = None
    joins: str | None = None


class Plan:
    """Lays blocks out as steps. A join may be a split itself, where one block follows another."""

    def __init__(self, blocks: tuple[Block, ...], *, fused: bool) -> None:
        self.steps: dict[str, Planned] = {"start": Planned("start")}
        self.fused = fused
        last = self._sequence(blocks, "start", ())
        self._link(last, self._new("end", ()))

    def _new(self, name: str, splits: tuple[str, ...]) -> str:
        self.steps[name] = Planned(name, splits=splits)
        return name

    def _link(self, source: str, *targets: str) -> None:
        self.steps[source].targets = targets
        for target in targets:
            self.steps[target].parents.append(source)

    def _sequence(self, blocks: tuple[Block, ...], last: str, splits: tuple[str, ...]) -> str:
        """Lay *blocks* out behind the step *last*, which leads nowhere yet; give the last step."""
        for block in blocks:
            if block.kind == "step" or not self.fused:
                step = self._new(f"s{len(self.steps)}", splits)
                self._link(last, step)
                last = step
            if block.kind in ("switch", "loop"):
                last = self._switch(block, last, splits)
            elif block.kind != "step":
                last = self._split(block, last, splits)
        return last

    def _switch(self, block: Block, before: str, splits: tuple[str, ...]) -> str:
        """Lay out cases that meet in a plain step, or a part that a switch behind it repeats."""
        firsts, lasts = [], []
        for part in block.parts:
            firsts.append(self._new(f"s{len(self.steps)}", splits))
            lasts.append(self._sequence(part, firsts[-1], splits))
        after = f"s{len(self.steps)}"
        self._link(before, *firsts)
        if block.kind == "switch":
            self.steps[before].is_switch = True
            for last in lasts:
                self._link(last, self._new(after, splits) if last == lasts[0] else after)
        else:
            ask = self._new(after, splits)
            self._link(lasts[0], ask)
            after = self._new(f"s{len(self.steps)}", splits)
            self._link(ask, firsts[0], after)
            self.steps[ask].is_switch = True
        return after

    def _split(self, block: Block, split: str, splits: tuple[str, ...]) -> str:
        firsts, lasts = [], []
        for part in block.parts:
            first = self._new(f"s{len(self.steps)}", (*splits, split))
            firsts.append(first)
            lasts.append(self._sequence(part, first, (*splits, split)))
        if block.kind == "foreach":
            self.steps[split].foreach = f"items_{split}"
        join = self._new(f"j{len(self.steps)}", splits)
        self._link(split, *firsts)
        for last in lasts:
            self._link(last, join)
        self.steps[join].is_join = True
        self.steps[join].joins, self.steps[split].joined_by = split, join
        return join


def render(steps: list[Planned], calls: dict[str, str] | None = None) -> str:
    lines = ["class F(FlowSpec):"]
    for step in steps:
        arguments = [f"self.{target}" for target in step.targets]
        if step.is_switch:
            cases = ", ".join(f"{i}: {target}" for i, target in enumerate(arguments))
            arguments = [f"{{{cases}}}", "condition='kind'"]
        arguments += [f"foreach={step.foreach!r}"] if step.foreach else []
        call = f"self.next(\n            {', '.join(arguments)})" if arguments else "pass"
        call = (calls or {}).get(step.name, call)
        inputs = ", inputs" if step.is_join else ""
        lines += ["    @step", f"    def {step.name}(self{inputs}):", f"        {call}"]
    return "\n".join(lines)


@given(FLOWS, st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_a_valid_flow_is_read_as_it_was_meant(
    load_flow: Callable[..., type], blocks: tuple[Block, ...], fused: bool, order: random.Random
) -> None:
    """Parents, splits and joins are those of the plan, wherever the methods stand in the file."""
    plan = Plan(blocks, fused=fused).steps
    shuffled = [*plan.values()]
    order.shuffle(shuffled)

    graph, findings = analyse(load_flow(render(shuffled)))

    assert [finding.format() for finding in findings] == []
    assert graph is not None
    read = {
        node.name: Planned(
            name=node.name,
            targets=node.targets,
            foreach=node.foreach,
            is_switch=node.condition == "kind",
            is_join=node.is_join,
            parents=list(node.parents),
            splits=node.splits,
            joined_by=node.joined_by,
            joins=node.joins,
        )
        for node in graph.nodes.values()
    }
    assert read == plan
    seen: set[str] = set()
    for node in graph.nodes.values():
        assert seen.intersection(node.parents) or node.name == "start"
        assert seen.issuperset(node.parents) or any(plan[p].is_switch for p in node.parents)
        seen.add(node.name)
    assert to_json(graph)["steps"].keys() == plan.keys()
    assert to_dot(graph).count(" -> ") == sum(len(step.targets) for step in plan.values())
    assert to_text(graph).count("\n\n") == len(plan)


ODD_CALLS = (
    "pass",
    "self.next()",
    "self.next(self.gone)",
    "self.next('s1')",
    "self.next(self.start)",
    "self.next(self.end)",
    "self.next(self.s1, self.s1)",
    "self.next([self.s1, self.s2])",
    "self.next(*self.steps)",
    "self.next(self.s1, foreach=self.items)",
    "self.next(self.s1, self.s2, foreach='items')",
    "self.next({'a': self.s1, 'b': self.s2}, condition='kind')",
    "self.next({'a': self.s1}, self.s2)",
    "self.next(self.s1, each='items')",
    "self.next(self.s1); self.next(self.s2)",
    "self.next(self.s1); pass",
    "return self.next(self.s2)",
    "[self.next(self.s2) for self.x in ()]",
    "self.next(lambda: self.next(self.s1))",
)


@dataclass(frozen=True)
class Mutation:
    """One thing done to a flow: what, to which step, and with which other step or call."""

    kind: str
    at: int
    other: int


MUTATIONS = st.builds(
    Mutation,
    st.sampled_from(["drop", "call", "inputs", "target", "more", "rename", "foreach", "twice"]),
    st.integers(0, 1000),
    st.integers(0, 1000),
)


def mutate(steps: list[Planned], calls: dict[str, str], change: Mutation) -> list[Planned]:
    """Give the steps after *change*; a call that is replaced is put into *calls*."""
    position = change.at % len(steps)
    step, other = steps[position], steps[change.other % len(steps)]
    if change.kind == "drop" and len(steps) > 1:
        return [s for s in steps if s is not step]
    if change.kind == "twice":
        return [*steps, replace(step, targets=(other.name,))]
    if change.kind == "call":
        calls[step.name] = ODD_CALLS[change.other % len(ODD_CALLS)]
    changed = {
        "inputs": replace(step, is_join=not step.is_join),
        "target": replace(step, targets=(other.name, *step.targets[1:])),
        "more": replace(step, targets=(*step.targets, other.name)),
        "rename": replace(step, name=("next", "Bad", "s0", "_x")[change.other % 4]),
        "foreach": replace(step, foreach=None if step.foreach else "items"),
    }.get(change.kind, step)
    return [*steps[:position], changed, *steps[position + 1 :]]


@given(FLOWS, st.booleans(), st.lists(MUTATIONS, min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_a_broken_flow_gives_findings_and_no_exception(
    load_flow: Callable[..., type],
    blocks: tuple[Block, ...],
    fused: bool,
    changes: list[Mutation],
) -> None:
    """There is a graph or there are findings, each whole, each once, the same each time."""
    steps = [*Plan(blocks, fused=fused).steps.values()]
    calls: dict[str, str] = {}
    for change in changes:
        steps = mutate(steps, calls, change)

    cls = load_flow(render(steps, calls))
    graph, findings = analyse(cls)

    assert (graph is None) == bool(findings)
    assert analyse(cls)[1] == findings
    assert len({(f.slug, f.what, f.where) for f in findings}) == len(findings)
    for finding in findings:
        assert finding.what
        assert finding.fix
        assert finding.where is not None
        assert finding.where.line
    if graph is not None:
        for node in graph.nodes.values():
            assert all(node.name in graph[target].parents for target in node.targets)
            assert node.joined_by is None or graph[node.joined_by].joins == node.name
            assert node.joins is None or graph[node.joins].joined_by == node.name


@given(FLOWS, st.sets(st.integers(0, 1000), max_size=3))
@settings(max_examples=20, deadline=None)
def test_steps_without_source_never_give_an_exception(
    load_flow: Callable[..., type], blocks: tuple[Block, ...], missing: set[int]
) -> None:
    """Whatever could not be read, the rest is judged."""
    source = read_flow(load_flow(render([*Plan(blocks, fused=True).steps.values()])))
    steps = dict(source.steps)
    for number in missing:
        name = [*steps][number % len(steps)]
        steps[name] = steps[name]._replace(missing="it is gone", calls=())

    graph, findings = judge(FlowSource(source.name, source.where, source.doc, steps, {}))

    assert (graph is None) == bool(missing)
    assert {finding.slug for finding in findings} <= {"source-not-found"}
