"""Bugs to plant in a copy of the engine: what to replace in which file, and what is to be caught.

A replacement that does not find its text exactly once is an error: the engine has moved on, and
the bug has to be planted where the same thing is decided now.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """A bug: the file in the engine, and each text with what takes its place."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]


BUGS = (
    Bug(
        "join inputs are reversed",
        "plait/runtime/state.py",
        (("for part in barrier.arrived if part", "for part in barrier.arrived[::-1] if part"),),
    ),
    Bug(
        "the second of two branches is lost",
        "plait/runtime/state.py",
        (
            (
                "            width = len(transition.targets)\n",
                "            width = len(transition.targets[:1])\n",
            ),
            (
                "in enumerate(transition.targets):\n                frame",
                "in enumerate(transition.targets[:1]):\n                frame",
            ),
        ),
    ),
    Bug(
        "the index in a nested foreach is that of the outer one",
        "plait/flow/scope.py",
        (
            (
                "return self._frames[-1].index if self._frames",
                "return self._frames[0].index if self._frames",
            ),
        ),
    ),
    Bug(
        "a switch goes the last way",
        "plait/flow/transition.py",
        (
            (
                "Transition(TransitionKind.SWITCH, (target,),",
                "Transition(TransitionKind.SWITCH, (node.cases[-1][1],),",
            ),
        ),
    ),
    Bug(
        "a barrier counts one part short",
        "plait/runtime/state.py",
        (
            (
                "_Barrier(width, [None] * width)\n            first",
                "_Barrier(width - 1, [None] * width)\n            first",
            ),
        ),
    ),
    Bug(
        "the join of an empty foreach never runs",
        "plait/runtime/state.py",
        (("                self._make_task(node.joined_by, task.frames, (), (ref,))\n", ""),),
    ),
    Bug(
        "resume takes over the step that it is to run again",
        "plait/runtime/resume.py",
        (("if facts.key.step not in rerun and _still_goes", "if _still_goes"),),
    ),
    Bug(
        "the last line of a log is dropped",
        "plait/logs/store.py",
        (
            (
                "            return parse_lines(self._storage.get(log_key(key)))\n",
                "            return parse_lines(self._storage.get(log_key(key)))[:-1]\n",
            ),
        ),
    ),
)


class BugDoesNotApply(Exception):
    """The text that a bug is to replace is not in its file exactly once."""


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
    shutil.copytree(
        os.path.join(engine, "plait"),
        os.path.join(target, "plait"),
        ignore=shutil.ignore_patterns("__pycache__", "tutorials"),
    )
    path = os.path.join(target, bug.file)
    with open(path, encoding="utf-8") as file:
        source = file.read()
    for old, new in bug.changes:
        if source.count(old) != 1:
            raise BugDoesNotApply(f"{bug.name}: {bug.file} has {source.count(old)} of {old!r}")
        source = source.replace(old, new)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    return target
