"""Any value in a line that is short, whatever the value is and does."""

from __future__ import annotations

import reprlib

LONGEST = 200
"""The most characters that a value is shown in."""


class _Short(reprlib.Repr):
    """Looks at the first elements of containers, and outlives what their elements do."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 8
        self.maxdeque = self.maxarray = 8
        self.maxstring = self.maxother = self.maxlong = LONGEST

    def repr_instance(self, x: object, level: int) -> str:  # noqa: ARG002  # the base's signature
        """Give what a value says of itself, or what happened when it was asked."""
        try:
            return repr(x)
        except Exception as error:  # noqa: BLE001  # a __repr__ of the user's may raise anything
            return _say(x, error)


_SHORT = _Short()


def show_short(value: object) -> str:
    """Give *value* as Python writes it, in at most `LONGEST` characters of one line.

    Of a container only the first elements are looked at, a few levels deep.
    """
    try:
        text = _SHORT.repr(value)
    except Exception as error:  # noqa: BLE001  # a subclass of a container may do anything, too
        text = _say(value, error)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _say(value: object, error: Exception) -> str:
    return f"<{type(value).__qualname__}, whose repr() raised {type(error).__qualname__}>"


def format_bytes(size: int) -> str:
    """Give a number of bytes as a person says it: `512 bytes`, `4.2 MB`."""
    if size < 1000:
        return f"{size} byte" if size == 1 else f"{size} bytes"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"
