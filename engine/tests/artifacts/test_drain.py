"""A payload that gives its memory back while it is read: the same values, and less memory."""

from __future__ import annotations

import os
import pickle

import pytest

from plait.artifacts import codec, drain
from plait.artifacts.drain import Drain
from plait.storage.descriptors import map_file

VALUES = [b"x" * 300_000, "ü" * 70_000, [b"a" * 90_000, "b", {"c": 1.5}], list(range(40_000)), None]


@pytest.fixture
def mapped(tmp_path):
    """Gives bytes as the memory of a file that holds them."""

    def give(data):
        (tmp_path / "file").write_bytes(data)
        descriptor = os.open(tmp_path / "file", os.O_RDONLY)
        try:
            return map_file(descriptor, len(data))
        finally:
            os.close(descriptor)

    return give


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("protocol", [0, 5])
def test_values_are_the_same(mapped, monkeypatch, value, protocol):
    """From a file and from memory, and whatever wrote the pickle."""
    monkeypatch.setattr(drain, "_STEP", 50_000)
    monkeypatch.setattr(codec, "_LARGE", 0)
    data = pickle.dumps(value, protocol)

    assert codec.load(mapped(data), codec.PLAIN) == value
    assert codec.load(data, codec.PLAIN) == value


def test_what_was_read_is_let_go_of(mapped, monkeypatch):
    """As whole pages; whoever looks again finds what is in the file."""
    monkeypatch.setattr(drain, "_STEP", 8192)
    memory = mapped(bytes(range(256)) * 100)
    source = Drain(memory)
    target = bytearray(20_000)

    assert (source.readinto(target), source.read(100_000)) == (20_000, bytes(memory[20_000:]))
    assert source._released == 24_576
    assert bytes(memory[:20_000]) == target
    assert (source.read(1), source.readinto(target), source.readline()) == (b"", 0, b"")


def test_what_was_changed_in_memory_is_not_let_go_of():
    """Nothing is taken from bytes that are in no file."""
    memory = bytearray(b"one\ntwo")
    source = Drain(memory)

    assert (source.readline(), source.readline()) == (b"one\n", b"two")
    assert memory == b"one\ntwo"


def test_a_payload_that_ends_too_soon_is_no_value(monkeypatch):
    """The unpickler says so."""
    monkeypatch.setattr(codec, "_LARGE", 0)
    with pytest.raises((EOFError, pickle.UnpicklingError)):
        codec.load(pickle.dumps(b"x" * 100_000)[:-50_000], codec.PLAIN)
