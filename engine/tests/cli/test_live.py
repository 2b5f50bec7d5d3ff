"""A run as a person watches it in a terminal, with time and paintings at the test's command."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from typing import Any

import pytest
from cli.terminal import FakeTerminal, show
from rich.console import Console as Terminal

from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import Failure, FailureKind
from plait.cli.live import LiveConsole, can_be_live
from plait.cli.screen import Screen
from plait.logs.lines import LogLine
from plait.metadata.protocol import Status
from plait.runtime.reporter import (
    AttemptBegan,
    AttemptOver,
    LinesPrinted,
    RunBegan,
    RunOver,
    TasksWaiting,
)

RUN = RunKey("F", "1")
ERROR = Failure(FailureKind.EXCEPTION, "ValueError: no")
BEGAN = RunBegan(RUN, 100.0, ("start", "work", "end"), "/data", "fork")


class Clock:
    """The time is what the test says."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def elapsed(self) -> float:
        return self.time


class Watched:
    """A live console on a terminal in memory."""

    def __init__(self, height: int = 24, stream: Any = None) -> None:
        self.stream = stream or FakeTerminal()
        self.err = io.StringIO()
        self.clock = Clock()
        self.console = LiveConsole(
            Screen(self.stream, {}),
            Screen(self.err, {}),
            program="python f.py",
            clock=self.clock,
            every=None,
            terminal=Terminal(
                file=self.stream,
                force_terminal=True,
                width=100,
                height=height,
                color_system=None,
                _environ={},
            ),
        )

    def report(self, *events: Any) -> None:
        for event in events:
            self.console.report(event)

    def screen(self) -> list[str]:
        """Give the lines as they are seen now, without times of day."""
        return [line[24:] if line[:2] == "19" else line for line in self.stream.screen()]


def key(step: str, task: str = "1") -> AttemptKey:
    return AttemptKey("F", "1", step, task, 0)


def printed(step: str, task: str, text: str) -> LinesPrinted:
    return LinesPrinted(key(step, task), 7, [LogLine(100.0, "stdout", text.encode(), ended=True)])


def test_tasks_lines_scroll_above_the_steps() -> None:
    """Lines come with the next painting, and the steps are painted over where they stand."""
    run = Watched()
    run.report(BEGAN, AttemptBegan(key("start"), 7, 100.0), printed("start", "1", "hello"))
    run.clock.time = 102.0
    run.console.paint()
    first = run.screen()
    run.report(
        AttemptOver(key("start"), 7, 102.5, 2.5),
        TasksWaiting(RUN, 102.5, {"work": 3}),
        AttemptBegan(key("work", "2"), 8, 103.0),
        printed("work", "2", "there"),
    )
    run.clock.time = 104.0
    run.console.paint()

    assert first == [
        "F run 1 began: tasks by fork, results in /data",
        "[1/start/1 (pid 7)] hello",
        "start  1 running  2.00 s",
        "work   not begun",
        "end    not begun",
    ]
    assert run.screen() == [
        "F run 1 began: tasks by fork, results in /data",
        "[1/start/1 (pid 7)] hello",
        "[1/work/2 (pid 7)] there",
        "start  1 done                2.50 s",
        "work   3 waiting, 1 running  1.00 s",
        "end    not begun",
    ]
    run.console.close()


def test_the_end_of_a_run_stands_below_the_steps() -> None:
    """The steps stay as they were at the end; the error of a failed run is on stderr."""
    run = Watched()
    run.report(BEGAN, AttemptBegan(key("start"), 7, 100.0))
    run.console.paint()
    run.report(
        printed("start", "1", "last words"),
        AttemptOver(key("start"), 7, 101.0, 1.0, ERROR),
        RunOver(RUN, 101.0, 1.0, Status.FAILED, 0, ERROR, key("start")),
    )

    assert run.screen() == [
        "F run 1 began: tasks by fork, results in /data",
        "[1/start/1 (pid 7)] last words",
        "[1/start/1 (pid 7)] attempt 0 failed: ValueError: no",
        "start  1 failed   1.00 s",
        "work   not begun",
        "end    not begun",
        "F run 1 failed after 1.00 s and 0 tasks",
        "",
    ]
    assert run.err.getvalue().startswith("error[task-failed]: step 'start' failed")
    assert run.stream.getvalue().count("\x1b[?25l") == run.stream.getvalue().count("\x1b[?25h") == 1


