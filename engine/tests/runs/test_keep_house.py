"""Real runs that are killed or go on while somebody looks after the store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import wait_for

from plait import Run, default_metadata, metadata, namespace
from plait.base.pathspec import RunKey
from plait.base.settings import StoreChoice
from plait.metadata.protocol import Status
from plait.upkeep.clean import clean
from plait.upkeep.plan import Policy
from plait.upkeep.verify import verify
from plait.wiring.stores import open_stores

SOURCE = """
import os, time
from plait import FlowSpec, step

class Gated(FlowSpec):
    @step
    def start(self):
        self.items = list(range(4))
        self.big = bytes(range(256)) * 400
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.own = os.urandom(70_000)
        self.y = self.input
        while self.input == 3 and os.environ.get("GATE") and not os.path.exists(os.environ["GATE"]):
            time.sleep(0.01)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.ys = [i.y for i in inputs]
        self.owns = [i.own for i in inputs]
        if os.environ.get("FAIL"):
            raise ValueError("as told")
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Gated()
"""


class Project:
    """A folder with a flow whose third task waits for a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gate = folder / "gate"
        self.store = folder / ".plait"
        (folder / "flow.py").write_text(SOURCE, encoding="utf-8")

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PLAIT_")}
        return subprocess.Popen(
            [sys.executable, "flow.py", *arguments],
            cwd=self.folder,
            env={**kept, "PLAIT_DATASTORE_ROOT": str(self.store), "PLAIT_USER": "ada", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **env: str) -> int:
        with self.start(*arguments, **env) as process:
            process.communicate()
        return process.returncode

    def wait_until_waiting(self, run: str) -> None:
        """Wait until all tasks but the one at the gate have sealed."""
        folder = self.store / "store" / "Gated" / "runs" / run / "work"
        wait_for(lambda: len(list(folder.glob("*.attempt"))) == 3, "the tasks did not finish")


@pytest.fixture
def project(tmp_path: Path):
    """A project, read by the client in all namespaces."""
    (tmp_path / ".plait").mkdir()
    metadata(f"local@{tmp_path / '.plait'}")
    namespace(None)
    yield Project(tmp_path)
    default_metadata()
    namespace("user:nobody")
    from plait import default_namespace

    default_namespace()


def test_a_killed_run_is_lost_and_its_facts_are_written(project) -> None:
    """The client says so at once; resume goes on with it and records its end."""
    with project.start("run", GATE=str(project.gate)) as process:
        project.wait_until_waiting("1")
        assert Run("Gated/1").status == "running"
        process.kill()
    run = Run("Gated/1")
    assert (run.status, run.finished, run.successful) == ("lost", True, False)
    assert run.finished_at is not None
    assert len(list(run["work"])) == 4
    assert sum(task.finished for task in run["work"]) == 3

    assert project.run("resume") == 0
    record = open_stores(StoreChoice(str(project.store))).metadata.find_run(RunKey("Gated", "1"))
    assert record.status is Status.LOST
    assert Run("Gated/1").status == "lost"
    assert Run("Gated/2").data.ys == [0, 1, 2, 3]
    assert Run("Gated/2").origin_run_id == "1"


def test_cleaning_beside_a_run_that_goes_on_takes_nothing_of_it(project) -> None:
    """A run that resumes an old one while that and all others are cleaned away ends well."""
    assert project.run("run", FAIL="1") == 1
    for _ in range(2):
        assert project.run("run") == 0
    stores = open_stores(StoreChoice(str(project.store)))
    with project.start("resume", "work", "--origin-run-id", "1", GATE=str(project.gate)) as process:
        project.wait_until_waiting("4")
        removed = [key.run for each in clean(stores, Policy(keep_runs=0), dry_run=False)
                   for key in each.runs]  # fmt: skip
        assert removed == ["3", "2"]
        assert list(verify(stores)) == []
        project.gate.touch()
        process.communicate()

    assert process.returncode == 0
    assert Run("Gated/4").data.ys == [0, 1, 2, 3]
    cleaned = list(clean(stores, Policy(keep_runs=1), dry_run=False))
    assert [key.run for key in cleaned[0].runs] == ["1"]
    assert list(verify(stores)) == []
    assert [len(own) for own in Run("Gated/4").data.owns] == [70_000] * 4
    assert len(Run("Gated/4")["start"].task.data.big) == 102_400


def test_runs_begin_and_end_while_a_store_is_cleaned_over_and_over(project) -> None:
    """Each ends well, and each that stays is whole."""
    stores = open_stores(StoreChoice(str(project.store)))
    running = [project.start("run") for _ in range(3)]
    while any(process.poll() is None for process in running):
        for _ in clean(stores, Policy(keep_runs=1), dry_run=False):
            pass
    for process in running:
        with process:
            assert process.wait() == 0, process.stdout.read()

    for _ in clean(stores, Policy(keep_runs=1), dry_run=False):
        pass
    assert list(verify(stores)) == []
    (kept,) = stores.metadata.list_runs("Gated")
    assert [len(own) for own in Run(str(kept.key)).data.owns] == [70_000] * 4
