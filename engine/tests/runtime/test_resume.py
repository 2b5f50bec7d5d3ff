"""What a resumed run takes over, decided without processes: from any point where a run ended."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime.driver import BRANCH, FOREACH, LINEAR, NESTED, Driver, graph, node

from plait.base.pathspec import RunKey
from plait.base.records import AttemptFacts, Failure, FailureKind, TaskOrder
from plait.graph.model import Graph
from plait.metadata.protocol import Status
from plait.runtime.resume import ClonePlan, OriginChanged, plan_clones

ORIGIN = RunKey("F", "1")
DEAD = Failure(FailureKind.SIGNAL, "killed by SIGKILL", signal=9)


def seal(run: Driver, order: TaskOrder, *, ok: bool = True) -> AttemptFacts:
    """Give what the attempt of *order* would have sealed."""
    return AttemptFacts(
        order.key,
        ok,
        0.0,
        1.0,
        parents=order.parents,
        frames=order.frames,
        transition=run.transition(order) if ok else None,
        failure=None if ok else DEAD,
    )


def play(of: Graph, ends: int, **more: object) -> tuple[Driver, list[AttemptFacts]]:
    """Run a flow until so many tasks have ended, and give what they sealed."""
    run = Driver(of, **more)  # type: ignore[arg-type]  # handed through
    sealed = []
    while run.running and len(sealed) < ends:
        sealed.append(seal(run, run.running[0]))
        run.finish()
    return run, sealed


def plan(of: Graph, sealed: list[AttemptFacts], *rerun: str) -> ClonePlan:
    """Plan a resume of what was sealed."""
    return plan_clones(ORIGIN, sealed, of, rerun=frozenset(rerun))


def steps(orders: list[TaskOrder]) -> list[str]:
    """Give the steps of orders."""
    return [order.key.step for order in orders]


def test_what_finished_is_taken_over_and_the_rest_runs() -> None:
    """The first task that did not finish is the first to run."""
    _, sealed = play(LINEAR, 2)
    run = Driver(LINEAR, clones=plan(LINEAR, sealed))
    run.finish_all()

    assert [c.origin.attempt for c in run.cloned] == [facts.key for facts in sealed]
    assert steps(run.orders) == ["end"]
    assert run.orders[0].origin_run == "1"
    assert run.end is not None
    assert run.end.status is Status.DONE


def test_a_finished_run_is_taken_over_whole() -> None:
    """Nothing runs, and the run is done."""
    _, sealed = play(BRANCH, 99)
    run = Driver(BRANCH, clones=plan(BRANCH, sealed))

    assert (run.orders, len(run.cloned)) == ([], 5)
    assert run.end is not None
    assert run.state.finished_tasks == 5


def test_a_named_step_runs_again_with_all_after_it() -> None:
    """Its siblings are taken over."""
    _, sealed = play(BRANCH, 99)
    run = Driver(BRANCH, clones=plan(BRANCH, sealed, "a"))
    run.finish_all()

    assert steps([c.order for c in run.cloned]) == ["start", "b"]
    assert steps(run.orders) == ["a", "join", "end"]


def test_part_of_a_foreach_is_taken_over() -> None:
    """Elements that finished are; the others run, and the join has them in order."""
    _, sealed = play(FOREACH, 99, widths={"start": 5})
    kept = [f for f in sealed if f.key.step == "start" or f.key.task in {"3", "5"}]
    run = Driver(FOREACH, widths={"start": 5}, clones=plan(FOREACH, kept))
    run.finish_all()

    assert [c.order.frames[-1].index for c in run.cloned[1:]] == [1, 3]
    (join,) = [o for o in run.orders if o.key.step == "join"]
    index = {
        o.key.task: o.frames[-1].index
        for o in (*run.orders, *(c.order for c in run.cloned))
        if o.frames
    }
    assert [index[i.task] for i in join.inputs] == [0, 1, 2, 3, 4]


def test_all_that_can_be_taken_over_is_before_anything_runs() -> None:
    """So that a resumed run that fails again at once has lost nothing of what was finished."""
    _, sealed = play(FOREACH, 99, widths={"start": 50})
    kept = [f for f in sealed if f.key.step == "start" or int(f.key.task) > 40]
    run = Driver(FOREACH, widths={"start": 50}, max_workers=2, clones=plan(FOREACH, kept))

    assert steps([c.order for c in run.cloned]) == ["start", *["a"] * 11]
    assert [order.frames[-1].index for order in run.orders] == [0, 1]
    run.finish(failure=DEAD)
    run.finish(failure=DEAD)
    assert run.end is not None
    assert run.end.status is Status.FAILED


def test_a_width_that_the_origin_was_allowed_is_not_refused_again() -> None:
    """Else the resumed run would stop at once, and the next one would find nothing of it."""
    _, sealed = play(FOREACH, 8, widths={"start": 11})
    run = Driver(FOREACH, widths={"start": 11}, max_num_splits=10, clones=plan(FOREACH, sealed))
    run.finish_all()

    assert steps([c.order for c in run.cloned]) == ["start", *["a"] * 7]
    assert steps(run.orders) == ["a"] * 4 + ["join", "end"]
    assert run.end is not None
    assert run.end.status is Status.DONE


@pytest.mark.parametrize("rerun", [("a",), ()])
def test_a_width_that_was_allowed_holds_though_nothing_behind_it_is_taken_over(
    rerun: tuple[str, ...],
) -> None:
    """The elements run again by wish, or because all that began had failed."""
    _, sealed = play(FOREACH, 99 if rerun else 1, widths={"start": 11})
    if not rerun:
        began, _ = play(FOREACH, 1, widths={"start": 11})
        sealed.append(seal(began, began.running[0], ok=False))
    clones = plan(FOREACH, sealed, *rerun)
    run = Driver(FOREACH, widths={"start": 11}, max_num_splits=10, clones=clones)
    run.finish_all()

    assert steps([c.order for c in run.cloned]) == ["start"]
    assert run.end is not None
    assert run.end.status is Status.DONE


def test_a_width_that_stopped_the_origin_is_refused_again() -> None:
    """The split was finished there, and nothing behind it."""
    _, sealed = play(FOREACH, 1, widths={"start": 11})
    run = Driver(FOREACH, widths={"start": 11}, max_num_splits=10, clones=plan(FOREACH, sealed))

    assert run.orders == []
    assert run.end is not None
    assert run.end.failure is not None
    assert "--max-num-splits 11" in run.end.failure.traceback


def test_what_is_taken_over_takes_no_room() -> None:
    """A hundred rounds of a loop are as far as they were, with one worker."""
    chain = graph(*(node(f"s{i}" if i else "start", "linear", f"s{i + 1}") for i in range(3000)),
                  node("s3000", None))  # fmt: skip
    _, sealed = play(chain, 2990)
    run = Driver(chain, max_workers=1, clones=plan(chain, sealed))

    assert len(run.cloned) == 2990
    assert steps(run.orders) == ["s2990"]


def test_a_failed_attempt_is_not_taken_over_and_the_last_one_counts() -> None:
    """Of a task with more than one attempt, the last that was sealed says how it is."""
    run, sealed = play(LINEAR, 2)
    start = sealed[0]
    later = replace(start, key=start.key._replace(attempt=1), ok=False, failure=DEAD)

    assert ("start", (), None) not in plan(LINEAR, [start, later]).tasks
    assert plan(LINEAR, [later, start]).tasks == plan(LINEAR, [start, later]).tasks
    del run


def test_a_step_that_now_goes_elsewhere_runs_again() -> None:
    """What came after it there would be wrong here."""
    _, sealed = play(LINEAR, 3)
    changed = graph(
        node("start", "linear", "a"),
        node("a", "linear", "b"),
        node("b", "linear", "end"),
        node("end", None),
    )
    run = Driver(changed, clones=plan(changed, sealed))
    run.finish_all()

    assert steps([c.order for c in run.cloned]) == ["start"]
    assert steps(run.orders) == ["a", "b", "end"]


def test_an_end_that_goes_on_now_runs_again() -> None:
    """And so does a step that used to go on and is the end now."""
    _, sealed = play(LINEAR, 3)
    shorter = graph(node("start", "linear", "a"), node("a", None), node("end", None))

    assert set(plan(shorter, sealed).tasks) == {("start", (), None), ("end", ("2",), None)}


def test_a_finished_step_that_is_gone_is_an_error() -> None:
    """Its results would be lost without a word; the message names it and the nearest."""
    _, sealed = play(LINEAR, 3)
    changed = graph(node("start", "linear", "b"), node("b", "linear", "end"), node("end", None))
    with pytest.raises(OriginChanged, match="finished 'a', not in the flow"):
        plan(changed, sealed)


@given(
    outer=st.integers(0, 3),
    inner=st.integers(0, 3),
    first=st.integers(0, 60),
    second=st.integers(0, 60),
    rerun=st.sampled_from(["", *NESTED.nodes]),
)
@settings(max_examples=80, deadline=None)
def test_resumed_from_anywhere_and_again_a_run_ends_as_if_never_stopped(
    outer: int, inner: int, first: int, second: int, rerun: str
) -> None:
    """After two stops at any points, each task was finished once, by a run or by taking over."""
    widths = {"start": outer, "inner": inner}
    whole, everything = play(NESTED, 10**6, widths=widths)
    _, sealed = play(NESTED, first, widths=widths)
    again = Driver(NESTED, widths=widths, clones=plan(NESTED, sealed))
    taken = [seal(again, c.order) for c in again.cloned]
    while again.running and second:
        taken.append(seal(again, again.running[0]))
        again.finish()
        second -= 1
    taken += [seal(again, c.order) for c in again.cloned if seal(again, c.order) not in taken]
    named = (rerun,) if rerun else ()
    last = Driver(NESTED, widths=widths, clones=plan(NESTED, taken, *named))
    last.finish_all()

    assert last.end is not None
    assert last.state.finished_tasks == whole.state.finished_tasks == len(everything)
    assert rerun not in steps([c.order for c in last.cloned])
