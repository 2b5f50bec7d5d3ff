"""The commands `plait report` and `python flow.py report`: a run as one page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from plait.base.errors import UsageError
from plait.base.pathspec import RunKey, parse_pathspec
from plait.cli.command import Command, Option
from plait.cli.house import open_house, store_option
from plait.cli.reading import NoSuchRun, get_run, open_store
from plait.cli.screen import Screen
from plait.cli.session import Session
from plait.client.opened_run import OpenedRun
from plait.client.source import Connection
from plait.metadata.protocol import MetadataStore, RunRecord

F = TypeVar("F", bound=Callable[..., Any])


class NothingToReport(UsageError):
    """A page of the latest run is asked for, and no flow has run."""

    slug = "nothing-to-report"

    def __init__(self, place: str) -> None:
        super().__init__(
            "there is no run to make a page of",
            why=f"no flow has run here; looked in {place}",
            fix="run a flow first, or name another store with --datastore-root",
        )


def _page_options(function: F) -> F:
    """Add the options about the page."""
    file = click.option(
        "--output",
        cls=Option,
        metavar="FILE",
        help="Write the page there.  [default: FLOW-RUN.html]",
    )
    unpickle = click.option(
        "--unpickle/--no-unpickle",
        cls=Option,
        default=False,
        help="Also show values that are not of Python's own plain types. Reading them runs code "
        "that is in them: only for a store that you trust.",
    )
    decorated: F = file(unpickle(function))
    return decorated


@click.command(
    cls=Command,
    examples={
        "": "the latest run here",
        "HelloFlow/17": "one run",
        "HelloFlow": "that flow's latest run",
        "HelloFlow/17 --output run.html": "the same, in that file",
    },
)
@click.argument("run", metavar="[FLOW[/RUN]]", required=False)
@_page_options
@store_option
def report(run: str | None, datastore_root: str | None, **given: Any) -> None:
    """Write how a run went as a page: one HTML file that needs nothing else.

    It has the first failure, the graph with states and times, the timeline, parameters, artifacts,
    logs and cards. A run that goes on is shown as it is now.
    """
    with open_house(datastore_root) as stores:
        record = _find_run(stores.metadata, run)
        _write(OpenedRun(Connection(lambda _: stores, None), record), **given)


@click.command(
    "report",
    cls=Command,
    examples={"": "the flow's latest run", "17": "one run", "17 --output run.html": "in that file"},
)
@click.argument("run", metavar="[RUN]", required=False)
@_page_options
@click.pass_obj
def report_own(session: Session, /, run: str | None, **given: Any) -> None:
    """Write how a run of this flow went as a page: one HTML file that needs nothing else."""
    name = None if run is None else run.removeprefix(f"{session.flow_name}/")
    with open_store(session) as connection:
        _write(get_run(session, connection, name), **given)


def _find_run(metadata: MetadataStore, pathspec: str | None) -> RunRecord:
    """Give the run that is meant. Raises BadPathspec, NoSuchRun, NothingToReport."""
    if pathspec is None:
        latest = [
            run for flow in metadata.iter_flows() for run in metadata.list_runs(flow, limit=1)
        ]
        if not latest:
            raise NothingToReport(metadata.place)
        return max(latest, key=lambda run: run.created)
    parts = parse_pathspec(pathspec, parts=(1, 2), form="FLOW[/RUN]")
    known = metadata.list_runs(parts[0], limit=13)
    if len(parts) == 1 and known:
        return known[0]
    key = RunKey(parts[0], parts[1] if len(parts) > 1 else "")
    found = metadata.find_run(key)
    if found is None:
        ids = [record.key.run for record in known]
        raise NoSuchRun(key, ids, metadata.place, f"python {parts[0].lower()}.py")
    return found


def _write(run: OpenedRun, *, output: str | None, unpickle: bool) -> None:
    from plait.report.pages import write_page
    from plait.report.run_page import make_run_page

    page = make_run_page(run, unpickle=unpickle)
    path = write_page(page, output or f"{run.key.flow}-{run.key.run}.html")
    Screen(sys.stdout).line(f"how {run.key} went is in {path}")
