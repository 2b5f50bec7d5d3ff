"""The command `step`: one attempt at one task, as the run's process or remote compute orders it."""

from __future__ import annotations

import os
import sys

import click

from plait.base.errors import UsageError
from plait.base.pathspec import RunKey
from plait.base.records import TaskOrder
from plait.cli.command import Command, Option
from plait.cli.session import Session


class BadOrder(UsageError):
    """What was given as a task's order is none, or is for something else."""

    slug = "bad-order"

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"this is not an order that 'step' can carry out: {problem}",
            why="'step' is called by a run, with an order in JSON that the run has made",
            fix="use 'run'; to look into one step, run with --workers inline and breakpoint()",
        )


@click.command(cls=Command)
@click.argument("name", metavar="STEP")
@click.option(
    "--order",
    cls=Option,
    required=True,
    metavar="FILE",
    help="The order, as JSON; - for the standard input.",
)
@click.pass_obj
def step(session: Session, name: str, order: str) -> int:
    """Run one attempt at one task. Called by `run`, not by people."""
    from plait.wiring.runs import load_run_configs
    from plait.wiring.workers import run_one_attempt

    wanted = parse_order(_read(order), session.flow_name, name)
    choice = session.choices.stores
    run = RunKey(wanted.key.flow, wanted.key.run)
    session.use_configs(lambda declared: load_run_configs(run, declared, choice))
    return run_one_attempt(session.read_definition(), wanted, choice)


def parse_order(text: str, flow: str, step_name: str) -> TaskOrder:
    """Read an order for step *step_name* of *flow*.

    Raises:
        BadOrder: It is no order, or one for another step or flow.
    """
    import json

    try:
        order = TaskOrder.from_json(json.loads(text))
    except json.JSONDecodeError as error:
        raise BadOrder(f"it is not JSON: {error}") from None
    except KeyError as error:
        raise BadOrder(f"it has no {error}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise BadOrder(f"it is not of an order's form: {error}") from None
    if (order.key.flow, order.key.step) != (flow, step_name):
        raise BadOrder(
            f"it is for step '{order.key.step}' of {order.key.flow}, "
            f"not for '{step_name}' of {flow}"
        )
    return order


def _read(place: str) -> str:
    if place != "-":
        with open(place, encoding="utf-8") as file:
            return file.read()
    text = sys.stdin.buffer.read().decode("utf-8")
    # The user's code must not find what is left of the order's pipe.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return text
