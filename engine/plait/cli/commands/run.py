"""The command `run`: the flow's parameters as options, and how one run goes."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from plait.base.clock import SystemClock
from plait.base.exits import DONE, FAILED, INTERRUPTED
from plait.base.settings import resolve
from plait.cli.command import Option, Words
from plait.cli.measuring import measuring
from plait.cli.parameters import ParameterCommand, given_parameters
from plait.cli.screen import Screen
from plait.cli.session import Session
from plait.metadata.protocol import Status
from plait.runtime.options import RunOptions

if TYPE_CHECKING:
    from plait.runtime.reporter import Reporter

CODES = {Status.DONE: DONE, Status.FAILED: FAILED, Status.INTERRUPTED: INTERRUPTED}
"""The exit code for each way in which a run can end."""
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
            # Called by programs: what starts a run from Python learns by these of its beginning,
            # and hands over what is no text or too long for a command line.
            click.option("--announce-file", cls=Option, hidden=True, allow_from_autoenv=False),
            click.option("--parameters-file", cls=Option, hidden=True, allow_from_autoenv=False),
        )
    ):
        command = option(command)
    return command


def execution_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how a run goes: shared by `run` and `resume`."""
    for option in reversed(
        (
            click.option(
                "--max-workers",
                cls=Option,
                type=click.IntRange(min=1),
                metavar="N",
                default=16,
                show_default=True,
                section="How it runs",
                help="The most tasks at once.",
            ),
            click.option(
                "--max-num-splits",
                cls=Option,
                type=click.IntRange(min=1),
                metavar="N",
                default=100,
                show_default=True,
                section="How it runs",
                help="The widest foreach allowed; a wider one fails the run.",
            ),
            click.option(
                "--with",
                cls=Option,
                multiple=True,
                type=Words(),
                metavar="NAME:KEY=VALUE,...",
                section="How it runs",
                help="Put a decorator on every step that has not got it; may be given often.",
            ),
            click.option(
                "--max-log-size",
                cls=Option,
                type=click.FloatRange(min=0, min_open=True),
                metavar="MB",
                section="What is recorded",
                help="Keep at most so many megabytes of one attempt's output.  [default: all]",
            ),
        )
    ):
        command = option(command)
    return command


def read_options(session: Session, chosen: Mapping[str, Any]) -> RunOptions:
    """Give the choices of a run from the options of `run` or `resume`.

    Args:
        session: The program that was started.
        chosen: What `execution_options` and `facts_options` gave, by name.
    """
    limit = chosen["max_log_size"]
    if limit is not None and not math.isfinite(limit):
        raise click.BadParameter(f"{limit} is not a size", param_hint="--max-log-size")
    return RunOptions(
        workers=session.choices.workers,
        max_workers=chosen["max_workers"],
        max_num_splits=chosen["max_num_splits"],
        max_log_bytes=None if limit is None else int(limit * _BYTES_PER_MB),
        tags=frozenset(chosen["tag"]),
        run_id_file=chosen["run_id_file"],
        announce_file=chosen["announce_file"],
        namespace=chosen["namespace"],
        package_suffixes=session.choices.package_suffixes,
        keep_code=resolve("keep-code").value != "0",
        environment=session.choices.environment,
        command=session.respawn_command(tuple(chosen["with"])),
        event_logger=session.choices.event_logger,
        monitor=session.choices.monitor,
        flow_options=session.choices.flow_options,
    )


def load_parameters(path: str | None) -> dict[str, object]:
    """Read the parameters that a program handed over by a file of JSON."""
    if path is None:
        return {}
    import json

    with open(path, encoding="utf-8") as file:
        loaded: dict[str, object] = json.load(file)
    return loaded


@contextmanager
def watching(session: Session) -> Iterator[Reporter]:
    """Give the reporter that prints how a run goes, and leave the terminal as it was after."""
    from plait.cli.console import Console
    from plait.cli.live import LiveConsole, can_be_live

    out, err, chosen = Screen(sys.stdout), Screen(sys.stderr), session.choices
    # What runs inline has the terminal for itself, for its debugger.
    if chosen.quiet or chosen.workers == "inline" or not can_be_live(out, os.environ):
        yield Console(out, err, program=session.program, quiet=chosen.quiet)
        return
    live = LiveConsole(out, err, program=session.program, clock=SystemClock())
    try:
        yield live
    finally:
        live.close()


@click.command(
    cls=ParameterCommand,
    examples={
        "": "run the flow",
        "--max-workers 4 --tag nightly": "four tasks at once, tagged",
        "--with retry:times=1": "with every step tried once more when it fails",
    },
)
@execution_options
@facts_options
@click.pass_context
def run(context: click.Context, /, **chosen: Any) -> int:
    """Run the flow, each task in a process of its own.

    Any option can be set by an environment variable as well: `--max-workers` by
    PLAIT_RUN_MAX_WORKERS, a parameter `alpha` by PLAIT_RUN_ALPHA.
    """
    from plait.wiring.runs import run_flow

    session: Session = context.obj
    with measuring(session), watching(session) as reporter:
        outcome = run_flow(
            session.read_definition(tuple(chosen["with"])),
            {**given_parameters(context), **load_parameters(chosen["parameters_file"])},
            read_options(session, chosen),
            session.choices.stores,
            reporter,
        )
    return CODES[outcome.status]
