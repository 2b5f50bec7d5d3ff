"""A process is found alive only where that can be told from here."""

from __future__ import annotations

import os
import sys

import pytest

from plait.base import process
from plait.base.process import describe_process, find_alive


def without_start() -> dict[str, object]:
    """Describe this process as a system does that tells nobody when it began."""
    return {**describe_process(), "start": ""}


def test_one_that_runs_lives_by_its_id_alone() -> None:
    """Where the system does not tell when a process began, its id has to do."""
    assert find_alive(without_start()) is True


def test_one_of_somebody_else_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system says that it may not be signalled, so it is there."""

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)

    assert find_alive(without_start()) is True


def test_on_windows_it_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the question would end the process."""
    described = without_start()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("it was asked for"))

    assert find_alive(described) is None


def test_a_system_without_spaces_of_ids_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a process is looked for by its machine alone."""

    def refuse(_: str) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "readlink", refuse)

    assert process._find_space() == ""
    assert find_alive(describe_process()) is True
