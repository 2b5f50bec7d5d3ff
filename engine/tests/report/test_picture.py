"""The graph as boxes and lines with words."""

from __future__ import annotations

from typing import Any

from plait.report.picture import StepShown, make_picture


def node(**given: Any) -> dict[str, Any]:
    """Give a step in the JSON form of a graph, that of an `end` unless told otherwise."""
    base = {
        "kind": None,
        "next": [],
        "foreach": None,
        "condition": None,
        "cases": [],
        "join": False,
    }
    return {**base, "decorators": ["step"], **given}


GRAPH = {
    "steps": {
        "start": node(
            kind="switch",
            condition="mode",
            cases=[["a", "work"], [1, "work"], ["again", "start"]],
            next=["work", "start"],
        ),
        "work": node(kind="foreach", foreach="items", next=["each"], decorators=["card", "step"]),
        "each": node(kind="linear", next=["join"]),
        "join": node(kind="linear", join=True, next=["end"]),
        "end": node(),
    }
}


def test_a_box_says_what_kind_of_step_it_is() -> None:
    """And its decorators, in words that are read out as well."""
    picture = make_picture(GRAPH)
    shapes = {shape.name: shape for shape in picture.shapes}

    assert [(s.kind, s.line) for s in picture.shapes] == [
        ("switch", "switch mode"), ("foreach", "foreach items @card"), ("", ""), ("join", "join"),
        ("", ""),
    ]  # fmt: skip
    assert shapes["work"].spoken == "step work, foreach items @card"
    assert shapes["work"].width > shapes["end"].width


def test_lines_of_a_switch_name_their_cases() -> None:
    """Also the one that leads back."""
    curves = make_picture(GRAPH).curves

    assert [c.label for c in curves if c.label] == ["a or 1", "again"]
    assert [c.back for c in curves].count(True) == 1
    assert all(curve.path.startswith("M") for curve in curves)


def test_states_are_shown_instead() -> None:
    """Where there is a run."""
    picture = make_picture(GRAPH, {"each": StepShown("failed", "1 failed")})
    each = next(shape for shape in picture.shapes if shape.name == "each")

    assert (each.state, each.line, each.spoken) == (
        "failed",
        "1 failed",
        "step each, failed, 1 failed",
    )


def test_long_names_are_cut() -> None:
    """But not in what is read out."""
    name = "a" * 60
    (shape,) = make_picture({"steps": {name: node()}}).shapes

    assert shape.text == "a" * 27 + "\u2026"
    assert name in shape.spoken


def test_no_steps_are_no_picture() -> None:
    """And no error."""
    assert make_picture({}).shapes == []
