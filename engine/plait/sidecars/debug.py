"""The sidecars for looking at what sidecars are told: each message becomes a line of JSON."""

from __future__ import annotations

import json
import sys

from plait.sidecars.protocol import Measurement, Message, RunEvent


class _Lines:
    """Lines of JSON in a file, or with a word before each on standard error.

    Args:
        word: What stands before each line on standard error.
        path: The file to add lines to; empty for standard error.
    """

    def __init__(self, word: str, path: str) -> None:
        self._file = open(path, "a", encoding="utf-8") if path else None  # noqa: SIM115  # it is open until `close`
        self._prefix = "" if path else f"{word}: "

    def write(self, message: Message) -> None:
        out = sys.stderr if self._file is None else self._file
        out.write(f"{self._prefix}{json.dumps(message.to_json())}\n")
        # At once: whoever looks on wants to see it now, and the process may be killed.
        out.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class DebugEventLogger:
    """Writes each event as a line of JSON.

    Args:
        argument: The file to add lines to; standard error if it is empty.
    """

    def __init__(self, argument: str) -> None:
        self._lines = _Lines("event", argument)

    def log(self, event: RunEvent) -> None:
        """Write the event."""
        self._lines.write(event)

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


class DebugMonitor:
    """Writes each measurement as a line of JSON.

    Args:
        argument: The file to add lines to; standard error if it is empty.
    """

    def __init__(self, argument: str) -> None:
        self._lines = _Lines("measurement", argument)

    def measure(self, measurement: Measurement) -> None:
        """Write the measurement."""
        self._lines.write(measurement)

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
