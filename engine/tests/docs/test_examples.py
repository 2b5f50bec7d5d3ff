"""The pages for users, done as they are written: what somebody pastes does what it shows.

A page's blocks are taken in order, in one folder of their own:

- `python` with a flow and its last line is written to a file: the one that its first line names
  as a comment, else the one that the page calls next; and so is any whose first line names one.
  If it begins with an import it is run here, as a script that reads results. Anything else is a
  part of something, and has to be Python.
- `pycon` is run here, and has to give what it shows.
- `bash` that does nothing but call such files or `plait` is run by a shell. It has to exit with
  0, or as the comment above it says: `<!-- exits with 1 -->`.
- A block below `<!-- printed -->` holds lines that the commands before it printed, in this order.
"""

from __future__ import annotations

import ast
import doctest
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from plait.client.namespaces import default_namespace
from plait.client.source import default_metadata

ROOT = Path(__file__).parents[3]
GUIDES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/guide/*.md"))
NOT_TYPED = {"docs/guide/service.md"}
"""It starts servers, which never end by themselves; `engine/tests/service` does what it says."""

PAGES = ["README.md", "docs/tutorials.md", *sorted({*GUIDES} - NOT_TYPED)]

FILES = {
    "docs/guide/parameters.md": {"poems/tyger.txt": "burning\nbright\n"},
    "docs/guide/sidecars.md": {
        # What an installation of the page's package leaves behind.
        "diary-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: diary\nVersion: 1.0\n",
        "diary-1.0.dist-info/entry_points.txt": "[plait.event_loggers]\ndiary = diary:Diary\n",
    },
}
"""What a page takes to be in the reader's home already."""

SHELL = """
python() { "$PYTHON" "$@"; }
plait() { "$PYTHON" -c "from plait.cli.plait import main; main()" "$@"; }
pip() { :; }
at_last=no
trap 'code=$?; echo "$at_last" "$PWD" > "$HOME/.place"; exit $code' EXIT
set -eu
exec 2>&1
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page, and what the comment above it says."""

    language: str
    text: str
    mark: str
    after: str
    """The page from the end of the block on."""

    @property
    def is_flow(self) -> bool:
        """Whether it is a whole file."""
        return "(FlowSpec):" in self.text and "__main__" in self.text

    @property
    def is_file(self) -> bool:
        """Whether it is to be written to a file."""
        return self.is_flow or re.match(r"# \w+\.py\n", self.text) is not None

    @property
    def is_script(self) -> bool:
        """Whether it stands alone, for it imports what it needs."""
        return not self.is_flow and self.text.startswith(("from plait", "import "))

    @property
    def is_run(self) -> bool:
        """Whether all of its commands are ones that pages may call here."""
        lines = [line for line in self.text.splitlines() if line and not line.startswith("#")]
        commands = re.compile(
            r"(printf '[^']*' \| )?"
            r"(python ([\w/-]+\.py|-m (pytest|pdb))|plait(?! service)|cd|pip install)( |$)"
        )
        known = all(commands.match(line) for line in lines)
        return known and bool(lines)


def read_blocks(page: str) -> list[Block]:
    """Give the blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.finditer(
        r"(?:^<!-- (?P<mark>.*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
        text,
        re.MULTILINE | re.DOTALL,
    )
    return [Block(m["language"], m["text"], m["mark"] or "", text[m.end() :]) for m in found]


def simplify(text: str, home: Path) -> str:
    """Give *text* without what differs from one run to another."""
    text = text.replace(os.path.realpath(home), "/home/ada").replace(str(home), "/home/ada")
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "TIME", text)
    text = re.sub(r"after [\d.]+ s", "after N s", text)
    return re.sub(r"\(pid \d+\)", "(pid N)", text)


@dataclass
class Reader:
    """Somebody who does what a page says."""

    page: str
    home: Path
    printed: str = ""
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__page__"})

    def do(self, block: Block) -> None:
        """Do what a block says."""
        if block.mark == "printed":
            self.find(block)
        elif block.language == "bash" and block.is_run:
            self.call(block)
        elif block.language == "pycon":
            self.talk(block)
        elif block.language == "python" and block.is_file:
            self.save(block)
        elif block.language == "python" and block.is_script:
            with redirect_stdout(StringIO()) as out:
                exec(compile(block.text, self.page, "exec"), self.names)
            self.printed = out.getvalue()
        elif block.language == "python":
            ast.parse(textwrap.dedent(block.text))

    def save(self, block: Block) -> None:
        """Write a file."""
        named = re.match(r"# (\w+\.py)\n", block.text) or re.search(
            r"^python (\w+\.py)", block.after, re.MULTILINE
        )
        assert named is not None, "nothing says what the file is called"
        Path(named[1]).write_text(block.text, encoding="utf-8")

    def call(self, block: Block) -> None:
        """Call commands, of which only the last may fail, and stay in the folder where they end."""
        *first, last = block.text.splitlines()
        done = subprocess.run(
            ["bash", "-c", "\n".join([SHELL, *first, "at_last=yes", last])],
            env={
                **os.environ,
                "PYTHON": sys.executable,
                "HOME": str(self.home),
                # As where plait was installed anew, and nothing else that a pytest could find.
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTEST_PLUGINS": "plait.testing.plugin",
                "PYTEST_ADDOPTS": "-p no:cacheprovider",
            },
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
        expected = int(block.mark.removeprefix("exits with ") or 0)
        assert done.returncode == expected, f"{block.text}{done.stdout}"
        self.printed = done.stdout
        at_last, place = (self.home / ".place").read_text(encoding="utf-8").strip().split(" ", 1)
        assert at_last == "yes", f"{block.text}{done.stdout}"
        os.chdir(place)

    def talk(self, block: Block) -> None:
        """Type what stands behind the prompts, and compare what comes."""
        said: list[str] = []
        test = doctest.DocTestParser().get_doctest(block.text, {}, self.page, None, 0)
        test.globs = self.names
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test, out=said.append, clear_globs=False)
        assert not said, "".join(said)

    def find(self, block: Block) -> None:
        """Look for the lines of a block, in their order."""
        lines = iter(simplify(self.printed, self.home).splitlines())
        for line in simplify(block.text, self.home).splitlines():
            assert any(line in printed for printed in lines), f"{line}\nnot in\n{self.printed}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, in which the reader is ada."""
    for variable in [name for name in os.environ if name.startswith("PLAIT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PLAIT_USER", "ada")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    default_namespace()
    default_metadata()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_true(page: str, home: Path) -> None:
    """Somebody who pastes it, block by block, gets what it shows."""
    for name, text in FILES.get(page, {}).items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    reader = Reader(page, home)

    for block in read_blocks(page):
        reader.do(block)

    assert reader.printed, "no command of the page was called"


def test_the_message_about_merging_is_the_real_one(home: Path) -> None:
    """The join of the guide, without the line that it says is needed."""
    blocks = read_blocks("docs/guide/merge-artifacts.md")
    source = next(block.text for block in blocks if block.is_flow)
    message = next(block.text for block in blocks if block.text.startswith("error["))
    lines = [line for line in source.splitlines() if "self.score = inputs" not in line]
    (home / "compare.py").write_text("\n".join(lines), encoding="utf-8")
    reader = Reader("docs/guide/merge-artifacts.md", home)

    reader.call(Block("bash", "python compare.py run", "exits with 1", ""))

    assert message in reader.printed
