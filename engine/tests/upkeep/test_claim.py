"""A flow's values are shared by those at work on them, and cleaned only when there is nobody."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from plait.storage.errors import StorageFailed
from plait.upkeep.claim import claim_values, share_values


def test_a_claim_waits_for_nobody(tmp_path) -> None:
    """Any number share; while one does, nobody has the flow for himself. Other flows are free."""
    root = str(tmp_path)
    first, second = share_values(root, "F"), share_values(root, "F")
    assert first is not None
    assert second is not None

    with claim_values(root, "F") as claimed, claim_values(root, "G") as other:
        assert (claimed, other) == (False, True)
    os.close(first)
    with claim_values(root, "F") as claimed:
        assert not claimed
    os.close(second)
    with claim_values(root, "F") as claimed, claim_values(root, "F") as again:
        assert (claimed, again) == (True, False)


def test_a_killed_process_shares_no_more(tmp_path) -> None:
    """However it ends, and its children with it."""
    code = (
        "import os, sys; from plait.upkeep.claim import share_values\n"
        f"share_values({str(tmp_path)!r}, 'F')\n"
        "print(flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as child:
        child.stdout.readline()
        with claim_values(str(tmp_path), "F") as claimed:
            assert not claimed
        child.kill()
    with claim_values(str(tmp_path), "F") as claimed:
        assert claimed


def test_a_fork_shares_too(tmp_path) -> None:
    """A child keeps what its parent shared when that is gone, until it is gone as well."""
    code = (
        "import os, sys; from plait.upkeep.claim import share_values\n"
        f"share_values({str(tmp_path)!r}, 'F')\n"
        "if os.fork(): os._exit(0)\n"
        "print(flush=True); sys.stdin.read(); os._exit(0)"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as parent:
        parent.stdout.readline()
        parent.wait()
        with claim_values(str(tmp_path), "F") as claimed:
            assert not claimed
        parent.stdin.close()
        assert parent.stdout.read() == b""  # ends when the child does
    with claim_values(str(tmp_path), "F") as claimed:
        assert claimed


def test_without_locks_nobody_has_values_for_himself(tmp_path, monkeypatch) -> None:
    """On a file system that has none, or on Windows; runs go on all the same."""

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    for replace in (
        lambda patch: patch.setattr("fcntl.flock", refuse),
        lambda patch: patch.setitem(sys.modules, "fcntl", None),
    ):
        with monkeypatch.context() as patch:
            replace(patch)
            assert share_values(str(tmp_path), "F") is None
            with claim_values(str(tmp_path), "F") as claimed:
                assert not claimed


def test_a_store_that_cannot_be_made_is_told_as_one(tmp_path):
    """Where a file is in the way of the store's folder, the store is what the message is about."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageFailed, match="could not write"):
        share_values(str(tmp_path / "taken"), "F")
