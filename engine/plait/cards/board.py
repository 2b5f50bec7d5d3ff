"""What a step puts on its cards while it runs: `current.card`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plait.base.errors import PlaitError, nearest


class NoSuchCard(PlaitError, KeyError):
    """A card was asked for by an id that no card has."""

    slug = "no-such-card"

    def __init__(self, id: object, known: Iterable[str], place: str) -> None:  # noqa: A002  # the word for it
        ids = [name for name in known if name]
        why = nearest(id, ids) if isinstance(id, str) else ""
        super().__init__(
            f"{place} has no card with the id {id!r}",
            why=why or f"the ids of its cards are: {', '.join(ids) or 'none'}",
            fix=f"write @card(id={id!r}) above @step, or use one of the ids that there are",
        )

    __str__ = PlaitError.__str__


class Deck:
    """What one card shows beside what its type shows: components, in order."""

    def __init__(self) -> None:
        self._parts: list[object] = []
        self._named: dict[str, object] = {}

    def append(self, component: object, id: str | None = None) -> None:  # noqa: A002  # as users write it
        """Put a component on the card, below the others.

        Args:
            component: A component of `plait.cards`; anything else is shown as a value is.
            id: A name under which `components[id]` gives it, so that it can be updated.
        """
        self._parts.append(component)
        if id is not None:
            self._named[id] = component

    def extend(self, components: Iterable[object]) -> None:
        """Put several components on the card."""
        self._parts.extend(components)

    def clear(self) -> None:
        """Take all components off the card."""
        self._parts.clear()
        self._named.clear()

    @property
    def components(self) -> dict[str, object]:
        """The components that were given ids."""
        return dict(self._named)

    def refresh(self) -> None:
        """Do nothing: a card is made once, when the step's code has ended."""

    def __iter__(self) -> Iterator[object]:
        return iter(tuple(self._parts))

    def __len__(self) -> int:
        return len(self._parts)


class Board:
    """`current.card`: the step's card, and by `current.card["id"]` each that has an id.

    What is appended to it goes to the first card without an id, or to the first one if all have
    ids. Cards are in the order of their decorators, the outermost first.
    """

    def __init__(self) -> None:
        self._decks: list[tuple[str | None, Deck]] = []

    def add(self, id: str | None) -> int:  # noqa: A002  # the word for it
        """Add a card and give its position."""
        self._decks.append((id, Deck()))
        return len(self._decks) - 1

    def deck(self, position: int) -> Deck:
        """Give what is on the card at a position."""
        return self._decks[position][1]

    def append(self, component: object, id: str | None = None) -> None:  # noqa: A002  # as users write it
        """Put a component on the step's card. See `Deck.append`."""
        self._own.append(component, id)

    def extend(self, components: Iterable[object]) -> None:
        """Put several components on the step's card."""
        self._own.extend(components)

    def clear(self) -> None:
        """Take all components off the step's card."""
        self._own.clear()

    @property
    def components(self) -> dict[str, object]:
        """The components of the step's card that were given ids."""
        return self._own.components

    def refresh(self) -> None:
        """Do nothing: a card is made once, when the step's code has ended."""

    def __getitem__(self, id: str) -> Deck:  # noqa: A002  # the word for it
        for name, deck in self._decks:
            if name is not None and name == id:
                return deck
        raise NoSuchCard(id, [name or "" for name, _ in self._decks], "the step")

    def __contains__(self, id: object) -> bool:  # noqa: A002  # the word for it
        return any(name is not None and name == id for name, _ in self._decks)

    @property
    def _own(self) -> Deck:
        return next((deck for name, deck in self._decks if name is None), self._decks[0][1])
