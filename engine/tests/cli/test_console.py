"""A run as a person watches it: events in, lines out."""

from __future__ import annotations

import io
import re

from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import Failure, FailureKind
from plait.cli.console import Console
from plait.cli.screen import Screen
from plait.logs.lines import LogLine
from plait.metadata.protocol import Status
from plait.runtime.reporter import (
    AttemptBegan,
    AttemptOver,
    LinesPrinted,
    MessagesLost,
    RunBegan,
    RunOver,
)

RUN = RunKey("HelloFlow", "3")
STEPS = ("start", "greet", "join", "end")
ERROR = Failure(
    FailureKind.EXCEPTION,
    "ValueError: too small",
    traceback='Traceback (most recent call last):\n  File "hello.py", line 9, in greet\n',
    where="hello.py:9",
)


def attempt(step: str, task: str = "1", number: int = 0) -> AttemptKey:
    return AttemptKey("HelloFlow", "3", step, task, number)


def watch(*events, quiet: bool = False, out: io.StringIO | None = None) -> tuple[str, str]:
    """Report *events* and give what was printed to stdout, without times, and to stderr."""
    out, err = out or io.StringIO(), io.StringIO()
    console = Console(Screen(out, {}), Screen(err, {}), program="python hello.py", quiet=quiet)
    for event in events:
        console.report(event)
    return re.sub(
        r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ", "", out.getvalue()
    ), err.getvalue()


def test_a_run_that_goes_well():
    """A line when the run begins, when a step begins and when it has ended, and at the end."""
    out, err = watch(
        RunBegan(RUN, 100.0, STEPS, "/data/.plait", "fork"),
        AttemptBegan(attempt("start"), 11, 100.0),
        LinesPrinted(attempt("start"), 11, [LogLine(100.1, "stdout", b"hello", ended=True)]),
        AttemptOver(attempt("start"), 11, 100.2, 0.2),
        AttemptBegan(attempt("end", "2"), 12, 100.2),
        AttemptOver(attempt("end", "2"), 12, 100.3, 0.1),
        RunOver(RUN, 100.5, 0.5, Status.DONE, tasks=2),
    )

    assert out.splitlines() == [
        "HelloFlow run 3 began: tasks by fork, results in /data/.plait",
        "step start: began",
        "[3/start/1 (pid 11)] hello",
        "step start: 1 task done after 0.20 s",
        "step end: began",
        "step end: 1 task done after 0.10 s",
        "HelloFlow run 3 is done after 0.50 s and 2 tasks",
    ]
    assert err == ""


def test_the_first_failure_ends_on_stderr():
    """A failed run names step, task, attempt, log and place, and shows the user's traceback."""
    key = attempt("greet", "4", 1)
    out, err = watch(
        AttemptBegan(key, 14, 101.0),
        AttemptOver(key, 14, 101.5, 0.5, failure=ERROR),
        RunOver(RUN, 102.0, 2.0, Status.FAILED, tasks=4, failure=ERROR, failed=key),
    )

    assert out.splitlines() == [
        "step greet: began",
        "[3/greet/4 (pid 14)] attempt 1 failed: ValueError: too small (hello.py:9)",
        "HelloFlow run 3 failed after 2.00 s and 4 tasks",
    ]
    assert err.splitlines() == [
        "error[task-failed]: step 'greet' failed: task 3/greet/4, attempt 1 (hello.py:9)",
        "  why: ValueError: too small",
        "  fix: 'python hello.py logs 3/greet/4' shows what it printed",
        "",
        "Traceback (most recent call last):",
        '  File "hello.py", line 9, in greet',
    ]


def test_a_failed_step_is_counted():
    """The line of a step says how many of its tasks failed and how many still run."""
    out, _ = watch(
        RunBegan(RUN, 100.0, STEPS, "/data", "fork"),
        AttemptBegan(attempt("greet", "1"), 1, 100.0),
        AttemptBegan(attempt("greet", "2"), 2, 100.0),
        AttemptBegan(attempt("greet", "3"), 3, 100.0),
        AttemptOver(attempt("greet", "1"), 1, 100.5, 0.5, failure=ERROR),
        AttemptOver(attempt("greet", "2"), 2, 102.0, 2.0),
        AttemptOver(attempt("greet", "3"), 3, 102.1, 2.1),
        RunOver(RUN, 103.0, 3.0, Status.FAILED, tasks=3, failure=ERROR),
    )

    assert "step greet: 1 task done, 1 failed, 1 running after 2.00 s" in out
    assert "step greet: 2 tasks done, 1 failed after 2.10 s" in out


