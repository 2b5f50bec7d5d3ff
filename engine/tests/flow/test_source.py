"""Where a call of plait's was written."""

from __future__ import annotations

from plait.base.errors import shown_path
from plait.flow.source import find_caller


def test_the_caller_is_the_first_frame_that_is_not_plaits() -> None:
    """With the line of the call."""
    where = find_caller()

    assert where.file == shown_path(__file__)
    assert where.line == 11
