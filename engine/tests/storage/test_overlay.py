"""A storage over another: keeps every promise, reads from below, and never writes there."""

from __future__ import annotations

import pytest

from plait.storage.conformance import CHECKS
from plait.storage.memory import MemoryStorage
from plait.storage.overlay import OverlayStorage
from plait.storage.protocol import MissingKey


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_an_overlay_over_nothing_keeps_every_promise(check):
    """As any storage does."""
    check(OverlayStorage(MemoryStorage(), MemoryStorage()))


@pytest.fixture
def layers():
    """An overlay and what it lies over; `F/runs/9` is its own."""
    upper, lower = MemoryStorage(), MemoryStorage()
    for key in ("F/data/a", "F/data/b", "F/runs/1/x", "F/runs/9/x"):
        lower.put(key, [f"low {key}".encode()])
    upper.put("F/data/b", [b"high"])
    upper.put("F/runs/9/y", [b"own"])
    return OverlayStorage(upper, lower, own="F/runs/9"), upper, lower


def test_what_is_not_above_is_read_from_below(layers):
    """By every way of reading; where both have a key, the upper one counts."""
    over, _, _ = layers
    assert over.get("F/data/a") == b"low F/data/a"
    assert over.get_range("F/data/a", 4, 1) == b"F"
    assert bytes(over.view("F/data/a")) == b"low F/data/a"
    assert (over.size("F/data/a"), over.size("F/data/b")) == (12, 4)
    assert over.get("F/data/b") == b"high"
    assert over.has("F/runs/1/x")
    assert list(over.iter_keys("F")) == [
        "F/data/a", "F/data/b", "F/runs/1/x", "F/runs/9/y",
    ]  # fmt: skip
    assert list(over.iter_folders("F/runs")) == ["1", "9"]


def test_its_own_folder_is_its_own(layers):
    """What has such a key below is not seen."""
    over, _, _ = layers
    assert not over.has("F/runs/9/x")
    with pytest.raises(MissingKey):
        over.get("F/runs/9/x")
    with pytest.raises(MissingKey):
        over.get("nowhere")


def test_nothing_is_ever_written_below(layers):
    """Neither put, upload, append nor delete reaches it."""
    over, upper, lower = layers
    before = {key: lower.get(key) for key in lower.iter_keys("F")}
    over.put("F/data/a", [b"high"])
    over.append("F/log", b"line")
    with over.upload() as upload:
        upload.write(b"up")
        upload.commit("F/up")
    over.delete("F/data/b")
    over.delete("F/runs/1/x")
    over.prune("F/runs")
    over.sweep()

    assert {key: lower.get(key) for key in lower.iter_keys("F")} == before
    assert over.get("F/data/a") == b"high"
    assert over.get("F/data/b") == b"low F/data/b"
    assert over.place == upper.place
    assert upper.get("F/up") == b"up"
