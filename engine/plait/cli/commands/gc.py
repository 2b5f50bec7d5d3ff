"""The command `plait gc`: removes what no run refers to, and old runs if somebody says so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from plait.cli.command import Command, Option
from plait.cli.house import Age, count, format_size, open_house, store_option
from plait.cli.screen import Screen

if TYPE_CHECKING:
    from plait.upkeep.clean import Cleaned


@click.command(
    cls=Command,
    examples={
        "--dry-run": "see what no run refers to; nothing is removed",
        "--dry-run --files": "see each file",
        "--keep-runs 20": "remove all but the latest 20 runs of each flow",
        "--keep-runs 20 --older-than 30d": "of these, only those that ended over 30 days ago",
    },
)
@click.option(
    "--dry-run/--no-dry-run", cls=Option, default=False, help="Remove nothing, only tell."
)
@click.option(
    "--keep-runs",
    cls=Option,
    type=click.IntRange(min=0),
    metavar="N",
    help="Also remove whole runs, but for the N latest of each flow.",
)
@click.option(
    "--older-than",
    cls=Option,
    type=Age(),
    metavar="AGE",
    help="Also remove whole runs that ended longer ago than this, such as 30d or 12h; with "
    "--keep-runs, only what both say.",
)
@click.option(
    "--unknown/--no-unknown",
    cls=Option,
    default=False,
    help="Also remove the values of runs of which nothing is known here. Others may know them, if "
    "they keep their runs at the same place; so what is younger than a day stays there.",
)
@click.option("--files/--no-files", cls=Option, default=False, help="Name each file.")
@store_option
def gc(
    keep_runs: int | None,
    older_than: float | None,
    datastore_root: str | None,
    *,
    dry_run: bool,
    unknown: bool,
    files: bool,
) -> None:
    """Remove from a store what no run refers to.

    That is what killed tasks and removed runs left. Whole runs are removed only with --keep-runs or
    --older-than; never one that goes on, nor one that it resumes, nor a value that any other run
    still refers to. Values of runs of which nothing is known stay, too, unless --unknown is given:
    somebody else may know them, or the facts may be an older copy. Spins that were kept go like
    runs, counted by themselves. Runs may go on meanwhile.
    """
    from plait.base.clock import SystemClock
    from plait.storage.protocol import is_shared
    from plait.upkeep.clean import clean
    from plait.upkeep.plan import Policy
    from plait.upkeep.spins import clean_spins

    screen = Screen(sys.stdout)
    policy = Policy(keep_runs, older_than, unknown)
    size = removed = gone = 0
    with open_house(datastore_root) as stores:
        for cleaned in clean(stores, policy, dry_run=dry_run):
            size += cleaned.size
            removed += len(cleaned.files)
            _tell(screen, cleaned, files=files)
        shared = f"{stores.storage.place} and " if is_shared(stores.storage.place) else ""
        place = f"{shared}{stores.root}"
        now = SystemClock().now()
        for spun in clean_spins(stores.root, open_house, policy, dry_run=dry_run, now=now):
            size += spun.size
            removed += len(spun.files)
            gone += len(spun.spins)
            name = screen.paint(spun.flow or "killed as they began", "bold")
            told = f"{count(len(spun.spins), 'kept spin')}, {count(len(spun.files), 'file')}"
            screen.line(f"{name}: {told}, {format_size(spun.size)}")
            screen.line(f"  spins: {', '.join(spun.spins)}")
            for file in spun.files if files else ():
                screen.line(f"  {file}")
        verb = "would be removed" if dry_run else "removed"
        if removed or gone:
            screen.line(f"{count(removed, 'file')} {verb} from {place}: {format_size(size)}")
        else:
            screen.line(f"nothing to remove in {place}")


def _tell(screen: Screen, cleaned: Cleaned, *, files: bool) -> None:
    """Say what was removed of a flow, or would be, and what stays."""
    if cleaned.files or cleaned.runs:
        runs = f"{count(len(cleaned.runs), 'run')}, " if cleaned.runs else ""
        name = screen.paint(cleaned.flow, "bold")
        said = f"{runs}{count(len(cleaned.files), 'file')}, {format_size(cleaned.size)}"
        screen.line(f"{name}: {said}")
    if cleaned.runs:
        screen.line(f"  runs: {', '.join(key.run for key in cleaned.runs)}")
    for file in cleaned.files if files else ():
        screen.line(f"  {file}")
    if cleaned.waiting:
        screen.line(
            f"  {count(cleaned.waiting, 'value')} ({format_size(cleaned.waiting_size)}) "
            f"can go when no run of {cleaned.flow} goes on"
        )
    if cleaned.unknown:
        screen.line(
            f"  {count(len(cleaned.unknown), 'run')} of {cleaned.flow} stay, of which "
            "nothing is known here (--unknown removes them)"
        )
