"""Reading one object after another from a store that may be far away, many brought near at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from plait.storage.protocol import Storage

T = TypeVar("T")

_AT_ONCE = 256
"""So many objects are brought near at once."""


def iter_near(
    storage: Storage, items: Iterable[T], name: Callable[[T], str], *, keep: bool = False
) -> Iterator[T]:
    """Give *items* one after another, for who reads the object of each when it gets it.

    Args:
        storage: Where the objects are.
        items: Any number of them.
        name: Gives the key of an item's object.
        keep: As for the storage's `bring`.
    """
    waiting = iter(items)
    while some := list(islice(waiting, _AT_ONCE)):
        storage.bring([name(item) for item in some], keep=keep)
        yield from some
