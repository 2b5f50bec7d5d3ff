"""Real programs whose steps have limits, variables and needs, with each kind of worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FLOW = """
import os, sys, time
from plait import FlowSpec, catch, environment, resources, retry, step, timeout

AT_IMPORT = os.environ.get("LEVEL")

class Limited(FlowSpec):
    @environment(vars={"LEVEL": "debug"})
    @resources(cpu=100_000)
    @step
    def start(self):
        print("import", AT_IMPORT, "step", os.environ["LEVEL"])
        self.next(self.slow)

    @catch(var="failure", print_exception=False)
    @timeout(seconds=0.1)
    @retry(times=1, minutes_between_retries=0)
    @step
    def slow(self):
        print("later", os.environ.get("LEVEL"))
        time.sleep(30)
        self.next(self.end)

    @step
    def end(self):
        print(self.failure.type, self.failure.message)

if __name__ == "__main__":
    Limited()
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the flow in *folder* and give what it printed."""
    (folder / "limited.py").write_text(FLOW, encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PLAIT_") and k != "LEVEL"}
    return subprocess.run(
        [sys.executable, "limited.py", *arguments],
        cwd=folder,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize(
    ("workers", "at_import"), [("fork", "None"), ("inline", "None"), ("spawn", "debug")]
)
def test_limits_variables_and_needs_hold_with_all_workers(
    workers: str, at_import: str, tmp_path: Path
) -> None:
    """Also inline; a spawned program has its variables before it is imported."""
    done = run(tmp_path, "--workers", workers, "run")

    assert done.returncode == 0, done.stdout
    assert f"import {at_import} step debug\n" in done.stdout
    assert done.stdout.count("later None\n") == 2
    said = "plait.plugins.timeout.TimeoutException step 'slow' timed out after 0.1 s\n"
    assert said in done.stdout
    assert "step 'start' asks for 100000 cores (this machine has " in done.stdout


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("timeout", "@timeout: it does not say how long the step may take"),
        ("timeout:seconds=soon", "@timeout: seconds='soon' is not a length of time"),
        ("environment:vars=LEVEL", "@environment: vars='LEVEL' does not give names values"),
        ("resources:cpu=none", "@resources: cpu='none' is not a number of cores"),
    ],
)
def test_what_with_cannot_use_is_refused(given: str, what: str, tmp_path: Path) -> None:
    """Before anything runs, as wrong usage."""
    done = run(tmp_path, "run", "--with", given)

    assert done.returncode == 2, done.stdout
    assert f"error[bad-decorator]: {what}" in done.stdout
