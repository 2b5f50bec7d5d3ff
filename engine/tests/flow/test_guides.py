"""The guides about flows, as printed: every file runs, by every command that they show."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

GUIDES = Path(__file__).parents[3] / "docs" / "guide"


def read_blocks(guide: str) -> list[tuple[str, str]]:
    """Give the language and the text of every block of a guide, in order."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("guide", ["parameters.md", "retry-and-catch.md", "merge-artifacts.md"])
def test_a_guide_is_true(guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who pastes it gets what it shows."""
    (tmp_path / "poems").mkdir()
    (tmp_path / "poems" / "tyger.txt").write_text("burning\nbright\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    blocks = read_blocks(guide)
    for language, text in blocks:
        if language == "python" and text.startswith("# "):
            (tmp_path / text.splitlines()[0][2:]).write_text(text, encoding="utf-8")

    commands = [
        line for language, text in blocks if language == "bash" for line in text.split("\n")
    ]
    printed = ""
    for command in filter(None, commands):
        _, *arguments = shlex.split(command.replace("~", str(tmp_path)))
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=True
        )
        printed += done.stdout

    shown = [text for language, text in blocks if not language and "error[" not in text]
    assert commands
    assert all(line in printed for text in shown for line in text.splitlines())


def test_the_message_in_the_guide_is_the_real_one(tmp_path: Path) -> None:
    """The join of the guide, without the line that it says is needed."""
    blocks = read_blocks("merge-artifacts.md")
    source = next(text for language, text in blocks if text.startswith("# compare.py"))
    message = next(text for _, text in blocks if text.startswith("error["))
    lines = [line for line in source.splitlines() if "self.score = inputs" not in line]
    (tmp_path / "compare.py").write_text("\n".join(lines), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "compare.py", "run"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert done.returncode == 1
    assert message in done.stderr
