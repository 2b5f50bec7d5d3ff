"""How long does it take to resume a foreach over 2,000 elements that failed in its join?"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WIDTH = 2000
LIMIT = 3.0

FLOW = f"""
import os

from plait import FlowSpec, step


def mark(name):
    with open(os.path.join("marks", name), "a") as file:
        file.write("x")


class Fan(FlowSpec):
    @step
    def start(self):
        mark("start")
        self.items = list(range({WIDTH}))
        self.next(self.square, foreach="items")

    @step
    def square(self):
        mark(f"square-{{self.input}}")
        self.y = self.input**2
        self.next(self.join)

    @step
    def join(self, inputs):
        mark("join")
        if not os.path.exists("mended"):
            raise ValueError("not mended")
        self.total = sum(i.y for i in inputs)
        self.next(self.end)

    @step
    def end(self):
        mark("end")
        assert self.total == sum(n * n for n in range({WIDTH}))


if __name__ == "__main__":
    Fan()
"""


def call(folder: Path, *arguments: str, expect: int) -> float:
    """Run a command of the flow to its end and give how long it took."""
    env = {**os.environ, "PLAIT_DATASTORE_ROOT": str(folder / ".plait")}
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "flow.py", "--quiet", *arguments, f"--max-num-splits={WIDTH}"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - begun
    if done.returncode != expect:
        sys.exit(f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return took


def take_marks(folder: Path) -> dict[str, int]:
    """Give how often each task ran, and forget it."""
    marks = {path.name: len(path.read_text()) for path in (folder / "marks").iterdir()}
    for name in marks:
        (folder / "marks" / name).unlink()
    return marks


def main() -> None:
    """Fail once, resume some times; exits with 1 if that is too slow or a finished task ran."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="how often to resume (5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as name:
        folder = Path(name)
        (folder / "marks").mkdir()
        (folder / "flow.py").write_text(FLOW, encoding="utf-8")
        whole = call(folder, "run", expect=1)
        first = take_marks(folder)
        if len(first) != WIDTH + 2 or set(first.values()) != {1}:
            sys.exit(f"{len(first)} tasks ran, not {WIDTH + 2} once each")
        (folder / "mended").touch()
        times = []
        for _ in range(options.repeat):
            times.append(call(folder, "resume", "--origin-run-id", "1", expect=0))
            again = take_marks(folder)
            if again != {"join": 1, "end": 1}:
                sys.exit(f"MISSED  {len(again)} tasks ran in the resumed run, not join and end")
    median = statistics.median(times)
    print(f"{__doc__}   [{os.cpu_count()} cores]")
    print(f"  the run that fails {whole:8.3f} s")
    print(f"  its resume         {median:8.3f} s   ({min(times):.3f} to {max(times):.3f})")
    verdict = "ok" if median < LIMIT else "MISSED"
    print(f"{verdict:>6}  less than {LIMIT:g} s, and no finished task ran again")
    if median >= LIMIT:
        sys.exit(1)


if __name__ == "__main__":
    main()
