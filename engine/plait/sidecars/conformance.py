"""What every sidecar must do, as checks that a test of each goes through.

A check takes a function that starts a sidecar of a kind, and raises AssertionError where it breaks
its promise. For example:

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_mine(check):
        check(start_mine)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plait.sidecars.protocol import Kind, Losses, Measurement, Message, RunEvent, Sidecar

_MANY = 10_000
"""More messages than any sidecar may hold back."""


@dataclass(frozen=True, slots=True)
class Started:
    """A sidecar that is being checked.

    Args:
        sidecar: The line to it.
        read_told: Gives what it took, once it is closed.
        hang: Makes it take nothing any more, as if its process hung.
    """

    sidecar: Sidecar
    read_told: Callable[[], Sequence[Message]]
    hang: Callable[[], None]


Start = Callable[[Kind], Started]
"""Starts a sidecar."""


def events_arrive_in_order(start: Start) -> None:
    """An event logger takes each event, as it was sent, in order."""
    started = start("event-logger")
    events = [
        RunEvent("run-started", 1.5, "F", "1", details={"workers": "fork", "origin": None}),
        RunEvent("task-started", 2.0, "F", "1", "größe", "7", 0, {"pid": 12}),
        RunEvent("task-failed", 3.0, "F", "1", "start", "7", 0, {"failure": 'a\n"b"\t\x00é\udcff'}),
    ]
    for event in events:
        started.sidecar.send(event)
    assert started.sidecar.close() == Losses(3)
    assert list(started.read_told()) == events


def measurements_arrive_in_order(start: Start) -> None:
    """A monitor takes each measurement, as it was sent, in order."""
    started = start("monitor")
    labels = {"flow": "F", "run": "1"}
    numbers = [Measurement("gauge", "plait.tasks.waiting", n, 1.0 + n, labels) for n in range(50)]
    for number in numbers:
        started.sidecar.send(number)
    assert started.sidecar.close() == Losses(50)
    assert list(started.read_told()) == numbers


def long_details_are_cut(start: Start) -> None:
    """What is too long for the line arrives all the same, with its details cut."""
    started = start("event-logger")
    event = RunEvent("task-failed", 1.0, "F", "1", "a", "2", 0, {"failure": "x" * 10_000, "n": 3})
    started.sidecar.send(event)
    assert started.sidecar.close().lost == 0
    (told,) = started.read_told()
    assert isinstance(told, RunEvent)
    assert told.details["n"] == 3
    assert str(told.details["failure"]).startswith("xxx")


def what_can_not_be_sent_is_counted(start: Start) -> None:
    """A message that no line can hold is lost, and those beside it are not."""
    started = start("monitor")
    short = Measurement("counter", "plait.tasks.done", 1, 1.0)
    started.sidecar.send(short)
    started.sidecar.send(Measurement("counter", "x" * 10_000, 1, 1.0))
    started.sidecar.send(short)
    losses = started.sidecar.close()
    assert (losses.sent, losses.lost, bool(losses.why)) == (3, 1, True)
    assert list(started.read_told()) == [short, short]


def a_closed_one_takes_nothing(start: Start) -> None:
    """What comes after `close` is nobody's, and `close` gives the same again."""
    started = start("event-logger")
    started.sidecar.send(RunEvent("run-started", 1.0, "F", "1"))
    first = started.sidecar.close()
    started.sidecar.send(RunEvent("run-ended", 1.0, "F", "1"))
    assert started.sidecar.close() == first == Losses(1)
    assert len(started.read_told()) == 1


def a_hung_one_holds_nobody_up(start: Start) -> None:
    """Nothing waits or raises while it hangs; `close` tells how many were lost, and why."""
    started = start("event-logger")
    started.hang()
    event = RunEvent("task-started", 1.0, "F", "1", "start", "1", 0, {"pid": 3})
    for _ in range(_MANY):
        started.sidecar.send(event)
    losses = started.sidecar.close()
    assert losses.sent == _MANY
    assert 0 < losses.lost <= _MANY
    assert losses.why


CHECKS: tuple[Callable[[Start], None], ...] = (
    events_arrive_in_order,
    measurements_arrive_in_order,
    long_details_are_cut,
    what_can_not_be_sent_is_counted,
    a_closed_one_takes_nothing,
    a_hung_one_holds_nobody_up,
)
"""Every check; the name of each is what it promises."""
