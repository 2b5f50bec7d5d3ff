"""A card as a page: one HTML file that loads nothing and runs nothing."""

from __future__ import annotations

import os
from functools import cache
from html import escape

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with a card: show it. Should anything in it still ask for the network or
for a script, the browser refuses."""


@cache
def read_style() -> str:
    """Give the style sheet of cards."""
    path = os.path.join(os.path.dirname(__file__), "card.css")
    with open(path, encoding="utf-8") as file:
        return file.read()


def make_page(title: str, body: str, *, subtitle: str = "") -> str:
    """Give a whole page.

    Args:
        title: Its heading.
        body: What it shows, as HTML.
        subtitle: What stands small below the heading.
    """
    below = f'<p class="note">{escape(subtitle)}</p>' if subtitle else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{read_style()}</style>\n</head>\n"
        f"<body>\n<header><h1>{escape(title)}</h1>{below}</header>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )
