"""How many files, bytes and system calls does a task of foreach-500 cost? Exact, not timed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from foreach_500 import FLOW, WIDTH, WORKERS
from side_by_side import plait_flow


def main() -> None:
    """Run the flow once and print what it left, per task; with strace, what it asked for too."""
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as name:
        folder = Path(name)
        command = [*plait_flow(folder, FLOW), "--quiet", "run", "--max-workers", str(WORKERS)]
        command += ["--max-num-splits", str(WIDTH)]
        trace = folder / "trace"
        strace = shutil.which("strace")
        if strace is not None:
            command = [strace, "-f", "-c", "-o", str(trace), *command]
        work = folder / "work"
        work.mkdir()
        subprocess.run(command, cwd=work, check=True, env={**os.environ, "USER": "bench"})
        files = [path for path in (work / ".plait" / "store").rglob("*") if path.is_file()]
        tasks = WIDTH + 3
        print(f"files per task: {len(files) / tasks:.2f} (to reach: 3 or fewer)")
        size = sum(path.stat().st_size for path in files)
        print(f"bytes per task: {size / tasks:.0f} (to reach: 4096 or fewer)")
        if strace is None:
            print("system calls: not counted, strace is not installed")
            return
        total = re.search(r"^100\.00\s+\S+\s+\S*\s+(\d+)", trace.read_text(), re.MULTILINE)
        if total is None:
            sys.exit("strace gave no total")
        print(f"system calls per task: {int(total[1]) / tasks:.0f} (to reach: 300 or fewer)")


if __name__ == "__main__":
    main()
