"""The cache of values keeps what is used, up to its limit, and never gets in the way."""

from __future__ import annotations

import os

import pytest

from plait.storage.blob_cache import BlobCache


@pytest.fixture
def admit(tmp_path):
    """Puts bytes into a cache, last used at a given time."""

    def admit(cache, address, data, used=0):
        path = tmp_path / "incoming"
        path.write_bytes(data)
        cache.admit(address, str(path))
        if os.path.exists(cache._path(address)):
            os.utime(cache._path(address), (used, used))

    return admit


def test_what_is_admitted_is_found(tmp_path, admit):
    """As private memory, empty values as well; what was dropped is gone."""
    cache = BlobCache(str(tmp_path / "cache"), 100)
    admit(cache, "aa1", b"value")
    admit(cache, "aa2", b"")

    view = cache.find("aa1")
    view[0] = 0
    assert (bytes(cache.find("aa1")), bytes(cache.find("aa2"))) == (b"value", b"")
    assert cache.drop("aa1")
    assert not cache.drop("aa1")
    assert cache.find("aa1") is None
    assert bytes(view[1:]) == b"alue"


def test_what_was_not_used_for_longest_goes(tmp_path, admit):
    """Down to four fifths of the limit; what was found counts as used."""
    cache = BlobCache(str(tmp_path / "cache"), 100)
    for number in range(10):
        admit(cache, f"aa{number}", bytes(20), used=1000 + number)
    cache.find("aa0")
    cache.evict()

    assert [n for n in range(10) if cache.find(f"aa{n}") is not None] == [0, 7, 8, 9]
    cache.evict()
    assert cache.find("aa9") is not None


def test_it_is_not_looked_through_at_each_value(tmp_path, admit):
    """Once a minute, by all processes together."""
    cache = BlobCache(str(tmp_path / "cache"), 10)
    admit(cache, "aa1", bytes(20))
    admit(cache, "aa2", bytes(20), used=1000)
    assert cache.find("aa2") is not None
    mark = tmp_path / "cache" / ".evicted"
    os.utime(mark, (1000, 1000))
    admit(cache, "aa3", bytes(20))

    assert cache.find("aa2") is None


def test_a_folder_that_is_none_keeps_nothing(tmp_path, admit):
    """And breaks nothing."""
    (tmp_path / "file").write_text("")
    cache = BlobCache(str(tmp_path / "file" / "cache"), 10)
    admit(cache, "aa1", b"x")

    assert cache.find("aa1") is None
    os.makedirs(tmp_path / "other" / ".evicted")
    admit(BlobCache(str(tmp_path / "other"), 10), "aa1", b"x")
    os.makedirs(tmp_path / "third" / "aa" / "aa2")
    assert BlobCache(str(tmp_path / "third"), 10).find("aa2") is None
