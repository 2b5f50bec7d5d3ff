"""Plain charts of numbers, drawn as SVG without any library and without scripts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from plait.cards.components import Component

_WIDTH = 640
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 16, 14, 30
_HEIGHT = 260
_BAR = 24
_MOST_BARS = 100
_SERIES = 6
"""So many lines have colours of their own; the style sheet has them as `s0` to `s5`."""


class BarChart(Component):
    """Bars, one a label.

    Args:
        values: The numbers by label; or the numbers alone, which are counted from 0 then.
        label: What stands above the chart.
    """

    def __init__(
        self, values: Mapping[object, float] | Iterable[float], label: str | None = None
    ) -> None:
        pairs = values.items() if isinstance(values, Mapping) else enumerate(values)
        self._bars = [(str(name), float(value)) for name, value in pairs]
        self._label = label

    def render(self) -> str:
        """Give the chart as SVG."""
        bars = self._bars[:_MOST_BARS]
        finite = [value for _, value in bars if math.isfinite(value)]
        low, high = min([0.0, *finite]), max([0.0, *finite])
        names = 8 * max([4, *(min(len(name), 24) for name, _ in bars)])
        scale = (_WIDTH - names - 90) / ((high - low) or 1.0)
        zero = names - low * scale
        rows = []
        for position, (name, value) in enumerate(bars):
            y = position * _BAR
            length = abs(value) * scale if math.isfinite(value) else 0.0
            x = zero if value >= 0 else zero - length
            rows.append(
                f'<text class="t" x="{names - 8}" y="{y + 16}" text-anchor="end">'
                f"{escape(_cut(name))}<title>{escape(name)}</title></text>"
                f'<rect class="s0" x="{x:.1f}" y="{y + 4}" width="{length:.1f}" height="16"/>'
                f'<text class="n" x="{max(x, zero) + (length if value >= 0 else 0) + 6:.1f}" '
                f'y="{y + 16}">{value:g}</text>'
            )
        left = len(self._bars) - len(bars)
        more = f'<p class="note">{left:,} more bars are not shown</p>' if left else ""
        return _frame(self._label, "bar chart", _BAR * len(bars) + 4, "".join(rows)) + more


class LineChart(Component):
    """Lines through points, one line a series.

    Args:
        series: The heights of the points, each a step to the right of the one before; or several
            such series by name.
        label: What stands above the chart.
        x: The places of the points from left to right, where they are not 0, 1, 2, ...
    """

    def __init__(
        self,
        series: Mapping[str, Sequence[float]] | Sequence[float],
        label: str | None = None,
        x: Sequence[float] | None = None,
    ) -> None:
        named = series if isinstance(series, Mapping) else {"": series}
        self._series = {
            str(name): [
                (float(at), float(y))
                for at, y in zip(x if x is not None else range(len(ys)), ys, strict=False)
                if math.isfinite(at) and math.isfinite(y)
            ]
            for name, ys in named.items()
        }
        self._label = label

    def render(self) -> str:
        """Give the chart as SVG."""
        points = [point for line in self._series.values() for point in line]
        left, right = _span([x for x, _ in points])
        low, high = _span([y for _, y in points])

        def across(x: float) -> float:
            return _LEFT + (x - left) / (right - left) * (_WIDTH - _LEFT - _RIGHT)

        def down(y: float) -> float:
            return _HEIGHT - _BOTTOM - (y - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

        parts = []
        for step in range(5):
            y, x = low + (high - low) * step / 4, left + (right - left) * step / 4
            parts.append(
                f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" '
                f'y1="{down(y):.1f}" y2="{down(y):.1f}"/>'
                f'<text class="n" x="{_LEFT - 8}" y="{down(y) + 4:.1f}" text-anchor="end">'
                f'{y:.4g}</text><text class="n" x="{across(x):.1f}" y="{_HEIGHT - 8}" '
                f'text-anchor="middle">{x:.4g}</text>'
            )
        names = []
        for number, (name, line) in enumerate(self._series.items()):
            colour = f"s{number % _SERIES}"
            path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in line)
            parts.append(f'<polyline class="line {colour}" points="{path}"/>')
            if name:
                names.append(f'<li><span class="key {colour}"></span>{escape(name)}</li>')
        legend = f'<ul class="legend">{"".join(names)}</ul>' if names else ""
        return _frame(self._label, "line chart", _HEIGHT, "".join(parts)) + legend


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Give the least and the greatest, never the same."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _cut(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}\u2026"


def _frame(label: str | None, kind: str, height: int, inside: str) -> str:
    title = "" if label is None else f'<figcaption class="above">{escape(str(label))}</figcaption>'
    spoken = escape(kind if label is None else f"{kind}: {label}")
    return (
        f'<figure class="chart">{title}<svg role="img" aria-label="{spoken}" '
        f'viewBox="0 0 {_WIDTH} {height}">{inside}</svg></figure>'
    )
