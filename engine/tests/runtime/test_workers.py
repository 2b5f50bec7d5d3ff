"""Workers with real processes: starts, output, exits, stops, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import wait_for

from plait.base.pathspec import AttemptKey
from plait.base.records import TaskOrder
from plait.runtime.workers.inline import InlineWorkers
from plait.runtime.workers.processes import ProcessWorkers
from plait.runtime.workers.protocol import (
    AttemptExited,
    AttemptStarted,
    LaunchFailed,
    OutputArrived,
    WorkerEvent,
    Workers,
)


def order(task: str = "1", step: str = "start") -> TaskOrder:
    """Give an order for one attempt."""
    return TaskOrder(AttemptKey("F", "1", step, task, 0))


def take_events(workers: Workers, ends: int) -> list[WorkerEvent]:
    """Give all events until so many attempts have ended."""
    events: list[WorkerEvent] = []

    def have_ended() -> bool:
        events.extend(workers.poll(1.0))
        return sum(isinstance(e, AttemptExited | LaunchFailed) for e in events) >= ends

    wait_for(have_ended, lambda: f"nothing ended; so far: {events}")
    return events


def output(events: list[WorkerEvent], stream: str) -> bytes:
    """Give what was written to a stream."""
    return b"".join(e.data for e in events if isinstance(e, OutputArrived) and e.stream == stream)


def is_gone(pid: int) -> bool:
    """Say whether a process has ended, a zombie counting as gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def wait_until_gone(pid: int) -> None:
    """Wait for a process to end."""
    wait_for(lambda: is_gone(pid), f"process {pid} is still there")


class Make:
    """Makes workers and closes them after the test."""

    def __init__(self) -> None:
        self.made: list[ProcessWorkers] = []

    def __call__(
        self, run: Callable[[TaskOrder], int] = lambda _: 0, **more: object
    ) -> ProcessWorkers:
        workers = ProcessWorkers(run, **more)  # type: ignore[arg-type]  # handed through
        self.made.append(workers)
        return workers


@pytest.fixture
def make() -> Iterator[Make]:
    """Give a maker of workers."""
    maker = Make()
    yield maker
    for workers in maker.made:
        workers.close()


def say(text: str, stream: int = 1) -> None:
    """Write text to a descriptor, as any library of the user's may."""
    os.write(stream, text.encode())


def open_sockets() -> list[str]:
    """Give the names of this process's open sockets."""
    names = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            continue  # the descriptor that listed the folder
    return [name for name in names if "socket" in name]


def test_an_attempt_starts_writes_and_exits_in_this_order(make: Make) -> None:
    """The events of one attempt come in order, and hold its output and exit code."""

    def run(_order: TaskOrder) -> int:
        say("out\n")
        say("err\n", 2)
        return 7

    workers = make(run)
    workers.launch(order())
    events = take_events(workers, 1)

    assert isinstance(events[0], AttemptStarted)
    assert (output(events, "stdout"), output(events, "stderr")) == (b"out\n", b"err\n")
    assert events[-1] == AttemptExited(order().key, 7)


def test_an_attempt_is_a_process_of_its_own(make: Make) -> None:
    """A child has its own process id, session and standard input, and keeps no open socket."""

    def run(_order: TaskOrder) -> int:
        sockets = open_sockets()
        leads = os.getpid() == os.getsid(0)
        say(json.dumps([leads, os.readlink("/proc/self/fd/0"), sockets]))
        return 0

    before = open_sockets()
    workers = make(run)
    workers.launch(order())
    leads, stdin, sockets = json.loads(output(take_events(workers, 1), "stdout"))

    assert leads
    assert stdin == "/dev/null"
    # Those that pytest itself had open before are not the keeper's to close.
    assert [s for s in sockets if s not in before] == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_death_by_signal_is_told_by_its_number(make: Make, number: int) -> None:
    """A killed attempt ends with the negative number of its signal."""

    def run(_order: TaskOrder) -> int:
        signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None
        os.kill(os.getpid(), number)
        return 0

    workers = make(run)
    workers.launch(order())

    assert take_events(workers, 1)[-1] == AttemptExited(order().key, -number)


