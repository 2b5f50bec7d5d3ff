"""Ctrl-C and its like, counted instead of raised, so that a run can end in an orderly way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

_WATCHED = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Interrupts:
    """Counts signals while it is entered, and puts the former handlers back after.

    Python delivers signals to the main thread only; in another thread (a notebook's, say) nothing
    is counted and the former handlers stay.

    Args:
        wake: Called at each signal, from the handler.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.count = 0
        self._wake = wake
        self._former: dict[int, Any] = {}
        self._process = os.getpid()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _WATCHED:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._former[number] = signal.signal(number, self._heed)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _heed(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            # A process that a step running inline forked: it was meant, and not the run.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        self.count += 1
        self._wake()


@contextmanager
def raised() -> Iterator[None]:
    """Have SIGTERM and SIGHUP raise KeyboardInterrupt, as SIGINT does, where nobody heeds them.

    For the moments between when a run is recorded and when it counts its signals itself: so it is
    recorded as interrupted then, too, and does not seem lost.
    """
    former: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in _WATCHED:
            if signal.getsignal(number) is signal.SIG_DFL:
                former[number] = signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
