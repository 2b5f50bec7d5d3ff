"""The commands that say what this program is: `version` and `help`."""

from __future__ import annotations

import sys

import click

from plait.base.version import VERSION
from plait.cli.command import Command, offering
from plait.cli.screen import Screen


def describe_version() -> str:
    """Give plait's version and the Python that runs it, in one line."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    return f"plait {VERSION} (Python {python}, {sys.platform})"


@click.command(cls=Command)
def version() -> None:
    """Print the version of plait and of Python."""
    Screen(sys.stdout).line(describe_version())


@click.command("help", cls=Command, examples={"run": "how to run the flow, with its parameters"})
@click.argument(
    "name", metavar="[COMMAND]", required=False, shell_complete=offering("complete_command")
)
@click.pass_context
def help_(context: click.Context, name: str | None) -> None:
    """Print what the program, or one of its commands, can do."""
    above = context.find_root()
    if name is None:
        Screen(sys.stdout).line(above.get_help())
        return
    program = above.command
    assert isinstance(program, click.Group)
    _, command, _ = program.resolve_command(above, [name])
    assert command is not None
    with click.Context(command, info_name=name, parent=above) as inner:
        Screen(sys.stdout).line(inner.get_help())