def test_many_attempts_at_once_are_told_apart(make: Make) -> None:
    """Each attempt's output and exit code are its own."""

    def run(of: TaskOrder) -> int:
        say(of.key.task * 3)
        return int(of.key.task) % 5

    workers = make(run)
    for task in range(40):
        workers.launch(order(str(task)))
    events = take_events(workers, 40)

    said: dict[str, bytes] = {}
    for event in events:
        if isinstance(event, OutputArrived):
            said[event.key.task] = said.get(event.key.task, b"") + event.data
    assert said == {str(task): str(task).encode() * 3 for task in range(40)}
    codes = {e.key.task: e.code for e in events if isinstance(e, AttemptExited)}
    assert codes == {str(task): task % 5 for task in range(40)}


def test_output_larger_than_a_pipe_is_whole(make: Make) -> None:
    """Nothing is lost of output that is written faster than it is read, up to the last byte."""

    def run(_order: TaskOrder) -> int:
        for _ in range(50):
            say("x" * 20_000)
        say("last")
        return 0

    workers = make(run)
    workers.launch(order())
    written = output(take_events(workers, 1), "stdout")

    assert len(written) == 1_000_004
    assert written.endswith(b"xlast")


def test_what_an_attempt_leaves_running_ends_with_it(make: Make) -> None:
    """A process that an attempt started in the background does not outlive it."""

    def run(_order: TaskOrder) -> int:
        child = subprocess.Popen(["sleep", "600"])
        say(str(child.pid))
        child.returncode = 0  # so that it does not complain that nobody waits for it
        return 0

    workers = make(run)
    workers.launch(order())

    wait_until_gone(int(output(take_events(workers, 1), "stdout")))


def test_what_fled_into_a_session_of_its_own_ends_with_the_run(make: Make) -> None:
    """Even a daemon is found and ended when the workers close."""

    def run(_order: TaskOrder) -> int:
        child = subprocess.Popen(["sleep", "600"], start_new_session=True, stdout=2)
        say(str(child.pid))
        child.returncode = 0
        return 0

    workers = make(run)
    workers.launch(order())
    pid = int(output(take_events(workers, 1), "stdout"))
    workers.close()
    make.made.clear()

    assert is_gone(pid)


def test_threads_that_a_task_left_running_come_to_their_end(make: Make) -> None:
    """A forked task ends like a program: threads that are no daemons are waited for."""

    def run(_order: TaskOrder) -> int:
        begun, go = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            go.wait()
            say("written by the thread")

        threading.Thread(target=work).start()
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        begun.wait()
        threading.Timer(0.05, go.set).start()
        return 0

    workers = make(run)
    workers.launch(order())

    assert output(take_events(workers, 1), "stdout") == b"written by the thread"


def test_stop_asks_and_then_insists(make: Make) -> None:
    """SIGTERM can be heeded; SIGKILL cannot be refused."""

    def run(_order: TaskOrder) -> int:
        signal.signal(signal.SIGTERM, lambda *_: say("asked"))
        say("ready")
        while True:
            signal.pause()

    workers = make(run)
    workers.launch(order())
    seen: list[WorkerEvent] = []
    while b"ready" not in output(seen, "stdout"):
        seen.extend(workers.poll(5))
    workers.stop(kill=False)
    while b"asked" not in output(seen, "stdout"):
        seen.extend(workers.poll(5))
    workers.stop(kill=True)

    assert take_events(workers, 1)[-1] == AttemptExited(order().key, -signal.SIGKILL)


