"""Which task starts next: first come first served, and no more at once than the machine holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from plait.base.records import Frame, InputRef
from plait.hooks.step import AttemptPlan, Needs


@dataclass(slots=True)
class Task:
    """A task that has been made and has not ended."""

    step: str
    id: str
    frames: tuple[Frame, ...]
    inputs: tuple[InputRef, ...]
    parents: tuple[InputRef, ...]
    attempt: int = 0
    fallback: bool = False
    place: int = 0


@dataclass(slots=True)
class FanOut:
    """The tasks of a foreach that are still to be made; made one by one as workers come free."""

    split: InputRef
    frames: tuple[Frame, ...]
    step: str
    foreach: str
    width: int
    first_id: int
    next_index: int = 0
    place: int = 0

    def make_next(self) -> Task:
        """Make the task of the next element."""
        index = self.next_index
        self.next_index += 1
        frame = Frame(self.split.step, self.split.task, index, self.width, self.foreach)
        inputs = (self.split,)
        return Task(self.step, str(self.first_id + index), (*self.frames, frame), inputs, inputs)


@dataclass(slots=True)
class _Lane:
    """Tasks that wait for the same thing."""

    ready: deque[Task]
    fans: list[FanOut]

    def __bool__(self) -> bool:
        return bool(self.ready or self.fans)


class ReadyQueue:
    """The tasks that could start, in two lanes: those whose needs are counted, and the others.

    In a lane whoever comes first goes first, made tasks before those of a foreach, and of
    foreaches the newest first: an inner one is finished, and its barrier freed, before the outer
    one goes on. A task that has to wait for room holds up its own lane, so that small ones cannot
    pass a large one for ever; it does not hold up the other, which takes no room. Cost per task
    does not grow with the number of tasks.

    Args:
        plans: What the decorators of each step ask for.
        capacity: What there is to share out; None counts nothing.
    """

    def __init__(self, plans: Mapping[str, AttemptPlan], capacity: Needs | None) -> None:
        self._room = _Units() if capacity is None else _Units.of(capacity)
        self._shares: dict[str, _Units] = {}
        if capacity is not None:
            for step, plan in plans.items():
                if plan.needs is not None:
                    # What is more than there is takes all there is: then it has it for itself.
                    self._shares[step] = _Units.of(plan.needs).at_most(self._room)
        self._free = _Lane(deque(), [])
        self._counted = _Lane(deque(), [])
        self._places = 0
        self._waiting: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._changed: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._free or self._counted)

    def add(self, task: Task) -> None:
        """Put a task at the end."""
        task.place = self._next_place()
        self._lane(task.step).ready.append(task)
        self.count_waiting(task.step, 1)

    def add_fan(self, fan: FanOut) -> None:
        """Put the tasks of a foreach after all tasks that are made, and before other foreaches."""
        fan.place = self._next_place()
        self._lane(fan.step).fans.append(fan)
        self.count_waiting(fan.step, fan.width)

    def pop(self) -> Task | None:
        """Give the next task that may start; None if there is none, or none has room."""
        lane = self._choose_lane() if self._shares else self._free
        if lane.ready:
            task = lane.ready.popleft()
        elif lane.fans:
            fan = lane.fans[-1]
            task = fan.make_next()
            if fan.next_index == fan.width:
                lane.fans.pop()
        else:
            return None
        self.count_waiting(task.step, -1)
        return task

    def count_waiting(self, step: str, more: int) -> None:
        """Count *more* tasks of *step* as waiting, or fewer; also those that wait elsewhere."""
        self._waiting[step] = self._waiting.get(step, 0) + more
        self._changed.add(step)

    def take_news(self) -> dict[str, int]:
        """Give how many tasks wait, by step, of those steps where that is news since last asked."""
        counts = ((step, self._waiting[step]) for step in self._changed)
        news = {step: count for step, count in counts if self._told.get(step, 0) != count}
        self._told.update(news)
        self._changed.clear()
        return news

    def take_room(self, step: str) -> None:
        """Count what a task of *step* takes, as it starts."""
        share = self._shares.get(step)
        if share is not None:
            self._room = self._room.minus(share)

    def give_back(self, step: str) -> None:
        """Count back what a task of *step* took, as it ends."""
        share = self._shares.get(step)
        if share is not None:
            self._room = self._room.plus(share)

    def clear(self) -> None:
        """Drop all that waits."""
        for lane in (self._free, self._counted):
            lane.ready.clear()
            lane.fans.clear()
        self._changed.update(self._waiting)
        self._waiting = dict.fromkeys(self._waiting, 0)

    def _choose_lane(self) -> _Lane:
        free, counted = self._free, self._counted
        if not counted or not self._has_room():
            return free
        if free.ready and counted.ready:
            return min(free, counted, key=lambda lane: lane.ready[0].place)
        if free.ready or counted.ready or not free.fans:
            return free if free.ready else counted
        return max(free, counted, key=lambda lane: lane.fans[-1].place)

    def _has_room(self) -> bool:
        lane = self._counted
        first: Task | FanOut = lane.ready[0] if lane.ready else lane.fans[-1]
        return self._shares[first.step].fit_in(self._room)

    def _lane(self, step: str) -> _Lane:
        return self._counted if step in self._shares else self._free

    def _next_place(self) -> int:
        self._places += 1
        return self._places


@dataclass(frozen=True, slots=True)
class _Units:
    """Needs in whole units, whose sums are exact: thousandths of cores and of MB, and cards."""

    cpu: int = 0
    memory: int = 0
    gpu: int = 0

    @classmethod
    def of(cls, needs: Needs) -> _Units:
        # Less than a unit counts as one: two tasks that need something never need nothing.
        cpu, memory = max(1, round(1000 * needs.cpu)), max(1, round(1000 * needs.memory))
        return cls(cpu, memory, needs.gpu)

    def at_most(self, most: _Units) -> _Units:
        return _Units(
            min(self.cpu, most.cpu), min(self.memory, most.memory), min(self.gpu, most.gpu)
        )

    def fit_in(self, room: _Units) -> bool:
        return self.cpu <= room.cpu and self.memory <= room.memory and self.gpu <= room.gpu

    def minus(self, other: _Units) -> _Units:
        return _Units(self.cpu - other.cpu, self.memory - other.memory, self.gpu - other.gpu)

    def plus(self, other: _Units) -> _Units:
        return _Units(self.cpu + other.cpu, self.memory + other.memory, self.gpu + other.gpu)
