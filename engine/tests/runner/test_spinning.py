"""One step spun from Python: waited for or followed, read, kept or gone."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

import pytest

from plait import Flow, Runner, Task
from plait.client.errors import PlaitNotFound
from plait.runner.errors import BadRunArgument, RunNotStarted

FAN = """
import os

from plait import FlowSpec, retry, step


class Fan(FlowSpec):
    @step
    def start(self):
        self.items = ["a", "b"]
        self.next(self.each, foreach="items")

    @retry(times=2, minutes_between_retries=0)
    @step
    def each(self):
        self.line = self.input * 2
        self.large = bytes(100_000)
        if os.path.exists("broken"):
            raise ValueError("broken")
        while os.path.exists("wait"):
            pass
        self.next(self.join)

    @step
    def join(self, inputs):
        self.lines = [i.line for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    Fan()
"""


@pytest.fixture
def fan(folder: Path) -> Path:
    """A folder with a flow that has run once."""
    (folder / "fan.py").write_text(FAN, encoding="utf-8")
    with Runner("fan.py", show_output=False) as runner:
        assert runner.run().status == "successful"
    return folder


def test_a_step_alone_is_read_and_then_gone(fan: Path) -> None:
    """What it set is there until the context is left; no run and no folder is left of it."""
    with Runner("fan.py", show_output=False) as runner:
        spun = runner.spin("each", index=1, skip_decorators=True)
        values = (spun.task.data.line, spun.task["large"].data == bytes(100_000))
        where = str(spun.task.pathspec)

    assert (spun.status, spun.returncode, values) == ("successful", 0, ("bb", True))
    assert repr(spun) == f"<ExecutingTask {where}: successful>"
    assert "line" in spun.stdout
    assert "kept in" not in spun.stdout
    assert [run.id for run in Flow("Fan")] == ["1"]
    assert not (fan / ".plait" / "spins").exists()
    assert os.listdir(os.environ["TMPDIR"]) == []
    with pytest.raises(PlaitNotFound):
        Task(where)


def test_a_task_can_be_read_though_nobody_holds_what_was_started(fan: Path) -> None:
    """Its values stay as long as itself, or one of its artifacts, and go then."""
    task = Runner("fan.py", show_output=False).spin("each", index=1).task
    gc.collect()
    artifact = task["line"]
    assert task.data.line == "bb"
    del task
    gc.collect()
    assert artifact.data == "bb"
    del artifact
    gc.collect()
    assert os.listdir(os.environ["TMPDIR"]) == []


def test_a_step_that_fails_is_no_exception(fan: Path) -> None:
    """It is read like any other, and what was kept by wish stays."""
    (fan / "broken").touch()
    with Runner("fan.py", show_output=False) as runner:
        failed = runner.spin("each", spin_pathspec="1/each/3", persist=True)

    assert (failed.status, failed.returncode) == ("failed", 1)
    assert failed.task.exception is not None
    assert (failed.task.attempt, failed.task.exception.type) == (0, "ValueError")
    assert os.listdir(fan / ".plait" / "spins") == ["1"]


def test_what_cannot_be_spun_is_said(fan: Path) -> None:
    """A step that is not there is told as the command tells it; what it does not take, at once."""
    runner = Runner("fan.py", show_output=False)

    with pytest.raises(RunNotStarted, match=r"before the step began\n(.|\n)*has no such step"):
        runner.spin("eech")
    with pytest.raises(BadRunArgument, match="artifacts_module"):
        runner.spin("each", artifacts_module={"line": 1})


def test_a_step_that_goes_on_meanwhile(fan: Path) -> None:
    """It comes back as soon as the step begins, and can be waited for and stopped."""

    async def main() -> None:
        (fan / "wait").touch()
        async with Runner("fan.py", stop_on_exit=True) as runner:
            spun = await runner.async_spin("each", index=(0,))
            assert spun.status == "running"
            (fan / "wait").unlink()
            await spun.wait()
            assert (spun.status, spun.task.data.line) == ("successful", "aa")
            (fan / "wait").touch()
            stopped = await runner.async_spin("each")
        assert stopped.status == "interrupted"

    asyncio.run(main())
