"""How times, durations and numbers are written on a page."""

from __future__ import annotations

import time


def format_moment(at: float) -> str:
    """Give the local time *at*, seconds since 1970, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def format_seconds(seconds: float) -> str:
    """Give a duration as a person says it: `12 ms`, `2.5 s`, `2 min 5 s`, `1 h 2 min`."""
    seconds = max(seconds, 0.0)
    if seconds == 0:
        return "0 s"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def count(number: int, word: str) -> str:
    """Give a number with its word: `1 task`, `3 tasks`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
