"""All that is wrong with a command line is told at once, each once, whatever click saw first."""

from __future__ import annotations

import re

import pytest


def told(said) -> list[tuple[str, str]]:
    """Give the slug and the first words of each message."""
    assert said.code == 2
    return [
        (m[1], m[2]) for m in re.finditer(r"^error\[([a-z-]+)\]: (.{12})", said.err, re.MULTILINE)
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            "run --max-worker 3 --max-workers 0 --count x --fast=3",
            [
                ("unknown-option", "'run' has no"),
                ("bad-option", "--max-worker"),
                ("bad-parameter-value", "parameter 'c"),
                ("bad-parameter-value", "parameter 'f"),
            ],
        ),
        (
            "run one --max-num-splits 0 --count x",
            [("bad-option", "--max-num-sp"), ("bad-parameter-value", "parameter 'c")],
        ),
        (
            "run one two --count x",
            [("unexpected-argument", "'run' does n"), ("bad-parameter-value", "parameter 'c")],
        ),
        (
            "resume --count 3 --origin 7 --also",
            [
                ("unknown-option", "'resume' has"),
                ("unknown-option", "'resume' has"),
                ("parameter-in-resume", "resume takes"),
            ],
        ),
        (
            "--quiett --workers nope run --count x",
            [("unknown-option", "'trial.py' h"), ("bad-option", "--workers: '")],
        ),
        (
            "run --bogus --max-workers",
            [("unknown-option", "'run' has no"), ("bad-option", "--max")],
        ),
        ("run --max-workers", [("bad-option", "--max-worker")]),
        ("run --max-workers 0 -- --bogus", [("bad-option", "--max-worker")]),
        ("logs", [("missing-argument", "")]),
    ],
)
def test_every_mistake_is_told_once(
    project, arguments: str, expected: list[tuple[str, str]]
) -> None:
    """Unknown options, bad values of others and of parameters, words that are too many."""
    found = told(project.call(*arguments.split()))

    assert [slug for slug, _ in found] == [slug for slug, _ in expected]
    assert all(
        text.startswith(begin) for (_, text), (_, begin) in zip(found, expected, strict=True)
    )
