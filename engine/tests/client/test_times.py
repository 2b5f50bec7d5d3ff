"""That times come as users work with them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from plait.client.times import find_local_time, local_time


@pytest.fixture
def _zurich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the time zone of a process can't be set here")
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_zurich")
def test_a_time_is_what_the_clock_on_the_wall_shows() -> None:
    """No time zone is attached, so that it can be subtracted from `datetime.now()`."""
    at = local_time(1_700_000_000.25)

    assert at == datetime(2023, 11, 14, 23, 13, 20, 250_000)  # noqa: DTZ001  # local time is the point
    assert abs(datetime.now() - local_time(time.time())).total_seconds() < 60  # noqa: DTZ005  # as users write it


@pytest.mark.usefixtures("_zurich")
def test_the_hour_that_comes_twice_in_autumn_keeps_apart() -> None:
    """The two moments look the same and are not."""
    first, second = 1_698_540_000.0, 1_698_543_600.0

    times = [local_time(first), local_time(second)]

    assert [t.strftime("%H:%M") for t in times] == ["02:40", "02:40"]
    assert [t.timestamp() for t in times] == [first, second]


def test_no_time_stays_none() -> None:
    """What has not ended has no end."""
    assert find_local_time(None) is None
    assert find_local_time(12.0) == local_time(12.0)
