"""The connections that a service has open: how many there may be, and how long each may be silent.

It knows nothing of HTTP. Whoever does says when a connection's request has begun and when it is
answered; in between, nothing is held against it here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Patience:
    """What is borne with.

    Args:
        head: Seconds within which a request's head has to be there whole: from the beginning of
            its connection, or from the first byte after an answer.
        idle: Seconds that a connection may be kept for a further request.
        answer: Seconds in which somebody who is sent an answer has to take some of it.
        most: How many connections may be open.
        at_once: How many requests may be worked at.
    """

    head: float = 10.0
    idle: float = 60.0
    answer: float = 30.0
    most: int = 1000
    at_once: int = 500


class Transport(Protocol):
    """What is needed of an `asyncio.Transport`."""

    def get_write_buffer_size(self) -> int:
        """Give how many bytes wait to be taken."""
        ...

    def abort(self) -> None:
        """Close at once; what waits is lost."""
        ...


class State(Enum):
    """What a connection does."""

    SILENT = "has not sent a request's head"
    IDLE = "is kept for a further request"
    BUSY = "is being answered"


class Connections:
    """All that are open. Not for use by several threads.

    Args:
        patience: What is borne with.
        loop: Whose timers are used.
    """

    def __init__(self, patience: Patience, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.patience = patience
        self._loop = loop
        self._all: set[Connection] = set()
        # Those on which nothing is asked, longest first: on which nothing ever was, and others. A
        # dict is an ordered set here.
        self._strangers: dict[Connection, None] = {}
        self._known: dict[Connection, None] = {}
        self._requests = 0

    def __len__(self) -> int:
        return len(self._all)

    def open(self, transport: Transport) -> Connection | None:
        """Take a new connection; None, and it is closed, where there is no room for it.

        If all places are taken, it gets that of the oldest on which nothing was ever asked, or else
        that on which nothing has been for longest: so whoever asks is answered, however many there
        are that do not.
        """
        if len(self._all) >= self.patience.most:
            longest = next(chain(self._strangers, self._known), None)
            if longest is None:
                transport.abort()
                return None
            longest.drop()
        connection = Connection(self, transport, self._loop or asyncio.get_running_loop())
        self._all.add(connection)
        connection.wait(State.SILENT)
        return connection

    def begin_request(self) -> bool:
        """Say whether one more request may be worked at; if so, it counts until `end_request`."""
        if self._requests >= self.patience.at_once:
            return False
        self._requests += 1
        return True

    def end_request(self) -> None:
        """Count a request no more."""
        self._requests -= 1

    def file(self, connection: Connection, state: State | None) -> None:
        """Keep by what *connection* waits; None if it is gone."""
        waiting = self._known if connection.is_known else self._strangers
        waiting.pop(connection, None)
        if state is None:
            self._all.discard(connection)
        elif state is not State.BUSY:
            waiting[connection] = None


class Connection:
    """One that is open; made by `Connections.open`.

    Args:
        all_open: Where it is counted.
        transport: What it is made of.
        loop: Whose timers are used.
    """

    def __init__(
        self, all_open: Connections, transport: Transport, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.state = State.SILENT
        self.is_known = False
        """Whether anything was ever asked on it."""
        self._all = all_open
        self._transport = transport
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._requests = 0
        self._left: int | None = None
        self._blocked = False
        self._gone = False

    def received(self) -> None:
        """Some bytes came."""
        # Further ones give no more time: else a byte now and then would keep it for ever.
        if self.state is State.IDLE:
            self.wait(State.SILENT)

    def begin(self) -> None:
        """A request's head is there."""
        self._requests += 1
        self.wait(State.BUSY)

    def end(self) -> None:
        """A request is answered, as far as this end is concerned."""
        self._requests -= 1
        # Of requests sent without waiting for answers, the next may have begun before.
        if not self._requests:
            self.wait(State.IDLE)

    def block(self) -> None:
        """More of an answer waits to be taken than is good."""
        self._blocked = True
        self._renew()

    def unblock(self) -> None:
        """Most of it has been taken."""
        self._blocked = False
        self._renew()

    def lose(self) -> None:
        """It is closed."""
        if not self._gone:
            self._gone = True
            self._stop_timer()
            self._all.file(self, None)

    def drop(self) -> None:
        """Close it."""
        self.lose()
        self._transport.abort()

    def wait(self, state: State) -> None:
        """Be in *state* from now on, for as long as that may take."""
        if self._gone:
            return
        self.state = state
        self._all.file(self, state)
        self.is_known = self.is_known or state is State.BUSY
        patience = self._all.patience
        if state is State.BUSY:
            self._renew()
        else:
            self._start_timer(patience.head if state is State.SILENT else patience.idle)

    def _renew(self) -> None:
        """While it is being answered, hold only against it that it does not take the answer."""
        if self.state is not State.BUSY or self._gone:
            return
        if self._blocked:
            self._start_timer(self._all.patience.answer)
        else:
            # How long a body may take is known where it is read.
            self._stop_timer()

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._left = None
        self._timer = self._loop.call_later(seconds, self._be_late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _be_late(self) -> None:
        left = self._transport.get_write_buffer_size()
        if left and (self._left is None or left < self._left):
            # An answer is on its way, slowly: as long as some of it is taken, it may take its time.
            self._start_timer(self._all.patience.answer)
            self._left = left
        else:
            self.drop()