def test_a_retry_is_announced():
    """An attempt that another one follows says when."""
    out, _ = watch(
        AttemptOver(attempt("greet"), 9, 100.0, 1.0, failure=ERROR, retry_in=120.0),
    )

    assert out.rstrip().endswith("(hello.py:9); the next one starts in 2 min 0 s")


def test_an_attempt_without_a_process_has_no_pid():
    """What could not be launched is told by its task alone, and so is a retry without a wait."""
    reason = Failure(FailureKind.LAUNCH, "no process could be started")
    out, _ = watch(AttemptOver(attempt("greet"), 0, 100.0, 0.0, failure=reason, retry_in=0.0))

    assert out == (
        "[3/greet/1] attempt 0 failed: no process could be started; the next one starts at once\n"
    )


def test_quiet_leaves_tasks_lines_and_errors():
    """With --quiet only what tasks print, and the error, is there."""
    key = attempt("start")
    out, err = watch(
        RunBegan(RUN, 100.0, STEPS, "/data", "fork", notes=("not forked",)),
        AttemptBegan(key, 11, 100.0),
        LinesPrinted(key, 11, [LogLine(100.1, "stderr", b"hm", ended=False)]),
        AttemptOver(key, 11, 100.2, 0.2, failure=ERROR),
        RunOver(RUN, 101.0, 1.0, Status.FAILED, tasks=1, failure=ERROR, failed=key),
        quiet=True,
    )

    assert out == "[3/start/1 (pid 11)] hm\n"
    assert err.startswith("error[task-failed]")


def test_a_run_that_failed_in_no_task():
    """Where no task is to blame, the run is named with the reason."""
    reason = Failure(FailureKind.LAUNCH, "no process could be started")
    _, err = watch(RunOver(RUN, 1.0, 1.0, Status.FAILED, tasks=0, failure=reason))

    assert err == "error[run-failed]: run HelloFlow/3 failed\n  why: no process could be started\n"


def test_an_interrupted_run_is_no_error():
    """Ctrl-C is told on one line."""
    out, err = watch(RunOver(RUN, 4000.0, 3720.0, Status.INTERRUPTED, tasks=5))

    assert out == "HelloFlow run 3 was interrupted after 1 h 2 min and 5 tasks\n"
    assert err == ""


def test_notes_follow_the_beginning():
    """What the person should know about this run is said once."""
    out, _ = watch(RunBegan(RUN, 1.0, STEPS, "/data", "spawn", notes=("fork is not safe here",)))

    assert out.splitlines()[1] == "fork is not safe here"


def test_what_a_sidecar_missed_is_said():
    """A sidecar that was not told everything is named, with how much it missed and why."""
    out, _ = watch(MessagesLost(9.0, "monitor 'debug'", 40, 3, "it was too slow"))

    assert out == "monitor 'debug' missed 3 of 40 messages: it was too slow\n"


def test_bytes_that_are_no_text_are_shown():
    """Output that is not UTF-8 is shown as escapes."""
    line = LogLine(1.0, "stdout", b"\xff caf\xc3\xa9", ended=True)
    out, _ = watch(LinesPrinted(attempt("start"), 7, [line]))

    assert out == "[3/start/1 (pid 7)] \\xff café\n"


def test_steps_that_come_to_rest_often_are_told_once_a_second():
    """A step inside of a nested foreach does not flood the console."""
    events = [RunBegan(RUN, 100.0, STEPS, "/data", "fork")]
    for task in range(300):
        at = 100.0 + task / 100
        step = ("greet", "join")[task % 2]
        events.append(AttemptBegan(attempt(step, str(task)), 1, at))
        events.append(AttemptOver(attempt(step, str(task)), 1, at, 0.0))
    events.append(RunOver(RUN, 103.0, 3.0, Status.DONE, tasks=300))

    out, _ = watch(*events)

    assert len(out.splitlines()) < 16
    assert "step greet: 150 tasks done after 2.98 s" in out
    assert "step join: 150 tasks done after 2.98 s" in out


def test_the_run_goes_on_when_nobody_reads():
    """A reader that leaves ends the printing, not the run; the error is still told."""

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    out, err = watch(
        RunBegan(RUN, 1.0, STEPS, "/data", "fork"),
        LinesPrinted(attempt("start"), 7, [LogLine(1.0, "stdout", b"x", ended=True)]),
        RunOver(RUN, 2.0, 1.0, Status.FAILED, tasks=1, failure=ERROR, failed=attempt("start")),
        out=Broken(),
    )

    assert out == ""
    assert "task-failed" in err


def test_a_full_disk_does_not_end_the_run():
    """Output that cannot be written is dropped; results and logs are kept elsewhere."""

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    out, _ = watch(RunBegan(RUN, 1.0, STEPS, "/data", "fork"), out=Full())

    assert out == ""
