"""Which tasks a page shows, and where bars and marks are."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plait.base.pathspec import TaskKey
from plait.metadata.protocol import Status, TaskRecord
from plait.report.timeline import choose_tasks, make_bar, make_ticks, share_out
from plait.report.words import count, format_moment, format_seconds


def task(number: int, status: Status = Status.DONE, seconds: float = 1.0) -> TaskRecord:
    """Give a task of a foreach that took so long."""
    ended = None if status is Status.RUNNING else 100.0 + seconds
    key = TaskKey("F", "1", "work", str(number))
    return TaskRecord(key, 100.0, ended, status, 0, 1, number, None)


def test_few_tasks_are_all_shown_in_order() -> None:
    """By their ids as numbers."""
    chosen = choose_tasks([task(10), task(9), task(2)], 3, 200.0)

    assert [t.key.task for t in chosen.tasks] == ["2", "9", "10"]
    assert chosen.left_out == 0


def test_of_many_the_telling_ones_are_shown() -> None:
    """Those that failed, took longest or run, and others from all over."""
    tasks = [task(n) for n in range(1000)]
    tasks[500] = task(500, Status.FAILED)
    tasks[700] = task(700, seconds=50)
    tasks[900] = task(900, Status.RUNNING)
    chosen = choose_tasks(reversed(tasks), 40, 102.0)
    shown = [int(t.key.task) for t in chosen.tasks]

    assert len(shown) == 40
    assert {500, 700, 900} <= set(shown)
    assert shown == sorted(shown)
    assert sum(n < 500 for n in shown) > 10
    assert (chosen.total, chosen.left_out) == (1000, 960)


def test_failures_do_not_take_all_the_room() -> None:
    """A thousand of them are half of what is shown."""
    tasks = [task(n, Status.FAILED if n % 2 else Status.DONE, seconds=n % 2) for n in range(2000)]
    chosen = choose_tasks(tasks, 40, 102.0)

    assert len(chosen.tasks) == 40
    assert any(t.status is Status.DONE for t in chosen.tasks)


# Beside other work a machine may be slow at making the first examples.
PATIENT = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(st.lists(st.integers(0, 5000), max_size=30), st.integers(1, 400))
def test_room_is_shared_so_that_small_steps_are_whole(totals: list[int], most: int) -> None:
    """Nobody gets more than there is, every step with tasks gets one, and the sum holds."""
    shares = share_out(totals, most)

    assert all(
        bool(total) <= share <= total or total == 0
        for share, total in zip(shares, totals, strict=True)
    )
    assert sum(shares) <= max(most, len(totals))
    for share, total in zip(shares, totals, strict=True):
        if total <= most // max(len(totals), 1):
            assert share == total


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_there_is_never_more_than_asked_for(most: int) -> None:
    """However little that is."""
    tasks = [task(n, list(Status)[n % 3]) for n in range(50)]

    assert len(choose_tasks(tasks, most, 200.0).tasks) == most


@PATIENT
@given(st.floats(-50, 250), st.floats(0, 300))
def test_bars_stay_within_the_axis(begun: float, length: float) -> None:
    """And are never so short that nobody sees them."""
    bar = make_bar(begun, begun + length, 0.0, 200.0)

    assert bar.left >= 0
    assert bar.left + bar.width <= 100.001
    assert bar.width >= 0.4


def test_bars_are_in_percent() -> None:
    """Of the whole."""
    bar = make_bar(25.0, 75.0, 0.0, 100.0)

    assert (bar.left, bar.width) == (25.0, 50.0)
    assert make_bar(5, 5, 5, 5).left == 0


@pytest.mark.parametrize("seconds", [0, 0.003, 0.25, 1, 7, 59, 61, 4000, 90_000, 10_000_000])
def test_marks_are_few_and_begin_at_zero(seconds: float) -> None:
    """Within the axis."""
    ticks = make_ticks(seconds)

    assert ticks[0].seconds == 0
    assert 1 <= len(ticks) <= 8
    assert all(0 <= tick.left <= 100.001 for tick in ticks)


def test_words_of_times() -> None:
    """Short, and each in its unit."""
    times = [-1, 0, 0.012, 0.9994, 0.9996, 2.54, 59.96, 125, 3720]

    assert [format_seconds(s) for s in times] == [
        "0 s", "0 s", "12 ms", "999 ms", "1.0 s", "2.5 s", "1 min 0 s", "2 min 5 s", "1 h 2 min",
    ]  # fmt: skip
    assert count(1, "task") == "1 task"
    assert count(1200, "task") == "1,200 tasks"
    assert len(format_moment(0)) == 19
