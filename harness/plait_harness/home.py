"""Where the harness's own specifications lie."""

from __future__ import annotations

import os

from plait_harness.mistakes import Mistake

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder `harness`, which holds contexts, graphs, tests, checkers, templates and schemas."""


def home_path(name: str) -> str:
    """Give the path of a file or folder of the harness.

    Raises:
        Mistake: There is none, as when only the installed package is there.
    """
    path = os.path.join(HOME, name)
    if not os.path.exists(path):
        raise Mistake(
            f"the harness has no {name}",
            f"looked in {HOME}; run it from a checkout of plait, where the specifications are",
        )
    return path
