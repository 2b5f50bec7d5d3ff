"""Lines put together again."""

from __future__ import annotations

from plait.client.output import iter_whole_lines
from plait.logs.lines import LogLine


def test_pieces_of_a_line_are_put_together_whatever_comes_between() -> None:
    """A long line was kept in pieces; its time is that of its end."""
    lines = [
        LogLine(1.0, "stdout", b"a", ended=True),
        LogLine(2.0, "stdout", b"lo", ended=False),
        LogLine(3.0, "stderr", b"oops", ended=True),
        LogLine(4.0, "stdout", b"ng", ended=True),
        LogLine(5.0, "stdout", b"rest", ended=False),
    ]

    assert list(iter_whole_lines(lines, "stdout")) == [(1.0, b"a"), (4.0, b"long"), (5.0, b"rest")]
    assert list(iter_whole_lines(lines, "stderr")) == [(3.0, b"oops")]


def test_no_lines_give_none() -> None:
    """A silent task has none, and an empty line is one."""
    assert list(iter_whole_lines([], "stdout")) == []
    assert list(iter_whole_lines([LogLine(1.0, "stdout", b"", ended=True)], "stdout")) == [
        (1.0, b"")
    ]
