"""The commands that print the graph for other programs: `output-dot` and `output-raw`."""

from __future__ import annotations

import sys

import click

from plait.cli.command import Command
from plait.cli.screen import Screen
from plait.cli.session import Session


@click.command("output-dot", cls=Command, examples={"| dot -Tsvg > flow.svg": "draw the graph"})
@click.pass_obj
def output_dot(session: Session) -> None:
    """Print the graph in the language of Graphviz."""
    from plait.graph.draw import to_dot

    Screen(sys.stdout).line(to_dot(session.read_definition().graph).rstrip("\n"))


@click.command("output-raw", cls=Command)
@click.pass_obj
def output_raw(session: Session) -> None:
    """Print the graph as JSON."""
    import json

    from plait.graph.draw import to_json

    graph = to_json(session.read_definition().graph)
    Screen(sys.stdout).line(json.dumps(graph, indent=2, ensure_ascii=False))
