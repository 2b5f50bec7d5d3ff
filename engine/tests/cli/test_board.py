"""How far the steps of a run are: events in, sums out."""

from __future__ import annotations

from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.records import Failure, FailureKind
from plait.cli.board import Board
from plait.metadata.protocol import Status
from plait.runtime.reporter import (
    AttemptBegan,
    AttemptOver,
    RunBegan,
    RunOver,
    TaskCloned,
    TasksWaiting,
)

RUN = RunKey("F", "1")
ERROR = Failure(FailureKind.EXCEPTION, "ValueError")


def key(step: str, task: str = "1", attempt: int = 0) -> AttemptKey:
    return AttemptKey("F", "1", step, task, attempt)


def counted(*events) -> Board:
    board = Board()
    for event in events:
        board.take(event)
    return board


def test_each_task_is_counted_in_the_state_that_it_is_in() -> None:
    """A retry waits, a failure that nothing follows has failed, and a clone is a clone."""
    board = counted(
        RunBegan(RUN, 1.0, ("a", "b", "c"), "/data", "fork"),
        TaskCloned(key("a"), 1.0, TaskKey("F", "0", "a", "1")),
        TasksWaiting(RUN, 1.0, {"b": 5}),
        AttemptBegan(key("b", "2"), 7, 2.0),
        AttemptBegan(key("b", "3"), 8, 2.0),
        AttemptBegan(key("b", "4"), 9, 2.0),
        AttemptOver(key("b", "2"), 7, 3.0, 1.0),
        AttemptOver(key("b", "3"), 8, 3.0, 1.0, ERROR),
        AttemptOver(key("b", "4"), 9, 4.0, 2.0, ERROR, retry_in=5.0),
        AttemptOver(key("b", "5"), 0, 4.0, 0.0, ERROR),
        TasksWaiting(RUN, 4.0, {"b": 1}),
    )

    assert {name: list(step.counts()) for name, step in board.steps.items()} == {
        "a": [(1, "cloned")],
        "b": [(1, "waiting"), (1, "done"), (2, "failed")],
        "c": [],
    }


def test_time_stands_while_a_step_is_at_rest() -> None:
    """A step at work has been at it until now; one at rest, until its last attempt ended."""
    board = counted(AttemptBegan(key("a"), 7, 2.0))
    assert board.steps["a"].elapsed(9.0) == 7.0
    board.take(AttemptOver(key("a"), 7, 5.0, 3.0))
    board.take(TasksWaiting(RUN, 6.0, {"b": 1}))

    assert board.steps["a"].elapsed(9.0) == 3.0
    assert board.steps["b"].elapsed(9.0) is None


def test_where_room_is_short_what_is_at_work_is_shown() -> None:
    """In the order of the graph, and a line is kept for how many are left out."""
    names = tuple(f"s{n}" for n in range(9))
    board = counted(
        RunBegan(RUN, 1.0, names, "/data", "fork"),
        *(AttemptBegan(key(f"s{n}"), 7, 2.0 + n) for n in (1, 3, 5)),
        AttemptOver(key("s3"), 7, 6.0, 1.0, ERROR),
        AttemptOver(key("s5"), 7, 7.0, 1.0),
    )

    chosen, left_out = board.choose(4)
    assert ([step.name for step in chosen], left_out) == (["s1", "s3", "s5"], 6)
    assert [step.name for step in board.choose(9)[0]] == list(names)
    board.take(RunOver(RUN, 9.0, 8.0, Status.DONE, 3))
    assert board.is_over