def test_one_attempt_can_be_killed_and_the_others_go_on(make: Make) -> None:
    """With all that it started; of one that has ended nothing is left to kill."""

    def run(of: TaskOrder) -> int:
        if of.key.task == "1":
            say(str(subprocess.Popen(["sleep", "600"]).pid))
        else:
            say("ready")
        while True:
            signal.pause()

    workers = make(run)
    workers.launch(order("1"))
    workers.launch(order("2"))
    seen: list[WorkerEvent] = []
    while sum(isinstance(e, OutputArrived) for e in seen) < 2:
        seen.extend(workers.poll(5))
    workers.kill(order("1").key)
    ended = take_events(workers, 1)[-1]
    workers.kill(order("1").key)
    (child,) = [int(e.data) for e in seen if isinstance(e, OutputArrived) and e.data != b"ready"]

    assert ended == AttemptExited(order("1").key, -signal.SIGKILL)
    wait_until_gone(child)
    (other,) = [e.pid for e in seen if isinstance(e, AttemptStarted) and e.key.task == "2"]
    assert not is_gone(other)


def test_wake_makes_poll_return(make: Make) -> None:
    """A poll without a timeout ends when somebody wakes it."""
    workers = make()
    workers.wake()

    assert list(workers.poll(None)) == []


def test_a_killed_keeper_fails_its_attempts_and_leaves_none(make: Make) -> None:
    """Attempts die with the keeper; those running are told as killed, later ones as not started."""

    def run(_order: TaskOrder) -> int:
        say(str(os.getppid()))
        while True:
            signal.pause()

    workers = make(run)
    workers.launch(order())
    seen: list[WorkerEvent] = []
    while not output(seen, "stdout"):
        seen.extend(workers.poll(5))
    (pid,) = [e.pid for e in seen if isinstance(e, AttemptStarted)]
    os.kill(int(output(seen, "stdout")), signal.SIGKILL)

    assert take_events(workers, 1)[-1] == AttemptExited(order().key, -signal.SIGKILL)
    wait_until_gone(pid)
    workers.launch(order("2"))
    assert isinstance(take_events(workers, 1)[-1], LaunchFailed)


def test_a_signal_to_all_processes_of_a_job_leaves_the_keeper(make: Make) -> None:
    """SIGTERM is the run's to heed; and its tasks still hear of it."""

    def run(of: TaskOrder) -> int:
        say(str(os.getppid()))
        while of.key.task == "1":
            signal.pause()
        return 0

    workers = make(run)
    workers.launch(order("1"))
    events: list[WorkerEvent] = []
    while not output(events, "stdout"):
        events.extend(workers.poll(1.0))
    os.kill(int(output(events, "stdout")), signal.SIGTERM)
    workers.launch(order("2"))

    assert AttemptExited(order("2").key, 0) in take_events(workers, 1)
    workers.stop(kill=False)
    assert AttemptExited(order("1").key, -signal.SIGTERM) in take_events(workers, 1)


def test_a_stream_that_cannot_be_flushed_is_its_own_tasks_alone(make: Make) -> None:
    """A child that trips at its end ends itself, not what the keeper looks after."""

    class Broken:
        def flush(self) -> None:
            raise RuntimeError("broken")

    def run(of: TaskOrder) -> int:
        if of.key.task == "1":
            say("up")
            while not os.path.exists(f"/proc/{os.getppid()}/nothing"):
                signal.pause()
        sys.stdout = Broken()  # type: ignore[assignment]  # as the user's code may
        return 0

    workers = make(run)
    workers.launch(order("1"))
    events: list[WorkerEvent] = []
    while not output(events, "stdout"):
        events.extend(workers.poll(1.0))
    workers.launch(order("2"))

    assert [e for e in take_events(workers, 1) if isinstance(e, AttemptExited)] == [
        AttemptExited(order("2").key, 0)
    ]


def test_what_kept_a_child_from_its_work_is_in_its_log(make: Make) -> None:
    """An error that nobody expected is told, instead of an exit code alone."""

    def run(_order: TaskOrder) -> int:
        raise LookupError("nobody expected it")

    workers = make(run)
    workers.launch(order())
    events = take_events(workers, 1)

    assert b"LookupError: nobody expected it" in output(events, "stderr")
    assert events[-1] == AttemptExited(order().key, 126)


