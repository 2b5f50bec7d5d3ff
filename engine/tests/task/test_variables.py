"""Environment variables for one attempt."""

from __future__ import annotations

import os

import pytest

from plait.task.variables import variables_set


def test_they_are_there_and_gone_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before is back, also after an exception; other changes stay."""
    monkeypatch.setenv("PLAITTEST_OLD", "old")
    monkeypatch.delenv("PLAITTEST_NEW", raising=False)
    monkeypatch.setenv("PLAITTEST_OTHER", "before")
    seen = []

    def fail() -> None:
        with variables_set({"PLAITTEST_OLD": "changed", "PLAITTEST_NEW": "new"}):
            seen.extend((os.environ["PLAITTEST_OLD"], os.environ["PLAITTEST_NEW"]))
            os.environ["PLAITTEST_OTHER"] = "after"
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert seen == ["changed", "new"]
    assert os.environ["PLAITTEST_OLD"] == "old"
    assert "PLAITTEST_NEW" not in os.environ
    assert os.environ["PLAITTEST_OTHER"] == "after"


def test_code_may_take_them_away_itself() -> None:
    """Which is no error."""
    with variables_set({"PLAITTEST_NEW": "new"}):
        del os.environ["PLAITTEST_NEW"]

    assert "PLAITTEST_NEW" not in os.environ
