"""Measures programs against each other in one run: taken in turns, medians, ratios."""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

FLOOR = "fork floor"
FRESH = "fresh floor"


@dataclass(frozen=True)
class Contender:
    """One program to measure.

    Args:
        name: How the table calls it.
        command: The program and its arguments.
        repeat: How often to run it; the slow ones less often.
    """

    name: str
    command: Sequence[str]
    repeat: int


@dataclass(frozen=True)
class Demand:
    """A ratio of medians that must hold: *slower* takes at least, or at most, *times* *faster*."""

    faster: str
    slower: str
    times: float
    at_least: bool

    def check(self, medians: dict[str, float]) -> str | None:
        """Give a line for the table, with `ok` or `MISSED`; None if one of the two did not run."""
        if self.faster not in medians or self.slower not in medians:
            return None
        ratio = medians[self.slower] / medians[self.faster]
        met = ratio >= self.times if self.at_least else ratio <= self.times
        bound = "at least" if self.at_least else "at most"
        verdict = "ok" if met else "MISSED"
        return f"{verdict:>6}  {self.slower} / {self.faster} = {ratio:.2f} ({bound} {self.times:g})"


def plait_flow(folder: Path, source: str) -> list[str]:
    """Write a flow for plait and give the command that starts it."""
    return _flow(folder, "plait", source)


def metaflow_flow(folder: Path, source: str) -> list[str] | None:
    """Write the same flow for Metaflow; None if that is not installed."""
    if importlib.util.find_spec("metaflow") is None:
        return None
    return _flow(folder, "metaflow", source)


def _flow(folder: Path, engine: str, source: str) -> list[str]:
    path = folder / f"{engine}_flow.py"
    path.write_text(f"from {engine} import FlowSpec, step\n\n\n{source}", encoding="utf-8")
    return [sys.executable, str(path)]


def floor_program(folder: Path, name: str, source: str) -> list[str]:
    """Write a floor: a program with no engine at all, and give the command that starts it."""
    path = folder / f"{name.replace(' ', '_')}.py"
    path.write_text(source, encoding="utf-8")
    return [sys.executable, str(path)]


def measure(
    title: str,
    make: Callable[[Path, int], Sequence[Contender]],
    demands: Sequence[Demand],
) -> None:
    """Run contenders in turns and print their medians and ratios.

    Every run has an empty working folder of its own. Exits with 1 if a demand is missed.

    Args:
        title: What is measured.
        make: Gives the contenders, given a folder for their programs and the number of repeats.
        demands: Ratios that must hold.
    """
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--repeat", type=int, default=5, help="runs of each fast contender (5)")
    parser.add_argument("--without", action="append", default=[], help="leave out a contender")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as name:
        folder = Path(name)
        contenders = [c for c in make(folder, options.repeat) if c.name not in options.without]
        times: dict[str, list[float]] = {c.name: [] for c in contenders}
        for turn in range(max(c.repeat for c in contenders)):
            for contender in contenders:
                if turn < contender.repeat:
                    times[contender.name].append(_time_once(contender, folder))
    medians = {name: statistics.median(of) for name, of in times.items()}
    print(f"{title}   [{machine()}]")
    base = medians.get(FLOOR) or min(medians.values())
    for name, of in times.items():
        median = medians[name]
        print(
            f"  {name:<12} {median:8.3f} s   x{median / base:7.2f}   "
            f"({len(of)} runs, {min(of):.3f} to {max(of):.3f})"
        )
    lines = [line for demand in demands if (line := demand.check(medians))]
    print("\n".join(lines))
    if any("MISSED" in line for line in lines):
        sys.exit(1)


def _time_once(contender: Contender, folder: Path) -> float:
    work = folder / "work"
    work.mkdir()
    env = {**os.environ, "HOME": str(work), "METAFLOW_HOME": str(work), "USER": "bench"}
    env.pop("PLAIT_DATASTORE_ROOT", None)
    try:
        begun = time.perf_counter()
        done = subprocess.run(
            contender.command, cwd=work, env=env, capture_output=True, text=True, check=False
        )
        took = time.perf_counter() - begun
        if done.returncode != 0:
            sys.exit(f"{contender.name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return took
    finally:
        shutil.rmtree(work)


def machine() -> str:
    """Say what it was measured on, and when."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {today}"
    )
