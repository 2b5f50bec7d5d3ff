"""How a mistake is told, and that it survives a trip between processes."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from plait.base.errors import (
    Finding,
    InvalidFlow,
    PlaitError,
    UsageError,
    Where,
    nearest,
    shown_path,
)
from plait.base.pathspec import BadPathspec


def test_a_finding_is_told_as_what_why_and_fix() -> None:
    """Empty parts are left out, and long ones stay in their column."""
    full = Finding("a-slug", "it is off", "because", "line one\nline two", Where("f.py", 3))

    assert full.format() == (
        "error[a-slug]: it is off (f.py:3)\n  why: because\n  fix: line one\n       line two"
    )
    assert Finding("a-slug", "it is off").format() == "error[a-slug]: it is off"
    assert str(Where("f.py")) == "f.py"


def test_all_findings_of_a_flow_are_told() -> None:
    """One error, every mistake."""
    error = InvalidFlow("F", [Finding("a", "one"), Finding("b", "two")])

    assert str(error) == "error[a]: one\nerror[b]: two"
    assert error.args == ("flow 'F' has 2 mistakes",)
    assert InvalidFlow("F", [Finding("a", "one")]).args == ("flow 'F' has 1 mistake",)


def test_errors_travel_by_pickle() -> None:
    """A subclass that takes facts of its own arrives as it left."""
    error = pickle.loads(pickle.dumps(BadPathspec("a//b", "run/step")))

    assert type(error) is BadPathspec
    assert str(error) == str(BadPathspec("a//b", "run/step"))
    assert (PlaitError.exit_code, UsageError.exit_code) == (1, 2)


def test_near_names_are_offered() -> None:
    """The nearest first; else what there is; else nothing."""
    assert nearest("trian", ["train", "test"]) == "did you mean 'train'?"
    assert nearest("x", ["b", "a"]) == "there is: a, b"
    assert nearest("x", [f"n{i:02}" for i in range(20)]).endswith("n11, ...")
    assert nearest("x", []) == ""


def test_a_place_that_is_found_later_is_told() -> None:
    """What knew its place keeps it, and no place changes nothing."""
    error = InvalidFlow("F", [Finding("a", "here", where=Where("f.py", 1)), Finding("b", "there")])
    error.place(None)
    error.place(Where("f.py", 2))

    assert error.format() == "error[a]: here (f.py:1)\nerror[b]: there (f.py:2)"


def test_a_path_is_shown_from_the_working_directory_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, where it lies elsewhere, and where there is no such directory any more."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    flow = str(gone / "flow.py")

    assert shown_path(flow) == "flow.py"
    assert shown_path("/elsewhere/flow.py") == "/elsewhere/flow.py"
    gone.rmdir()
    assert shown_path(flow) == flow