def test_a_run_that_ends_before_the_first_painting_is_lines() -> None:
    """What was held back is written, and nothing is lost or painted."""
    run = Watched()
    run.report(BEGAN, printed("start", "1", "hi"), RunOver(RUN, 100.1, 0.1, Status.DONE, 3))

    assert run.screen() == [
        "F run 1 began: tasks by fork, results in /data",
        "[1/start/1 (pid 7)] hi",
        "F run 1 is done after 0.10 s and 3 tasks",
        "",
    ]


def test_a_low_terminal_shows_the_steps_that_are_at_work() -> None:
    """The others are counted in the last line."""
    run = Watched(height=5)
    steps = tuple(f"s{n}" for n in range(20))
    run.report(RunBegan(RUN, 100.0, steps, "/data", "fork"), AttemptBegan(key("s17"), 7, 100.0))
    run.console.paint()

    assert run.screen()[-2:] == ["s17  1 running  0.00 s", "and 18 more steps"]
    run.console.close()


def test_ten_thousand_tasks_cost_the_terminal_one_painting() -> None:
    """What an event costs is a few sums; the terminal is written to when it is painted."""
    run = Watched()
    run.report(BEGAN)
    run.console.paint()
    before = run.stream.writes
    for task in range(10_000):
        run.report(AttemptBegan(key("work", str(task)), 7, 100.0))
        run.report(AttemptOver(key("work", str(task)), 7, 100.0, 0.0))
    assert run.stream.writes == before
    run.console.paint()

    assert run.stream.writes == before + 1
    assert "work   10000 done  0.00 s" in run.screen()
    run.console.close()


def test_a_terminal_that_is_closed_does_not_end_the_run() -> None:
    """The run goes on, in silence; closing what paints raises nothing."""

    class Closing(FakeTerminal):
        is_broken = False

        def write(self, text: str) -> int:
            if self.is_broken:
                raise OSError(5, "Input/output error")
            return super().write(text)

    run = Watched(stream=Closing())
    run.report(BEGAN)
    run.console.paint()
    run.stream.is_broken = True
    run.report(printed("start", "1", "hi"))
    with pytest.raises(OSError, match="Input/output"):
        run.console.paint()
    run.report(RunOver(RUN, 101.0, 1.0, Status.DONE, 3))

    assert "is done" not in run.stream.getvalue()


@pytest.mark.parametrize(
    ("environ", "live"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "CI": "true"}, False),
    ],
)
def test_only_a_terminal_that_somebody_looks_at_is_painted(environ, live) -> None:
    """NO_COLOR, TERM=dumb and CI have plain lines, and so has what is no terminal."""
    assert can_be_live(Screen(FakeTerminal(), environ), environ) is live
    assert not can_be_live(Screen(io.StringIO(), environ), environ)


def test_without_rich_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra: a run needs it not."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    assert not can_be_live(Screen(FakeTerminal(), {}), {})


def watch_in_terminal(project: Any, *arguments: str, **env: str) -> str:
    """Call a flow's program in a terminal of its own, and give what it wrote there."""
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "trial.py", *arguments],
        cwd=project.folder,
        env={
            **{name: text for name, text in os.environ.items() if name not in ("CI", "NO_COLOR")},
            "TERM": "xterm",
            "COLUMNS": "100",
            "LINES": "30",
            **env,
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            data = os.read(ours, 1 << 16)
        except OSError:  # how Linux says that the other end is closed
            break
        if not data:
            break
        written += data
    os.close(ours)
    assert run.wait() == 0
    return written.decode()


def test_a_real_terminal_ends_with_the_lines_and_the_steps(project) -> None:
    """After the run, the terminal shows what tasks printed and how far each step came."""
    said = watch_in_terminal(project, "run", "--count", "4")
    lines = show(said)

    at = next(n for n, line in enumerate(lines) if line.startswith("start "))
    assert [line.split()[:3] for line in lines[at : at + 4]] == [
        ["start", "1", "done"],
        ["work", "4", "done"],
        ["join", "1", "done"],
        ["end", "1", "done"],
    ]
    assert sum("] out" in line for line in lines[:at]) == 4
    assert "TrialFlow run 1 is done" in lines[at + 4]
    assert not any("step work" in line for line in lines)
    assert said.count("\x1b[?25h") == 1


def test_a_dumb_terminal_has_plain_lines(project) -> None:
    """As they are in a pipe."""
    said = watch_in_terminal(project, "run", "--count", "1", TERM="dumb")

    assert "\x1b" not in said
    assert "step work: 1 task done" in said
