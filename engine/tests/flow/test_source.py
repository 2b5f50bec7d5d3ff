"""Where a call of plait's was written."""

from __future__ import annotations

from plait.base.errors import shown_path
from plait.flow.source import find_assignment, find_caller


class Setting:
    """Something whose methods set attributes, as steps do."""

    def start(self) -> None:
        self.x = 1
        other = self
        other.y = 2
        self.x, self.z = 2, 3


def test_the_caller_is_the_first_frame_that_is_not_plaits() -> None:
    """With the line of the call."""
    where = find_caller()

    assert where.file == shown_path(__file__)
    assert where.line == 21


def test_an_artifact_is_found_where_it_is_set_last() -> None:
    """By its name on `self`; what is set elsewhere, or typed in at a prompt, is not found."""
    first = Setting.start.__code__.co_firstlineno
    names: dict[str, type] = {}
    exec("class Typed:\n    def start(self):\n        self.x = 1\n", names)
    found = {name: find_assignment(Setting, "start", name) for name in "xyz"}

    assert {name: where and where.line for name, where in found.items()} == {
        "x": first + 4,
        "y": None,
        "z": first + 4,
    }
    assert find_assignment(names["Typed"], "start", "x") is None
