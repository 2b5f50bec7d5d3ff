"""The command `run`: the flow's parameters as options, and how one run goes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from plait.base.exits import DONE, FAILED, INTERRUPTED
from plait.cli.command import Option, Words
from plait.cli.parameters import ParameterCommand, given_parameters
from plait.cli.screen import Screen
from plait.cli.session import Session
from plait.metadata.protocol import Status
from plait.runtime.options import RunOptions

_CODES = {Status.DONE: DONE, Status.FAILED: FAILED, Status.INTERRUPTED: INTERRUPTED}
_BYTES_PER_MB = 1_000_000


def facts_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is recorded of a run: shared by `run` and `init`."""
    section = "What is recorded"
    for option in reversed(
        (
            click.option(
                "--tag",
                cls=Option,
                multiple=True,
                type=Words(),
                section=section,
                help="Tag the run; may be given often.",
            ),
            click.option(
                "--namespace",
                cls=Option,
                metavar="TAG",
                section=section,
                help="The namespace that steps see, as `current.namespace`.  [default: yours]",
            ),
            click.option(
                "--run-id-file",
                cls=Option,
                metavar="FILE",
                section=section,
                help="Write the run's id to this file as soon as it is known.",
            ),
        )
    ):
        command = option(command)
    return command


@click.command(
    cls=ParameterCommand,
    examples={
        "": "run the flow",
        "--max-workers 4 --tag nightly": "four tasks at once, tagged",
        "--with retry:times=1": "with every step tried once more when it fails",
    },
)
@click.option(
    "--max-workers",
    cls=Option,
    type=click.IntRange(min=1),
    metavar="N",
    default=16,
    show_default=True,
    section="How it runs",
    help="The most tasks at once.",
)
@click.option(
    "--max-num-splits",
    cls=Option,
    type=click.IntRange(min=1),
    metavar="N",
    default=100,
    show_default=True,
    section="How it runs",
    help="The widest foreach allowed; a wider one fails the run.",
)
@click.option(
    "--with",
    cls=Option,
    multiple=True,
    type=Words(),
    metavar="NAME:KEY=VALUE,...",
    section="How it runs",
    help="Put a decorator on every step that has not got it; may be given often.",
)
@click.option(
    "--max-log-size",
    cls=Option,
    type=click.FloatRange(min=0, min_open=True),
    metavar="MB",
    section="What is recorded",
    help="Keep at most so many megabytes of one attempt's output.  [default: all]",
)
@facts_options
@click.pass_context
def run(context: click.Context, /, **chosen: Any) -> int:
    """Run the flow, each task in a process of its own.

    Any option can be set by an environment variable as well: `--max-workers` by
    PLAIT_RUN_MAX_WORKERS, a parameter `alpha` by PLAIT_RUN_ALPHA.
    """
    from plait.cli.console import Console
    from plait.wiring import run_flow

    session: Session = context.obj
    choices = session.choices
    decorators = tuple(chosen["with"])
    limit = chosen["max_log_size"]
    options = RunOptions(
        workers=choices.workers,
        max_workers=chosen["max_workers"],
        max_num_splits=chosen["max_num_splits"],
        max_log_bytes=None if limit is None else int(limit * _BYTES_PER_MB),
        tags=frozenset(chosen["tag"]),
        run_id_file=chosen["run_id_file"],
        namespace=chosen["namespace"],
        command=session.respawn_command(decorators),
    )
    console = Console(
        Screen(sys.stdout), Screen(sys.stderr), program=session.program, quiet=choices.quiet
    )
    outcome = run_flow(
        session.read_definition(decorators),
        given_parameters(context),
        options,
        choices.datastore_root,
        console,
    )
    return _CODES[outcome.status]
