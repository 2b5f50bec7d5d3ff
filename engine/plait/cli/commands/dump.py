"""The command `dump`: the artifacts of a task, a step or a run, to read or as a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from plait.base.errors import PlaitError, UsageError, nearest
from plait.base.exits import DONE, FAILED
from plait.base.records import ArtifactRef
from plait.base.text import show_name
from plait.cli.boundary import print_error
from plait.cli.command import Command, Option, offering
from plait.cli.reading import FORM, find_tasks, open_store, short_name
from plait.cli.screen import Screen
from plait.cli.session import Session
from plait.client.opened_task import OpenedTask

_SHOWN_BYTES = 1000
"""Values larger than this, as they are stored, are shown only when they are asked for."""


Chosen = Sequence[tuple[OpenedTask, dict[str, ArtifactRef]]]
"""Tasks, each with where the artifacts are that are wanted of it."""


class NoSuchArtifact(UsageError):
    """None of the tasks to dump has an artifact that was asked for."""

    slug = "no-such-artifact"

    def __init__(self, name: str, pathspec: str, known: Sequence[str]) -> None:
        super().__init__(
            f"'{pathspec}' has no artifact '{name}'",
            why=nearest(name, known),
            fix="leave --include out to see all of them, or add --private for plait's own",
        )


@click.command(
    cls=Command,
    examples={
        "3/train": "the artifacts of all tasks of step `train` of run 3",
        "3/train/7 --include model,loss": "two artifacts of one task",
        "3 --file out.pickle": "those of every task of the run, as {pathspec: {name: value}}",
    },
)
@click.argument("pathspec", metavar=FORM, shell_complete=offering("complete_pathspec"))
@click.option(
    "--private/--no-private", cls=Option, default=False, help="Also those that begin with `_`."
)
@click.option(
    "--max-value-size",
    cls=Option,
    type=click.IntRange(min=0),
    metavar="BYTES",
    help="Leave out values that are stored in more bytes than this.  "
    f"[default: {_SHOWN_BYTES}; with --file: none is left out]",
)
@click.option("--include", cls=Option, default="", metavar="NAME,...", help="Only these artifacts.")
@click.option(
    "--file",
    cls=Option,
    metavar="FILE",
    help="Write a pickle of {pathspec: {name: value}} instead of text.",
)
@click.pass_obj
def dump(session: Session, /, pathspec: str, **given: Any) -> int:
    """Print the artifacts of a task, or of every task of a step or a run, in order of their ids."""
    wanted = tuple(name.strip() for name in given["include"].split(",") if name.strip())
    limit: int | None = given["max_value_size"]
    with open_store(session) as connection:
        tasks = list(find_tasks(session, connection, pathspec))
        chosen = [(task, _choose(task, wanted, private=given["private"])) for task in tasks]
        for name in wanted:
            if not any(name in refs for _, refs in chosen):
                known = {known for task in tasks for known in _all_refs(task)}
                raise NoSuchArtifact(name, pathspec, sorted(known))
        if given["file"] is not None:
            return _save(given["file"], chosen, limit)
        return _print(chosen, _SHOWN_BYTES if limit is None else limit)


def _print(chosen: Chosen, limit: int) -> int:
    """Print the tasks, one after another; the exit code says whether all could be read."""
    screen = Screen(sys.stdout)
    code = DONE
    for position, (task, refs) in enumerate(chosen):
        if position:
            screen.line()
        screen.line(f"{screen.paint(short_name(task), 'bold')}{_state(task)}")
        if _print_artifacts(screen, task, refs, limit):
            code = FAILED
    return code


def _all_refs(task: OpenedTask) -> dict[str, ArtifactRef]:
    """Give where each artifact of *task* is, parameters and class attributes included, by name."""
    sealed = task.find_sealed()
    refs = {**task.run.parameters(), **({} if sealed is None else sealed.artifacts)}
    return dict(sorted(refs.items()))


def _choose(task: OpenedTask, wanted: Sequence[str], *, private: bool) -> dict[str, ArtifactRef]:
    refs = _all_refs(task)
    if wanted:
        return {name: refs[name] for name in wanted if name in refs}
    return {name: ref for name, ref in refs.items() if private or not name.startswith("_")}


def _state(task: OpenedTask) -> str:
    """Give what is to be said of a task that is not simply done."""
    facts = task.find_facts()
    if facts is None:
        return "  not finished"
    if facts.failure is not None:
        return f"  failed: {facts.failure.summary}"
    return ""


def _print_artifacts(
    screen: Screen, task: OpenedTask, refs: dict[str, ArtifactRef], limit: int
) -> bool:
    """Print artifacts, one after another; say whether any of them could not be read."""
    if not refs:
        screen.line("  no artifacts")
    failed = False
    shown = {name: show_name(name) for name in refs}
    widest = max(map(len, shown.values()), default=0)
    kinds = max((len(ref.type) for ref in refs.values()), default=0)
    for name, ref in refs.items():
        head = f"  {shown[name]:<{widest}}  {screen.paint(f'{ref.type:<{kinds}}', 'dim')}"
        if ref.size > limit:
            screen.line(f"{head}  <{ref.size} bytes; --max-value-size {ref.size} shows it>")
            continue
        try:
            value = task.run.load(ref, name)
        except PlaitError as error:
            # The other values are worth seeing all the more.
            screen.line(f"{head}  <cannot be read>")
            print_error(error)
            failed = True
            continue
        first, *rest = show_value(value)
        screen.line(f"{head}  {first}".rstrip())
        for line in rest:
            screen.line(f"      {line}")
    return failed


def show_value(value: object) -> Iterator[str]:
    """Give the lines that show *value*; if it needs more than one, the first one is empty."""
    from pprint import pformat

    try:
        text = pformat(value, width=96, compact=True, sort_dicts=False)
    except Exception as error:  # noqa: BLE001  # a __repr__ of the user's may raise anything
        text = f"<{type(value).__qualname__}, whose repr() raised {type(error).__name__}: {error}>"
    lines = text.splitlines() or [""]
    if len(lines) > 1:
        yield ""
    yield from lines


def _save(file: str, chosen: Chosen, limit: int | None) -> int:
    """Write the values as a pickle, whole or not at all."""
    import pickle

    values = {
        str(task.key): {
            name: task.run.load(ref, name)
            for name, ref in refs.items()
            if limit is None or ref.size <= limit
        }
        for task, refs in chosen
    }
    draft = f"{file}.{os.getpid()}.part"
    try:
        with open(draft, "wb") as target:
            pickle.dump(values, target, protocol=pickle.HIGHEST_PROTOCOL)
        os.replace(draft, file)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = file  # the draft is not what anybody asked for
        if os.path.exists(draft):
            os.unlink(draft)
        raise
    count = f"{len(values)} {'task' if len(values) == 1 else 'tasks'}"
    Screen(sys.stdout).line(f"the artifacts of {count} are in {file}")
    return DONE
