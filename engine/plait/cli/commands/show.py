"""The command `show`: the steps in order, with docstrings and transitions, or as a picture."""

from __future__ import annotations

import sys

import click

from plait.cli.command import Command, Option
from plait.cli.screen import Screen
from plait.cli.session import Session


@click.command(
    cls=Command,
    examples={
        "": "the steps, as text",
        "--html": "a page with the graph, in a file named after the flow",
        "--html graph.html": "the same in that file",
    },
)
@click.option(
    "--html",
    cls=Option,
    is_flag=True,
    help="Write a page with the graph and every step instead.",
)
@click.argument("file", metavar="[FILE]", required=False)
@click.pass_obj
def show(session: Session, /, file: str | None, *, html: bool) -> None:
    """Print the steps in order, each with its docstring and where it goes.

    With --html, they are written as a page: one file that needs nothing else, FILE or one that is
    named after the flow.
    """
    definition = session.read_definition()
    if not html:
        if file is not None:
            raise click.UsageError(f"a file is written only with --html: show --html {file}")
        from plait.graph.draw import to_text

        Screen(sys.stdout).line(to_text(definition.graph).rstrip("\n"))
        return
    from plait.report.flow_page import make_flow_page
    from plait.report.pages import write_page

    path = write_page(make_flow_page(definition), file or f"{session.flow_name}.html")
    Screen(sys.stdout).line(f"the graph of {session.flow_name} is in {path}")
