"""The command `plait verify`: reads a whole store again and names what is damaged."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from plait.base.exits import DONE, FAILED
from plait.cli.command import Command
from plait.cli.house import count, format_size, open_house, store_option
from plait.cli.screen import Screen

if TYPE_CHECKING:
    from plait.upkeep.verify import Progress

_REFRESH_SECONDS = 0.1


@click.command(cls=Command, examples={"": "read everything in the nearest .plait again"})
@store_option
def verify(datastore_root: str | None) -> int:
    """Read everything in a store again, and name each file that is damaged or missing.

    Each sealed attempt is read, each value is compared with its address, and each reference is
    looked up. Runs may go on meanwhile. The exit code is 1 if anything is wrong.
    """
    from plait.upkeep.verify import Tally
    from plait.upkeep.verify import verify as read_again

    screen = Screen(sys.stdout)
    line = _ProgressLine(Screen(sys.stderr))
    tally, damaged, begun = Tally(), 0, time.monotonic()
    with open_house(datastore_root) as stores:
        for damage in read_again(stores, line.show, tally):
            damaged += 1
            line.clear()
            screen.line(f"{screen.paint(damage.file, 'red')} {damage.what}")
        line.clear()
        read = f"{count(tally.files, 'file')} ({format_size(tally.size)})"
        seconds = time.monotonic() - begun
        if damaged:
            found = count(damaged, "problem")
            screen.line(f"{found} in {read} of {count(tally.runs, 'run')} in {stores.root}")
            return FAILED
        screen.line(
            f"all is well: {read} of {count(tally.runs, 'run')} in {stores.root}, "
            f"read in {seconds:.1f} s"
        )
        return DONE


class _ProgressLine:
    """One line of a terminal that is written over and over; nothing anywhere else."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._next = 0.0
        self._shown = False

    def show(self, progress: Progress) -> None:
        """Show how far it is, not too often."""
        now = time.monotonic()
        if self._screen.is_terminal and now >= self._next:
            self._next = now + _REFRESH_SECONDS
            self._shown = True
            percent = 100 * progress.done // max(progress.total, 1)
            self._screen.write(
                f"\r\x1b[K{progress.flow}: {progress.done:,} of {progress.total:,} files "
                f"({percent} %)"
            )

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._screen.write("\r\x1b[K")
            self._shown = False
