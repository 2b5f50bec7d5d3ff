"""Where the steps of a graph go on a picture: in layers, from top to bottom, few lines crossing.

The method is that of Sugiyama, Tagawa and Toda (1981): layers by the longest way from the start,
places for lines that pass layers, orders by the mean of the neighbours' places, and coordinates by
isotonic regression, which keeps the distances and comes as near to the neighbours as it can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 8
"""So often the orders are improved, from top to bottom and back; more changes next to nothing."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances, in the units of the boxes' sizes.

    Args:
        across: Between two boxes side by side, or a box and a line.
        down: Between two layers.
        lane: Between the lines that lead back, right of all boxes.
        margin: Around everything.
    """

    across: float = 28.0
    down: float = 54.0
    lane: float = 22.0
    margin: float = 16.0


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node is: its upper left corner, and its size."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one node to another, through points from its beginning to its end.

    Args:
        source: Where it begins.
        target: Where it ends.
        points: `(x, y)` of each; the first one at the lower edge of *source*, the last one at the
            upper edge of *target*, or both at their right edges if it leads back.
        back: Whether it leads to an earlier node, or to its own.
    """

    source: str
    target: str
    points: tuple[tuple[float, float], ...]
    back: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole picture: boxes in the order of the nodes, lines, and the size."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


class _Place:
    """One place in a layer: a node's, or that of a line which passes the layer."""

    __slots__ = ("height", "layer", "node", "width", "x")

    def __init__(self, node: str | None, layer: int, width: float, height: float) -> None:
        self.node, self.layer, self.width, self.height = node, layer, width, height
        self.x = 0.0


def lay_out(
    edges: Mapping[str, Sequence[str]],
    sizes: Mapping[str, tuple[float, float]],
    spacing: Spacing | None = None,
) -> Layout:
    """Give each node its place, and each edge its way.

    Args:
        edges: The nodes, each with those that it leads to. Their order is that of a walk: an edge
            to a node that does not come later leads back.
        sizes: Width and height of each node's box.
        spacing: The distances.
    """
    gaps = spacing or Spacing()
    number = {name: position for position, name in enumerate(edges)}
    forward = [(s, t) for s, ts in edges.items() for t in ts if number[t] > number[s]]
    back = [(s, t) for s, ts in edges.items() for t in ts if number[t] <= number[s]]
    layer = _find_layers(edges, forward)
    places = {name: _Place(name, layer[name], *sizes[name]) for name in edges}
    layers: list[list[_Place]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for place in places.values():
        layers[place.layer].append(place)
    ways = [_make_way(places[s], places[t], layers) for s, t in forward]
    above, below = _find_neighbours(ways)
    _order(layers, above, below)
    _place_across(layers, above, below, gaps)
    return _draw(layers, places, list(zip(forward, ways, strict=True)), back, gaps)


def _find_layers(edges: Iterable[str], forward: Iterable[tuple[str, str]]) -> dict[str, int]:
    layer = dict.fromkeys(edges, 0)
    # Edges come in the order of their sources, each of which has its layer by then.
    for source, target in forward:
        layer[target] = max(layer[target], layer[source] + 1)
    return layer


def _make_way(source: _Place, target: _Place, layers: list[list[_Place]]) -> list[_Place]:
    """Give the places that an edge passes, and make those between its ends."""
    way = [source]
    for number in range(source.layer + 1, target.layer):
        place = _Place(None, number, 0.0, 0.0)
        layers[number].append(place)
        way.append(place)
    return [*way, target]


_Neighbours = Mapping[_Place, Sequence[_Place]]


def _find_neighbours(ways: Iterable[Sequence[_Place]]) -> tuple[_Neighbours, _Neighbours]:
    above: dict[_Place, list[_Place]] = defaultdict(list)
    below: dict[_Place, list[_Place]] = defaultdict(list)
    for way in ways:
        for upper, lower in pairwise(way):
            below[upper].append(lower)
            above[lower].append(upper)
    return above, below


def _order(layers: list[list[_Place]], above: _Neighbours, below: _Neighbours) -> None:
    """Put the places of each layer in the order in which the fewest lines cross that was found."""
    best, fewest = [list(layer) for layer in layers], _count_crossings(layers, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        neighbours = above if downwards else below
        for layer in layers if downwards else reversed(layers):
            _sort_by_neighbours(layer, layers, neighbours)
        crossings = _count_crossings(layers, below)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    for layer, order in zip(layers, best, strict=True):
        layer[:] = order


def _sort_by_neighbours(
    layer: list[_Place], layers: Sequence[Sequence[_Place]], neighbours: _Neighbours
) -> None:
    position = {
        place: n
        for other in {place.layer for near in layer for place in neighbours.get(near, ())}
        for n, place in enumerate(layers[other])
    }
    means = {}
    for n, place in enumerate(layer):
        near = [position[other] for other in neighbours.get(place, ())]
        means[place] = sum(near) / len(near) if near else float(n)
    layer.sort(key=means.__getitem__)  # stable: what ties stays as it is


def _count_crossings(layers: Sequence[Sequence[_Place]], below: _Neighbours) -> int:
    count = 0
    for upper, lower in pairwise(layers):
        position = {place: n for n, place in enumerate(lower)}
        ends: list[int] = []
        for place in upper:
            mine = sorted(position[other] for other in below.get(place, ()))
            count += sum(end > own for own in mine for end in ends)
            ends += mine
    return count


def _place_across(
    layers: Sequence[Sequence[_Place]], above: _Neighbours, below: _Neighbours, gaps: Spacing
) -> None:
    """Give each place its middle, as near to its neighbours as its layer allows."""
    for layer in layers:
        for place, x in zip(layer, _spread([0.0] * len(layer), layer, gaps), strict=True):
            place.x = x
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = []
            for place in layer:
                near = [*above.get(place, ()), *below.get(place, ())]
                wanted.append(sum(other.x for other in near) / len(near) if near else place.x)
            for place, x in zip(layer, _spread(wanted, layer, gaps), strict=True):
                place.x = x


def _spread(wanted: Sequence[float], layer: Sequence[_Place], gaps: Spacing) -> list[float]:
    """Give the middles that are nearest to *wanted* by least squares, with room between them."""
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + gaps.across)
    # With the distances taken off, what remains is to find the nearest values that never fall:
    # neighbours that do are put together at their mean, again and again.
    blocks: list[tuple[float, int]] = []
    for value, offset in zip(wanted, offsets, strict=False):
        mean, count = value - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, size = blocks.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        blocks.append((mean, count))
    flat = [mean for mean, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=False)]


