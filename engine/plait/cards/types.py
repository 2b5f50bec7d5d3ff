"""What the types of cards show: `default`, `blank` and `html`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

from plait.artifacts.codec import type_name
from plait.base.errors import PlaitError
from plait.base.records import ArtifactRef
from plait.cards.components import render_all
from plait.cards.page import make_page
from plait.cards.values import format_bytes, show_short

_HTML = "html"
_MOST_ARTIFACTS = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """What a card is about.

    Args:
        title: Its heading: the task.
        subtitle: What stands small below: the attempt and the time.
        parts: What the step's code put on it.
        values: The artifacts that the step set or read, by name.
        before: Where those are that came down to it and that it did not read.
        failure: The traceback of the step's code, where that failed.
    """

    title: str
    subtitle: str = ""
    parts: Iterable[object] = ()
    values: Mapping[str, object] = field(default_factory=dict)
    before: Mapping[str, ArtifactRef] = field(default_factory=dict)
    failure: str = ""


class NoHTML(PlaitError):
    """A card shows the artifact `html`, and there is none that is text."""

    slug = "no-html"

    def __init__(self, found: object) -> None:
        super().__init__(
            "the card shows the artifact 'html', and there is none that is text",
            why="the step has not set it"
            if found is None
            else f"it is a value of type {type(found).__qualname__}",
            fix='set self.html = "<h1>...</h1>" in the step, or leave type="html" out of @card',
        )


def make_default(subject: Subject) -> str:
    """Show what the step put on the card, then its artifacts."""
    return _page(subject, render_all(tuple(subject.parts)) + _list_artifacts(subject))


def make_blank(subject: Subject) -> str:
    """Show what the step put on the card, and nothing else."""
    return _page(subject, render_all(tuple(subject.parts)))


def make_html(subject: Subject) -> str:
    """Show the artifact `html`, which is a page of the user's own."""
    page = subject.values.get(_HTML)
    if not isinstance(page, str):
        if subject.failure:
            return _page(subject, "")
        raise NoHTML(page)
    return page


MAKERS = {"default": make_default, "blank": make_blank, _HTML: make_html}
"""The types of cards, each with what makes the page."""


def show_failure(title: str, text: str) -> str:
    """Give a failure as HTML: a headline, and a traceback below it."""
    return (
        f'<section class="error"><h3>{escape(title)}</h3>'
        f'<pre tabindex="0">{escape(text)}</pre></section>'
    )


def _page(subject: Subject, body: str) -> str:
    failed = show_failure("The step failed", subject.failure) if subject.failure else ""
    return make_page(subject.title, failed + body, subtitle=subject.subtitle)


def _list_artifacts(subject: Subject) -> str:
    rows = {
        name: (type_name(type(value)), "", show_short(value))
        for name, value in subject.values.items()
        if not name.startswith("_")
    }
    rows |= {
        name: (ref.type, format_bytes(ref.size), "")
        for name, ref in subject.before.items()
        if not name.startswith("_") and name not in rows
    }
    if not rows:
        return '<h2>Artifacts</h2><p class="note">none</p>'
    shown = sorted(rows.items())[:_MOST_ARTIFACTS]
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(kind)}</td>'
        f"<td>{f'<code>{escape(value)}</code>' if value else f'{size}, not read here'}</td></tr>"
        for name, (kind, size, value) in shown
    )
    left = len(rows) - len(shown)
    more = f'<p class="note">{left:,} more are not shown</p>' if left else ""
    return (
        '<h2>Artifacts</h2><div class="scroll" tabindex="0" role="group" aria-label="artifacts">'
        '<table><thead><tr><th scope="col">name</th><th scope="col">type</th>'
        f'<th scope="col">value</th></tr></thead><tbody>{body}</tbody></table></div>{more}'
    )
