"""The command `logs`: what the tasks of a step printed, as it was printed or line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

from plait.cli.command import Command, Option
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
    },
)
@click.argument("pathspec", metavar=FORM)
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
    "--attempt",
    cls=Option,
    type=click.IntRange(min=0),
    metavar="N",
    help="That attempt, counted from 0.  [default: the last that ended]",
)
@click.pass_obj
def logs(session: Session, /, pathspec: str, **chosen: Any) -> None:
    """Print what a task, or every task of a step, printed.

    One task's output comes as it was written, to the byte. That of a step comes in order of its
    tasks, each line with its task before it.
    """
    stream: Stream | None = None
    if chosen["stdout"] != chosen["stderr"] and not chosen["both"]:
        stream = "stdout" if chosen["stdout"] else "stderr"
    timestamps: bool = chosen["timestamps"]
    screen, clock = Screen(sys.stdout), Clockface()
    alone = pathspec.removeprefix(f"{session.flow_name}/").count("/") > 1
    with open_store(session) as connection:
        for task in find_tasks(session, connection, pathspec, chosen["attempt"]):
            lines = task.read_log()
            if alone and not timestamps:
                screen.write(text_of(lines, stream))
                continue
            label = "" if alone else screen.paint(f"[{short_name(task)}] ", "cyan")
            for at, text in iter_lines(lines, stream):
                when = f"{clock.format(at)} " if timestamps else ""
                screen.line(f"{when}{label}{text}")


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
