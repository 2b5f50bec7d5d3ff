"""The parts of cards as HTML: what they show, and that none of it can be anything else."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from plait import cards
from plait.cards import Artifact, Component, Error, Markdown, ProgressBar, Table
from plait.cards.components import render_all
from plait.cards.values import LONGEST, format_bytes, show_short

EVIL = "<script>alert(1)</script>"


class Broken:
    """Cannot show itself."""

    def __repr__(self) -> str:
        raise ValueError(EVIL)


def test_markdown_becomes_html_and_its_html_text() -> None:
    """Headings, tables and links are made; tags, scripts and pictures from elsewhere are not."""
    part = Markdown("old")
    part.update(
        f"# Head\n\n|a|\n|-|\n|1|\n\n[x](javascript:alert(1)) {EVIL} ![p](http://x.y/z.png)"
    )
    html = part.render()

    assert "<h1>Head</h1>" in html
    assert "<td>1</td>" in html
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html


def test_markdown_without_its_library_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was written, which is what Markdown is good for."""
    monkeypatch.setitem(sys.modules, "markdown_it", None)

    assert Markdown("# a <b>").render() == '<pre class="text"># a &lt;b&gt;</pre>'


def test_a_table_holds_values_and_components() -> None:
    """Text as it is, other values as Python writes them, components as what they are."""
    html = Table([["a<b", 1, None], [Artifact([1]), Broken(), {}]], ["x", "<y>", 3]).render()

    assert "<td>a&lt;b</td><td>1</td><td>None</td>" in html
    assert "<code>[1]</code>" in html
    assert "whose repr() raised ValueError" in html
    assert '<th scope="col">&lt;y&gt;</th>' in html
    assert "<thead>" not in Table([[1]]).render()


def test_a_long_table_is_cut_and_says_so() -> None:
    """At a thousand rows."""
    html = Table([[n] for n in range(1234)]).render()

    assert html.count("<tr>") == 1000
    assert "234 more rows are not shown" in html


def test_a_table_of_a_data_frame() -> None:
    """The index comes first; a large frame is cut unless told otherwise."""
    frame = pd.DataFrame({"a": range(150), "b": ["x"] * 150}, index=[f"r{n}" for n in range(150)])

    html = Table.from_dataframe(frame).render()
    assert "<td>r0</td><td>0</td><td>x</td>" in html
    assert html.count("<tr>") == 101
    assert Table.from_dataframe(frame, truncate=False).render().count("<tr>") == 151


def test_an_artifact_is_shown_as_it_was_when_it_was_put_there() -> None:
    """Not as it became."""
    value = [1]
    part = Artifact(value, EVIL)
    value.append(2)

    assert "<code>[1]</code>" in part.render()
    assert "<script" not in part.render()
    assert "<b>" not in Artifact(1).render()


def test_an_error_has_its_traceback() -> None:
    """And text is one, too."""
    try:
        int(EVIL)
    except ValueError as error:
        html = Error(error).render()

    assert "<h3>ValueError: invalid literal for int() with base 10: &#x27;&lt;script&gt;" in html
    assert "test_components.py" in html
    assert "<script" not in html
    assert "<h3>Oh</h3>" in Error("text", title="Oh").render()
    assert "<h3>Error</h3>" in Error("text").render()


def test_a_progress_bar_is_updated() -> None:
    """Its value, its whole, its label and unit."""
    bar = ProgressBar(max=10, label="<rows>", value=2, unit="rows")
    bar.update(7.5)
    html = bar.render()

    assert '<progress max="10" value="7.5">' in html
    assert "7.5 of 10 rows" in html
    assert "&lt;rows&gt;" in html
    assert "label" not in ProgressBar().render().replace("<label>", "").replace("</label>", "")


def test_what_is_no_component_is_shown_as_a_value() -> None:
    """And components of one's own are called."""

    class Own(Component):
        def render(self) -> str:
            return "<hr>"

    html = render_all([Own(), 42])

    assert "<hr>" in html
    assert "<code>42</code>" in html


def test_values_are_shown_in_short() -> None:
    """In one line, never long, whatever they hold; an exception of theirs is no matter."""
    nested: list[object] = []
    nested.append(nested)
    wide = dict.fromkeys(range(99), "y" * 99)
    for value in ("x" * 9999, list(range(9999)), wide, nested, 10**300):
        assert len(show_short(value)) <= LONGEST
    assert show_short("a\n b") == r"'a\n b'"
    assert show_short([1, "b", None]) == "[1, 'b', None]"
    assert show_short(Broken()) == "<Broken, whose repr() raised ValueError>"
    assert show_short(10**9999).startswith("<int, whose repr() raised")


def test_sizes_are_words() -> None:
    """With three digits."""
    sizes = [1, 999, 1000, 999_949, 4_200_000, 10**9, 5 * 10**12]

    assert [format_bytes(n) for n in sizes] == [
        "1 byte", "999 bytes", "1.0 kB", "999.9 kB", "4.2 MB", "1.0 GB", "5.0 TB",
    ]  # fmt: skip


def test_the_package_offers_what_it_says() -> None:
    """Each name can be imported, and no other."""
    assert all(getattr(cards, name).__name__ == name for name in cards.__all__)
    assert set(dir(cards)) == set(cards.__all__)
    with pytest.raises(AttributeError, match="VegaChart"):
        cards.VegaChart  # noqa: B018  # asking is what is tested
