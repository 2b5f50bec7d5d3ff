"""How much longer does a foreach over 1,000 elements take in S3, and with how many requests?"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from fans import fan
from s3_servers import BUCKET, ON_DISK, serve
from side_by_side import Demand, machine, plait_flow

from plait_harness.faults import FaultProxy

WIDTH = 1000
WORKERS = 4
TASKS = WIDTH + 3
MOST_REQUESTS = 4.0
LOCAL, S3 = "values in a folder", "values in S3"

# In the order of the elements, too.
FLOW = fan(WIDTH, gather="[i.y for i in inputs]", wants=f"[n * n for n in range({WIDTH})]")


def run(folder: Path, env: dict[str, str]) -> float:
    """Run the flow in a folder of its own; gives its seconds."""
    options = ("--quiet", "run", f"--max-workers={WORKERS}", f"--max-num-splits={WIDTH}")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        begun = time.perf_counter()
        done = subprocess.run(
            [*plait_flow(Path(work), FLOW), *options],
            cwd=work,
            env={**os.environ, "PLAIT_CACHE_DIR": f"{work}/cache", **env},
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.perf_counter() - begun
    if done.returncode != 0:
        sys.exit(f"the run failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return took


def count(folder: Path, url: str, env: dict[str, str]) -> Counter[str]:
    """Run the flow through a proxy that counts; gives the requests by kind."""
    with FaultProxy(url) as proxy:
        run(folder, {**env, "PLAIT_S3_ENDPOINT_URL": proxy.url})
        return Counter(line.partition(" ")[0] for line in proxy.plan.seen)


def main() -> None:
    """Count requests, then time both stores in turns; exits with 1 if a demand is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="runs with each store (5)")
    options = parser.parse_args()
    print(f"{__doc__}   [{machine()}]")
    times: dict[str, list[float]] = {LOCAL: [], S3: []}
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as name, serve(ON_DISK) as url:
        root = {"PLAIT_DATASTORE": "s3", "PLAIT_DATASTORE_SYSROOT_S3": f"s3://{BUCKET}/"}
        stores = {LOCAL: {"PLAIT_DATASTORE": "local"}, S3: root}
        made = count(Path(name), url, root | {"PLAIT_DATASTORE_SYSROOT_S3": f"s3://{BUCKET}/c"})
        for turn in range(options.repeat):
            root["PLAIT_DATASTORE_SYSROOT_S3"] = f"s3://{BUCKET}/{turn}"
            for store, env in stores.items():
                times[store].append(run(Path(name), env))
    for store, of in times.items():
        print(f"  {store:<20} {statistics.median(of):7.3f} s   ({min(of):.3f} to {max(of):.3f})")
    each = made.total() / TASKS
    verdict = "ok" if each <= MOST_REQUESTS else "MISSED"
    kinds = ", ".join(f"{number} {kind}" for kind, number in made.most_common())
    print(f"{verdict:>6}  requests per task = {each:.2f} (at most {MOST_REQUESTS:g}): {kinds}")
    medians = {store: statistics.median(of) for store, of in times.items()}
    line = Demand(LOCAL, S3, 4, at_least=False).check(medians) or ""
    print(line)
    if "MISSED" in verdict + line:
        sys.exit(1)


if __name__ == "__main__":
    main()
