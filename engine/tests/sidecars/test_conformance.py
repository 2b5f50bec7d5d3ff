"""Every shipped sidecar goes through the one suite of checks."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from plait.sidecars.conformance import CHECKS, Start, Started
from plait.sidecars.memory import MemorySidecar
from plait.sidecars.process import ProcessSidecar
from plait.sidecars.protocol import Kind, Measurement, Message, RunEvent
from plait.sidecars.registry import find_choice


def start_memory(kind: Kind) -> Started:
    sidecar = MemorySidecar(kind)
    return Started(sidecar, lambda: sidecar.told, lambda: setattr(sidecar, "is_hung", True))


@pytest.fixture(params=["memory", "process"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """A function that starts a sidecar."""
    if request.param == "memory":
        return start_memory

    def start_process(kind: Kind) -> Started:
        told = tmp_path / "told"
        choice = find_choice(kind, f"debug:{told}")
        assert choice is not None
        sidecar = ProcessSidecar(choice, close_seconds=0.05)
        if request.node.callspec.params["check"].__name__ != "a_hung_one_holds_nobody_up":
            sidecar._close_seconds = 60.0

        def read() -> list[Message]:
            made = RunEvent if kind == "event-logger" else Measurement
            lines = told.read_text(encoding="utf-8").splitlines()
            return [made.from_json(json.loads(line)) for line in lines]

        def hang() -> None:
            assert sidecar.pid is not None
            os.killpg(sidecar.pid, signal.SIGSTOP)

        return Started(sidecar, read, hang)

    return start_process


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_sidecar(check: Callable[[Start], None], start: Start) -> None:
    """The sidecar keeps the promise that the check is named after."""
    check(start)
