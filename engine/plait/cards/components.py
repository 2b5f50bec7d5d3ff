"""The parts of a card that are text: Markdown, tables, values, errors and progress."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from plait.cards.values import show_short

_MOST_ROWS = 1000
"""So many rows of a table are shown; more would make a page that no browser likes."""


class Component(ABC):
    """A part of a card; derive from it to make parts of your own."""

    @abstractmethod
    def render(self) -> str:
        """Give the part as HTML.

        Escape what is not meant as HTML: `html.escape(text)`. Styles may stand in `style`
        attributes; scripts do not run in a card.
        """


class Markdown(Component):
    """Text with headings, lists, tables, links and code, written as Markdown (CommonMark).

    HTML in it is shown as it is written. Without the package `markdown-it-py`, which comes with
    `plait[report]`, all of the text is.

    Args:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self._text = str(text)

    def update(self, text: str) -> None:
        """Put another text in its place."""
        self._text = str(text)

    def render(self) -> str:
        """Give the text as HTML."""
        try:
            from markdown_it import MarkdownIt
        except ImportError:
            return f'<pre class="text">{escape(self._text)}</pre>'
        # An image would be loaded from the network; `Image` holds its bytes instead.
        parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
        return f'<div class="markdown">{parser.render(self._text)}</div>'


class Table(Component):
    """Rows of cells; a cell is a component or any value.

    Args:
        data: The rows, each with its cells.
        headers: The names of the columns.
    """

    def __init__(
        self, data: Iterable[Iterable[object]] = (), headers: Iterable[object] = ()
    ) -> None:
        self._rows = [list(row) for row in data]
        self._headers = list(headers)

    @classmethod
    def from_dataframe(cls, dataframe: Any, truncate: bool = True) -> Table:
        """Make a table of a pandas DataFrame.

        Args:
            dataframe: The frame; its index becomes the first column.
            truncate: Whether to take only its first 100 rows and 50 columns.
        """
        shown = dataframe.iloc[:100, :50] if truncate else dataframe
        rows = [
            [index, *row]
            for index, row in zip(shown.index, shown.itertuples(index=False), strict=True)
        ]
        return cls(rows, ["", *shown.columns])

    def render(self) -> str:
        """Give the table as HTML."""
        heads = "".join(f'<th scope="col">{_cell(head)}</th>' for head in self._headers)
        head = f"<thead><tr>{heads}</tr></thead>" if heads else ""
        body = "".join(
            f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>"
            for row in self._rows[:_MOST_ROWS]
        )
        left = len(self._rows) - _MOST_ROWS
        more = f'<p class="note">{left:,} more rows are not shown</p>' if left > 0 else ""
        # The frame can be scrolled, so it must be reachable from the keyboard.
        return (
            f'<div class="scroll" tabindex="0" role="group" aria-label="table">'
            f"<table>{head}<tbody>{body}</tbody></table></div>{more}"
        )


class Artifact(Component):
    """One value, in short, with its type.

    Args:
        artifact: The value.
        name: What to call it.
    """

    def __init__(self, artifact: object, name: str | None = None) -> None:
        # Written now, for the value may be changed by the time the card is made.
        self._text = show_short(artifact)
        self._type = type(artifact).__qualname__
        self._name = name

    def render(self) -> str:
        """Give the value as HTML."""
        name = "" if self._name is None else f"<b>{escape(str(self._name))}</b> "
        return (
            f'<p class="artifact">{name}<code>{escape(self._text)}</code> '
            f'<span class="note">{escape(self._type)}</span></p>'
        )


class Error(Component):
    """An exception with its traceback.

    Args:
        exception: The exception; or its text, if it is only known as such.
        title: What stands above it. By default its type and message.
    """

    def __init__(self, exception: BaseException | str, title: str | None = None) -> None:
        if isinstance(exception, str):
            self._text, headline = exception, "Error"
        else:
            from traceback import format_exception

            self._text = "".join(format_exception(exception))
            headline = f"{type(exception).__qualname__}: {exception}"
        self._title = headline if title is None else str(title)

    def render(self) -> str:
        """Give the error as HTML."""
        return (
            f'<section class="error"><h3>{escape(self._title)}</h3>'
            f'<pre tabindex="0">{escape(self._text)}</pre></section>'
        )


class ProgressBar(Component):
    """How far something came.

    Args:
        max: What is all of it.
        label: What is counted.
        value: How far it is.
        unit: What stands behind the numbers.
    """

    def __init__(
        self,
        max: float = 100,  # noqa: A002  # as users of workflow engines write it
        label: str | None = None,
        value: float = 0,
        unit: str | None = None,
    ) -> None:
        self._max, self._value, self._label, self._unit = max, value, label, unit

    def update(self, new_value: float) -> None:
        """Say how far it is now."""
        self._value = new_value

    def render(self) -> str:
        """Give the bar as HTML."""
        label = "" if self._label is None else f"{escape(str(self._label))} "
        unit = "" if self._unit is None else f" {escape(str(self._unit))}"
        value, most = escape(f"{self._value:g}"), escape(f"{self._max:g}")
        return (
            f'<p class="progress"><label>{label}<progress max="{most}" value="{value}">'
            f"</progress></label> {value} of {most}{unit}</p>"
        )


def render_all(components: Sequence[object]) -> str:
    """Give components one after another as HTML; what is none is shown as a value is."""
    return "\n".join(render_one(component) for component in components)


def render_one(component: object) -> str:
    """Give one component as HTML; what is none is shown as a value is."""
    return (component if isinstance(component, Component) else Artifact(component)).render()


def _cell(value: object) -> str:
    if isinstance(value, Component):
        return value.render()
    return escape(value if isinstance(value, str) else show_short(value))
