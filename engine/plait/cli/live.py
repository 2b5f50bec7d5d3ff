"""A run as a person watches it in a terminal: tasks' lines scroll, a line per step stays below."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plait.base.clock import Clock
from plait.cli.board import Board, StepProgress
from plait.cli.console import Console
from plait.cli.moments import format_duration
from plait.cli.screen import ReaderGone, Screen
from plait.runtime.reporter import Event, RunBegan, RunOver

if TYPE_CHECKING:
    from rich.console import Console as Terminal
    from rich.console import Group, RenderResult
    from rich.live import Live

SECONDS_BETWEEN = 0.1
"""The time between two paintings, however much happens in it."""

_COLOURS = {
    "waiting": "yellow",
    "running": "cyan",
    "done": "green",
    "failed": "red",
    "cloned": "blue",
}


def can_be_live(screen: Screen, environ: Mapping[str, str]) -> bool:
    """Say whether *screen* shows lines that are painted over, and there is what paints them.

    That is a terminal, and none of NO_COLOR, TERM=dumb and CI says that nobody looks on who would
    like that.
    """
    if not screen.in_colour or environ.get("CI"):
        return False
    from importlib.util import find_spec

    return find_spec("rich") is not None


class HeldScreen(Screen):
    """A screen whose lines are held back until they are taken, or it is let go."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen.stream)
        self.is_terminal, self.in_colour = screen.is_terminal, screen.in_colour
        self.is_held = False
        self._lock = threading.Lock()
        self._lines: list[str] = []

    def write(self, text: str) -> None:
        """Hold *text* back, or write it if the screen was let go. Raises as `Screen.write`."""
        with self._lock:
            if self.is_held:
                self._lines.append(text)
                return
        super().write(text)

    def take(self) -> str:
        """Give what was held back since the last time."""
        with self._lock:
            lines, self._lines = self._lines, []
        return "".join(lines)

    def hold(self) -> None:
        """Hold back from now on what is written."""
        with self._lock:
            self.is_held = True

    def let_go(self) -> None:
        """Write from now on at once what is written, and what is still held back.

        Raises:
            ReaderGone: As `Screen.write`.
        """
        with self._lock:
            self.is_held = False
        super().write(self.take())


@dataclass(frozen=True, slots=True)
class _Raw:
    """Text for the terminal as it is, codes included: it is the users'."""

    text: str

    def __rich_console__(self, *_: Any) -> RenderResult:
        from rich.segment import Segment

        yield Segment(self.text)


class LiveConsole:
    """The reporter of a run that a person watches in a terminal.

    What the run reports is counted and held back; a thread paints it ten times a second, so that
    an event costs the run a few sums, and ten thousand tasks cost the terminal no more than ten.

    Args:
        out: Where lines go.
        err: Where the error goes that a failed run ends in.
        program: What the user typed to start the flow, for messages.
        clock: The time, for how long steps have been at it.
        every: The seconds between two paintings; None to have `paint` called by somebody else.
        terminal: What paints; by default one on the stream of *out*.
    """

    def __init__(
        self,
        out: Screen,
        err: Screen,
        *,
        program: str,
        clock: Clock,
        every: float | None = SECONDS_BETWEEN,
        terminal: Terminal | None = None,
    ) -> None:
        self._held = HeldScreen(out)
        self._console = Console(self._held, err, program=program, steps=False)
        self._board = Board()
        self._clock = clock
        self._every = every
        self._terminal = terminal
        self._live: Live | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def report(self, event: Event) -> None:
        """Count *event*, and print what it says with the next painting."""
        with self._lock:
            self._board.take(event)
        if isinstance(event, RunOver):
            self.close()
        self._console.report(event)
        if isinstance(event, RunBegan):
            self._held.hold()
            if self._every is not None:
                self._thread = threading.Thread(
                    target=self._paint_on, args=(self._every,), name="plait-progress", daemon=True
                )
                self._thread.start()

    def paint(self) -> None:
        """Print the lines that came since the last time, and the steps below them."""
        if self._live is None:
            self._open()
        assert self._live is not None, "it was opened"
        with self._live.console:  # all in one write
            self._print(self._live)
            # A line printed draws the steps below it as they were; this draws them as they are.
            self._live.refresh()

    def close(self) -> None:
        """Leave the steps as they are now, and print what comes from now on as it comes."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._live is not None:
            live, self._live = self._live, None
            try:
                self._print(live)
                live.stop()
            except OSError:
                pass  # the terminal was closed: nobody looks on
        try:
            self._held.let_go()
        except (ReaderGone, OSError):
            pass  # the same; the console meets it with its next line

    def _print(self, live: Live) -> None:
        """Print what is held back, above the steps."""
        text = self._held.take()
        if text:
            live.console.print(_Raw(text), crop=False)

    def _paint_on(self, every: float) -> None:
        try:
            self.paint()  # at least once: the steps of the shortest run are shown as well
            while not self._over.wait(every):
                self.paint()
        except OSError:
            # The terminal was closed. The run goes on; lines are no longer held back for nobody.
            self._held.is_held = False

    def _open(self) -> None:
        # Here and not above: it takes as long as a short run, which the thread has time for.
        from rich.console import Console as Terminal
        from rich.live import Live

        if self._terminal is None:
            self._terminal = Terminal(file=self._held.stream, highlight=False)
        # What the thread does, rich could do as well, but not without redrawing at every line.
        self._live = Live(
            get_renderable=self._draw,
            console=self._terminal,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def _draw(self) -> Group:
        """Give the lines of the steps, as many as the terminal has room for."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        assert self._terminal is not None, "it is what asks"
        now = self._clock.now()
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        with self._lock:
            over = self._board.is_over or self._over.is_set()
            room = len(self._board.steps) if over else max(1, self._terminal.height - 2)
            steps, left_out = self._board.choose(room)
            for step in steps:
                table.add_row(
                    Text(step.name, "bold" if step.is_active else ""),
                    _count(step),
                    Text(_format_elapsed(step, now), "dim"),
                )
        more = [Text(f"and {left_out} more steps", "dim")] if left_out else []
        return Group(table, *more)


def _count(step: StepProgress) -> Any:
    from rich.text import Text

    parts = [Text(f"{count} {state}", _COLOURS[state]) for count, state in step.counts()]
    return Text(", ").join(parts) if parts else Text("not begun", "dim")


def _format_elapsed(step: StepProgress, now: float) -> str:
    elapsed = step.elapsed(now)
    return "" if elapsed is None else format_duration(elapsed)
