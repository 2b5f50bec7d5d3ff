"""The command `check`, and what a flow's program says when no command is given."""

from __future__ import annotations

import sys

import click

from plait.cli.command import Command
from plait.cli.screen import Screen
from plait.cli.session import Session


@click.command(cls=Command)
@click.pass_obj
def check(session: Session) -> None:
    """Validate the flow: its graph, its parameters and its decorators.

    Every mistake is listed at once, each with its line and how to mend it.
    """
    Screen(sys.stdout).line(_verdict(session))


def greet(session: Session) -> int:
    """Validate the flow and say how to go on."""
    screen = Screen(sys.stdout)
    screen.line(_verdict(session))
    screen.line()
    for command, meaning in (
        ("show", "its steps and where each goes"),
        ("run", "run it"),
        ("run --help", "its parameters"),
        ("--help", "everything else"),
    ):
        screen.line(f"  {session.program} {command:<12}{meaning}")
    return 0


def _verdict(session: Session) -> str:
    steps = len(session.read_definition().graph.nodes)
    return f"{session.flow_name} is valid: {steps} {'step' if steps == 1 else 'steps'}."
