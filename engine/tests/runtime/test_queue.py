"""Which task starts when, as far as the machine holds: the deciding core with needs to heed."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from runtime.driver import BOOM, BRANCH, FOREACH, NESTED, Driver

from plait.hooks.step import AttemptPlan, Needs
from plait.metadata.protocol import Status
from plait.runtime.state import LaunchAttempt, RetryDue, RunInterrupted

TWO_CORES = Needs(cpu=2, memory=8000)


def needs(cpu: float = 1, memory: float = 1, gpu: int = 0) -> AttemptPlan:
    """Give the plan of a step that needs so much."""
    return AttemptPlan(needs=Needs(cpu, memory, gpu))


def running(run: Driver) -> list[str]:
    """Give the steps of what runs now."""
    return [order.key.step for order in run.running]


def test_tasks_wait_rather_than_exceed_cores() -> None:
    """Of ten elements that take a core each, two run at a time on two cores."""
    run = Driver(FOREACH, widths={"start": 10}, plans={"a": needs()}, capacity=TWO_CORES)
    run.finish_all()

    assert run.most == 2
    assert run.end is not None
    assert run.end.status is Status.DONE


def test_tasks_wait_rather_than_exceed_memory() -> None:
    """Each of the needs may be the one that is short."""
    run = Driver(FOREACH, widths={"start": 9}, plans={"a": needs(0.1, 2500)}, capacity=TWO_CORES)
    run.finish_all()

    assert run.most == 3


def test_parts_of_cores_add_up_exactly() -> None:
    """Ten tenths of a core are a core."""
    run = Driver(
        FOREACH, widths={"start": 30}, plans={"a": needs(0.1)}, capacity=Needs(1, 1e9),
        max_workers=99,
    )  # fmt: skip
    run.finish_all()

    assert run.most == 10


def test_a_task_that_needs_more_than_there_is_runs_alone() -> None:
    """Rather than never."""
    plans = {"a": needs(cpu=64), "b": needs()}
    run = Driver(BRANCH, plans=plans, capacity=TWO_CORES)
    run.finish()

    assert running(run) == ["a"]
    run.finish()
    assert running(run) == ["b"]
    run.finish_all()
    assert run.end is not None
    assert run.end.status is Status.DONE


def test_steps_without_needs_neither_wait_nor_are_counted() -> None:
    """A full machine holds up only those that say what they need."""
    run = Driver(BRANCH, plans={"a": needs(cpu=2)}, capacity=TWO_CORES)
    run.finish()

    assert running(run) == ["a", "b"]


def test_a_step_that_waits_lets_others_pass_but_not_those_that_need_room() -> None:
    """A large task is not passed by small ones, which could go on for ever."""
    wide = {"start": 4, "inner": 1}
    plans = {"inner": needs(cpu=1), "l": needs(cpu=2), "r": needs(cpu=1)}
    run = Driver(NESTED, widths=wide, plans=plans, capacity=TWO_CORES, max_workers=16)
    run.finish()
    assert running(run) == ["inner", "inner"]
    run.finish()  # its leaf needs nothing; a third inner takes the core that came free

    assert running(run) == ["inner", "leaf", "inner"]
    run.finish(1)  # `l` waits for two cores, and `r` behind it, and so does the last `inner`
    run.finish(0)
    assert running(run) == ["inner", "leaf"]
    run.finish(0)
    assert running(run) == ["leaf", "l", "leaf"]


def test_without_a_capacity_nothing_is_counted() -> None:
    """As for steps of a flow that runs elsewhere."""
    run = Driver(FOREACH, widths={"start": 10}, plans={"a": needs(cpu=64)}, max_workers=8)
    run.finish_all()

    assert run.most == 8


def test_a_failed_attempt_gives_back_what_it_took() -> None:
    """And its retry takes it anew, behind those who wait already."""
    plan = AttemptPlan(retries=1, needs=Needs(2, 1))
    run = Driver(FOREACH, widths={"start": 3}, plans={"a": plan}, capacity=TWO_CORES)
    run.finish()
    run.finish(failure=BOOM)
    run.finish_all()

    assert run.most == 1
    assert run.end is not None
    assert run.end.status is Status.DONE


def test_what_waits_for_room_is_dropped_when_the_run_stops() -> None:
    """Nothing starts after an interrupt."""
    run = Driver(FOREACH, widths={"start": 9}, plans={"a": needs()}, capacity=TWO_CORES)
    run.finish()
    run.take(RunInterrupted())
    run.finish()
    run.finish()

    assert run.end is not None
    assert run.end.status is Status.INTERRUPTED
    assert len(run.orders) == 3


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, AttemptPlan], Needs]:
    """Give needs for some steps, some of them more than there is, and what there is."""
    capacity = Needs(draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(0, 1)))
    steps = draw(st.sets(st.sampled_from(sorted(NESTED.nodes))))
    amounts = st.builds(
        Needs, st.sampled_from([0.1, 0.5, 1, 2, 9]), st.integers(1, 6), st.integers(0, 2)
    )
    plans = {
        step: AttemptPlan(retries=1, needs=draw(amounts), fallback=draw(st.booleans()))
        for step in sorted(steps)
    }
    return plans, capacity


def play(plans: dict[str, AttemptPlan], capacity: Needs, seed: int, workers: int) -> Driver:
    """Run tasks that end in some order, some after a failure, and check what runs at each time."""
    chance = Random(seed)
    run = Driver(
        NESTED,
        widths={"start": 3, "inner": 2},
        plans=plans,
        max_workers=workers,
        capacity=capacity,
    )
    while run.running:
        taken = [plans[s].needs for s in running(run) if s in plans]
        for kind in ("cpu", "memory", "gpu"):
            asked = [getattr(need, kind) for need in taken]
            room = getattr(capacity, kind)
            assert sum(min(amount, room) for amount in asked) <= room + 1e-9
        place = chance.randrange(len(run.running))
        order = run.running[place]
        fails = order.retries > 0 and chance.random() < 0.3
        run.finish(place, BOOM if fails else None)
    return run


@given(world=worlds(), seed=st.integers(0, 2**32), workers=st.integers(1, 9))
@settings(max_examples=80, deadline=None)
def test_capacity_is_never_exceeded_and_all_tasks_finish(
    world: tuple[dict[str, AttemptPlan], Needs], seed: int, workers: int
) -> None:
    """Whatever is needed and in whatever order tasks end; and twice the same gives the same."""
    plans, capacity = world
    run = play(plans, capacity, seed, workers)

    assert run.end is not None
    assert run.end.status is Status.DONE
    assert run.most <= workers
    done = [o.key.step for o in run.orders if o.key.attempt == 0]
    assert len(done) == 1 + 3 + 3 * 2 * 4 + 3 + 1 + 1
    again = play(plans, capacity, seed, workers)
    assert [order.key for order in again.orders] == [order.key for order in run.orders]


@given(seed=st.integers(0, 2**32), workers=st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_needs_that_always_fit_change_nothing(seed: int, workers: int) -> None:
    """Tasks start in the order in which they would without."""
    plain = play({}, TWO_CORES, seed, workers)
    counted = play({s: needs() for s in NESTED.nodes}, Needs(99, 99), seed, workers)

    assert [o.key for o in counted.orders] == [o.key for o in plain.orders]


def test_the_limit_of_a_step_comes_with_its_launch_but_not_with_its_fallback() -> None:
    """A fallback runs no code of the user's."""
    from runtime.driver import LINEAR

    from plait.hooks.step import TimeLimit

    limit = TimeLimit(3.0)
    run = Driver(LINEAR, plans={"a": AttemptPlan(fallback=True, limit=limit)})
    actions = run.finish()
    assert [a.limit for a in actions if isinstance(a, LaunchAttempt)] == [limit]
    actions = run.finish(failure=BOOM)

    assert [a.limit for a in actions if isinstance(a, LaunchAttempt)] == [None]


