"""The harness as others have it: a wheel, installed, used by a project in another folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "docs" / "examples" / "harness-project"

WRONG = '''
from plait_harness import FlowTest, steps


class Wrong(FlowTest):
    """Expects what is not so."""

    @steps(0, ["all"])
    def every(self):
        self.x = 1

    def check_results(self, flow, checker):
        checker.assert_artifact("end", "x", 2)
'''


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command to its end, which has to be a good one; give what it printed."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=env,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def find_pip() -> list[str]:
    """Give the words that call pip, which an environment may be without: Python brings one."""
    try:
        import pip
    except ImportError:
        import ensurepip

        (wheel,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
        return [str(wheel / "pip")]
    return ["-m", pip.__name__]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of programs of an environment that has plait from its wheel."""
    folder = tmp_path_factory.mktemp("plait's own é 🐍")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    venv.EnvBuilder(symlinks=True).create(folder / "env")
    scheme = {"base": str(folder / "env"), "platbase": str(folder / "env")}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    # What plait needs is where it is for these tests; plait itself is not.
    ours = {str(ROOT / "engine"), str(ROOT / "harness")}
    others = [path for path in sys.path if path and path not in ours and os.path.isdir(path)]
    (site / "others.pth").write_text("\n".join(others), encoding="utf-8")
    python = folder / "env" / "bin" / "python"
    # Not satisfied by the plait of these tests, which the new environment sees as well.
    install = ["install", "--quiet", "--ignore-installed", "--no-deps", "--no-index", wheel]
    run(sys.executable, *find_pip(), "--python", python, *install, cwd=folder)
    return python.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a copy of the example project, away from plait's checkout."""
    return Path(shutil.copytree(PROJECT, tmp_path / "our project"))


def read_commands() -> list[str]:
    """Give what the example's README says to type, line by line."""
    page = (PROJECT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return "".join(blocks).splitlines()


def make_env(installed: Path) -> dict[str, str]:
    """Give the environment of somebody who has just activated theirs."""
    kept = ("LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    return {**env, "PATH": f"{installed}{os.pathsep}{os.environ['PATH']}", "HOME": os.devnull}


def test_the_examples_readme_works_as_printed(installed: Path, project: Path) -> None:
    """Each command of it, typed one after another, ends well and says how many cases passed."""
    commands = read_commands()
    # pytest's own command stands where pytest is installed, which is another environment here.
    typed = [re.sub(r"^pytest ", "python -m pytest ", command) for command in commands]

    said = run(
        "sh", "-euc", "\necho '--- next'\n".join(typed), cwd=project, env=make_env(installed)
    )

    exported, ours, listed, some, by_pytest = said.split("--- next\n")
    assert exported == ""
    assert "4 passed" in ours
    assert re.search(r"^AnyGraph\[nightly-desk-cli\]$", listed, re.MULTILINE)
    assert "2 passed" in some
    assert "2 passed" in by_pytest
    assert (project / "report" / "index.html").exists()


def test_the_printed_command_can_be_pasted_anywhere(installed: Path, project: Path) -> None:
    """With the interpreter that ran, its own files by their places, and in any folder."""
    templates = project / "templates" / "wrong.py"
    templates.write_text(WRONG, encoding="utf-8")
    env = make_env(installed)
    options = ["--graphs", "linear", "--tests", "templates/wrong.py", "--num-parallel", "1"]
    first = subprocess.run(
        ["plait-harness", "--contexts", "dev-local", *options],
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    (command,) = re.findall(r"repeat it with:\n +(.*)", first.stdout)
    elsewhere = project.parent / "else"
    elsewhere.mkdir()
    again = subprocess.run(
        command, shell=True, cwd=elsewhere, env=env, capture_output=True, text=True, check=False
    )
    assert again.returncode == 1, again.stdout + again.stderr
    assert "Wrong[linear-dev-local-cli] failed" in again.stdout
    assert f"repeat it with:\n  {command}" in again.stdout
    assert (elsewhere / "report" / "index.html").exists()


def test_the_package_holds_the_specifications(installed: Path) -> None:
    """Each graph, template and checker, and all that they need, is where the package looks."""
    (home,) = (installed.parent / "lib").glob("python*/site-packages/plait_harness/home")

    for name in ("checkers", "graphs", "schemas", "templates", "tests"):
        ours = {path.name for path in (ROOT / "harness" / name).iterdir() if path.is_file()}
        assert {path.name for path in (home / name).iterdir() if path.is_file()} == ours
    contexts = (ROOT / "harness" / "contexts.json").read_text(encoding="utf-8")
    assert (home / "contexts.json").read_text(encoding="utf-8") == contexts
