"""How much memory does it take to write a value of 1 GB to S3, and to read it, beyond the value?"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from s3_servers import BUCKET, ON_DISK, serve
from side_by_side import machine

SIZE = 1_000_000_000
MOST = 250_000_000
KINDS = ("array", "bytes")

PROGRAM = f"""
import pickle, resource, sys

from plait.base.records import ArtifactRef
from plait.wiring.stores import open_stores

kind, action = sys.argv[1:]
store = open_stores().artifacts("Large")
if action == "write":
    if kind == "bytes":
        value = b"x" * {SIZE}
    else:
        import numpy

        value = numpy.full({SIZE} // 8, 7.0)
    made = store.encode("value", value)
    with open(kind, "wb") as file:
        pickle.dump((made.address, made.size, made.type, made.codec), file)
else:
    with open(kind, "rb") as file:
        value = store.load(ArtifactRef(*pickle.load(file)))
assert memoryview(value).nbytes == {SIZE}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def measure(folder: str, kind: str, action: str, env: dict[str, str]) -> int:
    """Do one thing in a process of its own, and give the most memory that it had."""
    # Nothing that was kept near is found when it is read.
    kept = {
        "PLAIT_CACHE_DIR": f"{folder}/{action}/cache",
        "PLAIT_DATASTORE_ROOT": f"{folder}/{action}",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, action],
        cwd=folder,
        env={**os.environ, **env, **kept},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"to {action} a value of type {kind} failed:\n{done.stderr}")
    return int(done.stdout)


def main() -> None:
    """Write and read a value of each kind; exits with 1 if one takes too much."""
    print(f"{__doc__}   [{machine()}]")
    missed = False
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as folder, serve(ON_DISK):
        env = {"PLAIT_DATASTORE": "s3", "PLAIT_DATASTORE_SYSROOT_S3": f"s3://{BUCKET}/memory"}
        for kind in KINDS:
            for action in ("write", "read"):
                beyond = measure(folder, kind, action, env) - SIZE
                verdict = "ok" if beyond <= MOST else "MISSED"
                missed = missed or verdict == "MISSED"
                bound = f"(at most {MOST / 1e6:.0f})"
                print(f"{verdict:>6}  to {action} {kind}: {beyond / 1e6:.0f} MB {bound}")
    if missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
