"""Generated mutants: mutmut at work on a copy of the engine, and what it says, read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plait_harness.mistakes import Mistake
from plait_harness.planting import find_engine_folder

SUBJECTS = {
    "artifacts": "artifacts/*",
    "flow": "flow/*",
    "graph": "graph/*",
    "runtime.state": "runtime/state.py",
}
"""What is mutated, by the name in the table: files below the package `plait`."""

TESTS = (
    "engine/tests/artifacts",
    "engine/tests/flow",
    "engine/tests/graph",
    "engine/tests/runtime/test_resume.py",
    "engine/tests/runtime/test_state.py",
    "engine/tests/runtime/test_switch.py",
)
"""The tests that judge; each mutant is tried only on those that come through its function."""

_COPIED = {"engine/plait": "src/plait", "engine/tests": "engine/tests", "docs": "docs"}
"""What the copy is made of: mutmut names modules rightly only if they lie below `src`."""

_MUTANTS = os.path.join("mutants", "src")
_NONE = "no.such.mutant"
_NONE_MATCHED = "nothing matches"

_CONFTEST = '''"""Tells plait that the frames which mutmut adds are not the user's."""

from plait.flow import source

source._OWN = ("mutmut.", *source._OWN)
'''

_PROJECT = """[tool.pytest.ini_options]
pythonpath = ["engine/tests"]
addopts = ["--import-mode=importlib", "--strict-markers", "--strict-config"]
xfail_strict = true
filterwarnings = ["error"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = {files}
pytest_add_cli_args_test_selection = {tests}
also_copy = ["conftest.py", "engine/tests", "docs"]
"""

_RESULT = re.compile(r"^ *(?P<name>plait\.\S+__mutmut_\d+): (?P<status>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a mutant changes.

    Args:
        function: The function, by its module, class and name.
        was: Its lines that are not there any more, without what they are indented by.
        becomes: What stands in their place.
    """

    function: str
    was: str
    becomes: str

    def format(self) -> str:
        """Give it as lines with a minus and a plus in front."""
        lines = [f"- {line}" for line in self.was.splitlines()]
        return "\n".join([*lines, *(f"+ {line}" for line in self.becomes.splitlines())])


class Mutmut:
    """mutmut in a folder of its own, with a copy of the engine and the tests that judge it.

    Args:
        folder: An empty folder.
        children: How many mutants are tried at once.
        log: The file that its output is added to.
    """

    def __init__(self, folder: str, children: int, log: str) -> None:
        self._folder = folder
        self._children = children
        self._log = log
        lay_out(folder)

    def generate(self) -> list[str]:
        """Make all mutants, find out which tests come through which function, and give the names.

        Raises:
            Mistake: mutmut can't, as when a test fails without any mutant.
        """
        # It makes mutants only on the way to trying some, so it is asked for one that is not there.
        code, output = self._run("run", "--max-children", str(self._children), _NONE)
        if code == 0 or _NONE_MATCHED not in output:
            raise Mistake("mutmut could not make mutants of the engine", _tail(output))
        return list(self.verdicts())

    def judge(self, names: Sequence[str]) -> Mapping[str, str]:
        """Try mutants and give what came of each: `killed`, `survived`, `timeout` and so on.

        Raises:
            Mistake: mutmut ended without having tried them.
        """
        code, output = self._run("run", "--max-children", str(self._children), *names)
        if code != 0:
            raise Mistake("mutmut did not come to its end", _tail(output))
        verdicts = self.verdicts()
        return {name: verdicts[name] for name in names}

    def show(self, name: str) -> Difference:
        """Give what a mutant changes."""
        return read_difference(name, self._run("show", name)[1])

    def verdicts(self) -> dict[str, str]:
        """Give what came of each mutant so far, tried or not."""
        return read_verdicts(self._run("results", "--all", "True")[1])

    def _run(self, *arguments: str) -> tuple[int, str]:
        # First the copy with mutants in it, for tests that start Python, too.
        source = os.path.join(self._folder, _MUTANTS)
        done = subprocess.run(
            [sys.executable, "-m", "mutmut", *arguments],
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": source, "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        output = clean_output(done.stdout)
        with open(self._log, "a", encoding="utf-8") as file:
            file.write(output)
        return done.returncode, output


def lay_out(folder: str) -> None:
    """Copy the engine, its tests and its pages into *folder*, with what mutmut is to know.

    Raises:
        Mistake: plait is installed without its tests.
    """
    checkout = os.path.dirname(find_engine_folder())
    for source, target in _COPIED.items():
        if not os.path.isdir(os.path.join(checkout, source)):
            raise Mistake(
                f"there is no {source} beside the engine",
                f"looked in {checkout}; mutants are made in a checkout of plait, with its tests",
            )
        shutil.copytree(
            os.path.join(checkout, source),
            os.path.join(folder, target),
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    files = [f"src/plait/{pattern}" for pattern in SUBJECTS.values()]
    _write(folder, "pyproject.toml", _PROJECT.format(files=files, tests=list(TESTS)))
    _write(folder, "conftest.py", _CONFTEST)
    # Python remembers a folder on its path that was not there when it began, and looks no more.
    os.makedirs(os.path.join(folder, _MUTANTS))


def clean_output(output: bytes) -> str:
    """Give what a person sees in the end: spinners are written over themselves."""
    return re.sub(r"[^\n]*\r(?!\n)", "", output.decode("utf-8", "replace"))


def read_verdicts(output: str) -> dict[str, str]:
    """Read what `mutmut results` prints: what came of each mutant, by name."""
    return {found["name"]: found["status"].strip() for found in _RESULT.finditer(output)}


def read_difference(name: str, output: str) -> Difference:
    """Read what `mutmut show` prints of the mutant *name*."""
    body = [line for line in output.splitlines() if not line.startswith(("---", "+++", "#"))]

    def taken(sign: str) -> str:
        lines = [line[1:].strip() for line in body if line.startswith(sign)]
        return "\n".join(line for line in lines if line)

    return Difference(function_of(name), taken("-"), taken("+"))


def function_of(name: str) -> str:
    """Give the function that a mutant is one of: `plait.flow.inputs.JoinInput.__dir__`."""
    module, _, mangled = name.rpartition(".")
    own = re.sub(r"__mutmut_\d+$", "", mangled)
    # `x_` stands before a function, and marks like these around the class of a method.
    plain = own.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in own else own.removeprefix("x_")
    return f"{module}.{plain}"


def subject_of(name: str) -> str:
    """Give the subject that a mutant or a function belongs to."""
    return next(each for each in SUBJECTS if name.startswith(f"plait.{each}."))


def _tail(output: str) -> str:
    return "\n".join(output.splitlines()[-40:])


def _write(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)
