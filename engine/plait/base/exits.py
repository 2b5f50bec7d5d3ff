"""What exit codes mean, for the command line and for tasks' processes alike."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
"""All that was asked for is done."""

FAILED: Final = 1
"""A flow, a step or a command failed."""

USAGE: Final = 2
"""What was asked for is not a thing that can be asked for."""

INTERRUPTED: Final = 130
"""Somebody stopped it: Ctrl-C, SIGTERM or SIGHUP."""

NO_RETRY: Final = 202
"""A task's process leaves with this when another attempt is of no use; it is a failure."""
