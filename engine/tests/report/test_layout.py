"""The layered layout: nothing overlaps, lines lead down, and few of them cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plait.report.layout import Layout, Line, Spacing, lay_out

SIZE = (100.0, 40.0)


def draw(edges: Mapping[str, Sequence[str]]) -> Layout:
    """Lay a graph out in which all boxes have one size."""
    return lay_out(edges, dict.fromkeys(edges, SIZE))


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Graphs of up to 12 nodes whose edges lead anywhere."""
    names = [f"n{n}" for n in range(draw(st.integers(1, 12)))]
    return {name: draw(st.lists(st.sampled_from(names), max_size=4, unique=True)) for name in names}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_any_graph_has_a_layout(edges: dict[str, list[str]]) -> None:
    """Boxes apart and within the picture, each line from the edge of its source to its target's."""
    layout = draw(edges)
    boxes = {box.name: box for box in layout.boxes}
    gap = Spacing().across

    assert list(boxes) == list(edges)
    for box in boxes.values():
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= layout.width
        assert box.y + box.height <= layout.height
        for other in boxes.values():
            if other is not box:
                beside = abs(other.x - box.x) >= box.width + gap - 0.001
                assert beside or abs(other.y - box.y) >= box.height
    assert sorted((line.source, line.target) for line in layout.lines) == sorted(
        (source, target) for source, targets in edges.items() for target in targets
    )
    for line in layout.lines:
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in line.points)
        check_line(line, {name: (box.x, box.y) for name, box in boxes.items()})


def check_line(line: Line, corners: Mapping[str, tuple[float, float]]) -> None:
    """See that a line begins and ends where it should."""
    (x1, y1), (x2, y2) = corners[line.source], corners[line.target]
    first, *_, last = line.points
    if line.back:
        assert first[0] == x1 + SIZE[0]
        assert last[0] == x2 + SIZE[0]
    else:
        assert first == pytest.approx((x1 + SIZE[0] / 2, y1 + SIZE[1]))
        assert last == pytest.approx((x2 + SIZE[0] / 2, y2))
        heights = [y for _, y in line.points]
        assert heights == sorted(heights)


def test_a_chain_is_straight() -> None:
    """One box below the other."""
    layout = draw({"a": ["b"], "b": ["c"], "c": []})

    assert len({box.x for box in layout.boxes}) == 1
    assert [box.y for box in layout.boxes] == sorted(box.y for box in layout.boxes)


def test_branches_stand_side_by_side_below_the_middle() -> None:
    """And their join below them, in the middle again."""
    layout = draw({"s": ["a", "b", "c"], "a": ["j"], "b": ["j"], "c": ["j"], "j": []})
    x = {box.name: box.x for box in layout.boxes}

    assert x["a"] < x["b"] < x["c"]
    assert abs(x["s"] - x["b"]) < 0.1
    assert abs(x["j"] - x["b"]) < 0.1


def test_lines_do_not_cross_where_they_need_not() -> None:
    """The second layer is put in the order of the first."""
    layout = draw({"s": ["a", "b"], "a": ["y"], "b": ["x"], "x": ["j"], "y": ["j"], "j": []})
    x = {box.name: box.x for box in layout.boxes}

    assert (x["a"] < x["b"]) == (x["y"] < x["x"])


def test_a_line_past_a_layer_has_a_place_there() -> None:
    """So that it goes beside the box and not through it."""
    layout = draw({"s": ["a", "j"], "a": ["j"], "j": []})
    box = next(box for box in layout.boxes if box.name == "a")
    line = next(line for line in layout.lines if (line.source, line.target) == ("s", "j"))

    assert len(line.points) == 4
    assert all(not box.x < x < box.x + box.width for x, _ in line.points[1:3])


def test_lines_back_are_beside_everything() -> None:
    """Each in a lane of its own."""
    layout = draw({"a": ["b"], "b": ["a", "b", "c"], "c": []})
    right = max(box.x + box.width for box in layout.boxes)
    lanes = [line.points[1][0] for line in layout.lines if line.back]

    assert len(set(lanes)) == 2
    assert min(lanes) > right


def test_nothing_is_an_empty_picture() -> None:
    """Of some size."""
    layout = lay_out({}, {})

    assert layout.boxes == layout.lines == ()
    assert layout.width > 0
    assert layout.height > 0
