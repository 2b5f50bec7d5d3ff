"""Keyword arguments as the options of a command line."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import pytest

from plait.runner.arguments import format_configs, format_options
from plait.runner.errors import BadRunArgument


class Colour(Enum):
    """A choice."""

    RED = 1


def test_one_option_for_each_value() -> None:
    """Numbers, truth values, paths and choices as the command line writes them."""
    options, handed = format_options(
        {"max_workers": 4, "rate": 1e-7, "fast": False, "file": Path("a b"), "hue": Colour.RED}
    )

    assert options == ["--max-workers=4", "--rate=1e-07", "--fast=false", "--file=a b", "--hue=RED"]
    assert handed == {}


def test_options_that_are_given_often() -> None:
    """As often as there are elements; one text is one; a set in its order."""
    options, _ = format_options(
        {"tags": {"b", "a"}, "with_": "retry", "tag": ("c",), "quiet": 0}, ["quiet"]
    )

    assert options == ["--tag=a", "--tag=b", "--with=retry", "--tag=c", "--no-quiet"]


def test_what_no_command_line_holds() -> None:
    """Lists, dicts and long texts are handed over; None is left out."""
    options, handed = format_options(
        {"a": (1, "x"), "b": {"k": [None]}, "c": "y" * 99_999, "d": None}
    )

    assert options == []
    assert handed == {"a": [1, "x"], "b": {"k": [None]}, "c": "y" * 99_999}


@pytest.mark.parametrize("value", [object(), {1, 2}, [{"a": object()}], b"bytes"])
def test_what_cannot_be_handed_over(value: object) -> None:
    """It is named with its value."""
    with pytest.raises(BadRunArgument, match="given x="):
        format_options({"x": value})


def test_configs_are_given_by_name() -> None:
    """As a mapping or as pairs; a value is a dict, or its text as it is."""
    options = format_configs({"cfg": Path("a.toml")}, [("one", {"a": [1]}), ("two", "text")])

    assert options == [
        *("--config", "cfg", "a.toml"),
        *("--config-value", "one", '{"a": [1]}'),
        *("--config-value", "two", "text"),
    ]
    assert format_configs(None, None) == []
    with pytest.raises(BadRunArgument):
        format_configs(None, {"one": {"a": object()}})
