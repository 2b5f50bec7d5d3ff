"""Messages of plait's, read from what a process printed."""

from __future__ import annotations

from plait.base.errors import Finding
from plait.runner.errors import parse_findings


def test_messages_are_read_as_they_are_written() -> None:
    """All of them, with lines before, between and behind."""
    findings = [
        Finding("one-mistake", "this is it", "for a reason\nof two lines", "mend it"),
        Finding("two", "no reason", fix="mend\n\nthat"),
        Finding("three", "nothing else"),
    ]
    text = "Traceback\n" + "\nbetween\n".join(f.format() for f in findings) + "\nbehind\n"

    assert parse_findings(text) == findings


def test_other_text_holds_no_messages() -> None:
    """Not even where it speaks of errors."""
    assert parse_findings("ValueError: error[x]: no\n  why: not\n") == []