def _draw(
    layers: Sequence[Sequence[_Place]],
    places: Mapping[str, _Place],
    ways: Sequence[tuple[tuple[str, str], Sequence[_Place]]],
    back: Sequence[tuple[str, str]],
    gaps: Spacing,
) -> Layout:
    tops, heights, y = [], [], gaps.margin
    for layer in layers:
        heights.append(max((place.height for place in layer), default=0.0))
        tops.append(y)
        y += heights[-1] + gaps.down
    every = [place for layer in layers for place in layer]
    left = min((place.x - place.width / 2 for place in every), default=0.0) - gaps.margin
    right = max((place.x + place.width / 2 for place in every), default=0.0) - left

    def top(place: _Place) -> float:
        return tops[place.layer] + (heights[place.layer] - place.height) / 2

    boxes = {
        name: Box(name, place.x - place.width / 2 - left, top(place), place.width, place.height)
        for name, place in places.items()
    }
    lines = []
    for (source, target), way in ways:
        points = [(way[0].x - left, top(way[0]) + way[0].height)]
        for place in way[1:-1]:
            points.append((place.x - left, tops[place.layer]))
            points.append((place.x - left, tops[place.layer] + heights[place.layer]))
        points.append((way[-1].x - left, top(way[-1])))
        lines.append(Line(source, target, tuple(points), back=False))
    for lane, (source, target) in enumerate(back, 1):
        begin, end, x = boxes[source], boxes[target], right + lane * gaps.lane
        # A little apart, so that a line to the node itself is one that can be seen.
        y1, y2 = begin.y + begin.height * 0.65, end.y + end.height * 0.35
        points = [(begin.x + begin.width, y1), (x, y1), (x, y2), (end.x + end.width, y2)]
        lines.append(Line(source, target, tuple(points), back=True))
    width = right + len(back) * gaps.lane + gaps.margin
    height = max(y - gaps.down, gaps.margin) + gaps.margin
    return Layout(tuple(boxes.values()), tuple(lines), width, height)
