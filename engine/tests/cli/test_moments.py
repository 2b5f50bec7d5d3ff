"""Times and durations, as a person reads them."""

from __future__ import annotations

import pytest

from plait.cli.moments import Clockface, format_duration


def test_times_are_local_and_to_the_millisecond(monkeypatch):
    """The same second is formatted once, each millisecond anew."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    clock = Clockface()

    try:
        assert clock.format(0.25) == "1970-01-01 00:00:00.250"
        assert clock.format(0.5) == "1970-01-01 00:00:00.500"
        assert clock.format(61.0) == "1970-01-01 00:01:01.000"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-0.1, "0.00 s"), (0.25, "0.25 s"), (125, "2 min 5 s"), (3720, "1 h 2 min")],
)
def test_durations(seconds, text):
    """Seconds, minutes or hours, whichever says it."""
    assert format_duration(seconds) == text
