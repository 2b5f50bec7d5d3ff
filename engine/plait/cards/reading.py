"""Cards as users read them back: `get_cards(task)`."""

from __future__ import annotations

import html as html_
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

from plait.artifacts.plain import NotPlain, load_plain
from plait.base.records import ArtifactRef
from plait.cards.board import NoSuchCard
from plait.cards.errors import DamagedCard
from plait.cards.record import CardRecord
from plait.client.opened_task import OpenedTask
from plait.client.opening import open_task
from plait.client.source import current_connection
from plait.flow.members import CARD

if TYPE_CHECKING:
    from datetime import datetime

    from plait.client.task import Task


class Card:
    """One card of a task."""

    def __init__(self, task: OpenedTask, record: CardRecord, place: str) -> None:
        self._task = task
        self._record = record
        self._place = place

    @property
    def id(self) -> str | None:
        """The id that its decorator gives it; None if it has none."""
        return self._record.id

    @property
    def type(self) -> str:
        """What it shows: `default`, `blank` or `html`."""
        return self._record.type

    @property
    def html(self) -> str:
        """The whole page, which needs nothing else."""
        return self._record.html

    def get(self) -> str:
        """Give the whole page."""
        return self._record.html

    @property
    def pathspec(self) -> str:
        """The task that it is of: `Flow/run/step/task`."""
        return "/".join(self._task.key)

    @property
    def path(self) -> str:
        """Where in the store it is kept, among the results of its attempt."""
        return self._place

    @property
    def created_at(self) -> datetime:
        """When it was made, in local time."""
        from plait.client.times import local_time

        return local_time(self._record.made)

    @property
    def failure(self) -> str | None:
        """Why the card could not be made, and shows that instead; None if it could."""
        return self._record.failure or None

    def save(self, file: str) -> str:
        """Write the page to *file*, in place of what is there, and give the file's full name."""
        with open(file, "w", encoding="utf-8") as target:
            target.write(self.html)
        return os.path.abspath(file)

    def view(self) -> str:
        """Show the page in the browser, and give the name of the file that it is in."""
        import tempfile
        import webbrowser
        from pathlib import Path

        name = "-".join(self._task.key)
        handle, file = tempfile.mkstemp(prefix=f"{name}-", suffix=".html")
        os.close(handle)
        self.save(file)
        webbrowser.open(Path(file).as_uri())
        return file

    def __repr__(self) -> str:
        called = "" if self.id is None else f" '{self.id}'"
        return f"<{self.type} card{called} of {self.pathspec}>"

    def _repr_html_(self) -> str:
        """Show the card in a notebook, where it can do nothing to the notebook."""
        return frame(self.html, str(self))


class Cards(Sequence[Card]):
    """The cards of a task, in the order of their decorators."""

    def __init__(self, cards: Iterable[Card], place: str) -> None:
        self._cards = tuple(cards)
        self._place = place

    @overload
    def __getitem__(self, index: int | str) -> Card: ...

    @overload
    def __getitem__(self, index: slice) -> Cards: ...

    def __getitem__(self, index: int | str | slice) -> Card | Cards:
        """Give a card by its position or by its id. Raises IndexError, NoSuchCard."""
        if isinstance(index, slice):
            return Cards(self._cards[index], self._place)
        if isinstance(index, str):
            for card in self._cards:
                if card.id == index:
                    return card
            raise NoSuchCard(index, [card.id or "" for card in self._cards], self._place)
        return self._cards[index]

    def __len__(self) -> int:
        return len(self._cards)

    def __repr__(self) -> str:
        return f"<Cards of {self._place}: {', '.join(map(repr, self._cards)) or 'none'}>"

    def _repr_html_(self) -> str:
        """Show the cards in a notebook, one below the other."""
        return "".join(frame(card.html, str(card)) for card in self)


def get_cards(
    task: Task | str,
    id: str | None = None,  # noqa: A002  # as users write it
    type: str | None = None,  # noqa: A002  # as users write it
) -> Cards:
    """Give the cards of a task; of the attempt that the task shows.

    Args:
        task: The task, or its pathspec.
        id: Only the card with this id.
        type: Only cards of this type.

    Raises:
        PlaitNotFound: There is no such task.
        PlaitNamespaceMismatch: The namespace does not show it.
        DamagedCard: A card is not as plait wrote it.
    """
    if isinstance(task, str):
        return read_cards(open_task(current_connection(), task), id=id, type=type)
    opened = task._opened  # noqa: SLF001  # users must not meet what the client holds
    return read_cards(opened, id=id, type=type)


def read_cards(
    task: OpenedTask,
    *,
    id: str | None = None,  # noqa: A002  # as users write it
    type: str | None = None,  # noqa: A002  # as users write it
) -> Cards:
    """Give the cards of a task that is open already. As `get_cards`."""
    cards = (
        Card(task, read_card(task, name, ref), task.run.locate(ref))
        for name, ref in iter_card_refs(task)
    )
    wanted = (c for c in cards if id in (None, c.id) and type in (None, c.type))
    return Cards(wanted, "/".join(task.key))


def iter_card_refs(task: OpenedTask) -> Iterator[tuple[str, ArtifactRef]]:
    """Give the names under which a task's cards are kept, each with where it is, in order."""
    sealed = task.find_sealed()
    found = {} if sealed is None else sealed.artifacts
    names = [name for name in found if name.startswith(CARD) and name[len(CARD) :].isdecimal()]
    for name in sorted(names, key=lambda name: int(name[len(CARD) :])):
        yield name, found[name]


def read_card(task: OpenedTask, name: str, ref: ArtifactRef) -> CardRecord:
    """Read a card, without running anything that could be in it. Raises DamagedCard."""
    payload = task.run.load_bytes(ref, name)
    try:
        return CardRecord.from_plain(load_plain(payload, ref.codec))
    except (NotPlain, TypeError) as error:
        raise DamagedCard("/".join(task.key), str(error)) from error


def frame(page: str, title: str) -> str:
    """Give a page within a page, where it can run nothing and reach nothing, as HTML."""
    return (
        f'<iframe class="card" sandbox="" loading="lazy" title="{html_.escape(title)}" '
        f'srcdoc="{html_.escape(page)}" style="width:100%;height:30rem;border:0"></iframe>'
    )
