"""What an `S3` has read: where it lies, how long, and how it gets to other processes."""

from __future__ import annotations

import os
import pickle

import pytest

from plait.s3 import shelf as module
from plait.s3.shelf import InFile, InMemory, Shelf


def test_small_objects_are_in_memory_until_their_file_is_asked_for(tmp_path):
    """Then it is made, once, below the folder that was given."""
    shelf = Shelf(str(tmp_path))
    kept = shelf.keep(bytearray(b"small"))
    (folder,) = tmp_path.iterdir()

    assert (kept.read(), list(folder.iterdir())) == (b"small", [])
    assert (folder / os.path.basename(kept.path)).read_bytes() == b"small"
    os.utime(kept.path, (1, 1))
    assert os.stat(kept.path).st_mtime == 1
    assert len(list(folder.iterdir())) == 1


def test_memory_has_an_end(monkeypatch):
    """Large objects, and all after so many bytes, are in files from the start."""
    monkeypatch.setattr(module, "_SMALL", 4)
    monkeypatch.setattr(module, "_ROOM", 6)
    shelf = Shelf()
    kept = [shelf.keep(body) for body in (b"large", b"1234", b"123", b"12")]

    assert [type(each) for each in kept] == [InFile, InMemory, InFile, InMemory]
    assert [each.read() for each in kept] == [b"large", b"1234", b"123", b"12"]


def test_another_process_gets_a_file():
    """Whatever is sent to it holds a path, as memory is not shared."""
    shelf = Shelf()
    kept = shelf.keep(b"small")
    sent = pickle.loads(pickle.dumps(kept))

    assert (type(sent), sent.path, sent.read()) == (InFile, kept.path, b"small")


@pytest.mark.parametrize("asked_before", [True, False])
def test_nothing_is_left_when_it_is_cleared(asked_before):
    """Neither in memory nor in files; what was given says so."""
    shelf = Shelf()
    kept = shelf.keep(b"small")
    path = kept.path if asked_before else ""
    shelf.clear()

    assert not os.path.exists(path)
    with pytest.raises(FileNotFoundError):
        kept.read()