def test_cost_per_event_does_not_grow_with_what_waits_for_room() -> None:
    """Twenty thousand tasks cost the same for each as a thousand, within a wide margin."""
    import time

    def cost(width: int) -> float:
        begun = time.process_time()
        run = Driver(FOREACH, widths={"start": width}, plans={"a": needs()}, capacity=TWO_CORES)
        run.finish_all()
        return (time.process_time() - begun) / width

    # The least of several: what else the machine does can only make it more.
    assert min(cost(20_000) for _ in range(3)) < 5 * min(cost(1_000) for _ in range(5))


def test_what_waits_is_told_by_step_where_it_changed() -> None:
    """Elements of a foreach count before they are made, and a step at rest is not told again."""
    run = Driver(FOREACH, widths={"start": 10}, max_workers=4)
    assert run.state.take_waiting() == {}
    run.finish()
    assert run.state.take_waiting() == {"a": 6}
    assert run.state.take_waiting() == {}
    run.finish()
    assert run.state.take_waiting() == {"a": 5}
    run.finish(0, BOOM)

    assert run.state.take_waiting() == {"a": 0}


def test_a_task_waits_for_its_next_attempt() -> None:
    """It waits from the failure on, until the attempt begins."""
    plans = {"start": AttemptPlan(retries=1, minutes_between=1)}
    run = Driver(FOREACH, widths={"start": 1}, plans=plans)
    run.finish(0, BOOM)
    assert run.state.take_waiting() == {"start": 1}
    run.take(RetryDue("1"))

    assert run.state.take_waiting() == {"start": 0}
