"""How long does a far S3 keep people waiting, who resume a wide run or read what its tasks left?"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fans import fan
from s3_servers import BUCKET, ON_DISK, serve
from side_by_side import machine, plait_flow

from plait_harness.faults import Fault, FaultProxy, Plan, Rule

WIDTH = 200
SECONDS = 0.2
"""What each answer of the far server takes: `SLOW` of the harness's proxy."""
TIMES = 4
"""The whole command takes at most this part of what its requests would one after another."""

# Its join fails until there is that file.
FLOW = fan(WIDTH, before="open('mended').close()")

READ = f"""
from plait import Step

assert sum(task.data.y for task in Step("Fan/1/square")) == sum(n * n for n in range({WIDTH}))
"""


def call(folder: Path, command: list[str], url: str, expect: int = 0) -> float:
    """Run a command against the server at *url* and give its seconds."""
    begun = time.perf_counter()
    env = {**os.environ, "PLAIT_S3_ENDPOINT_URL": url, "PLAIT_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    took = time.perf_counter() - begun
    if done.returncode != expect:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return took


def main() -> None:
    """Fail in the join near by, then go on and read from afar; exits with 1 if one takes long."""
    print(f"{__doc__}   [{machine()}]")
    missed = False
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as name, serve(ON_DISK) as url:
        os.environ.update(PLAIT_DATASTORE="s3", PLAIT_DATASTORE_SYSROOT_S3=f"s3://{BUCKET}/far")
        folder = Path(name)
        flow = [*plait_flow(folder, FLOW), "--quiet"]
        call(folder, [*flow, "run", f"--max-num-splits={WIDTH}"], url, expect=1)
        (folder / "mended").touch()
        commands = {
            "resume": [*flow, "resume", f"--max-num-splits={WIDTH}"],
            "read by the client": [sys.executable, "-c", READ],
        }
        for what, command in commands.items():
            with FaultProxy(url, Plan([Rule(Fault.SLOW, times=None)])) as far:
                took = call(folder, command, far.url)
                requests = len(far.plan.seen)
            one_by_one = requests * SECONDS
            verdict = "ok" if took * TIMES <= one_by_one else "MISSED"
            missed = missed or verdict == "MISSED"
            print(
                f"{verdict:>6}  {what}: {took:.2f} s; its {requests} requests one after another: "
                f"{one_by_one:.1f} s = {one_by_one / took:.1f} times (at least {TIMES})"
            )
    if missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
