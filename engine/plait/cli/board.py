"""How far each step of a run is, counted from what the run reports; a few sums per event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plait.runtime.reporter import (
    AttemptBegan,
    AttemptOver,
    Event,
    RunBegan,
    RunOver,
    TaskCloned,
    TasksWaiting,
)


@dataclass(slots=True)
class StepProgress:
    """How far one step is.

    Args:
        name: The step.
        began: When its first attempt began, or a task of it was taken over; None before.
        changed: When an attempt of it last began or ended.
        waiting: Tasks that wait for a worker, for room, or for their next attempt.
        running: Attempts that have a process.
        done: Tasks that are done.
        failed: Tasks that failed for good.
        cloned: Tasks that were taken over.
    """

    name: str
    began: float | None = None
    changed: float = 0.0
    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cloned: int = 0

    @property
    def is_active(self) -> bool:
        """Whether anything of it runs or waits."""
        return self.running > 0 or self.waiting > 0

    def counts(self) -> Iterator[tuple[int, str]]:
        """Give how many of its tasks are in each state that any is in."""
        for state in ("waiting", "running", "done", "failed", "cloned"):
            count = getattr(self, state)
            if count:
                yield count, state

    def elapsed(self, now: float) -> float | None:
        """Give for how long it has been at it, or was when it came to rest; None before."""
        if self.began is None:
            return None
        return max(0.0, (now if self.is_active else self.changed) - self.began)


class Board:
    """The steps of a run, in order of the graph."""

    def __init__(self) -> None:
        self.steps: dict[str, StepProgress] = {}
        self.is_over = False

    def take(self, event: Event) -> None:
        """Count *event*."""
        match event:
            case RunBegan():
                for name in event.steps:
                    self._step(name)
            case AttemptBegan():
                self._touch(event.key.step, event.at).running += 1
            case AttemptOver():
                self._end_attempt(event)
            case TaskCloned():
                self._touch(event.key.step, event.at).cloned += 1
            case TasksWaiting():
                for name, count in event.steps.items():
                    self._step(name).waiting = count
            case RunOver():
                self.is_over = True

    def choose(self, room: int) -> tuple[list[StepProgress], int]:
        """Give the steps to show in so many lines, and how many are left out.

        Those at work come first, then those that failed, then those that came to rest last.
        """
        steps = list(self.steps.values())
        if len(steps) <= room:
            return steps, 0
        shown = max(1, room - 1)
        first = sorted(steps, key=lambda s: (s.is_active, s.failed > 0, s.changed), reverse=True)
        chosen = {step.name for step in first[:shown]}
        return [step for step in steps if step.name in chosen], len(steps) - shown

    def _end_attempt(self, event: AttemptOver) -> None:
        step = self._touch(event.key.step, event.at)
        if event.pid:  # else it could not be started, and was never counted as running
            step.running -= 1
        if event.failure is None:
            step.done += 1
        elif event.retry_in is None:
            step.failed += 1

    def _step(self, name: str) -> StepProgress:
        step = self.steps.get(name)
        if step is None:
            step = self.steps[name] = StepProgress(name)
        return step

    def _touch(self, name: str, at: float) -> StepProgress:
        step = self._step(name)
        if step.began is None:
            step.began = at
        step.changed = at
        return step
