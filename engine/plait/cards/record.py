"""A card as it is kept: an artifact of plain values, which can be read without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CardRecord:
    """One card of an attempt.

    Args:
        type: What it shows: `default`, `blank` or `html`.
        id: The id that its decorator gives it; None if it has none.
        html: The whole page.
        made: When it was made; seconds since 1970.
        failure: Why it shows that it could not be made; empty if it could.
    """

    type: str
    id: str | None
    html: str
    made: float
    failure: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Give the card as the value that is kept."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: object) -> CardRecord:
        """Read what `to_plain` gave. Raises TypeError for anything else."""
        if not isinstance(data, Mapping):
            raise TypeError(f"a card is a dict, not a {type(data).__qualname__}")
        record = cls(**data)
        if not (isinstance(record.html, str) and isinstance(record.made, float)):
            raise TypeError("its page is text, and its time a number")
        return record
