"""What the page of a run shows: plain records, which its template writes down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plait.report.picture import Picture
from plait.report.timeline import Bar, Tick


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a run is put on its page, so that it stays one that a browser opens.

    Args:
        tasks: So many tasks are shown in all; every step has one at least.
        artifacts: So many artifacts of each.
        value_size: Values of more stored bytes are not read.
        log_size: So many bytes of each task's log, from its end.
        log_total: So many bytes of logs in all.
        card_total: So many bytes of cards in all.
        traceback: So many characters of each traceback, from its end.
    """

    tasks: int = 400
    artifacts: int = 50
    value_size: int = 4096
    log_size: int = 8192
    log_total: int = 1_000_000
    card_total: int = 8_000_000
    traceback: int = 20_000


@dataclass(frozen=True, slots=True)
class ValueShown:
    """An artifact: its name, type, size in bytes, and value in short; empty if that is not read."""

    name: str
    type: str
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class AttemptShown:
    """One attempt of a task; its traceback is empty where it is shown with the task."""

    number: int
    state: str
    began: float
    seconds: float
    summary: str
    traceback: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class CardShown:
    """A card: its title, and its page; empty if there was no room."""

    title: str
    page: str


@dataclass(frozen=True, slots=True)
class LogShown:
    """The end of a log: `(stream, text)` in order, and whether something is before it."""

    parts: Sequence[tuple[str, str]]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class TaskShown:
    """A task with what it left."""

    pathspec: str
    step: str
    id: str
    state: str
    index: int | None
    origin: str
    began: float
    seconds: float
    attempts: Sequence[AttemptShown]
    artifacts: Sequence[ValueShown]
    artifacts_left: int
    log: LogShown
    cards: Sequence[CardShown]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class StepSeen:
    """A step with its counts, times and the tasks that are shown."""

    name: str
    doc: str
    place: str
    words: str
    decorators: Sequence[str]
    targets: Sequence[str]
    state: str
    counts: str
    began: float | None
    seconds: float | None
    bar: Bar | None
    tasks: Sequence[TaskShown]
    total: int

    @property
    def left_out(self) -> int:
        """How many of its tasks are not shown."""
        return self.total - len(self.tasks)


@dataclass(frozen=True, slots=True)
class FailureShown:
    """What went wrong first: the task, if one did, and what it said."""

    task: str
    anchor: str
    summary: str
    where: str
    traceback: str


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run, as it is at one moment; `without_parameters` says why those can't be shown."""

    flow: str
    run: str
    doc: str
    status: str
    created: float
    finished: float | None
    seconds: float
    now: float
    user: str
    tags: Sequence[str]
    system_tags: Sequence[str]
    origin: str
    facts: Sequence[tuple[str, str]]
    failure: FailureShown | None
    parameters: Sequence[ValueShown]
    without_parameters: str
    picture: Picture
    steps: Sequence[StepSeen]
    ticks: Sequence[Tick]
    total: int
    counts: str
