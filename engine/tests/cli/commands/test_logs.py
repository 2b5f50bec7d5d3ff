"""`logs`: what tasks printed, to the byte for one, line by line for many."""

from __future__ import annotations

import re

from plait.cli.commands.logs import iter_lines
from plait.logs.lines import LogLine


def test_one_tasks_output_comes_as_it_was_written(past):
    """Without options, both streams in the order in which they were written."""
    said = past.call("logs", "1/work/3")

    assert (said.code, said.err) == (0, "")
    assert sorted(said.out.splitlines()) == ["err 1", "out 1"]


def test_the_streams_can_be_told_apart(past):
    """--stdout and --stderr give one of them, both options or --both give both."""
    assert past.call("logs", "1/work/3", "--stdout").out == "out 1\n"
    assert past.call("logs", "1/work/3", "--stderr").out == "err 1\n"
    assert len(past.call("logs", "1/work/3", "--stdout", "--stderr").out.splitlines()) == 2
    assert len(past.call("logs", "1/work/3", "--stdout", "--both").out.splitlines()) == 2


def test_a_step_comes_in_order_of_its_tasks(past):
    """Each line has its task before it."""
    said = past.call("logs", "1/work", "--stdout")

    assert said.out == "[1/work/2] out 0\n[1/work/3] out 1\n[1/work/4] out 2\n"


def test_a_run_comes_in_order_of_its_tasks(past):
    """Steps that printed nothing add nothing."""
    said = past.call("logs", "1", "--stderr")

    assert said.out == "[1/work/2] err 0\n[1/work/3] err 1\n[1/work/4] err 2\n"


def test_timestamps(past):
    """Each line can begin with its time."""
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"

    alone = past.call("logs", "1/work/3", "--stdout", "--timestamps").out
    assert re.fullmatch(f"{stamp} out 1\n", alone)
    many = past.call("logs", "1/work", "--stdout", "--timestamps").out
    assert re.fullmatch(rf"({stamp} \[1/work/\d\] out \d\n){{3}}", many)


def test_a_failed_task_has_a_log(past):
    """The log of a failed task ends in the user's traceback."""
    said = past.call("logs", "2/work/3", "--stderr")

    assert said.out.startswith("err 1\nTraceback (most recent call last):\n")
    assert said.out.endswith("ValueError: 1 is bad\n")


def test_each_attempt_has_a_log_of_its_own(past):
    """--attempt counts from 0; one that there was not is an error."""
    for number in ("0", "1"):
        said = past.call("logs", "2/work/3", "--stdout", "--attempt", number)
        assert said.out == "out 1\n"

    said = past.call("logs", "2/work/3", "--attempt", "2")
    assert said.code == 2
    assert said.err.startswith(
        "error[no-such-attempt]: task '2/work/3' has no attempt 2\n"
        "  why: it has had 2 attempts, counted from 0\n"
    )


def test_a_task_that_printed_nothing_has_an_empty_log(past):
    """Silence is no error."""
    said = past.call("logs", "1/start")

    assert (said.code, said.out, said.err) == (0, "", "")


def test_pieces_of_lines_are_put_together():
    """Lines are given whole, in the order in which they ended, unended ones last."""
    lines = [
        LogLine(1.0, "stdout", b"a", ended=False),
        LogLine(2.0, "stderr", b"warning", ended=True),
        LogLine(3.0, "stdout", b"b", ended=True),
        LogLine(4.0, "stdout", b"rest", ended=False),
    ]

    assert list(iter_lines(lines)) == [(2.0, "warning"), (3.0, "ab"), (4.0, "rest")]
    assert list(iter_lines(lines, "stdout")) == [(3.0, "ab"), (4.0, "rest")]
