"""Random state of a forked task: never that of its siblings."""

from __future__ import annotations

import sys


def reseed() -> None:
    """Seed the generators that this process shares with its parent from the system's entropy.

    Only those of libraries that are loaded; `random`'s own fork handler has done `random`, which
    spawned processes seed when they import it.
    """
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
