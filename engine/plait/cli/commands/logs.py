"""The command `logs`: what the tasks of a step printed, as it was printed or line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

from plait.cli.command import Command, Option, offering
from plait.cli.following import follow
from plait.cli.moments import Clockface
from plait.cli.reading import FORM, find_tasks, open_store, short_name
from plait.cli.screen import Screen
from plait.cli.session import Session
from plait.logs.lines import LogLine, Stream, text_of


@click.command(
    cls=Command,
    examples={
        "3/train": "what all tasks of step `train` of run 3 printed",
        "3/train/7 --stderr": "what one of them wrote to stderr, as it was written",
        "3/train/7 --attempt 0 --timestamps": "what its first attempt printed, and when",
        "3 --follow": "what all tasks of the run print, as they print it, until it has ended",
    },
)
@click.argument("pathspec", metavar=FORM, shell_complete=offering("complete_pathspec"))
@click.option("--stdout", cls=Option, is_flag=True, help="Only stdout.")
@click.option("--stderr", cls=Option, is_flag=True, help="Only stderr.")
@click.option(
    "--both",
    cls=Option,
    is_flag=True,
    help="Both, in the order in which they were written; so it is if none is named.",
)
@click.option(
    "--timestamps/--no-timestamps",
    cls=Option,
    default=False,
    help="Begin each line with the time at which it was printed.",
)
@click.option(
    "--follow/--no-follow",
    cls=Option,
    default=False,
    help="Go on with what is printed from now on, until the task, or of a step the run, has ended.",
)
@click.option(
    "--attempt",
    cls=Option,
    type=click.IntRange(min=0),
    metavar="N",
    help="That attempt, counted from 0.  [default: the last that ended]",
)
@click.pass_obj
def logs(session: Session, /, pathspec: str, **chosen: Any) -> None:
    """Print what a task, or every task of a step, printed.

    One task's output comes as it was written, to the byte. That of a step or of a run comes in
    order of its tasks, each line with its task before it.
    """
    stream: Stream | None = None
    if chosen["stdout"] != chosen["stderr"] and not chosen["both"]:
        stream = "stdout" if chosen["stdout"] else "stderr"
    timestamps: bool = chosen["timestamps"]
    alone = pathspec.removeprefix(f"{session.flow_name}/").count("/") > 1
    show = _Shower(Screen(sys.stdout), stream, alone=alone, timestamps=timestamps)
    with open_store(session) as connection:
        if chosen["follow"]:
            follow(session, connection, pathspec, show, attempt=chosen["attempt"])
            return
        for task in find_tasks(session, connection, pathspec, chosen["attempt"]):
            show(short_name(task), task.read_log())


class _Shower:
    """Prints the lines of tasks, all at once or as they come."""

    def __init__(
        self, screen: Screen, stream: Stream | None, *, alone: bool, timestamps: bool
    ) -> None:
        self._screen, self._stream = screen, stream
        self._alone, self._timestamps = alone, timestamps
        self._clock = Clockface()

    def __call__(self, name: str, lines: list[LogLine]) -> None:
        if self._alone and not self._timestamps:
            self._screen.write(text_of(lines, self._stream))
            return
        label = "" if self._alone else self._screen.paint(f"[{name}] ", "cyan")
        for at, text in iter_lines(lines, self._stream):
            when = f"{self._clock.format(at)} " if self._timestamps else ""
            self._screen.line(f"{when}{label}{text}")


def iter_lines(
    lines: Iterable[LogLine], stream: Stream | None = None
) -> Iterator[tuple[float, str]]:
    """Give whole lines with the time of their end, in the order in which they ended.

    Args:
        lines: As they were kept, long ones in pieces.
        stream: Only this one's; both by default.
    """
    pieces: dict[Stream, list[LogLine]] = {}
    for line in lines:
        if stream in (None, line.stream):
            begun = pieces.setdefault(line.stream, [])
            begun.append(line)
            if line.ended:
                yield line.at, _join(begun)
                begun.clear()
    for begun in pieces.values():
        if begun:
            yield begun[-1].at, _join(begun)


def _join(pieces: Iterable[LogLine]) -> str:
    return b"".join(piece.text for piece in pieces).decode("utf-8", "backslashreplace")
