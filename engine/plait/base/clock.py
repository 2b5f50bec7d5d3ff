"""The two clocks that plait reads, as one value that a test can replace."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> float:
        """Give the time of day, in seconds since 1970."""
        ...

    def elapsed(self) -> float:
        """Give seconds on a clock that only goes forward."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Give the time of day, in seconds since 1970."""
        return time.time()

    def elapsed(self) -> float:
        """Give seconds on a clock that only goes forward."""
        return time.monotonic()
