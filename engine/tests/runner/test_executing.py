"""Runs that go on in the background: waited for, followed, stopped, left."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from plait import Runner
from plait.runner.errors import RunNotStarted
from plait.runner.executing import NoSuchStream


def test_several_at_once(folder: Path) -> None:
    """Each comes back as soon as it has begun, and can be waited for."""

    async def main() -> list[str]:
        async with Runner("tell.py") as runner:
            started = await asyncio.gather(*(runner.async_run(words=[n]) for n in range(2)))
            ended = [await one.wait() for one in started]
        assert ended == started
        return sorted(one.run.data.words[0] for one in ended)

    assert asyncio.run(main()) == [0, 1]


def test_its_lines_as_they_come(folder: Path) -> None:
    """With where each ends, so that a reader can go on there."""

    async def main() -> None:
        async with await Runner("tell.py", stop_on_exit=True).async_run(how="wait") as running:
            at = 0
            async for position, line in running.stream_log("stdout"):
                at = position
                if "café" in line:
                    break
            assert running.status == "running"
            assert running.run.status == "running"
            assert running.stdout.encode()[:at].endswith(b"']\n")
        assert running.status == "interrupted"
        rest = [line async for _, line in running.stream_log("stdout", at)]
        assert rest
        assert not any("café" in line for line in rest)

    asyncio.run(main())


def test_its_lines_printed_while_waiting(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the stream asked for, to standard output."""

    async def main() -> str:
        running = await Runner("tell.py").async_run()
        await running.wait(stream="stdout")
        running.cleanup()
        return running.stdout

    assert asyncio.run(main()) == capsys.readouterr().out


def test_a_wait_that_is_too_long(folder: Path) -> None:
    """It stops the run, which is what its status says."""

    async def main() -> None:
        async with Runner("tell.py") as runner:
            running = await runner.async_run(how="wait")
            await running.wait(timeout=0.05, stream="stdout")
            assert running.status == "timeout"
            assert running.run.status == "interrupted"
            assert running.returncode == 130

    asyncio.run(main())


def test_a_run_outlives_its_context(folder: Path, tmp_path: Path) -> None:
    """Unless it was asked to be stopped; its files go once it has ended."""

    async def main() -> None:
        with Runner("tell.py") as runner:
            running = await runner.async_run(how="wait")
        assert running.status == "running"
        assert os.listdir(tmp_path / "tmp")
        running.stop()
        runner.cleanup()
        assert running.status == "interrupted"
        assert os.listdir(tmp_path / "tmp") == []

    asyncio.run(main())


def test_a_run_that_does_not_heed_is_killed(folder: Path) -> None:
    """After its time; that it failed is what a signal means."""
    source = (folder / "tell.py").read_text()
    (folder / "deaf.py").write_text(
        source.replace('if __name__ == "__main__":', 'import signal\nif __name__ == "__main__":\n'
                       "    signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    )  # fmt: skip

    async def main() -> None:
        async with Runner("deaf.py") as runner:
            running = await runner.async_run(how="wait")
            running.stop(grace=0.05)
            assert (running.status, running.returncode) == ("failed", -9)

    asyncio.run(main())


def test_a_start_that_is_given_up(folder: Path, tmp_path: Path) -> None:
    """Whoever cancels it leaves no process and no file behind."""
    (folder / "slow.py").write_text("import threading\nthreading.Event().wait(60)\n")

    async def main() -> None:
        starting = asyncio.create_task(Runner("slow.py").async_run())
        while not os.listdir(tmp_path / "tmp"):
            await asyncio.wait({starting}, timeout=0.01)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(main())

    assert os.listdir(tmp_path / "tmp") == []


def test_a_start_that_fails(folder: Path) -> None:
    """As where it is waited for; a resume needs something to resume."""
    with pytest.raises(RunNotStarted, match="nothing-to-resume"):
        asyncio.run(Runner("tell.py").async_resume("end"))


def test_a_stream_that_there_is_not(folder: Path) -> None:
    """It is a ValueError that names those that there are."""

    async def main() -> None:
        running = await Runner("tell.py").async_run()
        with pytest.raises(NoSuchStream, match="did you mean 'stdout'"):
            await running.wait(stream="stdou")
        await running.wait()
        running.cleanup()

    asyncio.run(main())
