"""How a sidecar's process can fail, and what is said of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import wait_for

from plait.base.process import find_start
from plait.sidecars.process import ProcessSidecar
from plait.sidecars.protocol import Losses, RunEvent
from plait.sidecars.registry import Choice

DEBUG = "plait.sidecars.debug:DebugEventLogger"
EVENT = RunEvent("run-started", 1.0, "F", "1")


def test_a_killed_one_is_told_nothing_more() -> None:
    """What was on its way is lost, too, and the signal is named."""
    sidecar = ProcessSidecar(Choice("event-logger", "debug", DEBUG))
    assert sidecar.pid is not None
    os.kill(sidecar.pid, signal.SIGKILL)
    os.waitid(os.P_PID, sidecar.pid, os.WEXITED | os.WNOWAIT)
    sidecar.send(EVENT)
    sidecar.send(EVENT)

    assert sidecar.close() == Losses(2, 2, "it was killed by SIGKILL")


def test_one_whose_class_is_not_there() -> None:
    """The process says why it could not start."""
    sidecar = ProcessSidecar(Choice("monitor", "x", "no_such_module_at_all:X"), close_seconds=60.0)
    sidecar.send(EVENT)

    assert sidecar.close() == Losses(
        1, 1, "it could not start: ModuleNotFoundError: No module named 'no_such_module_at_all'"
    )


def test_one_that_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that ends its process is told by the exit code."""
    (tmp_path / "quits.py").write_text("import os\ndef Quits(_): os._exit(7)\n")
    monkeypatch.syspath_prepend(tmp_path)
    sidecar = ProcessSidecar(Choice("event-logger", "quits", "quits:Quits"), close_seconds=60.0)
    sidecar.send(EVENT)

    assert sidecar.close() == Losses(1, 1, "it left with exit code 7")


def test_one_that_can_not_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run goes on without it."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    sidecar = ProcessSidecar(Choice("event-logger", "debug", DEBUG))
    sidecar.send(EVENT)

    assert sidecar.pid is None
    assert sidecar.close() == Losses(1, 1, "it could not be started: No such file or directory")


SLOW = """
import os, subprocess, time

class Slow:
    def __init__(self, folder):
        self.folder = folder
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        self.write("pids", f"{os.getppid()} {os.getpid()} {child.pid}")

    def write(self, name, text):
        with open(f"{self.folder}/{name}.draft", "w") as file:
            file.write(text)
        os.replace(f"{self.folder}/{name}.draft", f"{self.folder}/{name}")

    def log(self, event):
        while not os.path.exists(f"{self.folder}/go"):
            time.sleep(0.005)
        self.write(event.step, "told")

    def close(self):
        self.write("closed", "")
"""

RUN = """
import signal, sys
sys.path.insert(0, sys.argv[1])
from plait.base.process import find_start
from plait.sidecars.process import ProcessSidecar
from plait.sidecars.protocol import RunEvent
from plait.sidecars.registry import Choice
choice = Choice("event-logger", "slow", "slow:Slow", sys.argv[1])
sidecar = ProcessSidecar(choice, close_seconds=float(sys.argv[2]))
for n in range(3):
    sidecar.send(RunEvent("task-started", 1.0, "F", "1", f"step{n}", "1", 0))
while True:
    signal.pause()
"""


def killed_run(folder: Path, seconds: float) -> list[int]:
    """Have a program with a slow sidecar killed; give the sidecar's and its child's process."""
    (folder / "slow.py").write_text(SLOW)
    with subprocess.Popen([sys.executable, "-c", RUN, str(folder), str(seconds)]) as run:
        wait_for((folder / "pids").exists)
        run.kill()
    return [int(pid) for pid in (folder / "pids").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_last_events_of_a_killed_run_are_told(tmp_path: Path) -> None:
    """What was on its way when the run was killed is taken, and then all is gone."""
    pids = killed_run(tmp_path, seconds=60.0)
    (tmp_path / "go").touch()

    wait_for((tmp_path / "closed").exists, "it was not closed")
    assert [(tmp_path / f"step{n}").read_text() for n in range(3)] == ["told"] * 3
    wait_for(lambda: not any(map(find_start, pids)), "a process is left")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_hung_one_of_a_killed_run_is_ended(tmp_path: Path) -> None:
    """It has its moment, and then it is ended with what it started in other sessions."""
    pids = killed_run(tmp_path, seconds=0.1)

    wait_for(lambda: not any(map(find_start, pids)), "a process is left")
    assert not (tmp_path / "closed").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_closing_ends_what_a_hung_one_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what fled into a session of its own."""
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    choice = Choice("event-logger", "slow", "slow:Slow", str(tmp_path))
    sidecar = ProcessSidecar(choice, close_seconds=0.0)
    sidecar.send(EVENT)
    wait_for((tmp_path / "pids").exists)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]

    assert sidecar.close() == Losses(1, 1, "it went on for 0 s after the run, and was ended")
    assert not any(map(find_start, pids))


def test_one_that_dies_is_told_by_its_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class whose process crashes is told by the signal, though its guardian saw it."""
    (tmp_path / "dies.py").write_text("import os\ndef Dies(_): os.kill(os.getpid(), 11)\n")
    monkeypatch.syspath_prepend(tmp_path)
    sidecar = ProcessSidecar(Choice("event-logger", "dies", "dies:Dies"), close_seconds=60.0)
    sidecar.send(EVENT)

    assert sidecar.close() == Losses(1, 1, "it was killed by SIGSEGV")
