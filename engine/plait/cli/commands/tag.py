"""The commands `tag add`, `remove`, `replace` and `list`: the words that are put on a run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from plait.base.errors import UsageError, nearest
from plait.base.pathspec import RunKey
from plait.cli.command import Command, Entry, Option, Program
from plait.cli.reading import get_run, open_store
from plait.cli.screen import Screen
from plait.cli.session import Session

_HERE = "plait.cli.commands.tag"

F = TypeVar("F", bound=Callable[..., Any])


class NoSuchTag(UsageError):
    """A tag that is to be taken from a run is not on it."""

    slug = "no-such-tag"

    def __init__(self, run: RunKey, missing: Iterable[str], known: Iterable[str]) -> None:
        words = sorted(missing)
        tags = sorted(known)
        super().__init__(
            f"run '{run}' has no tag {' and no tag '.join(repr(word) for word in words)}",
            why=nearest(words[0], tags) if tags else "you have given it none",
            fix="'tag list' shows its tags; nothing was changed",
        )


def _run_option(function: F) -> F:
    """Add the option that says which run is meant."""
    option = click.option(
        "--run-id",
        cls=Option,
        metavar="RUN",
        help="The run.  [default: the flow's latest]",
    )
    decorated: F = option(function)
    return decorated


@click.command(
    cls=Command,
    examples={
        "nightly": "tag the latest run",
        '--run-id 5 nightly "spring clean"': "give run 5 two tags",
    },
)
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@_run_option
@click.pass_obj
def add(session: Session, /, tags: tuple[str, ...], run_id: str | None) -> None:
    """Give a run more tags, all at once."""
    _change(session, run_id, add=frozenset(tags))


@click.command(
    cls=Command,
    examples={"--run-id 5 nightly": "take a tag from run 5"},
)
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@_run_option
@click.pass_obj
def remove(session: Session, /, tags: tuple[str, ...], run_id: str | None) -> None:
    """Take tags from a run, all at once."""
    _change(session, run_id, remove=frozenset(tags))


@click.command(
    cls=Command,
    examples={
        "--run-id 5 candidate released": "put `released` in the place of `candidate`",
        "candidate released v2": "put two tags in its place",
    },
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW...", nargs=-1, required=True)
@_run_option
@click.pass_obj
def replace(session: Session, /, old: str, new: tuple[str, ...], run_id: str | None) -> None:
    """Take the tag OLD from a run and give it NEW, so that nobody sees it in between."""
    _change(session, run_id, add=frozenset(new), remove=frozenset({old}))


@click.command(
    "list",
    cls=Command,
    examples={"": "the tags of the latest run", "--run-id 5 --system": "all tags of run 5"},
)
@_run_option
@click.option(
    "--system/--no-system", cls=Option, default=False, help="Also those that plait gave it."
)
@click.pass_obj
def list_(session: Session, /, run_id: str | None, *, system: bool) -> None:
    """Print the tags of a run, one a line."""
    screen = Screen(sys.stdout)
    with open_store(session) as connection:
        record = get_run(session, connection, run_id).record
        for tag in sorted(record.user_tags):
            screen.line(tag)
        for tag in sorted(record.system_tags) if system else ():
            screen.line(screen.paint(tag, "dim"))


def _change(
    session: Session,
    run_id: str | None,
    *,
    add: frozenset[str] = frozenset(),
    remove: frozenset[str] = frozenset(),
) -> None:
    from plait.metadata.rules import check_tags

    with open_store(session) as connection:
        run = get_run(session, connection, run_id)
        record = run.record
        missing = check_tags(remove) - record.user_tags - record.system_tags
        if missing:
            raise NoSuchTag(record.key, missing, record.user_tags)
        run.change_tags(add=add, remove=remove)
        tags = ", ".join(sorted(run.record.user_tags))
        Screen(sys.stdout).line(
            f"{record.key} has the tags: {tags}" if tags else f"{record.key} has no tags"
        )


tag = Program(
    "tag",
    entries=(
        Entry("add", f"{_HERE}:add", "Give a run more tags.", "Commands"),
        Entry("remove", f"{_HERE}:remove", "Take tags from a run.", "Commands"),
        Entry("replace", f"{_HERE}:replace", "Put tags in the place of one.", "Commands"),
        Entry("list", f"{_HERE}:list_", "Print the tags of a run.", "Commands"),
    ),
    help="The tags of a run: words by which runs are found again.",
)
