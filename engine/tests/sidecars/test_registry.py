"""Which sidecar an option names: none, a built-in one, or one of another package."""

from __future__ import annotations

from pathlib import Path

import pytest

from plait.sidecars.errors import UnknownSidecar
from plait.sidecars.registry import Choice, find_choice


def test_null_is_none() -> None:
    """Nothing is chosen by `null`, whatever comes after it."""
    assert find_choice("monitor", "null") is None
    assert find_choice("event-logger", "null:x") is None


def test_what_comes_after_the_name_is_its_argument() -> None:
    """Only the first colon divides."""
    choice = find_choice("monitor", "debug:host:80")

    assert choice == Choice("monitor", "debug", "plait.sidecars.debug:DebugMonitor", "host:80")


def test_one_of_another_package_is_found_by_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that is installed offers it under its name; it is not loaded here."""
    info = tmp_path / "diary-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: diary\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[plait.event_loggers]\ndiary = no_such_diary:Diary\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert find_choice("event-logger", "diary") == Choice(
        "event-logger", "diary", "no_such_diary:Diary"
    )


def test_an_unknown_name_is_a_mistake_that_names_what_there_is() -> None:
    """The nearest name is shown, and where another package would offer one."""
    with pytest.raises(UnknownSidecar) as caught:
        find_choice("event-logger", "debgu")

    assert caught.value.format() == (
        "error[unknown-sidecar]: there is no event logger 'debgu'\n"
        "  why: did you mean 'debug'?\n"
        "  fix: install the package that offers it under the entry point group "
        "'plait.event_loggers'"
    )
