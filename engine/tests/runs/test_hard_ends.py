"""Runs that are killed, stopped, or started all at once, as real programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import PATIENCE, wait_for

from plait import Flow, Task, default_metadata, default_namespace, metadata, namespace
from plait.base.pathspec import RunKey
from plait.base.settings import StoreChoice
from plait.metadata.protocol import Status
from plait.wiring.stores import Stores, open_stores

WIDE = """
import os
from plait import FlowSpec, step

class Wide(FlowSpec):
    @step
    def start(self):
        self.items = list(range(500))
        self.next(self.square, foreach="items")

    @step
    def square(self):
        self.y = self.input ** 2
        self.filler = os.urandom(100_000)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(i.y for i in inputs)
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Wide()
"""

WAITING = """
import os, signal, subprocess
from plait import FlowSpec, step

class Waiting(FlowSpec):
    @step
    def start(self):
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        print("waiting", os.getpid(), child.pid, flush=True)
        while True:
            signal.pause()
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Waiting()
"""

HELLO = """
from plait import FlowSpec, step

class Hello(FlowSpec):
    @step
    def start(self):
        self.names = ["ada", "grace"]
        self.next(self.greet, foreach="names")

    @step
    def greet(self):
        self.line = f"hi {self.input}"
        self.next(self.join)

    @step
    def join(self, inputs):
        self.lines = [i.line for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Hello()
"""


def start(folder: Path, source: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a flow as a person would, in *folder*."""
    script = folder / "flow.py"
    if not script.exists():
        script.write_text(source, encoding="utf-8")
    env = {k: v for k, v in os.environ.items() if not k.startswith("PLAIT_")}
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        cwd=folder,
        env={**env, "PLAIT_USER": "tester", "PLAIT_DATASTORE_ROOT": str(folder / ".plait")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_in(folder: Path) -> list[int]:
    """Give the living processes whose working folder is *folder*."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            here = os.readlink(entry / "cwd") == str(folder)
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # it ended while it was looked at
        if here and state != "Z":
            found.append(int(entry.name))
    return found


def stores(folder: Path) -> Stores:
    """Open what a run in *folder* has kept."""
    return open_stores(StoreChoice(str(folder / ".plait")))


@pytest.fixture
def _client(tmp_path: Path) -> Iterator[None]:
    """Have the client read from the test's folder, whoever wrote there."""
    (tmp_path / ".plait").mkdir()
    metadata(f"local@{tmp_path}")
    namespace(None)
    yield
    default_metadata()
    default_namespace()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.usefixtures("_client")
def test_a_run_killed_in_the_middle_of_a_wide_foreach_leaves_whole_results(tmp_path: Path) -> None:
    """No process is left within 2 s, readers see whole attempts only, and the next run works."""
    arguments = ("--quiet", "run", "--max-workers", "4", "--max-num-splits", "500")
    run = start(tmp_path, WIDE, *arguments)
    squares = tmp_path / ".plait/store/Wide/runs/1/square"
    wait_for(lambda: squares.is_dir() and len(list(squares.iterdir())) > 60, "no tasks ran")
    run.send_signal(signal.SIGKILL)
    run.communicate()
    killed = time.monotonic()
    wait_for(lambda: not processes_in(tmp_path), "processes outlive their run")

    assert time.monotonic() - killed < 2.0
    sealed = list(stores(tmp_path).artifacts("Wide").iter_attempts("1", "square"))
    assert 60 < len(sealed) < 500
    for key in sealed:
        data = Task(str(key.task_key)).data
        assert (data.y, len(data.filler)) == (Task(str(key.task_key)).index ** 2, 100_000)
    again = start(tmp_path, WIDE, *arguments)
    said, _ = again.communicate(timeout=PATIENCE)
    assert (again.returncode, said) == (0, "")
    assert Flow("Wide")["2"].data.total == sum(n * n for n in range(500))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_ends_in_an_orderly_way(tmp_path: Path, number: int) -> None:
    """Its tasks are ended, what they started too, it is `interrupted`, and it exits with 130."""
    run = start(tmp_path, WAITING, "run")
    assert run.stdout is not None
    line = next(line for line in run.stdout if "waiting" in line)
    pids = [int(word) for word in line.split()[-2:]]
    run.send_signal(number)
    said, _ = run.communicate(timeout=PATIENCE)

    assert run.returncode == 130, said
    found = stores(tmp_path).metadata.find_run(RunKey("Waiting", "1"))
    assert found is not None
    assert found.status is Status.INTERRUPTED
    alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert alive == []


@pytest.mark.usefixtures("_client")
def test_twenty_runs_at_once_are_twenty_runs(tmp_path: Path) -> None:
    """Runs of one flow, started together in one folder, have ids and results of their own."""
    runs = [
        start(tmp_path, HELLO, "run", "--run-id-file", str(tmp_path / f"id{n}")) for n in range(20)
    ]
    outcomes = [(*run.communicate(timeout=PATIENCE), run.returncode) for run in runs]

    assert [code for _, _, code in outcomes] == [0] * 20, outcomes
    ids = {(tmp_path / f"id{n}").read_text(encoding="utf-8") for n in range(20)}
    assert ids == {str(n) for n in range(1, 21)}
    assert [run.data.lines for run in Flow("Hello")] == [["hi ada", "hi grace"]] * 20
    assert all(run.successful for run in Flow("Hello"))
    assert not (tmp_path / ".plait" / "scratch").exists() or not list(
        (tmp_path / ".plait" / "scratch").iterdir()
    )


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_sidecar_outlives_a_killed_run(tmp_path: Path) -> None:
    """A sidecar that hangs is gone within 3 s of its run's process, killed or not."""
    (tmp_path / "hanging.py").write_text(
        "import signal\ndef Hanging(_):\n    while True: signal.pause()\n", encoding="utf-8"
    )
    info = tmp_path / "hanging-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hanging\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[plait.monitors]\nhanging = hanging:Hanging\n")
    run = start(tmp_path, WAITING, "--monitor", "hanging", "run")
    assert run.stdout is not None
    assert next(line for line in run.stdout if "waiting" in line)
    # The run, its keeper and its warden, the task, what that started, the sidecar, its guardian.
    wait_for(lambda: len(processes_in(tmp_path)) == 7, "they did not all start")
    run.send_signal(signal.SIGKILL)
    run.wait()
    killed = time.monotonic()
    wait_for(lambda: not processes_in(tmp_path), "processes outlive their run")

    assert time.monotonic() - killed < 3.0
    run.stdout.close()
