"""What a person watching a run sees: tasks' lines as they come, a line a step, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from plait.base.errors import PlaitError, Where, shown_path
from plait.base.pathspec import AttemptKey
from plait.base.records import Failure
from plait.cli.boundary import print_error
from plait.cli.moments import Clockface, format_duration
from plait.cli.screen import ReaderGone, Screen
from plait.metadata.protocol import Status
from plait.runtime.reporter import (
    AttemptBegan,
    AttemptOver,
    Event,
    LinesPrinted,
    MessagesLost,
    RunBegan,
    RunOver,
    TaskCloned,
)

_SECONDS_BETWEEN = 1.0
"""The least time between two lines about the progress of one step."""


class TaskFailed(PlaitError):
    """A task failed, and with it the run; what a run's end prints."""

    slug = "task-failed"

    def __init__(self, key: AttemptKey, failure: Failure, program: str) -> None:
        task = f"{key.run}/{key.step}/{key.task}"
        super().__init__(
            f"step '{key.step}' failed: task {task}, attempt {key.attempt}",
            why=failure.summary,
            fix=f"'{program} logs {task}' shows what it printed",
            where=_shown_place(failure),
        )


def _shown_place(failure: Failure) -> Where | None:
    file, _, line = failure.where.rpartition(":")
    return Where(shown_path(file), int(line)) if file and line.isdigit() else None


class RunFailed(PlaitError):
    """A run failed in no task of its own."""

    slug = "run-failed"

    def __init__(self, run: str, failure: Failure | None) -> None:
        super().__init__(
            f"run {run} failed",
            why="no reason was recorded" if failure is None else failure.summary,
        )


@dataclass(slots=True)
class _Progress:
    """How far one step is."""

    began: float
    running: int = 0
    done: int = 0
    failed: int = 0
    cloned: int = 0
    told: int = 0
    told_at: float = 0.0
    last: float = 0.0


