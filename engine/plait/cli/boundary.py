"""The edge of the command line: whatever happens inside ends as an exit code and a message."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from plait.base.errors import PlaitError, UsageError
from plait.base.exits import DONE, FAILED, INTERRUPTED
from plait.base.settings import resolve_kept
from plait.cli.screen import ReaderGone, Screen


def call_guarded(body: Callable[[], int | None]) -> int:
    """Call *body*, print what goes wrong to stderr, and give the exit code.

    Args:
        body: Does a command and gives its exit code; None means that all is well.

    Returns:
        0 done, 1 failed, 2 wrong usage, 130 interrupted by the user.
    """
    try:
        return body() or DONE
    except ReaderGone:
        # `| head` has what it wanted.
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last place that can say anything
        try:
            return _explain(error)
        except ReaderGone:
            return FAILED


def print_error(error: PlaitError, screen: Screen | None = None) -> None:
    """Print what, why and fix of every finding of *error*, to stderr unless told otherwise."""
    target = Screen(sys.stderr) if screen is None else screen
    for finding in error.findings:
        head, *rest = finding.format().splitlines()
        label, colon, text = head.partition(": ")
        target.line(target.paint(label, "red", "bold") + colon + text)
        for line in rest:
            target.line(line)


def is_debugging() -> bool:
    """Say whether the person wants to see plait's own tracebacks."""
    given = os.environ.get("PLAIT_DEBUG")
    if given is None:
        try:
            given = resolve_kept("debug").value
        except PlaitError:
            return False  # what is told may be just that
    return given not in ("", "0")


def _explain(error: Exception) -> int:
    """Print *error* as a person should see it and give its exit code."""
    told: PlaitError
    if isinstance(error, PlaitError):
        told = error
    else:
        # click is imported by now if it is click that complains.
        click_exceptions = sys.modules.get("click.exceptions")
        if click_exceptions is not None and isinstance(error, click_exceptions.Exit):
            return int(error.exit_code)
        if click_exceptions is not None and isinstance(error, click_exceptions.Abort):
            return INTERRUPTED  # Ctrl-C, or the end of the input, at a question
        told = _translate(error)
    if is_debugging():
        import traceback

        Screen(sys.stderr).write("".join(traceback.format_exception(error)))
    print_error(told)
    return told.exit_code


def _translate(error: Exception) -> PlaitError:
    import click

    from plait.cli.mistakes import PlaitBug, SystemRefused, translate_usage

    if isinstance(error, click.UsageError):
        return translate_usage(error)
    if isinstance(error, click.ClickException):
        return UsageError(error.format_message())
    if isinstance(error, OSError):
        return SystemRefused(error)
    return PlaitBug(error)
