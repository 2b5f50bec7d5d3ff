"""The sidecars of a run: from what the options name to processes, and back to none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from plait.base.clock import SystemClock
from plait.runtime.options import RunOptions
from plait.runtime.reporter import Reporter

if TYPE_CHECKING:
    from plait.sidecars.registry import Choice

_NULL = "null"


def find_sidecars(options: RunOptions) -> tuple[Choice, ...]:
    """Give the sidecars that *options* name; loads nothing where there are none.

    Raises:
        UnknownSidecar: There is none of a name.
    """
    if options.event_logger == options.monitor == _NULL:
        return ()
    from plait.sidecars.registry import find_choice

    found = (
        find_choice("event-logger", options.event_logger),
        find_choice("monitor", options.monitor),
    )
    return tuple(choice for choice in found if choice is not None)


@contextmanager
def sidecars_told(choices: tuple[Choice, ...], reporter: Reporter) -> Iterator[Reporter]:
    """Start sidecars, give a reporter that tells them as well, and end them.

    Args:
        choices: Which; without any, the reporter is given back as it is.
        reporter: Who is told besides.
    """
    if not choices:
        yield reporter
        return
    from plait.runtime.sidecars import SidecarReporter
    from plait.sidecars.process import ProcessSidecar

    sidecars = tuple(ProcessSidecar(choice) for choice in choices)
    telling = SidecarReporter(reporter, sidecars, SystemClock())
    try:
        yield telling
    finally:
        telling.close()
