"""How times and durations are written for a person."""

from __future__ import annotations

import time


class Clockface:
    """Writes times of day; lines come in bursts, so the second shown last is kept."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def format(self, at: float) -> str:
        """Give the local time *at*, seconds since 1970, to the millisecond."""
        second = int(at)
        # Formatting a date costs more than printing the line that it stands before.
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        return f"{self._text}.{int((at - second) * 1000):03d}"


def format_duration(seconds: float) -> str:
    """Give a duration as a person says it: `0.25 s`, `2 min 5 s`, `1 h 2 min`."""
    if seconds < 60:
        return f"{max(seconds, 0):.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
