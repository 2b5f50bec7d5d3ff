"""The command `init`: record a run with its parameters and start nothing, for remote compute."""

from __future__ import annotations

import sys
from typing import Any

import click

from plait.base.settings import resolve
from plait.cli.commands.run import facts_options, load_parameters
from plait.cli.parameters import ParameterCommand, given_parameters
from plait.cli.screen import Screen
from plait.cli.session import Session
from plait.runtime.options import RunOptions


@click.command(cls=ParameterCommand)
@facts_options
@click.pass_context
def init(context: click.Context, /, **chosen: Any) -> None:
    """Record a run with its parameters, start none of its tasks, and print its id."""
    from plait.wiring.runs import init_run

    session: Session = context.obj
    options = RunOptions(
        tags=frozenset(chosen["tag"]),
        run_id_file=chosen["run_id_file"],
        announce_file=chosen["announce_file"],
        namespace=chosen["namespace"],
        package_suffixes=session.choices.package_suffixes,
        keep_code=resolve("keep-code").value != "0",
        environment=session.choices.environment,
        flow_options=session.choices.flow_options,
    )
    key = init_run(
        session.read_definition(),
        {**given_parameters(context), **load_parameters(chosen["parameters_file"])},
        options,
        session.choices.stores,
    )
    Screen(sys.stdout).line(key.run)
