"""Which of a run's tasks a page shows, and where their bars are; decided without reading anything.

A page of ten thousand tasks is one that no browser opens. What people look for is kept: what
failed, what took longest, what still runs, and enough of the rest to see how it went.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plait.metadata.protocol import Status, TaskRecord


@dataclass(frozen=True, slots=True)
class Chosen:
    """The tasks of a step that are shown, and how many there are.

    Args:
        tasks: Those that are shown, in order of their ids.
        total: How many there are.
    """

    tasks: tuple[TaskRecord, ...]
    total: int

    @property
    def left_out(self) -> int:
        """How many are not shown."""
        return self.total - len(self.tasks)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time, in percent of the whole.

    Args:
        left: Where it begins, 0 to 100.
        width: How long it is; never so short that it can't be seen.
    """

    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis of time: where it is, in percent, and seconds since the beginning."""

    left: float
    seconds: float


_SHORTEST = 0.4
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
_MOST_TICKS = 6


def share_out(totals: Sequence[int], most: int) -> list[int]:
    """Divide *most* among steps with so many tasks each: small steps are shown whole.

    Args:
        totals: How many tasks each step has.
        most: How many may be shown in all; every step gets one at least.
    """
    shares = [0] * len(totals)
    rest = most
    by_size = sorted(range(len(totals)), key=totals.__getitem__)
    for done, position in enumerate(by_size):
        fair = max(rest // (len(totals) - done), 1)
        shares[position] = min(totals[position], fair)
        rest -= shares[position]
    return shares


def choose_tasks(records: Iterable[TaskRecord], most: int, now: float) -> Chosen:
    """Decide which tasks of one step are shown.

    Half of what there is room for goes to tasks that failed, a quarter each at most to those that
    took longest or run; what is left to others, evenly apart.

    Args:
        records: All tasks of the step, in any order.
        most: How many may be shown, at least 1.
        now: Seconds since 1970, for those that still run.
    """
    tasks = sorted(records, key=lambda task: _number(task.key.task))
    if len(tasks) <= most:
        return Chosen(tuple(tasks), len(tasks))
    failed = [n for n, task in enumerate(tasks) if task.status is Status.FAILED]
    running = [n for n, task in enumerate(tasks) if task.status is Status.RUNNING]
    slowest = sorted(range(len(tasks)), key=lambda n: _seconds(tasks[n], now), reverse=True)
    chosen = set(failed[: max(most // 2, 1)])
    for wanted in (slowest, running):
        room = min(max(most // 4, 1), most - len(chosen))
        chosen.update(wanted[:room])
    others = [n for n in range(len(tasks)) if n not in chosen]
    room = most - len(chosen)
    if room > 0:
        chosen.update(others[i * len(others) // room] for i in range(room))
    return Chosen(tuple(tasks[n] for n in sorted(chosen)), len(tasks))


def make_bar(begun: float, ended: float, first: float, last: float) -> Bar:
    """Give the bar of what went on from *begun* to *ended*, on an axis from *first* to *last*."""
    whole = max(last - first, 1e-6)
    left = min(max((begun - first) / whole * 100, 0.0), 100.0)
    width = min(max((ended - begun) / whole * 100, 0.0), 100.0 - left)
    width = max(width, _SHORTEST)
    return Bar(round(min(left, 100.0 - width), 3), round(width, 3))


def make_ticks(seconds: float) -> list[Tick]:
    """Give the marks of an axis of so many seconds, at round numbers, the first at 0."""
    steps = (*(step / 1000 for step in _STEPS[:4]), *(step / 10 for step in _STEPS[:4]), *_STEPS)
    step = next((s for s in steps if seconds / s <= _MOST_TICKS), max(seconds / _MOST_TICKS, 1.0))
    count = int(seconds / step) + 1
    return [Tick(round(n * step / max(seconds, 1e-6) * 100, 3), n * step) for n in range(count)]


def _number(task: str) -> tuple[int, str]:
    return (int(task), "") if task.isdecimal() else (0, task)


def _seconds(task: TaskRecord, now: float) -> float:
    return (now if task.finished is None else task.finished) - task.created
