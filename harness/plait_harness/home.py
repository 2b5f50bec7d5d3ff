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

KEEPS = HOME if IS_CHECKOUT else os.getcwd()
"""The folder for what plait itself is held against: how many cases there were, what is covered."""


def find_project(folder: str) -> str:
    """Give where a run keeps what it finds for the next ones, such as graphs that fail.

    It is of those who run it: plait may be installed from its checkout into the environment of
    another project, and knows nothing there of that project's templates.

    Args:
        folder: The folder that the harness is run in.
    """
    place = os.path.realpath(folder)
    home = os.path.realpath(HOME)
    is_ours = place in (os.path.dirname(home), home) or place.startswith(home + os.sep)
    return HOME if IS_CHECKOUT and is_ours else folder


PROJECT = find_project(os.getcwd())
"""The folder for what this run keeps for the next ones."""


def home_path(name: str) -> str:
    """Give the path of a file or folder of the harness.

    Raises:
        Mistake: There is none, as when a part of the package is missing.
    """
    path = os.path.join(HOME, name)
    if not os.path.exists(path):
        raise Mistake(f"the harness has no {name}", f"looked in {HOME}; plait's checkout has all")
    return path
