"""What `@timeout` asks for and refuses, and how it interrupts a step's code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from plait.base.pathspec import AttemptKey
from plait.base.records import TaskOrder
from plait.hooks.registry import get_decorator
from plait.hooks.step import AttemptBegun, AttemptPlan, BadDecorator, TimeLimit
from plait.plugins.timeout import Timeout, TimeoutException

BEGUN = AttemptBegun(
    order=TaskOrder(AttemptKey("Hello", "1", "work", "2", 0)), flow=SimpleNamespace(), is_last=True
)


def wait() -> None:
    """Do nothing, for ever."""
    while True:
        signal.pause()


def limited(body: Callable[[], None], seconds: float = 0.01) -> Callable[[], None]:
    """Give what runs instead of *body* in a step under a limit."""
    return Timeout({"seconds": seconds}).wrap_step(BEGUN, body)


def test_it_is_found_by_name() -> None:
    """As `--with timeout:seconds=5` looks for it."""
    assert get_decorator("timeout") is Timeout


@pytest.mark.parametrize(
    ("attributes", "limit"),
    [
        ({"seconds": 5}, TimeLimit(5.0)),
        ({"minutes": 0.5}, TimeLimit(30.0)),
        ({"seconds": 1, "minutes": 2, "hours": 3}, TimeLimit(10_921.0)),
        ({"seconds": 1, "grace_seconds": 0}, TimeLimit(1.0, 0.0)),
    ],
)
def test_it_asks_for_a_limit(attributes: dict[str, Any], limit: TimeLimit) -> None:
    """Which is the sum of what is given."""
    assert Timeout(attributes).plan_attempts() == AttemptPlan(limit=limit)


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({}, "it does not say how long the step may take"),
        ({"seconds": 0, "hours": 0.0}, "it does not say how long the step may take"),
        ({"seconds": -1}, "seconds=-1 is not a length of time"),
        ({"minutes": "5"}, "minutes='5' is not a length of time"),
        ({"hours": float("nan")}, "hours=nan is not a length of time"),
        ({"hours": float("inf")}, "hours=inf is not a length of time"),
        ({"seconds": 10**400}, f"seconds={10**400} is not a length of time"),
        ({"seconds": True}, "seconds=True is not a length of time"),
        ({"seconds": 1, "grace_seconds": -1}, "grace_seconds=-1 is not a length of time"),
        ({"second": 3}, "there is no attribute 'second'"),
    ],
)
def test_it_refuses_what_it_cannot_use(attributes: dict[str, Any], what: str) -> None:
    """When it is made, so that nothing runs first."""
    with pytest.raises(BadDecorator) as caught:
        Timeout(attributes)

    assert caught.value.findings[0].what == f"@timeout: {what}"


def test_code_that_goes_on_too_long_is_interrupted_where_it_is() -> None:
    """The exception says the step and its limit, and comes from the line that was running."""
    with pytest.raises(TimeoutException, match=r"^step 'work' timed out after 0\.01 s$") as caught:
        limited(wait)()

    assert "wait" in [entry.name for entry in caught.traceback]


def test_nothing_of_it_is_left() -> None:
    """The alarm and its handler are gone, whether the code ended, failed or was interrupted."""

    def fail() -> None:
        raise KeyError("no")

    former = signal.getsignal(signal.SIGALRM)
    for body, error in ((wait, TimeoutException), (fail, KeyError)):
        with pytest.raises(error):
            limited(body)()
        assert signal.getsignal(signal.SIGALRM) is former
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    limited(lambda: None, 60)()

    assert signal.getsignal(signal.SIGALRM) is former
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_limit_of_years_can_be_set() -> None:
    """Although no alarm goes so far."""
    left: list[float] = []
    limited(lambda: left.append(signal.getitimer(signal.ITIMER_REAL)[0]), 1e9)()

    assert left[0] > 1e7


def test_in_a_thread_it_says_that_it_cannot(capsys: pytest.CaptureFixture[str]) -> None:
    """Alarms reach the main thread only; the step runs without a limit."""
    done: list[bool] = []
    thread = threading.Thread(target=limited(lambda: done.append(True)))
    thread.start()
    thread.join()

    assert done == [True]
    assert "@timeout cannot end step 'work' here" in capsys.readouterr().err
