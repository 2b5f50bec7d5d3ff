"""What an `S3` has read: where it lies, how long, and how it gets to other processes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest

from plait.s3 import shelf as module
from plait.s3.errors import S3ScratchFailed
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


# Forks, and ends the child as it is told; prints what each process then has.
_FORKS = """
import os, sys
from plait.s3.shelf import Shelf

shelf = Shelf(sys.argv[1])
small, large = shelf.keep(b"small"), shelf.keep(b"l" * (2 << 20))
small.path
child = os.fork()
if child == 0:
    own = shelf.keep(b"c" * (2 << 20))
    print(own.path != large.path, own.read()[:1], large.read()[:1], small.read(), flush=True)
    exec(sys.argv[2])
    sys.exit()
os.waitpid(child, 0)
mine = shelf.keep(b"m" * (2 << 20))
print(mine.read()[:1], large.read()[:1], small.read(), os.path.exists(small.path))
"""


@pytest.mark.parametrize("end", ["pass", "shelf.clear()", "del shelf, small, large", "os._exit(0)"])
def test_only_the_process_that_made_files_removes_them(tmp_path, end):
    """A fork has files of its own, and leaves those of the other one, however it ends."""
    script = [sys.executable, "-c", _FORKS, str(tmp_path), end]
    done = subprocess.run(script, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["True b'c' b'l' b'small'", "b'm' b'l' b'small' True"]
    # What ends without any of Python's own work leaves what it has.
    assert len(os.listdir(tmp_path)) == (1 if end == "os._exit(0)" else 0)


def test_a_child_of_multiprocessing_takes_its_files_along(tmp_path):
    """It ends in a way of its own, which asks nobody who keeps files but those who say so there."""
    code = """
import multiprocessing, sys
from plait.s3.shelf import Shelf

shelf = Shelf(sys.argv[1])
child = multiprocessing.get_context("fork").Process(target=lambda: shelf.keep(b"l" * (2 << 20)))
child.start()
child.join()
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert os.listdir(tmp_path) == []


def test_a_lock_that_is_held_when_a_process_is_forked_does_not_stop_it(tmp_path, monkeypatch):
    """It has one of its own."""
    shelf = Shelf(str(tmp_path))
    kept = shelf.keep(b"small")
    with shelf._own().lock:
        monkeypatch.setattr(module.os, "getpid", lambda: -1)
        assert kept.path
        assert shelf.keep(b"more").read() == b"more"


def test_a_folder_that_cannot_be_made_or_is_full_is_told(tmp_path, monkeypatch):
    """By its name, at once."""
    with pytest.raises(S3ScratchFailed, match=f"'{tmp_path}/none'"):
        Shelf(str(tmp_path / "none"))
    shelf = Shelf(str(tmp_path))
    kept = shelf.keep(b"small")
    monkeypatch.setattr("builtins.open", _full)
    with pytest.raises(S3ScratchFailed, match="No space left"):
        kept.path  # noqa: B018  # making it is what fails
    monkeypatch.setattr(module, "_SMALL", 1)
    with pytest.raises(S3ScratchFailed, match="tmproot="):
        shelf.keep(b"large")


def _full(*_):
    raise OSError(28, "No space left on device")
