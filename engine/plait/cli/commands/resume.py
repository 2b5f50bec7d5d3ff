"""The command `resume`: a run goes on where an earlier one failed."""

from __future__ import annotations

from typing import Any

import click

from plait.cli.command import Option, offering
from plait.cli.commands.run import (
    CODES,
    execution_options,
    facts_options,
    load_parameters,
    read_options,
    watching,
)
from plait.cli.measuring import measuring
from plait.cli.parameters import ResumeCommand, given_parameters
from plait.cli.session import Session


@click.command(
    cls=ResumeCommand,
    examples={
        "": "go on where the latest run failed",
        "train": "run 'train' again, and all after it",
        "--origin-run-id 17": "go on where run 17 failed",
    },
)
@click.argument("step", required=False, metavar="[STEP]", shell_complete=offering("complete_step"))
@click.option(
    "--origin-run-id",
    cls=Option,
    metavar="RUN",
    section="How it runs",
    help="The run to go on with.  [default: the flow's latest]",
)
@execution_options
@facts_options
@click.pass_context
def resume(context: click.Context, /, **chosen: Any) -> int:
    """Run the flow again from where an earlier run failed, or from STEP.

    Tasks that finished are taken over by reference, without running. Parameters come from that
    run and can't be given.
    """
    from plait.wiring.runs import load_origin_configs, resume_flow

    session: Session = context.obj
    options = read_options(session, chosen)
    choice = session.choices.stores
    session.use_configs(
        lambda declared: load_origin_configs(
            session.flow_name, declared, choice, chosen["origin_run_id"]
        )
    )
    with measuring(session), watching(session) as reporter:
        outcome = resume_flow(
            session.read_definition(tuple(chosen["with"])),
            {**given_parameters(context), **load_parameters(chosen["parameters_file"])},
            options,
            choice,
            reporter,
            origin_run=chosen["origin_run_id"],
            step=chosen["step"],
        )
    return CODES[outcome.status]
