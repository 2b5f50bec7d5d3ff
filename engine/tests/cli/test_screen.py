"""Text goes out whole, whatever the stream can encode and whoever still reads it."""

from __future__ import annotations

import io
import os

import pytest

from plait.cli.screen import ReaderGone, Screen


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_no_colour():
    """What is not a terminal is written without codes."""
    assert Screen(io.StringIO(), {}).paint("done", "green") == "done"


def test_a_terminal_gets_colour():
    """A terminal shows painted text."""
    assert Screen(Terminal(), {"TERM": "xterm"}).paint("x", "red", "bold") == "\x1b[31;1mx\x1b[0m"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_refused(environ):
    """NO_COLOR and a dumb terminal turn colour off."""
    assert Screen(Terminal(), environ).paint("x", "red") == "x"


def test_a_closed_stream_takes_what_is_written_and_drops_it():
    """The user's module may close sys.stdout before the command line writes to it."""
    stream = io.StringIO()
    stream.close()
    screen = Screen(stream, {})
    screen.line("lost")

    assert not screen.is_terminal


def test_an_empty_no_color_refuses_nothing():
    """NO_COLOR counts only with a value, as its convention says."""
    assert Screen(Terminal(), {"NO_COLOR": ""}).in_colour


def test_unencodable_characters_become_escapes():
    """An ASCII stream shows what it cannot encode as escapes, and keeps the rest."""
    raw = io.BytesIO()
    screen = Screen(io.TextIOWrapper(raw, encoding="ascii"), {})

    screen.line("naïve 雪 \udcff")

    assert raw.getvalue() == b"na\\xefve \\u96ea \\udcff\n"


def test_lone_surrogates_do_not_break_utf8():
    """A UTF-8 stream cannot encode a lone surrogate either."""
    raw = io.BytesIO()
    screen = Screen(io.TextIOWrapper(raw, encoding="utf-8"), {})

    screen.line("é \udcff")

    assert raw.getvalue() == "é \\udcff\n".encode()


def test_a_closed_pipe_is_told_once_and_quietly():
    """Who writes to a pipe that nobody reads learns so, and closing it then says nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    screen = Screen(stream, {})

    with pytest.raises(ReaderGone):
        screen.line("anybody?")

    stream.close()


def test_a_broken_stream_without_descriptor_is_told_too():
    """A stream that is no file has nothing to silence."""

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(ReaderGone):
        Screen(Broken(), {}).line("x")


def test_a_closed_stream_is_no_terminal():
    """Asking a closed stream for its kind is no error."""
    stream = io.StringIO()
    stream.close()

    assert not Screen(stream, {}).is_terminal


def test_a_program_without_output_writes_nowhere():
    """Where Python has no stdout, what is written is dropped."""
    screen = Screen(None, {})

    screen.line("x")

    assert not screen.is_terminal
