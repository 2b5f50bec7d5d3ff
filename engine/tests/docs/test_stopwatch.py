"""The example package: installed as from an index, used by code, by `--with`, and tested."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "plait-stopwatch"

FLOW = """
from plait import FlowSpec, current, step
from plait_stopwatch import stopwatch, team

@team(name="fraud")
class Timed(FlowSpec):
    @stopwatch(var="took")
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        print("took", self.took > 0, "team", current.team)

if __name__ == "__main__":
    Timed()
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages as an installer leaves it: the modules, and what the project says.

    An installer would have to be there, and its build backend; what they do to a package of pure
    Python is this.
    """
    folder = tmp_path_factory.mktemp("site")
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(EXAMPLE / "src" / "plait_stopwatch", folder / "plait_stopwatch")
    info = folder / f"plait_stopwatch-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n",
        encoding="utf-8",
    )
    points = configparser.ConfigParser()
    points.read_dict(project["entry-points"])
    with (info / "entry_points.txt").open("w", encoding="utf-8") as file:
        points.write(file)
    return folder


def call(installed: Path, folder: Path, *arguments: str) -> str:
    """Call Python where the package is installed, and give what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_flow_uses_it_by_code_and_by_name(installed: Path, tmp_path: Path) -> None:
    """The one in the code wins over `--with`; the flow's program has its option."""
    (tmp_path / "timed.py").write_text(FLOW, encoding="utf-8")

    printed = call(
        installed, tmp_path, "timed.py", "--team", "risk", "--with", "stopwatch:warn_after=0", "run"
    )

    assert "took True team risk" in printed
    assert "step end was slow" in printed
    assert "step start was slow" not in printed
    assert "--team" in call(installed, tmp_path, "timed.py", "--help")


def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    """As its author runs them."""
    tests = str(EXAMPLE / "tests")
    printed = call(
        installed, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider",
        "-p", "no:xdist", "--rootdir", str(tmp_path), "-c", os.devnull, tests,
    )  # fmt: skip

    assert "4 passed" in printed
