"""Seeded bugs: what `harness/mutants/*.toml` says, and planting one in a copy of the engine."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plait_harness.home import home_path
from plait_harness.mistakes import Mistake, UnknownName, refuse
from plait_harness.schemas import validate

ALL = "all"
"""Stands for every bug on the command line."""


@dataclass(frozen=True, slots=True)
class Change:
    """One replacement: a text that stands in the file exactly once, and what takes its place."""

    find: str
    put: str


@dataclass(frozen=True, slots=True)
class Bug:
    """A seeded bug.

    Args:
        name: Its name, unlike every other's.
        breaks: One sentence: what no longer holds with it.
        subsystem: The file of `harness/mutants` that it stands in, without its ending.
        file: The file that it changes, below the package `plait`.
        changes: What is replaced.
        killed_by: The ids of the cases that are to notice it, the first one to try first.
    """

    name: str
    breaks: str
    subsystem: str
    file: str
    changes: tuple[Change, ...]
    killed_by: tuple[str, ...]


class BugDoesNotApply(Mistake):
    """The text that a bug is to replace is not in its file exactly once.

    The engine has moved on: the bug has to be planted where the same thing is decided now.
    """

    def __init__(self, bug: Bug, details: str) -> None:
        super().__init__(f"bug '{bug.name}' does not apply to plait/{bug.file} any more", details)


def load_bugs(folder: str | None = None) -> dict[str, Bug]:
    """Read all bugs of a folder, by name, in the order of files and of what stands in them.

    Args:
        folder: The folder; by default the harness's own.

    Raises:
        Mistake: A file is not one of bugs, or two bugs have one name.
    """
    root = home_path("mutants") if folder is None else folder
    bugs: dict[str, Bug] = {}
    for name in sorted(os.listdir(root)):
        subsystem, ending = os.path.splitext(name)
        if ending != ".toml":
            continue
        for bug in _load_file(os.path.join(root, name), subsystem):
            if bug.name in bugs:
                raise Mistake(
                    f"bug '{bug.name}' is there twice", f"{bugs[bug.name].subsystem}\n{subsystem}"
                )
            bugs[bug.name] = bug
    return bugs


def choose_bugs(bugs: Mapping[str, Bug], wanted: Sequence[str]) -> list[Bug]:
    """Give the bugs that are wanted, by name or by subsystem; `all` is every one.

    Raises:
        Mistake: Some of them are neither; tells of each.
    """
    chosen: dict[str, Bug] = {}
    unknown: list[Mistake] = []
    known = [*bugs, *(bug.subsystem for bug in bugs.values())]
    for given in wanted:
        name = given.lower()
        found = {
            each.name: each
            for each in bugs.values()
            if name in (ALL, each.name, each.subsystem.lower())
        }
        if not found:
            unknown.append(UnknownName("seeded bug", given, known))
        chosen.update(found)
    refuse(unknown)
    return list(chosen.values())


def find_engine_folder() -> str:
    """Give the folder that holds the package `plait`, without importing it."""
    spec = importlib.util.find_spec("plait")
    if spec is None or spec.origin is None:
        raise Mistake("there is no engine to plant a bug in", "plait can't be imported")
    return os.path.dirname(os.path.dirname(spec.origin))


def read_with_bug(bug: Bug, engine: str) -> str:
    """Give the source of the bug's file with the bug in it.

    Args:
        bug: The bug.
        engine: The folder that holds the package `plait`.

    Raises:
        BugDoesNotApply: There is no such file, or a text to replace is not in it exactly once.
    """
    try:
        with open(os.path.join(engine, "plait", bug.file), encoding="utf-8") as file:
            source = file.read()
    except FileNotFoundError:
        raise BugDoesNotApply(bug, "there is no such file") from None
    for change in bug.changes:
        count = source.count(change.find)
        if count != 1:
            raise BugDoesNotApply(
                bug, f"it is to stand there once, and does {count} times:\n{change.find}"
            )
        source = source.replace(change.find, change.put)
    return source


def plant(bug: Bug, engine: str, target: str) -> str:
    """Copy the engine and plant a bug in the copy.

    Args:
        bug: The bug.
        engine: The folder that holds the package `plait`.
        target: The folder for the copy.

    Returns:
        The folder to put first on `PYTHONPATH`.

    Raises:
        BugDoesNotApply: The engine is not as the bug expects it.
    """
    source = read_with_bug(bug, engine)
    # With what is compiled of it, which holds as long as a file's time is the same.
    shutil.copytree(
        os.path.join(engine, "plait"),
        os.path.join(target, "plait"),
        ignore=shutil.ignore_patterns("tutorials"),
    )
    path = os.path.join(target, "plait", bug.file)
    _forget_compiled(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    return target


def _forget_compiled(path: str) -> None:
    # Its time and size might be those of the file as it was.
    folder = os.path.join(os.path.dirname(path), "__pycache__")
    stem = os.path.splitext(os.path.basename(path))[0]
    if os.path.isdir(folder):
        for name in os.listdir(folder):
            if name.startswith(f"{stem}."):
                os.unlink(os.path.join(folder, name))


def _load_file(path: str, subsystem: str) -> Iterable[Bug]:
    try:
        with open(path, "rb") as file:
            data: dict[str, Any] = tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{path} is not TOML", str(error)) from error
    validate(data, "mutants", file=path, name_of=lambda where: _name_of(data, where))
    return [
        Bug(
            name=each["name"],
            breaks=each["breaks"],
            subsystem=subsystem,
            file=each["file"],
            changes=tuple(Change(**change) for change in each["change"]),
            killed_by=tuple(each["killed_by"]),
        )
        for each in data["bug"]
    ]


def _name_of(data: Mapping[str, Any], where: Sequence[str]) -> str:
    """Name the bug that a path into the file leads to."""
    if len(where) < 2 or not where[1].isdecimal():
        return ""
    name = data["bug"][int(where[1])].get("name", f"number {int(where[1]) + 1}")
    return f"bug '{name}'" + "".join(f" {part}" for part in where[2:])
