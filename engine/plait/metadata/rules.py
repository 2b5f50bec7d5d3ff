"""The rules of every store of facts: what a tag is, an id, how facts add up, and in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from plait.base.pathspec import RunKey
from plait.metadata.errors import BadTag
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    Fact,
    RunBeat,
    RunEnded,
    Status,
    StepRecord,
    TaskCloned,
    TaskRecord,
)

T = TypeVar("T")

TaskFact = AttemptStarted | AttemptEnded | TaskCloned
"""The facts that are about one task."""

_REQUESTS = 64
"""Of so many runs are the words kept that they were asked for by."""
MAX_TAG = 500
"""The most characters that a tag may have."""

_ID = re.compile(r"(0|[1-9][0-9]{0,17})\Z")
# Control characters, the two Unicode line ends, and halves of surrogate pairs, which is how bytes
# that are not UTF-8 arrive from a command line. All would break a listing or a file.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def parse_id(text: str) -> int | None:
    """Give the number that a run's or a task's id is, or None where *text* cannot be one.

    Only the usual way to write a number counts, so that no two ids are of one run: `007` is none.
    The limit of 18 digits keeps it within what a database's integer holds.
    """
    # The pattern takes only ASCII digits, unlike `str.isdigit`.
    return int(text) if _ID.match(text) else None


def get_number(text: str) -> int:
    """Give the number that an id is, where anything else is a bug of the caller."""
    number = parse_id(text)
    assert number is not None, f"{text!r} is not an id of a run or a task"
    return number


def check_tags(tags: Iterable[str]) -> frozenset[str]:
    """Give *tags* as they are kept: in Unicode's composed form (NFC), as what looks the same is.

    Spaces and case are kept as they are.

    Raises:
        BadTag: A tag is empty or blank, longer than `MAX_TAG`, not text, or holds a line end or
            another control character. Names every one that is.
    """
    kept: list[str] = []
    mistakes: list[tuple[object, str]] = []
    # `set` first: an iterable may be one-shot and hold repetitions. Sorted by `repr`, because what
    # is wrong may be that something is not text.
    for tag in sorted(set(tags), key=repr):
        text = _compose(tag)
        why = _find_mistake(text)
        if why:
            mistakes.append((tag, why))
        else:
            kept.append(text)
    if mistakes:
        raise BadTag(mistakes)
    return frozenset(kept)


def _compose(tag: str) -> str:
    if not isinstance(tag, str) or tag.isascii():
        return tag
    import unicodedata

    return unicodedata.normalize("NFC", tag)


def _find_mistake(tag: object) -> str:
    if not isinstance(tag, str):
        return f"it is of type {type(tag).__name__}, not text"
    if not tag.strip():
        return "it is empty" if not tag else "it is blank"
    if len(tag) > MAX_TAG:
        return f"it has {len(tag)} characters; {MAX_TAG} are the most"
    unfit = _UNFIT.search(tag)
    if unfit:
        return f"it holds the character {unfit.group()!a}"
    return ""


def describe_fact(fact: TaskFact) -> TaskRecord:
    """Give the task as it would be if *fact* were all that is known of it."""
    if isinstance(fact, AttemptStarted):
        return TaskRecord(
            key=fact.key,
            created=fact.at,
            finished=None,
            status=Status.RUNNING,
            attempt=None,
            attempts=fact.attempt + 1,
            index=fact.index,
            origin=None,
        )
    if isinstance(fact, TaskCloned):
        return TaskRecord(
            key=fact.key,
            created=fact.at,
            finished=fact.at,
            status=Status.DONE,
            attempt=fact.attempt,
            attempts=fact.attempt + 1,
            index=fact.index,
            origin=fact.origin,
        )
    status = Status.DONE if fact.ok else Status.FAILED
    return TaskRecord(
        key=fact.key,
        created=fact.at,
        finished=fact.at if fact.final else None,
        status=status if fact.final else Status.RUNNING,
        attempt=fact.attempt,
        attempts=fact.attempt + 1,
        index=None,
        origin=None,
        failure=fact.failure,
    )


def merge_fact(known: TaskRecord | None, fact: TaskFact) -> TaskRecord:
    """Give what is known of a task once *fact* is, too.

    The last attempt that ended is the one that counts. Facts may come twice, late or in another
    order, as they do when a crashed run's are rebuilt from what it sealed: the result is the same.
    Where two ends of one attempt contradict each other, the first one that was final stays.
    """
    new = describe_fact(fact)
    if known is None:
        return new
    merged = replace(
        known,
        created=min(known.created, new.created),
        attempts=max(known.attempts, new.attempts),
        index=new.index if known.index is None else known.index,
        origin=new.origin if known.origin is None else known.origin,
    )
    if rank_end(new) <= rank_end(known):
        return merged
    return replace(
        merged,
        finished=new.finished,
        status=new.status,
        attempt=new.attempt,
        failure=new.failure,
    )


def run_of(fact: Fact) -> RunKey:
    """Give the run that a fact is about."""
    return fact.key if isinstance(fact, RunBeat | RunEnded) else fact.key.run_key


class Requests:
    """The words by which the latest runs were asked for, as far as it was done here."""

    def __init__(self) -> None:
        self._words: dict[RunKey, str] = {}

    def keep(self, key: RunKey, word: str | None) -> None:
        """Keep the word of a run, if it was asked for by one."""
        if word is None:
            return
        self._words.pop(key, None)
        # A process runs few; a service is told the words by those who asked.
        while len(self._words) >= _REQUESTS:
            self._words.pop(next(iter(self._words)))
        self._words[key] = word

    def find(
        self, facts: Iterable[Fact], given: Mapping[RunKey, str] | None = None
    ) -> dict[RunKey, str]:
        """Give the words of the runs that *facts* are about, by *given* and by what is kept."""
        words = {**self._words, **(given or {})}
        return {key: words[key] for key in map(run_of, facts) if key in words}


def holds_end(known: Status, told: Status) -> bool:
    """Say whether the end of a run holds that is told after what is known.

    The later one does. But who takes a run for lost only looked for its process: what the process
    itself said of its end, maybe in the meantime, is better known.

    Args:
        known: How far the run is known to be.
        told: How it is said to have ended.
    """
    return told is not Status.LOST or known in (Status.RUNNING, Status.LOST)


def is_revived(known: Status, finished: float | None, at: float) -> bool:
    """Say whether a run was taken for lost, and goes on.

    It is so if it says that it goes on later than it was thought to have ended. That may have been
    found out by a clock that differs, or while the run could not be heard.

    Args:
        known: How far the run is known to be.
        finished: When it is known to have ended.
        at: When it says that it goes on.
    """
    return known is Status.LOST and finished is not None and at > finished


def rank_end(task: TaskRecord) -> int:
    """Give a number that is higher the more the end of *task* counts; -1 where it has none.

    A later attempt's end counts more, and within an attempt one that no other attempt follows.
    """
    return -1 if task.attempt is None else task.attempt * 2 + (task.finished is not None)


def fold_steps(tasks: Iterable[TaskRecord]) -> list[StepRecord]:
    """Give the steps of a run's tasks, newest first."""
    steps: dict[str, list[TaskRecord]] = {}
    for task in tasks:
        steps.setdefault(task.key.step, []).append(task)
    rows = [
        (min(t.created for t in those), min(get_number(t.key.task) for t in those), step)
        for step, those in steps.items()
    ]
    return [
        StepRecord(*steps[step][0].key.run_key, step, created, len(steps[step]))
        for created, _, step in sorted(rows, reverse=True)
    ]


def iter_newest(rows: Mapping[int, T], before: str | None) -> Iterator[T]:
    """Give the rows of the ids below *before*, the highest first."""
    end = None if before is None else get_number(before)
    return (rows[n] for n in sorted(rows, reverse=True) if end is None or n < end)