def test_what_fled_and_writes_without_end_does_not_hold_up_the_run(make: Make) -> None:
    """An attempt ends with what is in its pipe when its process has ended."""

    def run(_order: TaskOrder) -> int:
        os.write(1, b"first\n")
        subprocess.Popen(["yes"], start_new_session=True)
        return 0

    workers = make(run)
    workers.launch(order())

    assert output(take_events(workers, 1), "stdout").startswith(b"first\n")


def test_many_open_files_are_no_hindrance(make: Make) -> None:
    """The flow's module may have opened more than `select` can tell apart."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1500:
        pytest.skip("this user may not open so many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1500), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        workers = make(lambda _: 0)
        workers.launch(order())
        events = take_events(workers, 1)
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert events[-1] == AttemptExited(order().key, 0)


def test_too_few_open_files_are_said_with_the_cure(make: Make) -> None:
    """The limit is named, and the option that keeps below it."""
    workers = make(lambda _: 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    top = os.dup(0)
    os.close(top)
    resource.setrlimit(resource.RLIMIT_NOFILE, (top, hard))
    try:
        workers.launch(order())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    (event,) = workers.poll(0)

    assert isinstance(event, LaunchFailed)
    assert event.reason.startswith("Too many open files")
    assert "lower --max-workers" in event.reason


def test_a_spawned_attempt_gets_its_order_on_standard_input(make: Make) -> None:
    """The program is given the step's name, the order, and the environment asked for."""
    script = "import os, sys; print(sys.argv[1:], sys.stdin.read(), os.environ['EXTRA'])"
    workers = make(command=(sys.executable, "-c", script), environment={"EXTRA": "é"})
    workers.launch(order())
    events = take_events(workers, 1)

    said = output(events, "stdout").decode()
    assert said.startswith("['step', 'start', '--order', '-'] {")
    assert said.rstrip().endswith("é")
    assert TaskOrder.from_json(json.loads(said[said.index("{") : said.rindex("}") + 1])) == order()


def test_a_spawned_attempt_has_its_own_variables(make: Make) -> None:
    """Beside those of all, from before its program begins."""
    workers = make(
        command=(sys.executable, "-c", "import os; print(os.environ['A'], os.environ['B'])"),
        environment={"A": "1", "B": "1"},
        variables=lambda of: {"B": of.key.task},
    )
    workers.launch(order("7"))

    assert output(take_events(workers, 1), "stdout") == b"1 7\n"


def test_a_program_that_is_not_there_is_said(make: Make) -> None:
    """The attempt ends, and its log says what could not be started."""
    workers = make(command=("/nowhere/python",))
    workers.launch(order())
    events = take_events(workers, 1)

    assert b"plait cannot start ['/nowhere/python'" in output(events, "stderr")
    assert events[-1] == AttemptExited(order().key, 126)


def test_a_large_order_crosses_whole(make: Make) -> None:
    """A join of very many inputs gets all of them."""
    from plait.base.records import InputRef

    inputs = tuple(InputRef("step", str(n), 0) for n in range(20_000))
    workers = make(lambda of: say(str(len(of.inputs))) or 0)  # type: ignore[func-returns-value]  # None or 0
    workers.launch(TaskOrder(order().key, inputs, inputs))

    assert output(take_events(workers, 1), "stdout") == b"20000"


def test_prepare_runs_before_the_fork(make: Make) -> None:
    """What it loads is there in the child."""
    loaded: list[str] = []
    workers = make(
        lambda _: say(",".join(loaded)) or 0, prepare=lambda of: loaded.append(of.key.task)
    )  # type: ignore[func-returns-value]  # None or 0
    for task in ("1", "2"):
        workers.launch(order(task))
    events = take_events(workers, 2)

    assert output(events, "stdout") in {b"11,2", b"1,21"}


