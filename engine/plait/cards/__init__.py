"""What cards are made of: text, tables, images and charts, for `current.card.append(...)`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait.cards.charts import BarChart, LineChart
    from plait.cards.components import Artifact, Component, Error, Markdown, ProgressBar, Table
    from plait.cards.images import Image
    from plait.cards.reading import Card, Cards, get_cards

__all__ = [
    "Artifact",
    "BarChart",
    "Card",
    "Cards",
    "Component",
    "Error",
    "Image",
    "LineChart",
    "Markdown",
    "ProgressBar",
    "Table",
    "get_cards",
]

# A step that makes cards needs no client, and a script that reads them no charts.
_HOMES = {
    "Artifact": "components",
    "BarChart": "charts",
    "Card": "reading",
    "Cards": "reading",
    "Component": "components",
    "Error": "components",
    "Image": "images",
    "LineChart": "charts",
    "Markdown": "components",
    "ProgressBar": "components",
    "Table": "components",
    "get_cards": "reading",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"plait.cards.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
