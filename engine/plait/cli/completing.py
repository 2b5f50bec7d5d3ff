"""What a shell offers when somebody presses tab: commands, options, parameters, steps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

from plait.base.errors import PlaitError
from plait.cli.command import LINE_VARIABLE
from plait.cli.screen import Screen
from plait.cli.session import Session

if TYPE_CHECKING:
    from plait.cli.command import Program


def print_completions(program: Program, line: str, skip: int, session: Session | None) -> int:
    """Print what could come next: a line each of its kind, itself and what it is for.

    The kind is `plain`, or `file` or `dir` where the shell knows best itself.

    Args:
        program: The program that is to be called.
        line: The command line up to the cursor.
        skip: How many of its first words are what starts the program.
        session: The call of the flow's program; None for `plait` itself.

    Returns:
        The exit code.
    """
    words = split_arg_string(line)
    # What is being written is complete if a blank comes after it.
    incomplete = "" if not words or line[-1:].isspace() else words.pop()
    screen = Screen(sys.stdout)
    for item in find_completions(program, words[skip:], incomplete, session):
        screen.line(f"{item.type}\t{item.value}\t{item.help or ''}")
    return 0


def find_completions(
    program: Program, words: list[str], incomplete: str, session: Session | None
) -> list[CompletionItem]:
    """Give what could stand for *incomplete* after *words*; nothing if they mean nothing."""
    context: dict[str, Any] = {"obj": session, "auto_envvar_prefix": "PLAIT"}
    completer = ShellComplete(program, context, str(program.name), LINE_VARIABLE)
    try:
        return completer.get_completions(words, incomplete)
    except (PlaitError, click.UsageError):
        # A word that means nothing, a flow with mistakes: to say so is for whoever presses enter.
        return []


# What arguments and options offer, in the form that click asks them.


def complete_step(
    ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the steps of the flow."""
    session = ctx.find_object(Session)
    if session is None:
        return []
    nodes = session.read_definition().graph.nodes.values()
    return [
        CompletionItem(node.name, help=node.doc.partition("\n")[0])
        for node in nodes
        if node.name.startswith(incomplete)
    ]


def complete_pathspec(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the steps of the flow after `RUN/`."""
    run, slash, begun = incomplete.rpartition("/")
    if not slash or "/" in run:
        return []
    return [
        CompletionItem(f"{run}/{item.value}", help=item.help)
        for item in complete_step(ctx, parameter, begun)
    ]


def complete_command(
    ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the commands of the program, as an argument of one of them."""
    above = ctx.find_root()
    return above.command.shell_complete(above, incomplete)


def complete_decorator(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the built-in decorators."""
    from plait.hooks.registry import BUILT_IN

    return [CompletionItem(name) for name in BUILT_IN if name.startswith(incomplete)]
