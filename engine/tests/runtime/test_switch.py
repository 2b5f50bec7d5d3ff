"""Switches and loops in the deciding core: one way on, one barrier each round, resumed anywhere."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime.driver import Driver, graph, node

from plait.base.pathspec import RunKey
from plait.base.records import AttemptFacts, InputRef, TaskOrder, Transition, TransitionKind
from plait.graph.model import Graph
from plait.metadata.protocol import Status
from plait.runtime.resume import plan_clones

SIMPLE = graph(
    node("start", "switch", "a b", cases="x y"),
    node("a", "linear", "end"),
    node("b", "linear", "end"),
    node("end", None),
)
IN_BRANCH = graph(
    node("start", "branch", "a b", by="join"),
    node("a", "switch", "c join", cases="x y"),
    node("b", "linear", "join"),
    node("c", "linear", "join"),
    node("join", "linear", "end", join="start"),
    node("end", None),
)
IN_FOREACH = graph(
    node("start", "foreach", "ask", by="join", foreach="xs"),
    node("ask", "switch", "mend join", cases="again done"),
    node("mend", "linear", "ask"),
    node("join", "linear", "end", join="start"),
    node("end", None),
)
AROUND = graph(
    node("start", "linear", "split"),
    node("split", "foreach", "pair", by="join", foreach="xs"),
    node("pair", "branch", "l r", by="lr"),
    node("l", "switch", "l lr", cases="again done"),
    node("r", "linear", "lr"),
    node("lr", "linear", "join", join="pair"),
    node("join", "switch", "split end", join="split", cases="again done"),
    node("end", None),
)


def seal(run: Driver, order: TaskOrder) -> AttemptFacts:
    """Give what the attempt of *order* would have sealed."""
    return AttemptFacts(
        order.key, True, 0.0, 1.0, order.parents, order.frames, run.transition(order)
    )


def play(run: Driver, ends: int = 10**6) -> list[AttemptFacts]:
    """Go on until so many more tasks have ended; give all that is sealed then, clones too."""
    for _ in range(ends):
        if not run.running:
            break
        run.finish()
    waiting = {order.key for order in run.running}
    orders = [*run.orders, *(clone.order for clone in run.cloned)]
    return [seal(run, order) for order in orders if order.key not in waiting]


def resume(of: Graph, sealed: list[AttemptFacts], *rerun: str, **more: object) -> Driver:
    """Start a run that takes over what it may."""
    clones = plan_clones(RunKey("F", "1"), sealed, of, rerun=frozenset(rerun))
    return Driver(of, clones=clones, **more)  # type: ignore[arg-type]  # handed through


@pytest.mark.parametrize(("case", "chosen"), [("x", "a"), ("y", "b")])
def test_the_chosen_step_alone_runs(case: str, chosen: str) -> None:
    """The step behind both has one input, the one that ran."""
    run = Driver(SIMPLE, choices={"start": case})
    run.finish_all()

    assert run.steps() == ["start", chosen, "end"]
    assert run.orders[-1].inputs == (InputRef(chosen, "2", 0),)
    assert run.end is not None
    assert run.end.status is Status.DONE


@pytest.mark.parametrize(("case", "way"), [("x", "c"), ("y", "a")])
def test_a_switch_in_a_branch_leads_into_the_join(case: str, way: str) -> None:
    """The barrier takes whatever comes on the branch, in the place of the branch."""
    run = Driver(IN_BRANCH, choices={"a": case})
    run.finish()
    run.finish(1)
    run.finish_all()

    (join,) = [order for order in run.orders if order.key.step == "join"]
    assert [ref.step for ref in join.inputs] == [way, "b"]
    assert join.frames == ()


def test_elements_of_a_foreach_loop_as_often_as_each_likes() -> None:
    """Frames stay what they were, ids are new, and the join has the elements in order."""
    run = Driver(IN_FOREACH, widths={"start": 2}, choices={"ask": "again again done"})
    run.finish_all()

    second = [o for o in run.orders if o.frames and o.frames[-1].index == 1]
    assert [o.key.step for o in second] == ["ask", "mend"] * 2 + ["ask"]
    assert len({o.frames for o in second}) == 1
    assert len({o.key.task for o in run.orders}) == len(run.orders) == 13
    for before, after in pairwise(second):
        assert [parent.task for parent in after.parents] == [before.key.task]
    (join,) = [o for o in run.orders if o.key.step == "join"]
    last = {o.frames[-1].index: o.key.task for o in run.orders if o.key.step == "ask"}
    assert [ref.task for ref in join.inputs] == [last[0], last[1]]


def test_each_round_of_a_split_has_a_barrier_of_its_own() -> None:
    """A loop around splits begins them anew."""
    choices = {"l": "again done done", "join": "again done"}
    run = Driver(AROUND, widths={"split": 2}, choices=choices)
    run.finish_all()

    counts = {step: run.steps().count(step) for step in AROUND.nodes}
    assert counts == {
        "start": 1, "split": 2, "pair": 4, "l": 6, "r": 4, "lr": 4, "join": 2, "end": 1,
    }  # fmt: skip
    assert run.end is not None
    assert run.end.status is Status.DONE


@given(first=st.integers(0, 40), second=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_a_loop_resumed_from_anywhere_ends_as_if_never_stopped(first: int, second: int) -> None:
    """Rounds are told from each other by what came before them, so none is run twice."""
    more = {
        "widths": {"split": 2},
        "choices": {"l": "again done done", "join": "again done"},
    }
    whole = Driver(AROUND, **more)  # type: ignore[arg-type]  # handed through
    whole.finish_all()

    sealed = play(Driver(AROUND, **more), first)  # type: ignore[arg-type]  # handed through
    again = resume(AROUND, sealed, **more)
    assert len(again.cloned) == len(sealed)
    sealed = play(again, second)
    last = resume(AROUND, sealed, **more)
    last.finish_all()

    assert len(last.cloned) == len(sealed)
    assert len(last.cloned) + len(last.orders) == len(whole.orders) == 24
    assert last.end is not None
    assert last.end.status is Status.DONE


def test_a_named_step_of_a_loop_runs_again_from_its_first_round() -> None:
    """All rounds come after it."""
    more: dict[str, object] = {
        "widths": {"start": 1},
        "choices": {"ask": "again again done"},
    }
    run = Driver(IN_FOREACH, **more)  # type: ignore[arg-type]  # handed through
    last = resume(IN_FOREACH, play(run), "mend", **more)
    last.finish_all()

    assert [c.order.key.step for c in last.cloned] == ["start", "ask"]
    assert last.steps() == ["mend", "ask", "mend", "ask", "join", "end"]


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        (node("start", "switch", "a b end", cases="x y z"), True),
        (node("start", "switch", "b a", cases="y x"), True),
        (node("start", "switch", "b a", cases="x y"), False),
        (node("start", "switch", "b", cases="y"), False),
        (node("start", "linear", "a"), False),
        (replace(node("start", "switch", "a b", cases="x y"), condition="other"), False),
    ],
)
def test_a_switch_is_taken_over_if_it_would_still_choose_the_same(
    changed: object, taken: bool
) -> None:
    """Its condition is asked, and the case that was chosen leads where it led."""
    run = Driver(SIMPLE, choices={"start": "x"})
    sealed = play(run, 1)
    clones = plan_clones(
        RunKey("F", "1"),
        sealed,
        graph(changed, *[SIMPLE[name] for name in ("a", "b", "end")]),  # type: ignore[arg-type]  # a node
        rerun=frozenset(),
    )

    assert bool(clones.tasks) is taken


def test_a_chosen_case_is_kept_in_the_seal() -> None:
    """It is written behind what every transition has, so that older readers find that."""
    chosen = Transition(TransitionKind.SWITCH, ("a",), condition="kind", case=True)

    assert chosen.to_json() == ["switch", ["a"], None, None, "kind", True]
    assert Transition.from_json(chosen.to_json()) == chosen
    assert Transition.from_json(["linear", ["a"], None, None]).condition is None
