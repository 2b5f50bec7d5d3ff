"""The commands `card list`, `get` and `view`: the pages that tasks left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from plait.base.errors import UsageError
from plait.cards.reading import Card, read_cards
from plait.cards.values import format_bytes
from plait.cli.command import Command, Entry, Option, Program
from plait.cli.reading import FORM, find_tasks, open_store, short_name
from plait.cli.screen import Screen
from plait.cli.session import Session
from plait.client.source import Connection

_HERE = "plait.cli.commands.card"

F = TypeVar("F", bound=Callable[..., Any])


class WhichCard(UsageError):
    """One card is asked for, and there is none, or there are several."""

    slug = "which-card"

    def __init__(self, pathspec: str, found: list[str], others: list[str]) -> None:
        what = f"{len(found)} such cards" if found else "no such card" if others else "no card"
        words = f"they are: {', '.join(found)}" if found else ""
        if others and not found:
            words = f"there is: {', '.join(others)}"
        super().__init__(
            f"'{pathspec}' has {what}",
            why=words or "its step is not under @card, or its task has not ended",
            fix="name one task, and one of its cards with --id, --type or --number"
            if found
            else "'card list' shows the cards that there are",
        )


def _card_options(function: F) -> F:
    """Add the options that say which card of a task is meant."""
    options = (
        click.option("--id", "id_", cls=Option, metavar="ID", help="The card with this id."),
        click.option("--type", "type_", cls=Option, metavar="TYPE", help="Cards of this type."),
        click.option(
            "--number",
            cls=Option,
            type=click.IntRange(min=0),
            metavar="N",
            help="The card at this place, counted from 0.",
        ),
        click.option(
            "--attempt",
            cls=Option,
            type=click.IntRange(min=0),
            metavar="N",
            help="Of that attempt, counted from 0.  [default: the last that ended]",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command(
    "list", cls=Command, examples={"3/train": "the cards of all tasks of step `train` of run 3"}
)
@click.argument("pathspec", metavar=FORM)
@click.pass_obj
def list_(session: Session, /, pathspec: str) -> None:
    """Print the cards of a task, or of every task of a step: number, type, id and size."""
    screen = Screen(sys.stdout)
    found = False
    with open_store(session) as connection:
        for task in find_tasks(session, connection, pathspec):
            for number, card in enumerate(read_cards(task)):
                words = [short_name(task), str(number), card.type, card.id or "-"]
                wrong = f"  {card.failure}" if card.failure else ""
                size = format_bytes(len(card.html.encode()))
                screen.line("  ".join([*words, size]) + wrong)
                found = True
    if not found:
        # Not among the lines that a program reads.
        Screen(sys.stderr).line(f"no card in '{pathspec}'")


@click.command(
    cls=Command,
    examples={
        "3/train/7": "print the page",
        "3/train/7 card.html --id summary": "write the one called `summary` to a file",
    },
)
@click.argument("pathspec", metavar=FORM)
@click.argument("file", metavar="[FILE]", required=False)
@_card_options
@click.pass_obj
def get(session: Session, /, pathspec: str, file: str | None, **chosen: Any) -> None:
    """Print a card as HTML, or write it to FILE."""
    with open_store(session) as connection:
        card = _find_card(session, connection, pathspec, **chosen)
        if file is None:
            Screen(sys.stdout).write(card.html)
        else:
            Screen(sys.stdout).line(f"the card of {card.pathspec} is in {card.save(file)}")


@click.command(cls=Command, examples={"3/train/7": "show its card in the browser"})
@click.argument("pathspec", metavar=FORM)
@_card_options
@click.pass_obj
def view(session: Session, /, pathspec: str, **chosen: Any) -> None:
    """Show a card in the browser, and print the file that it is in."""
    with open_store(session) as connection:
        card = _find_card(session, connection, pathspec, **chosen)
        Screen(sys.stdout).line(f"the card of {card.pathspec} is in {card.view()}")


def _find_card(
    session: Session,
    connection: Connection,
    pathspec: str,
    *,
    id_: str | None,
    type_: str | None,
    number: int | None,
    attempt: int | None,
) -> Card:
    """Give the one card that is meant. Raises WhichCard."""
    tasks = list(find_tasks(session, connection, pathspec, attempt))
    found = [
        (position, card)
        for task in tasks
        for position, card in enumerate(read_cards(task, id=id_, type=type_))
        if number in (None, position)
    ]
    if len(found) != 1:
        there = [pair for task in tasks for pair in enumerate(read_cards(task))]
        raise WhichCard(pathspec, _words(found), _words(there))
    return found[0][1]


def _words(found: Iterable[tuple[int, Card]]) -> list[str]:
    shown = list(found)[:12]
    return [f"{card.pathspec.partition('/')[2]} {n} ({card.id or card.type})" for n, card in shown]


card = Program(
    "card",
    entries=(
        Entry("list", f"{_HERE}:list_", "Print which cards there are.", "Commands"),
        Entry("get", f"{_HERE}:get", "Print or save a card.", "Commands"),
        Entry("view", f"{_HERE}:view", "Show a card in the browser.", "Commands"),
    ),
    help="The pages that tasks of steps under @card left.",
)
