"""The command `plait tutorials`: list the flows to learn from, read about one, copy it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import click

from plait.base.errors import UsageError, nearest
from plait.cli.command import Command, Entry, Option, Program
from plait.cli.screen import Screen

_HERE = "plait.cli.commands.tutorials"
_LEFT_BY_RUNS = ("__pycache__", ".plait", ".ipynb_checkpoints")


class UnknownTutorial(UsageError):
    """There is no tutorial of that name."""

    slug = "unknown-tutorial"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(
            f"there is no tutorial '{name}'",
            why=nearest(name, known),
            fix="'plait tutorials list' shows them all",
        )


class TutorialInTheWay(UsageError):
    """A tutorial would be copied over something that is there."""

    slug = "tutorial-in-the-way"

    def __init__(self, folder: str) -> None:
        super().__init__(
            f"'{folder}' is there already",
            why="what you may have changed in it would be lost",
            fix="move it away, or copy to another folder: plait tutorials pull --to FOLDER",
        )


def find_tutorials() -> dict[str, str]:
    """Give the folder of every tutorial by its name, in order."""
    import plait.tutorials

    (root,) = plait.tutorials.__path__
    found = {
        entry.name: entry.path
        for entry in os.scandir(root)
        if entry.is_dir() and entry.name[:1].isdigit()
    }
    return dict(sorted(found.items()))


def get_tutorial(name: str) -> tuple[str, str]:
    """Give a tutorial's name and folder; its number, or the rest of its name, is enough.

    Raises:
        UnknownTutorial: There is none.
    """
    known = find_tutorials()
    for full, folder in known.items():
        number, _, rest = full.partition("-")
        if name in (full, number, rest):
            return full, folder
    raise UnknownTutorial(name, known)


def describe_tutorial(folder: str) -> str:
    """Give the title of a tutorial, as its README says it."""
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as file:
        title = file.readline().lstrip("# ").strip()
    return title.partition(": ")[2] or title


@click.command("list", cls=Command)
def list_() -> None:
    """List the tutorials."""
    screen = Screen(sys.stdout)
    found = find_tutorials()
    widest = max(map(len, found))
    for name, folder in found.items():
        screen.line(f"{name:<{widest}}  {describe_tutorial(folder)}")


@click.command(cls=Command, examples={"00-hello": "read about the first one"})
@click.argument("name", metavar="NAME")
def info(name: str) -> None:
    """Print what a tutorial shows and how to run it."""
    _, folder = get_tutorial(name)
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as file:
        Screen(sys.stdout).write(file.read())


@click.command(
    cls=Command,
    examples={"": "copy all tutorials here", "hello --to learn": "copy one, to learn/00-hello"},
)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--to", cls=Option, default=".", metavar="FOLDER", help="Where to.  [default: here]")
def pull(name: str | None, to: str) -> None:
    """Copy a tutorial, or all, to a folder of yours; nothing that is there is overwritten."""
    import shutil

    chosen = dict([get_tutorial(name)]) if name else find_tutorials()
    targets = {full: os.path.join(to, full) for full in chosen}
    for target in targets.values():
        if os.path.lexists(target):
            raise TutorialInTheWay(target)
    screen = Screen(sys.stdout)
    for full, folder in chosen.items():
        # What running a tutorial in place left there is not part of it.
        shutil.copytree(folder, targets[full], ignore=shutil.ignore_patterns(*_LEFT_BY_RUNS))
        screen.line(f"{full} is in {targets[full]}")


tutorials = Program(
    "tutorials",
    entries=(
        Entry("list", f"{_HERE}:list_", "List them.", "Commands"),
        Entry("info", f"{_HERE}:info", "Read about one.", "Commands"),
        Entry("pull", f"{_HERE}:pull", "Copy one, or all.", "Commands"),
    ),
    help="Flows to learn from.",
)
