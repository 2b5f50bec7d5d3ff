"""The command `plait`: what concerns no flow in particular."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from plait.cli.boundary import call_guarded
from plait.cli.command import LINE_VARIABLE, Entry, Program
from plait.cli.main import prepare_streams

_COMMANDS = "plait.cli.commands"

ENTRIES = (
    Entry("status", f"{_COMMANDS}.status:status", "Flows and their latest runs.", "Keep house"),
    Entry(
        "verify",
        f"{_COMMANDS}.verify:verify",
        "Read everything again and name what is damaged.",
        "Keep house",
    ),
    Entry("gc", f"{_COMMANDS}.gc:gc", "Remove what no run refers to.", "Keep house"),
    Entry("service", f"{_COMMANDS}.service:service", "Keep facts for a team.", "Keep house"),
    Entry("report", f"{_COMMANDS}.report:report", "Write a run as a page.", "Look at runs"),
    Entry(
        "configure",
        f"{_COMMANDS}.configure:configure",
        "Settings for all of your flows.",
        "Keep house",
    ),
    Entry(
        "tutorials",
        "plait.cli.commands.tutorials:tutorials",
        "Flows to learn from: list them, read about one, copy it.",
        "Learn",
    ),
    Entry(
        "completion",
        f"{_COMMANDS}.completion:completion",
        "Print a script that completes commands in your shell.",
        "Set up",
    ),
    Entry("version", "plait.cli.commands.about:version", "Print plait's version.", "About"),
    Entry("help", "plait.cli.commands.about:help_", "Print this, or a command's help.", "About"),
)


def main() -> None:
    """Do what the command line says and leave the process with the exit code."""
    prepare_streams()
    sys.exit(call_plait(sys.argv[1:]))


def call_plait(arguments: Sequence[str]) -> int:
    """Do what *arguments* say and give the exit code."""
    return call_guarded(lambda: _call(arguments))


def _call(arguments: Sequence[str]) -> int | None:
    program = _make_program()
    if LINE_VARIABLE in os.environ:
        from plait.cli.completing import print_completions

        return print_completions(program, os.environ.pop(LINE_VARIABLE), 1, None)
    context = program.make_context("plait", list(arguments), auto_envvar_prefix="PLAIT")
    with context:
        code: int | None = program.invoke(context)
    return code


def _make_program() -> Program:
    return Program(
        "plait",
        entries=ENTRIES,
        invoke_without_command=True,
        callback=_show_help_alone,
        help="Flows in Python, every result kept.\n\n"
        "A flow is a program of its own: `python flow.py run`. This one is for what concerns no "
        "flow in particular.",
        examples={
            "tutorials pull": "copy the tutorials here",
            "status": "see what has run here",
            "gc --dry-run": "see what could be removed",
        },
    )


def _show_help_alone() -> None:
    import click

    from plait.cli.screen import Screen

    context = click.get_current_context()
    if context.invoked_subcommand is None:
        Screen(sys.stdout).line(context.get_help())
