"""Output is cut into lines and kept without losing or changing a byte."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.logs.lines import (
    LINE_LIMIT,
    LineAssembler,
    LogLine,
    Stream,
    format_lines,
    parse_lines,
    text_of,
)

STREAMS = st.sampled_from(["stdout", "stderr"])
# Bytes that mean something to somebody: line ends, NUL, spaces, the format's own words, halves of
# UTF-8, and what is no UTF-8 at all.
BITS = st.sampled_from(
    [b"a", b"\n", b"\n\n", b"\r", b"\r\n", b"\0", b" ", b"1.5 out . ", b"\xc3", b"\xa9", b"\xff"]
)
OUTPUT = st.lists(BITS | st.binary(max_size=3), max_size=20)
LINES = st.lists(
    st.builds(
        LogLine,
        at=st.floats(allow_nan=False),
        stream=STREAMS,
        text=OUTPUT.map(lambda bits: b"".join(bits).replace(b"\n", b"")),
        ended=st.booleans(),
    ),
    max_size=6,
)


def feed(chunks: Sequence[bytes], stream: Stream = "stdout") -> list[LogLine]:
    """Give the lines of chunks that arrive one after another, the rest at the end included."""
    assembler = LineAssembler(stream)
    lines = [line for chunk in chunks for line in assembler.feed(chunk, 1.0)]
    return lines + assembler.flush(1.0)


def out(text: bytes, *, ended: bool = True, at: float = 1.0) -> LogLine:
    """Give a line of stdout."""
    return LogLine(at, "stdout", text, ended)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([], []),
        ([b""], []),
        ([b"one\ntwo\n"], [out(b"one"), out(b"two")]),
        ([b"on", b"e\nt", b"wo", b"\n"], [out(b"one"), out(b"two")]),
        ([b"\n\n"], [out(b""), out(b"")]),
        ([b"no end"], [out(b"no end", ended=False)]),
        ([b"50%\r100%\r\n"], [out(b"50%\r100%\r")]),
        ([b"a\0b\n"], [out(b"a\0b")]),
        ([b"\xff\xfe\n"], [out(b"\xff\xfe")]),
        ([b"\xc3", b"\xa9\n"], [out("é".encode())]),
    ],
)
def test_chunks_become_lines(chunks: list[bytes], expected: list[LogLine]) -> None:
    """A line ends at a newline and nowhere else, however its bytes arrive."""
    assert feed(chunks) == expected


def test_a_line_has_the_time_of_its_end() -> None:
    """The time of a line is when its newline arrived; what is left waits since its first byte."""
    assembler = LineAssembler("stderr")

    assert assembler.feed(b"a\nb", 1.0) == [LogLine(1.0, "stderr", b"a", ended=True)]
    assert assembler.waiting_since == 1.0
    assert assembler.feed(b"c", 2.0) == []
    assert assembler.waiting_since == 1.0
    assert assembler.feed(b"\nd\n", 3.0) == [
        LogLine(3.0, "stderr", b"bc", ended=True),
        LogLine(3.0, "stderr", b"d", ended=True),
    ]
    assert assembler.waiting_since is None


def test_a_line_goes_on_after_a_flush() -> None:
    """What was flushed early is a piece of its line, and the line goes on and ends."""
    assembler = LineAssembler("stdout")

    lines = assembler.feed(b"name? ", 1.0) + assembler.flush(2.0) + assembler.flush(3.0)
    lines += assembler.feed(b"\n", 4.0)

    assert lines == [out(b"name? ", ended=False, at=2.0), out(b"", at=4.0)]
    assert text_of(lines) == "name? \n"


@pytest.mark.parametrize("size", [LINE_LIMIT - 1, LINE_LIMIT])
def test_a_line_up_to_the_limit_is_one(size: int) -> None:
    """A line may have as many bytes as the limit says."""
    assert feed([b"x" * size + b"\n"]) == [out(b"x" * size)]


@pytest.mark.parametrize("step", [1000, LINE_LIMIT, LINE_LIMIT + 1, 10**9])
def test_a_longer_line_comes_in_pieces(step: int) -> None:
    """A line over the limit comes in pieces of it, the same ones however it was cut in chunks."""
    data = b"short\n" + b"x" * (2 * LINE_LIMIT + 1) + b"\nnext"

    assert feed([data[i : i + step] for i in range(0, len(data), step)]) == [
        out(b"short"),
        out(b"x" * LINE_LIMIT, ended=False),
        out(b"x" * LINE_LIMIT, ended=False),
        out(b"x"),
        out(b"next", ended=False),
    ]


@pytest.mark.parametrize("character", ["é", "日", "😀"])
@pytest.mark.parametrize("shift", range(4))
def test_pieces_do_not_cut_a_character(character: str, shift: int) -> None:
    """Each piece of a long line is UTF-8 of its own, if the line is."""
    text = "x" * shift + character * LINE_LIMIT
    lines = feed([text.encode(), b"\n"])

    assert len(lines) > 1
    assert "".join(line.text.decode() for line in lines) == text
    assert all(LINE_LIMIT - 3 <= len(line.text) <= LINE_LIMIT for line in lines[:-1])


def test_pieces_of_no_utf8_are_full() -> None:
    """Bytes that would all be the middle of a character are cut at the limit."""
    lines = feed([b"\x80" * (LINE_LIMIT + 1)])

    assert [len(line.text) for line in lines] == [LINE_LIMIT, 1]


@given(OUTPUT)
def test_no_byte_is_lost(chunks: list[bytes]) -> None:
    """The lines of a stream, put together, are what was written; cut otherwise, they are equal."""
    lines = feed(chunks)
    whole = b"".join(chunks)

    assert b"".join(line.text + b"\n" * line.ended for line in lines) == whole
    assert lines == feed([whole]) == feed([whole[i : i + 1] for i in range(len(whole))])
    assert text_of(lines) == whole.decode("utf-8", "backslashreplace")


def test_the_format() -> None:
    """The form on disk is the documented one."""
    lines = [
        LogLine(1764212345.25, "stdout", b"hello ", ended=True),
        LogLine(1764212346.0, "stderr", b"\xff\r", ended=False),
    ]

    assert format_lines(lines) == b"1764212345.25 out . hello \n1764212346.0 err + \xff\r\n"


@given(LINES)
def test_what_was_formatted_is_parsed(lines: list[LogLine]) -> None:
    """Lines come back as they were."""
    assert parse_lines(format_lines(lines)) == lines


@given(LINES, st.data())
def test_a_torn_log_keeps_what_was_whole(lines: list[LogLine], data: st.DataObject) -> None:
    """However much of the end is missing, all whole lines are there, then at most a piece."""
    whole = format_lines(lines)
    torn = whole[: data.draw(st.integers(0, len(whole)))]

    parsed = parse_lines(torn)

    count = torn.count(b"\n")
    assert parsed[:count] == lines[:count]
    for piece in parsed[count:]:
        assert len(parsed) == count + 1
        assert lines[count].text.startswith(piece.text)
        assert not piece.ended


@pytest.mark.parametrize(
    "record",
    [b"", b"garbage", b"x out . a", b"1.0 oux . a", b"1.0 out ! a", b"1.0 out .", b"\xff\0"],
)
def test_a_damaged_record_is_shown_as_it_is(record: bytes) -> None:
    """What is no record is a line that shows it, at the time of the one before; others stay."""
    before, after = out(b"before", at=5.0), out(b"after", at=6.0)
    data = format_lines([before]) + record + b"\n" + format_lines([after])

    assert parse_lines(data) == [before, out(record, at=5.0), after]
    assert parse_lines(record + b"\n") == [out(record, at=0.0)]


def test_a_newline_in_a_line_is_a_bug() -> None:
    """A line that holds a newline cannot be kept."""
    with pytest.raises(AssertionError, match="newline"):
        format_lines([out(b"a\nb")])


def test_text_of_one_stream_and_of_both() -> None:
    """One stream's text is what was written to it; in both, streams never share a line."""
    lines = [
        out(b"a", ended=False),
        out(b"b", ended=False),
        LogLine(1.0, "stderr", b"oops \xff", ended=True),
        out(b"c"),
        LogLine(1.0, "stderr", b"end", ended=False),
    ]

    assert text_of(lines, "stdout") == "abc\n"
    assert text_of(lines, "stderr") == "oops \\xff\nend"
    assert text_of(lines) == "ab\noops \\xff\nc\nend"
    assert text_of([]) == ""
