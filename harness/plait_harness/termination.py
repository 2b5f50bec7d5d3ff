"""SIGTERM, which ends a run of cases as Ctrl-C does: with the report of what ran."""

from __future__ import annotations

import signal
import threading
from typing import Any

EXIT_CODE = 128 + signal.SIGTERM
"""What a shell says of a program that a SIGTERM has ended."""

INTERRUPTED = 128 + signal.SIGINT
"""The same of Ctrl-C."""


class Termination:
    """Turns a SIGTERM into what pytest, and every `finally` of a case, does on Ctrl-C.

    Attributes:
        came: Whether there was one.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: Any = None
        self._watches = False

    def watch(self) -> None:
        """Begin, where Python allows it: signals are for the main thread."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._take)
            self._watches = True

    def release(self) -> None:
        """Leave SIGTERM as it was."""
        if self._watches:
            signal.signal(signal.SIGTERM, self._before)
            self._watches = False

    def _take(self, *_: object) -> None:
        self.came = True
        # `timeout` sends one to the process and one to its group, and the second would end the
        # writing of the report.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt
