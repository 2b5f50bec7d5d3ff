"""The option `--coverage` around a run: the program is started over, and at the end it is said."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from plait.cli.screen import Screen
from plait.cli.session import Session


@contextmanager
def measuring(session: Session) -> Iterator[None]:
    """Measure the flow's code in what is done within, if `--coverage` was given.

    Raises:
        CannotMeasure: It can't be.
    """
    if not session.choices.coverage:
        yield
        return
    from plait.wiring.measuring import VARIABLE, put_together, start_over

    if VARIABLE not in os.environ:
        # As it was typed, so that messages name it so.
        command = (*session.command[:-1], sys.argv[0]) if _is_script(session) else session.command
        start_over(command, sys.argv[1:])
    try:
        yield
    finally:
        file, percent = put_together()
        if not session.choices.quiet:
            reached = "nothing was measured" if percent is None else f"{percent:.0f}% were reached"
            shown = os.path.relpath(file)
            Screen(sys.stdout).line(
                f"coverage of the flow's code: {reached}; 'coverage report -m' reads {shown}"
            )


def _is_script(session: Session) -> bool:
    return len(session.command) == 2
