"""A run is lost when its process is gone, and only then."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from plait.base.pathspec import RunKey
from plait.base.process import describe_process, find_alive, find_start
from plait.metadata.protocol import RunRecord, Status
from plait.upkeep.liveness import SILENCE_SECONDS, is_lost

NONE: frozenset[str] = frozenset()


def run(status: Status = Status.RUNNING, heartbeat: float | None = None, **facts) -> RunRecord:
    """Give the record of a run that began at 1000."""
    key = RunKey("F", "1")
    facts.setdefault("process", {"pid": 1})
    return RunRecord(key, 1000.0, status, None, NONE, NONE, None, facts, None, None, heartbeat)


def test_a_process_that_is_looked_for_decides() -> None:
    """Where it can be seen, its silence does not matter."""
    late = 1000 + 10 * SILENCE_SECONDS

    assert is_lost(run(), 1000.0, lambda _: False)
    assert not is_lost(run(), late, lambda _: True)


def test_elsewhere_silence_decides() -> None:
    """A run on another machine is lost some time after its last word, or after its beginning."""
    beyond = 1000 + SILENCE_SECONDS + 1

    assert is_lost(run(), beyond, lambda _: None)
    assert not is_lost(run(), beyond - 2, lambda _: None)
    assert not is_lost(run(heartbeat=1005.0), beyond, lambda _: None)
    assert not is_lost(run(workers="inline"), beyond, lambda _: None)


def test_a_run_that_ended_or_that_nobody_stays_with_is_not_lost() -> None:
    """There is no process to be gone."""
    assert not is_lost(run(Status.DONE), 9e9, lambda _: False)
    assert not is_lost(run(process=None), 9e9, lambda _: False)


def test_this_process_lives() -> None:
    """What a process says of itself is found again, by itself."""
    assert find_alive(describe_process()) is True


def test_a_process_that_ended_is_gone() -> None:
    """Also before anybody has asked how it ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        there = {**describe_process(), "pid": child.pid, "start": find_start(child.pid) or ""}
        assert find_alive(there) is True
        child.kill()
        # Ended, and not waited for: a zombie.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        if there["start"]:
            assert find_alive(there) is False
    assert find_alive(there) is False


@pytest.mark.skipif(sys.platform != "linux", reason="only /proc tells when a process began")
def test_an_id_that_came_again_deceives_nobody() -> None:
    """A process of the same id that began at another time is another one."""
    assert find_alive({**describe_process(), "start": "1"}) is False


@pytest.mark.parametrize("part", ["host", "boot", "space"])
def test_another_machine_cannot_be_told_from_here(part) -> None:
    """A process of another machine, start of it, or container is not looked for here."""
    assert find_alive({**describe_process(), part: "another"}) is None


def test_without_a_start_time_the_id_decides() -> None:
    """As on systems that have no /proc."""
    here = {**describe_process(), "start": ""}
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        pass

    assert find_alive(here) is True
    assert find_alive({**here, "pid": child.pid}) is False
    assert find_alive({**here, "pid": 1}) is True


def test_records_compare_with_their_heartbeat() -> None:
    """The heartbeat is part of what is known of a run."""
    assert run() != replace(run(), heartbeat=1.0)
