"""The connections that a service has open: who may stay, for how long, and who has to make room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from plait.service.connections import Connection, Connections, Patience, State

PATIENCE = Patience(head=10, idle=60, answer=30, most=3, at_once=2)


@dataclass
class Timer:
    """A call that is due at a time."""

    due: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Do not call."""
        self.cancelled = True


@dataclass
class Loop:
    """A clock that goes on when told to."""

    now: float = 0.0
    timers: list[Timer] = field(default_factory=list)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Any:
        """Call at that time."""
        self.timers.append(Timer(self.now + seconds, call))
        return self.timers[-1]

    def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        end = self.now + seconds
        while due := [t for t in self.timers if not t.cancelled and t.due <= end]:
            first = min(due, key=lambda timer: timer.due)
            self.now = first.due
            first.cancelled = True
            first.call()
        self.now = end


@dataclass
class Wire:
    """A transport from which somebody takes what waits, or does not."""

    waiting: int = 0
    closed: bool = False

    def get_write_buffer_size(self) -> int:
        """Give what waits."""
        return self.waiting

    def abort(self) -> None:
        """Close it."""
        self.closed = True


@pytest.fixture
def loop() -> Loop:
    """A clock at 0."""
    return Loop()


@pytest.fixture
def connections(loop: Loop) -> Connections:
    """No connection yet, and room for three."""
    return Connections(PATIENCE, loop)  # type: ignore[arg-type]  # a fake


def connect(connections: Connections) -> tuple[Wire, Connection]:
    """Make a connection for which there is room."""
    wire = Wire()
    connection = connections.open(wire)
    assert connection is not None
    return wire, connection


def test_what_sends_no_head_is_closed(loop: Loop, connections: Connections) -> None:
    """Ten seconds from its beginning, whatever bytes come meanwhile."""
    wire, connection = connect(connections)
    for _ in range(9):
        loop.pass_by(1)
        connection.received()
    loop.pass_by(0.9)
    assert (wire.closed, len(connections)) == (False, 1)
    loop.pass_by(0.1)
    assert (wire.closed, len(connections)) == (True, 0)


def test_what_is_being_answered_stays(loop: Loop, connections: Connections) -> None:
    """How long an answer takes to be made is not the client's fault."""
    wire, connection = connect(connections)
    connection.begin()
    loop.pass_by(10_000)
    connection.received()

    assert not wire.closed
    assert connection.state is State.BUSY


def test_what_is_idle_is_closed(loop: Loop, connections: Connections) -> None:
    """A minute after an answer, and ten seconds after the first byte of what becomes no head."""
    wire, connection = connect(connections)
    connection.begin()
    connection.end()
    loop.pass_by(59)
    assert not wire.closed
    loop.pass_by(1)
    assert wire.closed

    wire, connection = connect(connections)
    connection.begin()
    connection.end()
    loop.pass_by(30)
    connection.received()
    loop.pass_by(9)
    connection.received()
    assert not wire.closed
    loop.pass_by(1)
    assert wire.closed


def test_requests_that_are_sent_at_once_are_one_after_the_other(
    loop: Loop, connections: Connections
) -> None:
    """One that began before the one before it had ended keeps its connection from being idle."""
    wire, connection = connect(connections)
    connection.begin()
    connection.begin()
    connection.end()
    loop.pass_by(1000)
    assert not wire.closed
    connection.end()
    loop.pass_by(60)
    assert wire.closed


def test_who_does_not_take_an_answer_is_not_waited_for(
    loop: Loop, connections: Connections
) -> None:
    """Half a minute in which nothing is taken is too long; in which some of it is, is not."""
    wire, connection = connect(connections)
    connection.begin()
    wire.waiting = 100_000
    connection.block()
    for left in (90_000, 80_000):
        loop.pass_by(30)
        wire.waiting = left
    loop.pass_by(30)
    assert not wire.closed
    loop.pass_by(30)
    assert wire.closed


def test_who_takes_an_answer_in_time_is_waited_for(loop: Loop, connections: Connections) -> None:
    """What is taken is no reason to close, nor is what goes on to be taken after the answer."""
    wire, connection = connect(connections)
    connection.begin()
    connection.block()
    connection.unblock()
    loop.pass_by(1000)
    assert not wire.closed
    wire.waiting = 100_000
    connection.block()
    connection.end()
    loop.pass_by(60)
    assert not wire.closed
    wire.waiting = 50_000
    loop.pass_by(30)
    assert not wire.closed
    connection.begin()
    loop.pass_by(29)
    wire.waiting = 0
    connection.unblock()
    loop.pass_by(1000)
    assert not wire.closed


def test_who_is_silent_makes_room(loop: Loop, connections: Connections) -> None:
    """First who never asked, the oldest of them; then who does not ask now; never who asks."""
    idle, one = connect(connections)
    one.begin()
    one.end()
    one.received()
    silent, _ = connect(connections)
    busy, two = connect(connections)
    two.begin()

    _, three = connect(connections)
    assert [wire.closed for wire in (idle, silent, busy)] == [False, True, False]
    three.begin()
    _, four = connect(connections)
    assert [wire.closed for wire in (idle, silent, busy)] == [True, True, False]
    four.begin()
    refused = Wire()
    assert connections.open(refused) is None
    assert [refused.closed, busy.closed, len(connections)] == [True, False, 3]


def test_what_is_closed_is_counted_once(loop: Loop, connections: Connections) -> None:
    """Whoever closes it, and whatever is told of it afterwards."""
    _, one = connect(connections)
    wire, other = connect(connections)
    one.begin()
    one.lose()
    one.end()
    one.lose()
    other.drop()
    other.lose()
    loop.pass_by(1000)

    assert wire.closed
    assert len(connections) == 0
    assert all(timer.cancelled for timer in loop.timers)


def test_so_many_requests_are_worked_at(connections: Connections) -> None:
    """Two here; a third when one of them has ended."""
    assert [connections.begin_request() for _ in range(3)] == [True, True, False]
    connections.end_request()
    assert connections.begin_request()
