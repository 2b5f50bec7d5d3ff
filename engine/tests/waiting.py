"""The one place where tests sleep: between two looks at what has to come, up to a limit."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""How many seconds a test waits, at most, for what takes a moment."""

_PAUSE = 0.005


def wait_for(
    what: Callable[[], object],
    why: str | Callable[[], str] = "it did not come",
    *,
    seconds: float = PATIENCE,
) -> None:
    """Wait until something holds.

    Args:
        what: Asked again and again, until what it gives is true.
        why: What the test fails with if it never does.
        seconds: The most to wait.
    """
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, why if isinstance(why, str) else why()
        time.sleep(_PAUSE)
