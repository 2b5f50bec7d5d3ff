"""The fixtures that pytest finds where plait is installed: `plait_flow` and `flow_runner`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from plait.client.run import Run
    from plait.runner.runner import Runner


@pytest.fixture
def plait_flow() -> Callable[..., Run]:
    """Runs a flow class in this process and in memory, and gives the run.

    `run = plait_flow(MyFlow, alpha=3)` takes what `plait.testing.run_flow` takes.
    """
    # Imported by the test that uses it, and not by every start of pytest.
    from plait.testing.flows import run_flow

    return run_flow


@pytest.fixture
def flow_runner(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    """Starts runs of a flow's file as users do, and cleans up after them.

    `run = flow_runner("flow.py").run(alpha=3).run` takes what `plait.Runner` takes. Results
    are kept in a folder of the test's own, what the run prints is not shown, and a run that still
    goes on when the test ends is stopped.
    """
    from plait.runner.runner import Runner

    made: list[Runner] = []

    def make(flow_file: str | os.PathLike[str], **options: Any) -> Runner:
        chosen = {
            "show_output": False,
            "stop_on_exit": True,
            "datastore_root": str(tmp_path / ".plait"),
            **options,
        }
        runner = Runner(flow_file, **chosen)
        made.append(runner)
        return runner

    yield make
    for runner in made:
        runner.cleanup()
