"""What carries requests and facts to a metadata service, and has patience while that is away.

It does not know what is asked: that is the interface's, plait's own or Metaflow's.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from plait.metadata.http_errors import FactsNotSent, ServiceUnreachable
from plait.metadata.http_link import ANSWER_SECONDS, Answer, Link
from plait.metadata.protocol import Fact

TRY_SECONDS = 4.0
"""How long something is tried that needs an answer, and at least `TRIES` times."""

TRIES = 4
"""How often: a silence takes longer than all the time that there is, and may be by chance."""

FIRST_SECONDS = 2.0
"""How long the first answer may take; each further one twice as long, up to what is usual."""

FACTS_SECONDS = 3.0
"""How long an answer may take to facts, which can wait."""

_LONGEST_PAUSE = 30.0
_BATCH = 500

Plan = Callable[[Sequence[Fact]], list[list[Fact]]]
"""Puts facts in the order to tell them in, in groups of which each is told by itself."""

Tell = Callable[[Sequence[Fact]], None]
"""Tells one group."""


class Courier:
    """One connection a process, made at its first use; a forked child makes its own.

    Args:
        link: The connection.
        say: Given a sentence when the service is away, and when it is back.
        end_seconds: How long a run's end is tried to be told.
    """

    def __init__(self, link: Link, say: Callable[[str], None], end_seconds: float) -> None:
        self.url = link.url
        self.queue: list[Fact] = []
        """Facts that wait, in order."""
        self.again_at = 0.0
        """When it is worth trying again, on the clock that only goes on."""
        self._link = link
        self._say = say
        self._end_seconds = end_seconds
        self._pause = 0.0
        self._told = False
        self._gave_up = False
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._reason = ""

    def ask(
        self, method: str, path: str, body: Any = None, *, seconds: float | None = None
    ) -> Answer:
        """Give the answer to a request, which is tried for some seconds.

        Args:
            method: The request's.
            path: Where, below the service's URL.
            body: Its JSON values.
            seconds: How long each answer may take; a little at first, if nothing is said.

        Raises:
            ServiceUnreachable: There was no answer.
            ServiceRefused: It does not let us in.
        """
        end = time.monotonic() + TRY_SECONDS
        pause = 0.05
        tries = 0
        while True:
            limit = min(FIRST_SECONDS * 2**tries, ANSWER_SECONDS) if seconds is None else seconds
            tries += 1
            try:
                with self.guard():
                    return self._link.exchange(method, path, body, seconds=limit)
            except ServiceUnreachable:
                if time.monotonic() + pause > end and tries >= TRIES:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # spreads clients in time
            pause = min(2 * pause, 1.0)

    def try_once(self, method: str, path: str, body: Any = None) -> Answer:
        """Give the answer to a request that can be made later as well, as facts can be told.

        Raises:
            ServiceUnreachable: There was no answer.
            ServiceRefused: It does not let us in.
        """
        with self.guard():
            return self._link.exchange(method, path, body, seconds=FACTS_SECONDS)

    def tell(self, facts: Sequence[Fact], plan: Plan, tell: Tell, *, wait: bool) -> None:
        """Tell facts, and before them those that wait; what cannot be told now waits.

        Args:
            facts: What has happened.
            plan: The interface's order.
            tell: How it tells.
            wait: Whether to try until everything is told, or too long.

        Raises:
            FactsNotSent: It took too long.
        """
        with self.guard():
            self.queue.extend(facts)
            if wait:
                self._drain(plan, tell)
            elif self.queue and time.monotonic() >= self.again_at:
                self._try_to_tell(plan, tell)

    def close(self, plan: Plan, tell: Tell) -> None:
        """Tell what waits, if the service takes it, and let go of the connection."""
        with self.guard():
            if self.queue and not self._gave_up:
                self._try_to_tell(plan, tell)
            self._link.close()

    def guard(self) -> threading.RLock:
        """Give the lock of this process; in a forked child, drop what is its parent's first."""
        if os.getpid() != self._pid:
            self._pid = os.getpid()
            self._lock = threading.RLock()
            # The socket is shared with the parent: closing our copy of it sends nothing.
            self._link.close()
            self.queue = []
        return self._lock

    def _drain(self, plan: Plan, tell: Tell) -> None:
        """Tell all that waits. Raises FactsNotSent."""
        end = time.monotonic() + (0.0 if self._gave_up else self._end_seconds)
        while not self._try_to_tell(plan, tell):
            left = end - time.monotonic()
            if left <= 0:
                self._gave_up = True
                raise FactsNotSent(self.url, len(self.queue), self._end_seconds, self._reason)
            time.sleep(min(left, random.uniform(0.2, 1.0)))  # noqa: S311  # spreads runs in time

    def _try_to_tell(self, plan: Plan, tell: Tell) -> bool:
        """Tell what waits, a batch after the other; say whether all of it is gone."""
        while self.queue:
            left = min(len(self.queue), _BATCH)
            try:
                groups = plan(self.queue[:left])
                self.queue[:left] = [fact for group in groups for fact in group]
                for group in groups:
                    tell(group)
                    # What has been told is not told again because of what comes after it.
                    del self.queue[: len(group)]
                    left -= len(group)
                    self._pause = 0.0
            except ServiceUnreachable as error:
                self._put_off(error)
                return False
            except BaseException:
                # It will not be taken later either, and must not keep other facts back.
                del self.queue[:left]
                raise
        if self._told:
            self._told = False
            self._say(f"the metadata service at {self.url} is back and knows everything")
        self._pause = 0.0
        return True

    def _put_off(self, error: ServiceUnreachable) -> None:
        self._reason = error.findings[0].why
        self._pause = min(max(2 * self._pause, 0.5), _LONGEST_PAUSE)
        # Others that lost the service at the same moment come back at others.
        self.again_at = time.monotonic() + self._pause * random.uniform(0.5, 1.0)  # noqa: S311  # spreads runs in time
        if not self._told:
            self._told = True
            self._say(
                f"the metadata service at {self.url} does not answer ({self._reason}); the run "
                "goes on, and what it has to say waits"
            )
