"""What the commands that keep house share: which store is meant, how sizes and ages are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plait.base.settings import StoreChoice
from plait.cli.command import Option

if TYPE_CHECKING:
    from plait.wiring.stores import Stores

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(r"(\d+(?:\.\d+)?)(s|min|m|h|d|w)\Z")

if TYPE_CHECKING:
    _Float = click.ParamType[float]
else:
    # It takes no type at run time before click 8.2.
    _Float = click.ParamType


class Age(_Float):
    """A duration such as `30d`, `12h`, `2w`; in seconds."""

    name = "age"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the duration."""
        if isinstance(value, float):
            return value
        found = _AGE.match(str(value).strip())
        if not found:
            self.fail(
                f"'{value}' is not an age: write a number and a unit of {', '.join(_UNITS)}, "
                "such as 30d",
                param,
                ctx,
            )
        return float(found[1]) * _UNITS[found[2]]


def store_option(function: F) -> F:
    """Add the option that says which store is meant."""
    option = click.option(
        "--datastore-root",
        cls=Option,
        metavar="FOLDER",
        envvar="PLAIT_DATASTORE_ROOT",
        help="The folder of the store.  [default: the nearest .plait above the working directory]",
    )
    decorated: F = option(function)
    return decorated


@contextmanager
def open_house(root: str | None) -> Iterator[Stores]:
    """Open the store in *root*, or the default one, and close it again.

    Raises:
        NoSuchStore: There is none in *root*.
    """
    from plait.wiring.stores import open_source

    stores = open_source(None, StoreChoice(root=root))
    try:
        yield stores
    finally:
        stores.storage.sweep()
        stores.close()


def format_size(size: int) -> str:
    """Give a number of bytes as a person says it: `512 bytes`, `4.2 MB`."""
    if size < 1000:
        return count(size, "byte")
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def count(number: int, word: str) -> str:
    """Give a number with its word: `1 run`, `3 runs`."""
    return f"{number} {word}" if number == 1 else f"{number:,} {word}s"
