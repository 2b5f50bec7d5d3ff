"""How a sidecar's process can fail, and what is said of it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

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
