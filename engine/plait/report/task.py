"""One task, read as far as its page shows it: attempts, artifacts, log and cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plait.artifacts.plain import NotPlain, load_plain
from plait.base.errors import PlaitError
from plait.base.records import ArtifactRef, AttemptFacts, Failure
from plait.cards.reading import iter_card_refs, read_card
from plait.cards.values import show_short
from plait.client.opened_run import OpenedRun
from plait.client.opened_task import OpenedTask
from plait.logs.lines import LogLine
from plait.metadata.protocol import Status, TaskRecord
from plait.report.records import AttemptShown, CardShown, Limits, LogShown, TaskShown, ValueShown
from plait.report.timeline import make_bar


@dataclass(slots=True)
class Budget:
    """What may still be put on the page, and how its times are told.

    Args:
        limits: How much there was at first.
        unpickle: Whether values of any type are read, which may run what is in them.
        first: When the page's axis of time begins; seconds since 1970.
        last: When it ends.
        logs: Bytes of logs that there is still room for.
        cards: Bytes of cards that there is still room for.
    """

    limits: Limits
    unpickle: bool
    first: float
    last: float
    logs: int = field(init=False)
    cards: int = field(init=False)

    def __post_init__(self) -> None:
        self.logs, self.cards = self.limits.log_total, self.limits.card_total


def find_state(record: TaskRecord) -> str:
    """Give a task's state: `done`, `failed`, `running`, `cloned` or `lost`."""
    if record.status is Status.DONE and record.origin is not None:
        return "cloned"
    return record.status.value


def read_task(run: OpenedRun, record: TaskRecord, budget: Budget) -> TaskShown:
    """Read a task; what can't be read of it is said in its notes."""
    task, notes = OpenedTask(run, record), []
    attempts: list[AttemptShown] = []
    values: list[ValueShown] = []
    left = 0
    log, cards = LogShown((), is_cut=False), []
    try:
        attempts = _read_attempts(task, budget)
        sealed = task.find_sealed()
        own = {} if sealed is None else sealed.artifacts
        given = run.parameters()
        refs = {n: r for n, r in own.items() if not n.startswith("_") and given.get(n) != r}
        shown = dict(sorted(refs.items())[: budget.limits.artifacts])
        left = len(refs) - len(shown)
        values = show_values(run, shown, budget)
        log = _read_log(task, budget)
        cards = _read_cards(task, budget)
    except PlaitError as error:
        # The rest of the run is worth seeing all the more.
        notes.append(error.findings[0].what)
    ended = budget.last if record.finished is None else record.finished
    return TaskShown(
        pathspec="/".join(record.key),
        step=record.key.step,
        id=record.key.task,
        state=find_state(record),
        index=record.index,
        origin="" if record.origin is None else "/".join(record.origin),
        began=record.created,
        seconds=max(ended - record.created, 0.0),
        attempts=attempts,
        artifacts=values,
        artifacts_left=left,
        log=log,
        cards=cards,
        notes=notes,
    )


def show_values(
    run: OpenedRun, refs: Mapping[str, ArtifactRef], budget: Budget
) -> list[ValueShown]:
    """Show artifacts, by name."""
    return [
        ValueShown(name, ref.type, ref.size, _show(run, name, ref, budget))
        for name, ref in refs.items()
    ]


def cut_traceback(failure: Failure, limits: Limits) -> str:
    """Give a failure's traceback, from its end if it is very long."""
    text = failure.traceback
    return text if len(text) <= limits.traceback else f"...{text[-limits.traceback :]}"


def _show(run: OpenedRun, name: str, ref: ArtifactRef, budget: Budget) -> str:
    """Give a value in short; nothing if it is large, or is not to be read."""
    if ref.size > budget.limits.value_size:
        return ""
    try:
        if budget.unpickle:
            return show_short(run.load(ref, name))
        return show_short(load_plain(run.load_bytes(ref, name), ref.codec))
    except NotPlain:
        return ""
    except PlaitError as error:
        return f"cannot be read: {error.findings[0].what}"


def _read_attempts(task: OpenedTask, budget: Budget) -> list[AttemptShown]:
    record = task.record
    facts = {f.key.attempt: f for f in task.iter_facts()}
    shown = [_show_attempt(f, budget, is_clone=record.origin is not None) for f in facts.values()]
    last = record.attempts - 1
    if record.status is Status.RUNNING and last not in facts:
        began = max((f.finished for f in facts.values()), default=record.created)
        bar = make_bar(began, budget.last, budget.first, budget.last)
        seconds = max(budget.last - began, 0.0)
        shown.append(AttemptShown(max(last, 0), "running", began, seconds, "", "", bar))
    return shown


def _show_attempt(facts: AttemptFacts, budget: Budget, *, is_clone: bool) -> AttemptShown:
    failure = facts.failure or facts.handled
    state = "done" if facts.ok else "failed"
    if facts.ok and facts.handled is not None:
        state = "caught"
    return AttemptShown(
        number=facts.key.attempt,
        state="cloned" if is_clone else state,
        began=facts.started,
        seconds=max(facts.finished - facts.started, 0.0),
        summary="" if failure is None else failure.summary,
        traceback="" if failure is None else cut_traceback(failure, budget.limits),
        bar=make_bar(facts.started, facts.finished, budget.first, budget.last),
    )


def _read_log(task: OpenedTask, budget: Budget) -> LogShown:
    size = min(budget.limits.log_size, budget.logs)
    if size <= 0:
        return LogShown((), is_cut=True)
    lines, is_whole = task.read_log_tail(size)
    parts = _join(lines)
    budget.logs -= sum(len(text) for _, text in parts)
    return LogShown(parts, is_cut=not is_whole)


def _join(lines: list[LogLine]) -> list[tuple[str, str]]:
    """Put the lines of one stream that follow each other together."""
    parts: list[tuple[str, bytearray]] = []
    for line in lines:
        if not parts or parts[-1][0] != line.stream:
            parts.append((line.stream, bytearray()))
        parts[-1][1].extend(line.text + (b"\n" if line.ended else b""))
    return [(stream, text.decode("utf-8", "backslashreplace")) for stream, text in parts]


def _read_cards(task: OpenedTask, budget: Budget) -> list[CardShown]:
    cards = []
    for name, ref in iter_card_refs(task):
        if ref.size > budget.cards:
            cards.append(CardShown("card", ""))
            continue
        record = read_card(task, name, ref)
        budget.cards -= ref.size
        called = "" if record.id is None else f" {record.id}"
        cards.append(CardShown(f"{record.type} card{called}", record.html))
    return cards
