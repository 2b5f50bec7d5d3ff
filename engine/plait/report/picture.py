"""The graph of a flow as a picture: boxes with words, and lines between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plait.report.layout import Layout, lay_out

_CHARACTER = 8.2
"""How wide a character is, in pixels, in the fixed-width font of the picture."""
_LONGEST = 28
_HEIGHT = 52.0
_LEAST = 110.0


@dataclass(frozen=True, slots=True)
class StepShown:
    """What a picture says of a step beside its name.

    Args:
        state: `done`, `failed`, `running`, `waiting`, `cloned` or empty for no state at all.
        line: The second line of the box.
    """

    state: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A box, ready to be drawn.

    Args:
        name: The step.
        text: Its name as the box shows it, cut if it is very long.
        line: The second line.
        state: As for `StepShown`.
        kind: What is special about it: `foreach`, `branch`, `switch`, `join` or empty.
        spoken: What is read to those who do not see it.
        x: The left edge.
        y: The upper edge.
        width: How wide it is.
        height: How high it is.
    """

    name: str
    text: str
    line: str
    state: str
    kind: str
    spoken: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A line, ready to be drawn: an SVG path, and words beside it."""

    path: str
    label: str
    x: float
    y: float
    back: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole picture."""

    width: float
    height: float
    shapes: Sequence[Shape] = field(default_factory=tuple)
    curves: Sequence[Curve] = field(default_factory=tuple)


def make_picture(graph: Mapping[str, Any], shown: Mapping[str, StepShown] | None = None) -> Picture:
    """Draw a graph.

    Args:
        graph: The graph in its JSON form, as `graph.draw.to_json` gives it.
        shown: What to say of each step; by default what kind of step it is.
    """
    steps: Mapping[str, Mapping[str, Any]] = graph.get("steps", {})
    said = {
        name: (shown or {}).get(name) or StepShown("", describe(step))
        for name, step in steps.items()
    }
    sizes = {name: (_measure(name, said[name].line), _HEIGHT) for name in steps}
    edges = {name: [t for t in step["next"] if t in steps] for name, step in steps.items()}
    layout = lay_out(edges, sizes)
    shapes = [
        Shape(
            box.name,
            _cut(box.name),
            _cut(said[box.name].line),
            said[box.name].state,
            find_kind(steps[box.name]),
            ", ".join(
                filter(None, (f"step {box.name}", said[box.name].state, said[box.name].line))
            ),
            round(box.x, 1),
            round(box.y, 1),
            round(box.width, 1),
            box.height,
        )
        for box in layout.boxes
    ]
    return Picture(
        round(layout.width, 1), round(layout.height, 1), shapes, _make_curves(layout, steps)
    )


def find_kind(step: Mapping[str, Any]) -> str:
    """Give what is special about a step: `foreach`, `branch`, `switch`, `join`, or nothing."""
    if step["kind"] in ("foreach", "branch", "switch"):
        return str(step["kind"])
    return "join" if step["join"] else ""


def describe(step: Mapping[str, Any]) -> str:
    """Give a step's kind and decorators in a line."""
    words = {
        "foreach": f"foreach {step.get('foreach')}",
        "switch": f"switch {step.get('condition')}",
    }
    kind = step["kind"] or ""
    parts = ["join" if step["join"] else "", words.get(kind, "branch" if kind == "branch" else "")]
    decorators = [name for name in step["decorators"] if name != "step"]
    return " ".join(filter(None, (*parts, *(f"@{name}" for name in decorators))))


def label_edge(step: Mapping[str, Any], target: str) -> str:
    """Give the words beside the line from *step* to *target*; none for most."""
    if step["kind"] != "switch":
        return ""
    return " or ".join(str(value) for value, name in step["cases"] if name == target)


def _measure(name: str, line: str) -> float:
    longest = max(len(_cut(name)), len(_cut(line)) * 0.85)
    return max(longest * _CHARACTER + 28, _LEAST)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\u2026"


def _make_curves(layout: Layout, steps: Mapping[str, Mapping[str, Any]]) -> list[Curve]:
    curves = []
    for line in layout.lines:
        (x, y), *rest = line.points
        path = [f"M{x:.1f} {y:.1f}"]
        if line.back:
            path += [f"L{px:.1f} {py:.1f}" for px, py in rest]
        else:
            for px, py in rest:
                # Straight down at both ends of each part, so that the parts go over smoothly.
                middle = (y + py) / 2
                path.append(f"C{x:.1f} {middle:.1f} {px:.1f} {middle:.1f} {px:.1f} {py:.1f}")
                x, y = px, py
        (x1, y1), (x2, y2) = line.points[:2]
        label = _cut(label_edge(steps[line.source], line.target))
        at = (x1 + 6, y1 + 4) if line.back else ((x1 + x2) / 2, (y1 + y2) / 2 + 4)
        curves.append(Curve(" ".join(path), label, round(at[0], 1), round(at[1], 1), line.back))
    return curves
