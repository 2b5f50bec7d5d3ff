"""The deciding core of a run, driven without processes: orders, barriers, retries, stops."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime.driver import BOOM, BRANCH, FOREACH, LINEAR, NESTED, Driver

from plait.base.pathspec import AttemptKey
from plait.base.records import Failure, FailureKind, InputRef, TaskOrder
from plait.hooks.step import AttemptPlan
from plait.metadata.protocol import Status
from plait.runtime.state import (
    AttemptFinished,
    AwaitRetry,
    EndRun,
    LaunchAttempt,
    ReportAttempt,
    RetryDue,
    RunInterrupted,
    StopAttempts,
)


def test_linear_steps_run_one_after_another() -> None:
    """Each task reads from the one before it, and the run is done after `end`."""
    run = Driver(LINEAR)
    run.finish_all()

    assert [(o.key, o.inputs) for o in run.orders] == [
        (AttemptKey("F", "1", "start", "1", 0), ()),
        (AttemptKey("F", "1", "a", "2", 0), (InputRef("start", "1", 0),)),
        (AttemptKey("F", "1", "end", "3", 0), (InputRef("a", "2", 0),)),
    ]
    assert run.end == EndRun(Status.DONE, None, None)


def test_a_join_gets_its_branches_in_the_order_of_next() -> None:
    """The branch that ends last still comes where `self.next` names it."""
    run = Driver(BRANCH)
    run.finish()
    run.finish(1)
    run.finish(0)

    assert run.orders[-1].inputs == (InputRef("a", "2", 0), InputRef("b", "3", 0))


def test_a_foreach_is_as_wide_as_its_list_and_joined_in_order() -> None:
    """Elements that end in reverse are joined by index."""
    run = Driver(FOREACH, widths={"start": 3})
    run.finish()
    for _ in range(3):
        run.finish(-1)

    assert [o.frames[0].index for o in run.orders[1:4]] == [0, 1, 2]
    assert [i.task for i in run.orders[4].inputs] == ["2", "3", "4"]


def test_a_foreach_over_nothing_goes_to_its_join() -> None:
    """The join has no inputs, and the split as its parent."""
    run = Driver(FOREACH, widths={"start": 0})
    run.finish_all()

    join = run.orders[1]
    assert (join.key.step, join.inputs, join.parents) == ("join", (), (InputRef("start", "1", 0),))
    assert run.end is not None
    assert run.end.status is Status.DONE


def test_no_more_than_max_workers_run() -> None:
    """A wide foreach keeps every worker busy and no more."""
    run = Driver(FOREACH, widths={"start": 50}, max_workers=3)
    run.finish_all()

    assert run.most == 3
    assert len(run.orders) == 53


def test_nested_splits_are_joined_inside_out() -> None:
    """Every join has the inputs of its own split only, at any order of ends."""
    run = Driver(NESTED, widths={"start": 3, "inner": 2}, max_workers=100)
    while run.running:
        run.finish(-1)

    by_step: dict[str, list[TaskOrder]] = {}
    for order in run.orders:
        by_step.setdefault(order.key.step, []).append(order)
    assert {step: len(orders) for step, orders in by_step.items()} == {
        "start": 1, "inner": 3, "leaf": 6, "l": 6, "r": 6, "lr": 6,
        "inner_join": 3, "outer_join": 1, "end": 1,
    }  # fmt: skip
    frames = {order.key.task: order.frames for order in run.orders}
    for join in by_step["inner_join"]:
        assert [frames[i.task][-1].index for i in join.inputs] == [0, 1]
        assert {frames[i.task][:-1] for i in join.inputs} == {join.frames}


def test_a_failed_attempt_is_tried_again_after_its_wait() -> None:
    """The next attempt has the next number and fewer retries left."""
    run = Driver(LINEAR, plans={"start": AttemptPlan(retries=2, minutes_between=0.5)})

    actions = run.finish(failure=BOOM)
    key = AttemptKey("F", "1", "start", "1", 0)
    assert actions == [ReportAttempt(key, BOOM, 30.0), AwaitRetry("1", 30.0)]
    actions = run.take(RetryDue("1"))
    assert isinstance(actions[0], LaunchAttempt)
    assert (actions[0].order.key.attempt, actions[0].order.retries) == (1, 1)
    run.finish_all()
    assert run.end is not None
    assert run.end.status is Status.DONE


def test_retries_end_and_the_failure_is_the_runs() -> None:
    """After the last attempt the run fails with that attempt's failure."""
    run = Driver(LINEAR, plans={"start": AttemptPlan(retries=1)})
    run.finish(failure=BOOM)
    run.finish(failure=BOOM)

    assert run.end == EndRun(Status.FAILED, BOOM, AttemptKey("F", "1", "start", "1", 1))


def test_a_fallback_follows_the_last_attempt_once() -> None:
    """With a fallback planned, one attempt more is made, marked as the fallback."""
    run = Driver(LINEAR, plans={"start": AttemptPlan(retries=1, fallback=True)})
    run.finish(failure=BOOM)
    run.finish(failure=BOOM)

    assert [(o.key.attempt, o.fallback) for o in run.orders] == [(0, False), (1, False), (2, True)]
    run.finish(failure=BOOM)
    assert run.end is not None
    assert run.end.status is Status.FAILED


