"""Images and charts: bytes within the page, and lines that are numbers."""

from __future__ import annotations

import io
import math
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from PIL import Image as PILImage

from plait.cards import BarChart, Image, LineChart
from plait.cards.images import BadImage

mpl.use("agg")
EVIL = '"><script>alert(1)</script>'


def encode(kind: str) -> bytes:
    """Give a small picture's bytes."""
    out = io.BytesIO()
    PILImage.new("RGB", (2, 2)).save(out, format=kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_an_image_knows_its_kind_by_its_bytes(kind: str) -> None:
    """And holds all of them."""
    html = Image(encode(kind), label=EVIL).render()

    assert f"data:image/{kind.lower()};base64," in html
    assert "<script" not in html
    assert "<figcaption>" in html


def test_svg_is_an_image_in_which_nothing_runs() -> None:
    """As data of an `img`, never as a part of the page."""
    html = Image(b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>').render()

    assert html.startswith('<figure><img alt="" src="data:image/svg+xml;base64,')
    assert "figcaption" not in html


@pytest.mark.parametrize("src", [b"", b"hello", "a.png", None, 3])
def test_what_is_no_picture_is_refused(src: object) -> None:
    """With an error that says what is one."""
    with pytest.raises(BadImage, match="is no picture"):
        Image(src)
    with pytest.raises(BadImage):
        Image.from_matplotlib(3)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "F"])
def test_images_of_pillow(mode: str) -> None:
    """In any of its kinds of colours."""
    image = PILImage.new(mode, (2, 2))

    assert "data:image/png" in Image.from_pil_image(image).render()
    assert "data:image/png" in Image(image).render()


def test_figures_of_matplotlib() -> None:
    """The figure, or axes of it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    axes = figure.subplots()

    for plot in (figure, axes):
        assert "data:image/png" in Image.from_matplotlib(plot, "p").render()
        assert "data:image/png" in Image(plot).render()


def svg(html: str) -> ElementTree.Element:
    """Give the SVG of a chart; it is well-formed."""
    return ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])


def test_bars_are_as_long_as_their_numbers() -> None:
    """To the left of zero if they are less, and without length if they are none."""
    html = BarChart({"a": 2, "b": -1, EVIL: math.nan}, label=EVIL).render()
    bars = [(float(r.get("x", "")), float(r.get("width", ""))) for r in svg(html).iter("rect")]

    assert "<script" not in html
    assert bars[0][1] == pytest.approx(2 * bars[1][1], abs=0.2)
    assert bars[1][0] + bars[1][1] == pytest.approx(bars[0][0], abs=0.2)
    assert bars[2][1] == 0
    assert [t.text for t in svg(BarChart([0, 0]).render()).iter("text")] == ["0", "0", "1", "0"]


def test_many_bars_are_cut() -> None:
    """At a hundred, and the chart says so; long labels are cut as well."""
    html = BarChart({f"{n:040d}": 1.0 for n in range(120)}).render()

    assert "20 more bars are not shown" in html
    assert "\u2026" in html


def test_lines_go_through_their_points() -> None:
    """From left to right in the given places; what is no number is left out."""
    chart = LineChart({"a": [1, 2, math.inf, 3], EVIL: [3, 2]}, label="loss", x=[0, 10, 20, 30])
    html = chart.render()
    lines = [line.get("points", "").split() for line in svg(html).iter("polyline")]

    assert [len(line) for line in lines] == [3, 2]
    assert lines[0][0] == "60.0,230.0"
    assert lines[0][-1] == "624.0,14.0"
    assert "<script" not in html
    assert "legend" in html


@pytest.mark.parametrize("points", [[], [5], [5, 5]])
def test_a_line_without_a_height_is_drawn_all_the_same(points: list[float]) -> None:
    """Nothing is divided by nothing."""
    html = LineChart(points).render()

    assert "legend" not in html
    assert len(list(svg(html).iter("line"))) == 5
