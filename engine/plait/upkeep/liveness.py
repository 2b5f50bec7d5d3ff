"""Whether a run that is recorded as going on really does, or its process is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plait.base.process import find_alive
from plait.metadata.protocol import RunRecord, Status

BEAT_SECONDS = 10.0
"""How often, at most, a run's process says that it goes on."""

SILENCE_SECONDS = 120.0
"""After so long without a word, a run whose process can't be looked for is taken for lost. Much
longer than a beat: clocks of machines differ, and a busy disk delays."""


def is_lost(
    run: RunRecord,
    now: float,
    find: Callable[[Mapping[str, Any]], bool | None] = find_alive,
) -> bool:
    """Say whether a run is recorded as going on, and its process is gone.

    A run that no process stays with, as `init` begins one, is never lost. Who asks because of a
    record read before must read it again: the run may have ended in between.

    Args:
        run: The run as the store of facts knows it.
        now: Seconds since 1970.
        find: Says whether a process lives; None where that can't be told from here.
    """
    process = run.facts.get("process")
    if run.status is not Status.RUNNING or not process:
        return False
    alive = find(process)
    if alive is not None:
        return not alive
    if run.facts.get("workers") == "inline":
        return False  # such a process is silent as long as a step takes
    return now - (run.heartbeat or run.created) > SILENCE_SECONDS


def may_go_on(
    run: RunRecord,
    now: float,
    patience: float,
    find: Callable[[Mapping[str, Any]], bool | None] = find_alive,
) -> bool:
    """Say whether a run that is recorded as lost may go on nevertheless.

    By its silence alone it may have been taken for lost wrongly: clocks differ, and connections
    break. So who is about to destroy something asks this, too.

    Args:
        run: The run as the store of facts knows it.
        now: Seconds since 1970.
        patience: Seconds of silence after which no such thing is thought of any more.
        find: Says whether a process lives; None where that can't be told from here.
    """
    process = run.facts.get("process")
    if run.status is not Status.LOST or not process or find(process) is False:
        return False
    return now - (run.heartbeat or run.created) <= patience
