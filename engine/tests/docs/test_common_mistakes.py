"""The page of common mistakes: each flow says what the page shows, with its line and the cure."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import plait
from plait.client.namespaces import default_namespace
from plait.client.source import default_metadata

ERRORS = Path(__file__).parents[3] / "docs" / "errors"
PACKAGE = os.path.dirname(os.path.abspath(plait.__file__)) + os.sep
FEWEST = 25


@dataclass(frozen=True, slots=True)
class Mistake:
    """One section of the page."""

    title: str
    flow: str
    commands: tuple[tuple[int, str], ...]
    """The exit code that each command is said to have, and its arguments."""
    message: str


def read_mistakes() -> list[Mistake]:
    """Give what the page lists."""
    page = (ERRORS / "common-mistakes.md").read_text(encoding="utf-8")
    found = []
    for section in re.split(r"^### \d+\. ", page, flags=re.MULTILINE)[1:]:
        (flow,) = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
        commands = re.findall(
            r"^(?:<!-- exits with (\d+) -->\n)?```bash\npython flow\.py (.*)\n```$",
            section,
            re.MULTILINE,
        )
        (message,) = re.findall(
            r"^<!-- printed -->\n```\n(.*?)^```$", section, re.DOTALL | re.MULTILINE
        )
        called = tuple((int(code or 0), arguments) for code, arguments in commands)
        found.append(Mistake(section.splitlines()[0], flow, called, message))
    return found


MISTAKES = read_mistakes()


@dataclass
class Program:
    """`flow.py` in the reader's folder, called in this process as Python calls a script."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def call(self, source: str, arguments: str) -> tuple[int, str, str]:
        """Give the exit code, stdout and stderr."""
        path = self.folder / "flow.py"
        path.write_text(source, encoding="utf-8")
        main = ModuleType("__main__")
        main.__file__ = str(path)
        self.monkeypatch.setitem(sys.modules, "__main__", main)
        self.monkeypatch.setattr(sys, "argv", ["flow.py", *arguments.split()])
        out, err = io.StringIO(), io.StringIO()
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as left,
        ):
            exec(compile(source, str(path), "exec"), vars(main))
        default_namespace()
        code = left.value.code
        assert isinstance(code, int)
        return code, out.getvalue(), err.getvalue()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """A folder in which nothing has run, of a reader called ada."""
    for variable in [name for name in os.environ if name.startswith("PLAIT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PLAIT_USER", "ada")
    monkeypatch.chdir(tmp_path)
    default_metadata()
    yield Program(tmp_path, monkeypatch)
    default_namespace()


def test_the_page_has_enough_of_them() -> None:
    """Of every kind: graph, parameters, artifacts, decorators, command line, client, resume."""
    assert len({mistake.title for mistake in MISTAKES}) == len(MISTAKES) >= FEWEST


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_a_mistake_is_answered(mistake: Mistake, program: Program) -> None:
    """With the exit code, the line and the cure that the page shows, and no frame of plait's."""
    for expected, arguments in mistake.commands:
        code, out, err = program.call(mistake.flow, arguments)
        assert code == expected, err

    assert err.replace(str(program.folder), "/home/ada").rstrip() == mistake.message.rstrip()
    assert "\n  fix: " in err
    assert PACKAGE not in out + err
    for slug in re.findall(r"error\[([a-z0-9-]+)\]", err):
        assert (ERRORS / f"{slug}.md").exists()
    lines = {int(line) for line in re.findall(r"\(flow\.py:(\d+)\)", err)}
    assert lines <= set(range(1, len(mistake.flow.splitlines()) + 1))
    # Wrong usage is in the command; all else is in the flow, and has a line there.
    assert lines or code == 2


def test_whole_programs_say_the_same(program: Program) -> None:
    """What is called in this process by the test above is what a program of its own does."""
    import subprocess

    mistake = next(m for m in MISTAKES if "Traceback" in m.message)
    (program.folder / "flow.py").write_text(mistake.flow, encoding="utf-8")
    ((expected, arguments),) = mistake.commands
    done = subprocess.run(
        [sys.executable, "flow.py", *arguments.split()],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    said = done.stderr.replace(str(program.folder), "/home/ada")
    assert (done.returncode, said.rstrip()) == (expected, mistake.message.rstrip())
