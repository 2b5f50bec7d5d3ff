"""The command `show`: the steps in order, with their docstrings and transitions."""

from __future__ import annotations

import sys

import click

from plait.cli.command import Command
from plait.cli.screen import Screen
from plait.cli.session import Session


@click.command(cls=Command)
@click.pass_obj
def show(session: Session) -> None:
    """Print the steps in order, each with its docstring and where it goes."""
    from plait.graph.draw import to_text

    Screen(sys.stdout).line(to_text(session.read_definition().graph).rstrip("\n"))
