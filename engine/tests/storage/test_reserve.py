"""Room set aside on a disk: had, given back, not to be had, and not known."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from plait.storage.errors import StorageFailed, StorageFull
from plait.storage.reserve import Reserve


def test_room_is_held_without_a_name(tmp_path: Path) -> None:
    """Nothing is seen of it, and it is given back once."""
    before = len(os.listdir("/dev/fd"))
    reserve = Reserve(str(tmp_path))
    held = len(os.listdir("/dev/fd"))
    reserve.release()
    reserve.release()

    assert list(tmp_path.iterdir()) == []
    assert held - before in (0, 1)  # none where the system cannot set room aside
    assert len(os.listdir("/dev/fd")) == before


def test_a_disk_without_that_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As full, before there is a run; a folder that is not there as what it is."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)

    with pytest.raises(StorageFull):
        Reserve(str(tmp_path))
    with pytest.raises(StorageFailed):
        Reserve(str(tmp_path / "gone"))
    assert list(tmp_path.iterdir()) == []


def test_where_no_room_can_be_set_aside_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a file system nor a system that cannot is in a run's way."""

    def unknown(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", unknown, raising=False)
    Reserve(str(tmp_path)).release()
    monkeypatch.delattr(os, "posix_fallocate")
    Reserve(str(tmp_path)).release()

    assert list(tmp_path.iterdir()) == []
