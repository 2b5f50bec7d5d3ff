"""What a sidecar's process does with a class of somebody else's, called in this one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest

from plait.sidecars.debug import DebugEventLogger, DebugMonitor
from plait.sidecars.helper import serve
from plait.sidecars.protocol import Measurement, RunEvent
from plait.sidecars.status import Status, StatusFile
from plait.sidecars.wire import format_message

TOLD: list[object] = []


class Picky:
    """Takes an event unless it is of a task of the step `bad`."""

    def __init__(self, argument: str) -> None:
        TOLD.append(argument)

    def log(self, event: RunEvent) -> None:
        if event.step == "bad":
            raise ValueError("not that one")
        TOLD.append(event.pathspec)

    def close(self) -> None:
        TOLD.append("closed")


class Broken(Picky):
    """Can't be made, or can't be closed."""

    def __init__(self, argument: str) -> None:
        if not argument:
            raise ConnectionError

    def close(self) -> None:
        raise OSError("disk full")


@pytest.fixture
def status() -> Iterator[StatusFile]:
    """A status that nobody has written."""
    TOLD.clear()
    with tempfile.TemporaryFile() as file:
        yield StatusFile(file.fileno())


def lines(*steps: str) -> list[bytes]:
    """Give an event of a task of each of some steps, as they come in."""
    found = [format_message(RunEvent("task-ended", 1.0, "F", "1", step, "2", 0)) for step in steps]
    return [line for line in found if line is not None]


def setup(name: str, argument: str = "") -> dict[str, str]:
    return {"kind": "event-logger", "target": f"{__name__}:{name}", "argument": argument}


def test_it_hands_on_each_message_and_goes_on_after_an_error(status: StatusFile) -> None:
    """What raises is not counted as taken; the first error is kept."""
    code = serve(setup("Picky", "x"), lines("a", "bad", "b", "bad"), status)

    assert code == 0
    assert TOLD == ["x", "F/1/a/2", "F/1/b/2", "closed"]
    assert status.read() == Status(2, "it raised ValueError: not that one")


def test_a_class_that_can_not_be_made(status: StatusFile) -> None:
    """Nothing is taken, and the status says why."""
    assert serve(setup("Broken"), lines("a"), status) == 1
    assert status.read() == Status(0, "it could not start: ConnectionError")


def test_a_class_that_is_not_there(status: StatusFile) -> None:
    """The same holds for a module or a name that is not there."""
    assert serve(setup("Nothing"), lines("a"), status) == 1
    assert "has no attribute 'Nothing'" in status.read().error


def test_a_class_that_can_not_be_closed(status: StatusFile) -> None:
    """What was taken was taken all the same."""
    assert serve(setup("Broken", "x"), lines("a"), status) == 0
    assert status.read() == Status(1, "it raised OSError: disk full at the end")


def test_debug_writes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file, each line begins with what it is."""
    logger, monitor = DebugEventLogger(""), DebugMonitor("")
    logger.log(RunEvent("run-started", 1.0, "F", "1"))
    monitor.measure(Measurement("counter", "plait.runs.started", 1, 1.0))
    logger.close()
    monitor.close()

    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith('event: {"name": "run-started", "at": 1.0, "flow": "F"')
    assert second == (
        'measurement: {"kind": "counter", "name": "plait.runs.started", "value": 1, "at": 1.0, '
        '"labels": {}}'
    )