KILLED = """
import os, signal, subprocess, sys
from plait.base.pathspec import AttemptKey
from plait.base.records import TaskOrder
from plait.runtime.workers.processes import ProcessWorkers
def run(order):
    # A daemon as they come about: in a session of its own, its parent gone.
    daemon, said = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(said, str(os.getpid()).encode())
            while True: signal.pause()
        os._exit(0)
    os.wait()
    with open(f"/proc/{os.getppid()}/stat") as file:
        warden = file.read().rpartition(")")[2].split()[1]
    daemon = os.read(daemon, 100).decode()
    os.write(1, f"{os.getpid()} {os.getppid()} {warden} {daemon}".encode())
    while True: signal.pause()
workers = ProcessWorkers(run)
workers.launch(TaskOrder(AttemptKey("F", "1", "start", "1", 0)))
while True:
    for event in workers.poll(5):
        if hasattr(event, "data"):
            print(event.data.decode(), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a daemon can flee")
@pytest.mark.parametrize(
    "killed",
    [("run",), ("run", "keeper"), ("keeper", "run"), ("run", "warden"), ("keeper",), ("warden",)],
    ids="+".join,
)
def test_nothing_outlives_a_run_that_is_killed(killed: tuple[str, ...]) -> None:
    """Whoever of the run, its keeper and its warden is killed: tasks and daemons of theirs go."""
    run = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE)
    with run:
        assert run.stdout is not None
        task, keeper, warden, daemon = (int(pid) for pid in run.stdout.readline().split())
        named = {"run": run.pid, "keeper": keeper, "warden": warden}
        # Stopped, so that none sees the other end, as if both were killed at one instant.
        for name in killed:
            os.kill(named[name], signal.SIGSTOP)
        for name in killed:
            os.kill(named[name], signal.SIGKILL)

        for pid in (keeper, warden, task, daemon):
            wait_until_gone(pid)
        run.kill()


def test_inline_runs_in_this_process_and_keeps_the_output() -> None:
    """Output is seen at once and handed over too, and attempts run one after another."""
    workers = InlineWorkers(lambda of: print("hi", of.key.task) or os.getpid() % 7)  # type: ignore[func-returns-value]  # None or a number
    workers.launch(order("1"))
    workers.launch(order("2"))
    events = take_events(workers, 2)

    assert output(events, "stdout") == b"hi 1\nhi 2\n"
    assert all(e.shown for e in events if isinstance(e, OutputArrived))
    assert events[0] == AttemptStarted(order("1").key, os.getpid())
    assert list(workers.poll(0)) == []


def test_inline_spares_the_runs_own_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a step closes is closed for it alone, and a program may have no output at all."""

    def run(of: TaskOrder) -> int:
        print("hi", of.key.task)
        sys.stdout.close()
        try:
            print("more")
        except ValueError:
            return 7
        return 0

    workers = InlineWorkers(run)
    workers.launch(order("1"))
    first = take_events(workers, 1)
    print("still there")
    monkeypatch.setattr(sys, "stdout", None)
    workers.launch(order("2"))
    second = take_events(workers, 1)

    assert (output(first, "stdout"), first[-1]) == (b"hi 1\n", AttemptExited(order("1").key, 7))
    assert (output(second, "stdout"), second[-1]) == (b"hi 2\n", AttemptExited(order("2").key, 7))


def test_inline_gives_up_what_waits_and_breaks_off_what_runs() -> None:
    """A stop drops attempts that have not begun; a wake from a handler breaks the running one."""

    def run(_order: TaskOrder) -> int:
        workers.stop(kill=False)
        workers.wake()
        return 0

    workers = InlineWorkers(run)
    workers.launch(order("1"))
    workers.launch(order("2"))
    events = take_events(workers, 2)
    workers.wake()
    workers.kill(order("1").key)
    workers.close()

    ends = [e for e in events if isinstance(e, AttemptExited)]
    assert ends == [
        AttemptExited(order("1").key, -signal.SIGINT),
        AttemptExited(order("2").key, -signal.SIGTERM),
    ]