def test_a_failure_that_forbids_retries_is_final() -> None:
    """Exit 202 neither retries nor falls back."""
    final = Failure(FailureKind.EXIT, "exit 202", exit_code=202, retry=False)
    run = Driver(LINEAR, plans={"start": AttemptPlan(retries=3, fallback=True)})
    run.finish(failure=final)

    assert run.end == EndRun(Status.FAILED, final, AttemptKey("F", "1", "start", "1", 0))


def test_never_more_than_six_attempts() -> None:
    """Whatever the plan says, the sixth attempt is the last."""
    run = Driver(LINEAR, plans={"start": AttemptPlan(retries=50, fallback=True)})
    while run.running:
        run.finish(failure=BOOM)

    assert len(run.orders) == 6


def test_the_first_failure_is_reported_and_nothing_new_starts() -> None:
    """Other tasks finish; their failures are not the run's, and they are not retried."""
    run = Driver(FOREACH, widths={"start": 10}, max_workers=3, plans={"a": AttemptPlan(retries=0)})
    run.finish()
    later = Failure(FailureKind.EXIT, "later")
    run.finish(1, failure=BOOM)
    run.finish(0)
    run.finish(0, failure=later)

    assert run.end == EndRun(Status.FAILED, BOOM, AttemptKey("F", "1", "a", "3", 0))
    assert len(run.orders) == 4


def test_a_wait_for_a_retry_ends_with_the_run() -> None:
    """A task waiting for its retry is given up when another fails; a late timer does no harm."""
    run = Driver(BRANCH, plans={"a": AttemptPlan(retries=1, minutes_between=1)})
    run.finish()
    run.finish(0, failure=BOOM)
    other = Failure(FailureKind.EXIT, "other")
    run.finish(0, failure=other)

    assert run.end is not None
    assert run.end.failure == other


def test_an_interrupt_stops_what_runs_and_ends_the_run() -> None:
    """Running attempts are ended; a task that still finished is kept as finished."""
    run = Driver(FOREACH, widths={"start": 10}, max_workers=2)
    run.finish()

    assert StopAttempts() in run.take(RunInterrupted())
    run.finish()
    run.finish(failure=Failure(FailureKind.SIGNAL, "killed by SIGTERM", signal=15))
    assert run.end == EndRun(Status.INTERRUPTED, None, None)


def test_a_foreach_wider_than_allowed_fails_the_run_and_keeps_the_task() -> None:
    """The split itself is done; the run stops at it and says how to allow it."""
    run = Driver(FOREACH, widths={"start": 11}, max_num_splits=10)
    actions = run.finish()

    assert ReportAttempt(run.orders[0].key, None, None) in actions
    assert run.end is not None
    assert run.end.failure is not None
    assert "--max-num-splits 11" in run.end.failure.traceback


def test_an_attempt_that_is_not_running_is_a_bug() -> None:
    """An end for an attempt that was never launched is refused."""
    run = Driver(LINEAR)
    with pytest.raises(AssertionError, match="not running"):
        run.take(AttemptFinished(AttemptKey("F", "1", "a", "9", 0)))


@given(
    outer=st.integers(0, 4),
    inner=st.integers(0, 4),
    workers=st.integers(1, 6),
    choose=st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_any_order_of_ends_gives_the_same_lineage(
    outer: int, inner: int, workers: int, choose: object
) -> None:
    """Tasks per step, and what each join joins, do not depend on timing or on the width."""
    run = Driver(NESTED, widths={"start": outer, "inner": inner}, max_workers=workers)
    while run.running:
        run.finish(choose.randrange(len(run.running)))  # type: ignore[attr-defined]  # a Random

    counts: dict[str, int] = {}
    for step in run.steps():
        counts[step] = counts.get(step, 0) + 1
    leaves = outer * inner
    expected = {"start": 1, "inner": outer, "leaf": leaves, "l": leaves, "r": leaves,
                "lr": leaves, "inner_join": outer, "outer_join": 1, "end": 1}  # fmt: skip
    assert counts == {step: n for step, n in expected.items() if n}
    frames = {order.key.task: order.frames for order in run.orders}
    for order in run.orders:
        if order.key.step.endswith("join"):
            assert [frames[i.task][-1].index for i in order.inputs] == list(
                range(len(order.inputs))
            )


def test_cost_per_event_does_not_grow() -> None:
    """Twenty thousand tasks cost the same for each as a thousand, within a wide margin."""
    import time

    def cost(width: int) -> float:
        begun = time.process_time()
        run = Driver(FOREACH, widths={"start": width})
        run.finish_all()
        assert run.state.finished_tasks == width + 3
        return (time.process_time() - begun) / width

    # The least of several: what else the machine does can only make it more.
    assert min(cost(20_000) for _ in range(3)) < 5 * min(cost(1_000) for _ in range(5))
