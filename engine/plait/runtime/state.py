"""What happens next in a run: events in, actions out; holds no process, no clock and no disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import (
    Failure,
    FailureKind,
    Frame,
    InputRef,
    TaskOrder,
    Transition,
    TransitionKind,
)
from plait.graph.model import Graph
from plait.hooks.step import MAX_ATTEMPTS, AttemptPlan, Needs, TimeLimit
from plait.metadata.protocol import Status
from plait.runtime.options import TooManySplits
from plait.runtime.queue import FanOut, ReadyQueue, Task
from plait.runtime.resume import ClonePlan, OriginTask

# Events: what has happened.


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run may begin; the first event, once."""


@dataclass(frozen=True, slots=True)
class AttemptFinished:
    """An attempt has ended: with *transition* or, at `end`, without; or with *failure*."""

    key: AttemptKey
    transition: Transition | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class RetryDue:
    """The wait before a task's next attempt is over."""

    task: str


@dataclass(frozen=True, slots=True)
class RunInterrupted:
    """Somebody asked the run to stop."""


Event = RunStarted | AttemptFinished | RetryDue | RunInterrupted

# Actions: what is to be done, in the order given.


@dataclass(frozen=True, slots=True)
class LaunchAttempt:
    """Start a process for an attempt, which may take as long as *limit* says."""

    order: TaskOrder
    limit: TimeLimit | None = None


@dataclass(frozen=True, slots=True)
class CloneTask:
    """Take over a finished task of the run being resumed, instead of the attempt in *order*."""

    order: TaskOrder
    origin: OriginTask


@dataclass(frozen=True, slots=True)
class ReportAttempt:
    """Tell and record how an attempt ended; *retry_in* is the wait before the next, in seconds."""

    key: AttemptKey
    failure: Failure | None
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class AwaitRetry:
    """Send `RetryDue` for a task after so many seconds."""

    task: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StopAttempts:
    """End every running attempt; each still sends its `AttemptFinished`."""


@dataclass(frozen=True, slots=True)
class EndRun:
    """The run is over and nothing runs any more; *failure* is the first one."""

    status: Status
    failure: Failure | None
    failed: AttemptKey | None


Action = LaunchAttempt | CloneTask | ReportAttempt | AwaitRetry | StopAttempts | EndRun


@dataclass(slots=True)
class _Barrier:
    """The parts of one split that its join waits for, in join order."""

    waiting: int
    arrived: list[InputRef | None]


