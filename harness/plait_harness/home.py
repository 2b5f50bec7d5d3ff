"""Where the harness's own specifications lie: in a checkout of plait, or within the package."""

from __future__ import annotations

import os

from plait_harness.mistakes import Mistake

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_BESIDE = os.path.dirname(_PACKAGE)

IS_CHECKOUT = os.path.isfile(os.path.join(_BESIDE, "run_tests.py"))
"""Whether this is plait's own checkout, and not the package that somebody installed."""

HOME = _BESIDE if IS_CHECKOUT else os.path.join(_PACKAGE, "home")
"""The folder that holds contexts, graphs, tests, checkers, templates and schemas."""

PROJECT = HOME if IS_CHECKOUT else os.getcwd()
"""The folder for what a run keeps for the next ones, such as graphs that were found."""


def home_path(name: str) -> str:
    """Give the path of a file or folder of the harness.

    Raises:
        Mistake: There is none, as when a part of the package is missing.
    """
    path = os.path.join(HOME, name)
    if not os.path.exists(path):
        raise Mistake(f"the harness has no {name}", f"looked in {HOME}; plait's checkout has all")
    return path
