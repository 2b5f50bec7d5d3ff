"""The command `plait status`: the flows of a store and how their latest runs went."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from plait.base.errors import PlaitError, UsageError, nearest
from plait.cli.boundary import print_error
from plait.cli.command import Command, Option
from plait.cli.house import open_house, store_option
from plait.cli.moments import format_duration
from plait.cli.screen import Screen

if TYPE_CHECKING:
    from plait.metadata.protocol import RunRecord
    from plait.wiring.stores import Stores

_COLOURS = {"done": "green", "failed": "red", "lost": "red", "interrupted": "yellow"}


class NoSuchFlow(UsageError):
    """A flow that was asked for has no runs in this store."""

    slug = "no-such-flow"

    def __init__(self, flow: str, known: list[str], place: str) -> None:
        super().__init__(
            f"flow '{flow}' has no runs here",
            why=f"{nearest(flow, known)}; looked in {place}"
            if known
            else f"no flow has run here; looked in {place}",
            fix="write the name of its class, or name another store with --datastore-root",
        )


@click.command(
    cls=Command,
    examples={
        "": "the latest runs of each flow",
        "HelloFlow --limit 50": "more of one flow's",
        "--json": "the same for programs",
    },
)
@click.argument("flow", metavar="[FLOW]", required=False)
@click.option(
    "--limit",
    cls=Option,
    type=click.IntRange(min=1, max=1_000_000),
    default=5,
    show_default=True,
    metavar="N",
    help="Show so many runs of each flow.",
)
@click.option("--json/--no-json", "as_json", cls=Option, default=False, help="Print JSON.")
@store_option
def status(flow: str | None, limit: int, datastore_root: str | None, *, as_json: bool) -> None:
    """Print the flows that have run here, and their latest runs.

    A run whose process is gone, though nothing was heard of its end, is lost. What its tasks
    finished is recorded then.
    """
    screen = Screen(sys.stdout)
    with open_house(datastore_root) as stores:
        known = list(stores.metadata.iter_flows())
        if flow is not None and flow not in known:
            raise NoSuchFlow(flow, known, stores.root)
        flows = known if flow is None else [flow]
        found = {name: _list_runs(stores, name, limit) for name in flows}
        if as_json:
            import json

            rows = [_describe(run) for runs in found.values() for run in runs]
            screen.line(json.dumps({"place": stores.root, "runs": rows}, indent=2))
        elif not flows:
            screen.line(f"no flow has run in {stores.root}")
        else:
            _print(screen, found)


def _list_runs(stores: Stores, flow: str, limit: int) -> list[RunRecord]:
    from dataclasses import replace

    from plait.metadata.protocol import Status
    from plait.upkeep.liveness import is_lost
    from plait.upkeep.rescue import rescue_run

    runs = []
    for run in stores.metadata.list_runs(flow, limit=limit):
        try:
            runs.append(rescue_run(run, stores.metadata, stores.artifacts(flow)))
        except PlaitError as error:
            # A store that can't be written, or a damaged attempt: how the others are is still
            # worth knowing.
            print_error(error)
            lost = is_lost(run, time.time())
            runs.append(replace(run, status=Status.LOST) if lost else run)
    return runs


def _describe(run: RunRecord) -> dict[str, Any]:
    """Give what there is to say of a run as JSON values; times in seconds since 1970."""
    until = run.finished
    if until is None and run.status == "running":
        until = time.time()
    return {
        "flow": run.key.flow,
        "run": run.key.run,
        "status": run.status.value,
        "created": run.created,
        "finished": run.finished,
        "seconds": None if until is None else max(until - run.created, 0.0),
        "user": next((t[5:] for t in sorted(run.system_tags) if t.startswith("user:")), None),
        "tags": sorted(run.user_tags),
        "origin_run": run.origin_run,
        "failure": None if run.failure is None else run.failure.summary,
        "failed_task": None if run.failed_task is None else str(run.failed_task),
    }


def _print(screen: Screen, found: dict[str, list[RunRecord]]) -> None:
    rows = {flow: [_cells(run) for run in runs] for flow, runs in found.items()}
    widths = [
        max((len(row[column]) for cells in rows.values() for row in cells), default=0)
        for column in range(5)
    ]
    for position, (flow, cells) in enumerate(rows.items()):
        if position:
            screen.line()
        screen.line(screen.paint(flow, "bold"))
        for run, state, began, duration, user, rest in cells:
            colour = _COLOURS.get(state, "cyan")
            parts = (
                f"{run:>{widths[0]}}",
                screen.paint(f"{state:<{widths[1]}}", colour),
                f"{began:<{widths[2]}}",
                f"{duration:>{widths[3]}}",
                f"{user:<{widths[4]}}",
                rest,
            )
            screen.line("  " + "  ".join(parts).rstrip())


def _cells(run: RunRecord) -> tuple[str, ...]:
    said = _describe(run)
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.created))
    duration = "" if said["seconds"] is None else format_duration(said["seconds"])
    rest = ", ".join(said["tags"])
    if said["failure"]:
        rest = "; ".join(filter(None, (rest, said["failure"])))
    return run.key.run, said["status"], began, duration, said["user"] or "", rest