class RunState:
    """One run's tasks, from the first event to `EndRun`.

    Cost per event does not grow with the number of tasks: a foreach is kept as a counter until
    its tasks can run, and a barrier counts down. Ids are given in the order of the split, so that
    they do not depend on timing within one foreach. Tasks whose step has needs wait until
    *capacity* has room for them; without it nothing is counted but workers.
    """

    def __init__(
        self,
        run: RunKey,
        graph: Graph,
        plans: Mapping[str, AttemptPlan],
        *,
        max_workers: int,
        max_num_splits: int,
        clones: ClonePlan | None = None,
        capacity: Needs | None = None,
    ) -> None:
        self._run = run
        self._graph = graph
        self._plans = plans
        self._max_workers = max_workers
        self._max_num_splits = max_num_splits
        self._clones = clones
        # The origin's id of each task that was taken over, by the id that it has here.
        self._origins: dict[str, str] = {}
        self._to_take_over: deque[tuple[Task, OriginTask]] = deque()
        self._ids = 0
        self._waiting = ReadyQueue(plans, capacity)
        self._running: dict[str, Task] = {}
        self._retrying: dict[str, Task] = {}
        self._barriers: dict[str, _Barrier] = {}
        self._failure: Failure | None = None
        self._failed: AttemptKey | None = None
        self._interrupted = False
        self._ended = False
        self.finished_tasks = 0

    def handle(self, event: Event) -> list[Action]:
        """Take in one event and say what is to be done now.

        Raises:
            AssertionError: The event cannot happen now; a bug of the caller.
        """
        assert not self._ended, f"{event} after the run has ended"
        actions: list[Action] = []
        match event:
            case RunStarted():
                self._begin()
            case AttemptFinished():
                self._finish(event, actions)
            case RetryDue():
                # A retry that was given up because the run stops is no longer waited for.
                task = self._retrying.pop(event.task, None)
                if task is not None:
                    self._waiting.count_waiting(task.step, -1)
                    self._waiting.add(task)
            case RunInterrupted():
                self._interrupted = True
                self._drop_what_waits()
                if self._running:
                    actions.append(StopAttempts())
        self._take_over(actions)
        self._launch(actions)
        if not (self._running or self._waiting or self._retrying):
            assert self._is_stopping or not self._barriers, "a join was never reached"
            self._ended = True
            actions.append(EndRun(self._status, self._failure, self._failed))
        return actions

    def take_waiting(self) -> Mapping[str, int]:
        """Give how many tasks wait, by step, where that is news since last asked.

        A task waits for a worker, for room, or for the time of its next attempt. One that only
        what runs now will make, such as a join's, is no task yet.
        """
        return self._waiting.take_news()

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody asked the run to stop."""
        return self._interrupted

    @property
    def _is_stopping(self) -> bool:
        return self._interrupted or self._failure is not None

    @property
    def _status(self) -> Status:
        if self._interrupted:
            return Status.INTERRUPTED
        return Status.DONE if self._failure is None else Status.FAILED

    def _drop_what_waits(self) -> None:
        self._to_take_over.clear()
        self._waiting.clear()
        self._retrying.clear()

    # Launching

    def _begin(self) -> None:
        self._make_task(self._graph.start, (), (), ())

    def _take_over(self, actions: list[Action]) -> None:
        """Take over all that can be, which takes no worker.

        At once, and before anything runs: should that fail, nothing of what was finished is lost
        to the run that resumes this one.
        """
        while self._to_take_over:
            task, origin = self._to_take_over.popleft()
            self._origins[task.id] = origin.attempt.task
            actions.append(CloneTask(self._order(task), origin))
            self._succeed(task, origin.transition)

    def _launch(self, actions: list[Action]) -> None:
        while len(self._running) < self._max_workers:
            task = self._waiting.pop()
            if task is None:
                return
            self._running[task.id] = task
            self._waiting.take_room(task.step)
            # A fallback runs no code of the user's.
            limit = None if task.fallback else self._plan(task.step).limit
            actions.append(LaunchAttempt(self._order(task), limit))

    def _find_origin(self, task: Task) -> OriginTask | None:
        """Give the task to take over, if all that is before *task* was taken over as well."""
        if self._clones is None:
            return None
        parents = tuple(self._origins.get(parent.task, "") for parent in task.parents)
        part = task.frames[-1].index if task.frames else None
        return None if "" in parents else self._clones.find(task.step, parents, part)

    def _order(self, task: Task) -> TaskOrder:
        plan = self._plan(task.step)
        return TaskOrder(
            key=AttemptKey(*self._run, task.step, task.id, task.attempt),
            inputs=task.inputs,
            parents=task.parents,
            frames=task.frames,
            retries=max(0, plan.retries - task.attempt),
            fallback=task.fallback,
            origin_run=None if self._clones is None else self._clones.origin.run,
        )

    def _plan(self, step: str) -> AttemptPlan:
        return self._plans.get(step, _NO_RETRY)

    def _make_task(
        self,
        step: str,
        frames: tuple[Frame, ...],
        inputs: tuple[InputRef, ...],
        parents: tuple[InputRef, ...],
    ) -> None:
        self._ids += 1
        self._add(Task(step, str(self._ids), frames, inputs, parents))

    def _add(self, task: Task) -> None:
        origin = self._find_origin(task)
        if origin is None:
            self._waiting.add(task)
        else:
            self._to_take_over.append((task, origin))

    # Finishing

    def _finish(self, event: AttemptFinished, actions: list[Action]) -> None:
        task = self._running.pop(event.key.task, None)
        assert task is not None, f"{event.key} is not running"
        assert task.attempt == event.key.attempt, f"{event.key} is not the running attempt"
        self._waiting.give_back(task.step)
        if event.failure is not None:
            self._fail(task, event.key, event.failure, actions)
            return
        actions.append(ReportAttempt(event.key, None, None))
        self._succeed(task, event.transition)

    def _succeed(self, task: Task, transition: Transition | None) -> None:
        self.finished_tasks += 1
        if self._interrupted:
            return
        if transition is None:
            assert self._graph[task.step].kind is None, f"a task of '{task.step}' went nowhere"
            return
        too_wide = self._refuse_width(task, transition)
        if too_wide is not None:
            self._stop_with(AttemptKey(*self._run, task.step, task.id, task.attempt), too_wide)
        if not self._is_stopping:
            self._advance(task, InputRef(task.step, task.id, task.attempt), transition)

    def _fail(self, task: Task, key: AttemptKey, failure: Failure, actions: list[Action]) -> None:
        plan = self._plan(task.step)
        attempts_left = task.attempt + 1 < MAX_ATTEMPTS and not task.fallback
        again = failure.retry and attempts_left and not self._is_stopping
        retry = again and task.attempt < plan.retries
        if not retry and not (again and plan.fallback):
            actions.append(ReportAttempt(key, failure, None))
            self._stop_with(key, failure)
            return
        wait = plan.minutes_between * 60 if retry else 0.0
        actions.append(ReportAttempt(key, failure, wait))
        task.attempt += 1
        task.fallback = not retry
        if wait > 0:
            self._retrying[task.id] = task
            self._waiting.count_waiting(task.step, 1)
            actions.append(AwaitRetry(task.id, wait))
        else:
            self._waiting.add(task)

    def _stop_with(self, key: AttemptKey, failure: Failure) -> None:
        if not self._is_stopping:
            self._failure, self._failed = failure, key
        self._drop_what_waits()

    def _refuse_width(self, task: Task, transition: Transition) -> Failure | None:
        limit, width = self._max_num_splits, transition.width
        if width is None or width <= limit:
            return None
        origin = self._origins.get(task.id)
        if origin is not None and self._clones is not None and self._clones.got_past(origin):
            # The origin was allowed this width if it went on; to refuse it now would lose what
            # was finished behind the split to whoever resumes this run.
            return None
        error = TooManySplits(self._graph[task.step], width, limit)
        (told,) = error.findings
        where = str(told.where)
        return Failure(FailureKind.LAUNCH, told.what, error.format(), where=where, retry=False)

    def _advance(self, task: Task, ref: InputRef, transition: Transition) -> None:
        node = self._graph[task.step]
        if transition.kind is TransitionKind.FOREACH:
            width = transition.width
            assert width is not None, f"foreach of '{task.step}' has no width"
            assert transition.foreach is not None, f"foreach of '{task.step}' has no artifact"
            assert node.joined_by is not None, f"foreach of '{task.step}' has no join"
            if width == 0:
                self._make_task(node.joined_by, task.frames, (), (ref,))
                return
            self._barriers[task.id] = _Barrier(width, [None] * width)
            first = self._ids + 1
            self._ids += width
            target = transition.targets[0]
            fan = FanOut(ref, task.frames, target, transition.foreach, width, first)
            if task.id in self._origins:
                for _ in range(width):
                    self._add(fan.make_next())
            else:
                self._waiting.add_fan(fan)
        elif transition.kind is TransitionKind.BRANCH:
            width = len(transition.targets)
            self._barriers[task.id] = _Barrier(width, [None] * width)
            for index, target in enumerate(transition.targets):
                frame = Frame(task.step, task.id, index, width)
                self._arrive(target, (*task.frames, frame), ref)
        else:
            self._arrive(transition.targets[0], task.frames, ref)

    def _arrive(self, step: str, frames: tuple[Frame, ...], ref: InputRef) -> None:
        """Bring a finished task to the step after it: a new task, or one part of a barrier."""
        if not self._graph[step].is_join:
            self._make_task(step, frames, (ref,), (ref,))
            return
        frame = frames[-1]
        barrier = self._barriers[frame.task]
        assert barrier.arrived[frame.index] is None, f"part {frame} of a split arrived twice"
        barrier.arrived[frame.index] = ref
        barrier.waiting -= 1
        if barrier.waiting == 0:
            del self._barriers[frame.task]
            inputs = tuple(part for part in barrier.arrived if part is not None)
            self._make_task(step, frames[:-1], inputs, inputs)


_NO_RETRY = AttemptPlan()