class Console:
    """The reporter of a run that a person watches in a terminal, or reads in a file later.

    Lines are `time [run/step/task (pid N)] text`. With *quiet* only tasks' own lines and errors
    are printed. When nobody reads the output any more (`| head`), the run goes on in silence.

    Args:
        out: Where lines go.
        err: Where the error goes that a failed run ends in.
        program: What the user typed to start the flow, for messages.
        quiet: Whether to leave out what plait itself says.
        steps: Whether to say how far each step is; not where something else shows it.
    """

    def __init__(
        self, out: Screen, err: Screen, *, program: str, quiet: bool = False, steps: bool = True
    ) -> None:
        self._out = out
        self._err = err
        self._program = program
        self._quiet = quiet
        self._tells_steps = steps
        self._steps: dict[str, _Progress] = {}
        self._order: tuple[str, ...] = ()
        self._clock = Clockface()
        self._gone = False

    def report(self, event: Event) -> None:
        """Print what *event* says."""
        try:
            self._print(event)
        except ReaderGone:
            self._gone = True
        except OSError:
            # A terminal that was closed, a full disk behind `> file`: the run is worth more than
            # its console, and its logs are kept elsewhere.
            self._gone = True

    def _print(self, event: Event) -> None:
        match event:
            case LinesPrinted():
                self._print_lines(event)
            case AttemptBegan():
                self._begin_attempt(event)
            case AttemptOver():
                self._end_attempt(event)
            case RunBegan():
                self._order = event.steps
                self._say(
                    event.at,
                    f"{event.key.flow} run {event.key.run} began{_after(event.origin)}: tasks by "
                    f"{event.workers}, results in {event.place}",
                    "bold",
                )
                for note in event.notes:
                    self._say(event.at, note, "yellow")
            case TaskCloned():
                progress = self._steps.setdefault(event.key.step, _Progress(began=event.at))
                progress.cloned += 1
                progress.last = event.at
            case RunOver():
                self._end_run(event)
            case MessagesLost():
                lost = f"{event.sidecar} missed {event.lost} of {event.sent} messages"
                self._say(event.at, f"{lost}: {event.why}", "yellow")

    def _print_lines(self, event: LinesPrinted) -> None:
        if self._gone:
            return
        label = self._out.paint(_label(event.key, event.pid), "cyan")
        lines = []
        for line in event.lines:
            text = line.text.decode("utf-8", "backslashreplace")
            lines.append(f"{self._clock.format(line.at)} {label} {text}\n")
        self._out.write("".join(lines))

    def _begin_attempt(self, event: AttemptBegan) -> None:
        self._tell_finished(event.at, besides=event.key.step)
        progress = self._steps.get(event.key.step)
        if progress is None:
            progress = self._steps[event.key.step] = _Progress(began=event.at)
            if self._tells_steps:
                self._say(event.at, f"step {event.key.step}: began", "dim")
        progress.running += 1

    def _end_attempt(self, event: AttemptOver) -> None:
        key = event.key
        progress = self._steps.setdefault(key.step, _Progress(began=event.at - event.seconds))
        # An attempt that could not be launched ends without having begun.
        progress.running = max(0, progress.running - 1)
        progress.last = event.at
        if event.failure is None:
            progress.done += 1
            if event.at - max(progress.told_at, progress.began) >= _SECONDS_BETWEEN:
                self._tell(key.step, event.at)
            return
        what = f"{_label(key, event.pid)} attempt {key.attempt} failed"
        where = _shown_place(event.failure)
        place = f" ({where})" if where else ""
        again = ""
        if event.retry_in is None:
            progress.failed += 1
        else:
            when = f"in {format_duration(event.retry_in)}" if event.retry_in > 0 else "at once"
            again = f"; the next one starts {when}"
        self._say(
            event.at,
            f"{what}: {event.failure.summary}{place}{again}",
            "red" if event.retry_in is None else "yellow",
        )

    def _end_run(self, event: RunOver) -> None:
        self._tell_finished(event.at)
        run = f"{event.key.flow} run {event.key.run}"
        after = f"after {format_duration(event.seconds)} and {_count(event.tasks)}"
        if event.status is Status.DONE:
            self._say(event.at, f"{run} is done {after}", "green", "bold")
            return
        if event.status is Status.INTERRUPTED:
            self._say(event.at, f"{run} was interrupted {after}", "yellow", "bold")
            return
        self._say(event.at, f"{run} failed {after}", "red", "bold")
        # Here and not with the other lines: whoever reads only stderr must learn of it.
        if event.failure is None or event.failed is None:
            print_error(RunFailed(str(event.key), event.failure), self._err)
        else:
            print_error(TaskFailed(event.failed, event.failure, self._program), self._err)
        if event.failure is not None and event.failure.traceback:
            self._err.line()
            self._err.line(event.failure.traceback.rstrip("\n"))

    def _tell_finished(self, at: float, besides: str = "") -> None:
        """Say of every step with nothing running how many tasks it has done, if that is news.

        A step inside of a nested foreach comes to rest and goes on many times; it is told about
        at most once a second until the run ends.
        """
        for step in self._order:
            progress = self._steps.get(step)
            if progress is None or progress.running or step == besides:
                continue
            ended = not besides
            if progress.told_at == 0.0 or ended or at - progress.told_at >= _SECONDS_BETWEEN:
                self._tell(step, at)

    def _tell(self, step: str, at: float) -> None:
        if not self._tells_steps:
            return
        progress = self._steps[step]
        ended = progress.done + progress.failed + progress.cloned
        if ended == progress.told:
            return
        progress.told, progress.told_at = ended, at
        parts = []
        if progress.cloned:
            parts.append(f"{_count(progress.cloned)} taken over")
        if progress.done or not progress.cloned:
            parts.append(f"{_count(progress.done)} done")
        if progress.failed:
            parts.append(f"{progress.failed} failed")
        if progress.running:
            parts.append(f"{progress.running} running")
        # Told late, at times: what counts is when its last task ended.
        until = at if progress.running else progress.last
        self._say(
            at,
            f"step {step}: {', '.join(parts)} after {format_duration(until - progress.began)}",
            "dim",
        )

    def _say(self, at: float, text: str, *styles: str) -> None:
        if self._quiet or self._gone:
            return
        self._out.line(f"{self._clock.format(at)} {self._out.paint(text, *styles)}")


def _after(origin: str | None) -> str:
    return "" if origin is None else f", resuming run {origin}"


def _count(tasks: int) -> str:
    return f"{tasks} {'task' if tasks == 1 else 'tasks'}"


def _label(key: AttemptKey, pid: int) -> str:
    """Give what stands before a task's lines; a task that never had a process has no pid."""
    process = f" (pid {pid})" if pid else ""
    return f"[{key.run}/{key.step}/{key.task}{process}]"
