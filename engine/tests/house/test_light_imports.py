"""What starting plait may import: users wait for every module of it, every time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "sqlite3", "ctypes", "asyncio", "multiprocessing", "email", "http", "xml", "logging",
    "concurrent", "urllib.request", "numpy", "pandas", "jinja2", "pytest", "importlib.metadata",
}  # fmt: skip

FLOW = """
from plait import FlowSpec, step
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        pass
if __name__ == "__main__":
    F()
"""


def loaded(code: str, folder: Path, *arguments: str) -> set[str]:
    """Give the modules that a program has loaded beyond those of an empty one, at its exit."""
    report = (
        "import atexit as a, json as j, sys as s\n"
        "a.register(lambda: print(j.dumps(sorted(s.modules)), file=s.stderr))\n"
    )
    results = []
    for number, source in enumerate((report, report + code)):
        script = folder / f"program{number}.py"
        script.write_text(source, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(script), *arguments],
            capture_output=True, text=True, check=True, cwd=folder,
        )  # fmt: skip
        results.append(set(json.loads(done.stderr.splitlines()[-1])))
    return results[1] - results[0]


def test_importing_plait_loads_next_to_nothing(tmp_path: Path) -> None:
    """The package root is lazy: its own floor `base` at most, nothing heavy."""
    modules = loaded("import plait", tmp_path)

    assert len(modules) < 20, f"too many: {sorted(modules)}"


def test_a_flow_class_loads_no_store_and_no_command_line(tmp_path: Path) -> None:
    """`from plait import FlowSpec, step` is what a notebook or a test pays for."""
    modules = loaded("from plait import FlowSpec, step", tmp_path)

    assert {m for m in modules if m.split(".")[0] in HEAVY or m in HEAVY} == set()
    assert "click" not in modules


@pytest.mark.parametrize("command", ["show", "check"])
def test_reading_a_flow_opens_no_store(tmp_path: Path, command: str) -> None:
    """`show` and `check` load nothing that only a run needs."""
    modules = loaded(FLOW, tmp_path, command)
    heavy = {m for m in modules if m in HEAVY or m.split(".")[0] in HEAVY}

    assert heavy == set(), "import these where they are used"
    assert "plait.runtime.scheduler" not in modules


def test_a_run_loads_few_modules(tmp_path: Path) -> None:
    """The run's process stays lean, because every task is a fork of what it was."""
    modules = loaded(FLOW, tmp_path, "--quiet", "run")

    assert len(modules) < 230, f"{len(modules)}: {sorted(modules)}"
    assert not {m for m in modules if m.split(".")[0] in {"numpy", "pandas", "asyncio"}}
