"""Runs the unit tests and self-tests in two processes at once, each measured by coverage.

Not by a plugin that runs tests in parallel: its threads would keep runs within a test's process
from forking their tasks, which is what most runs do. With arguments, it is one process, for them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent

APART = ("engine/tests/cli", "engine/tests/docs", "engine/tests/tutorials")
"""Of the engine's tests, what takes about as long, with the self-tests, as all others."""

PARTS = (
    ("harness/selftests", *APART),
    ("engine/tests", *(f"--ignore={folder}" for folder in APART)),
)


def start(data_file: str, arguments: Sequence[str], output: Path | None) -> subprocess.Popen[bytes]:
    """Start pytest under coverage; its output goes to *output*, or where this process's goes."""
    command = [sys.executable, "-m", "coverage", "run", f"--data-file={data_file}", "-m", "pytest"]
    with nullcontext() if output is None else open(output, "wb") as file:
        return subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=file)


def count(report: Path) -> int:
    """Give the number of tests in a JUnit report; 0 if there is none, for its process died."""
    if not report.exists():
        return 0
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    return sum(int(suite.attrib["tests"]) for suite in suites)


def run_parts(data_file: str) -> int:
    """Run everything, the parts beside each other, and hold the number of tests against the tally.

    Returns:
        The exit code: 0 if all passed and none has gone.
    """
    # The gate that a run of one process has. First, for the harness has a file of that name, too.
    sys.path.insert(0, str(ROOT))
    from conftest import describe_loss, read_tally

    with tempfile.TemporaryDirectory() as folder:
        reports = [Path(folder, f"{number}.xml") for number in range(len(PARTS))]
        outputs = [None, *(Path(folder, f"{number}.txt") for number in range(1, len(PARTS)))]
        processes = [
            start(data_file, [*part, f"--junitxml={report}"], output)
            for part, report, output in zip(PARTS, reports, outputs, strict=True)
        ]
        codes = []
        for process, output in zip(processes, outputs, strict=True):
            codes.append(process.wait())
            if output is not None:
                sys.stdout.buffer.write(output.read_bytes())
                sys.stdout.flush()
        ran = sum(count(report) for report in reports)
    kept = read_tally()
    if ran < kept:
        print(describe_loss(ran, kept))
        return 1
    print(f"{ran} tests ran, of which {kept} are kept")
    return max(abs(code) for code in codes)


def main() -> int:
    """Read the command line and run what it asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-file", required=True, help="where coverage writes what it measured")
    known, arguments = parser.parse_known_args()
    if arguments:
        return start(known.data_file, arguments, None).wait()
    return run_parts(known.data_file)


if __name__ == "__main__":
    sys.exit(main())
