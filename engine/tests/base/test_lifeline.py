"""Where the system can't tie processes to each other, nothing is claimed and nothing breaks."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from plait.base import lifeline


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that is not Linux."""
    monkeypatch.setattr(sys, "platform", "darwin")
    lifeline._prctl.cache_clear()
    yield
    lifeline._prctl.cache_clear()


@pytest.mark.usefixtures("elsewhere")
def test_elsewhere_a_process_is_tied_to_nobody() -> None:
    """The process goes on, whoever its parent is said to be."""
    lifeline.prepare()
    lifeline.die_with_parent(os.getpid())
    lifeline.hear_of_parents_death(signal.SIGTERM)
    lifeline.adopt_orphans()

    assert lifeline._prctl() is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    """The kernel tells of a death only that is still to come."""
    pid = os.fork()
    if pid == 0:
        lifeline.die_with_parent(os.getpid())  # which is not its parent
        os._exit(0)
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL & 0xFF


def test_without_a_list_of_children_none_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without the file has none to kill."""
    monkeypatch.setattr("os.getpid", lambda: 0)

    assert lifeline._children() == []


def test_a_child_that_has_ended_need_not_be_killed() -> None:
    """It is gone, which is what is wanted."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)

    lifeline._kill(pid)


def test_children_are_given_up_on_in_time() -> None:
    """Without time, none is looked for."""
    lifeline.end_children(seconds=-1.0)
