"""The records of a store of facts as JSON, as a service and its clients tell them each other.

Reading is strict: what does not fit is told by what is wrong with it and where, and never becomes
half a record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from plait.base.pathspec import RunKey, TaskKey
from plait.base.records import Failure
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    Fact,
    NewRun,
    RunBeat,
    RunEnded,
    RunRecord,
    Status,
    StepRecord,
    TaskCloned,
    TaskRecord,
)
from plait.metadata.rules import parse_id

KINDS: Mapping[str, type[Any]] = {
    "attempt-started": AttemptStarted,
    "attempt-ended": AttemptEnded,
    "task-cloned": TaskCloned,
    "run-beat": RunBeat,
    "run-ended": RunEnded,
}
"""The kinds of facts by their names."""

_NAMES = {kind: name for name, kind in KINDS.items()}
_MAX_NAME = 500


VERSION_HEADER = "X-Plait-Version"
"""The header in which a service that speaks plait's own interface says its version, if asked who it
is."""

MAX_NUMBER = 2**31 - 1
"""The highest number of an attempt, or of an element."""


FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_800
"""The beginning of year 1, and the end of year 9999: what calendars have, in seconds since 1970."""
MAX_REQUESTS = 1000
"""Of so many runs, at most, facts are told at once."""
MAX_DEPTH = 50
"""How deep objects and lists may be in one another, where they are kept as they come."""


# What parts paths, what moves a terminal's cursor or turns its text around, and what is no text.
_UNFIT = re.compile("[/\\\\\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class BadRecord(ValueError):
    """JSON is not a record of the kind that is wanted; says where and why."""


def fact_to_json(fact: Fact) -> dict[str, Any]:
    """Give a fact as JSON values."""
    data = _plain(fact)
    data["kind"] = _NAMES[type(fact)]
    return data


def fact_from_json(data: Any) -> Fact:
    """Read what `fact_to_json` gave. Raises BadRecord."""
    fields = _Fields(data, "fact")
    kind = fields.choice("kind", tuple(KINDS))
    at = fields.number("at")
    fact: Fact
    match kind:
        case "attempt-started":
            key, attempt = fields.task("key"), fields.count("attempt")
            fact = AttemptStarted(key, attempt, at, fields.count_or_none("index"))
        case "attempt-ended":
            fact = AttemptEnded(
                fields.task("key"),
                fields.count("attempt"),
                at,
                ok=fields.flag("ok"),
                final=fields.flag("final"),
                failure=fields.failure("failure"),
            )
        case "task-cloned":
            fact = TaskCloned(
                fields.task("key"),
                fields.count("attempt"),
                at,
                fields.task("origin"),
                fields.count_or_none("index"),
            )
        case "run-beat":
            fact = RunBeat(fields.run("key"), at)
        case _:
            fact = RunEnded(
                fields.run("key"),
                at,
                Status(fields.choice("status", tuple(Status))),
                fields.failure("failure"),
                fields.task("failed_task") if fields.has("failed_task") else None,
            )
    fields.end()
    return fact


def new_run_to_json(run: NewRun) -> dict[str, Any]:
    """Give a run that is to be made as JSON values."""
    return _plain(run)


def new_run_from_json(data: Any) -> NewRun:
    """Read what `new_run_to_json` gave. Raises BadRecord."""
    fields = _Fields(data, "run")
    run = NewRun(
        flow=fields.name("flow"),
        created=fields.number("created"),
        user_tags=fields.tags("user_tags"),
        system_tags=fields.tags("system_tags"),
        origin_run=fields.name("origin_run") if fields.has("origin_run") else None,
        facts=fields.object_or_none("facts"),
        request=fields.name("request") if fields.has("request") else None,
    )
    fields.end()
    return run


def record_to_json(record: RunRecord | TaskRecord | StepRecord) -> dict[str, Any]:
    """Give a record as JSON values."""
    return _plain(record)


def run_from_json(data: Mapping[str, Any]) -> RunRecord:
    """Read a run's record."""
    return RunRecord(
        **{
            **data,
            "key": RunKey(*data["key"]),
            "status": Status(data["status"]),
            "user_tags": frozenset(data["user_tags"]),
            "system_tags": frozenset(data["system_tags"]),
            "failure": _failure(data["failure"]),
            "failed_task": _task(data["failed_task"]),
        }
    )


def task_from_json(data: Mapping[str, Any]) -> TaskRecord:
    """Read a task's record."""
    return TaskRecord(
        **{
            **data,
            "key": TaskKey(*data["key"]),
            "status": Status(data["status"]),
            "origin": _task(data["origin"]),
            "failure": _failure(data["failure"]),
        }
    )


def step_from_json(data: Mapping[str, Any]) -> StepRecord:
    """Read a step's record."""
    return StepRecord(**data)


def read_tags(data: Any, where: str) -> frozenset[str]:
    """Read a list of tags; what can be one, says the store. Raises BadRecord."""
    if not isinstance(data, list) or not all(isinstance(tag, str) for tag in data):
        raise BadRecord(f"{where} is not a list of texts")
    return frozenset(data)


def read_requests(data: Any) -> dict[RunKey, str]:
    """Read the words that runs were asked for by: `[flow, run, word]` each. Raises BadRecord."""
    if not isinstance(data, list) or len(data) > MAX_REQUESTS:
        raise BadRecord(f"'requests' is not a list of at most {MAX_REQUESTS}")
    words = {}
    for one in data:
        if not isinstance(one, list) or len(one) != 3 or not all(isinstance(x, str) for x in one):
            raise BadRecord("one of 'requests' is not [flow, run, word]")
        flow, run, word = one
        words[RunKey(flow, run)] = read_name(word, "a word of 'requests'")
    return words


def read_whole(data: Any, where: str, *, most: int) -> int:
    """Read a whole number from 0 to *most*; JSON may write one as `1.0`. Raises BadRecord."""
    if isinstance(data, float) and data.is_integer():
        data = int(data)
    if isinstance(data, bool) or not isinstance(data, int) or not 0 <= data <= most:
        raise BadRecord(f"{where} is not a whole number from 0 to {most}")
    return data


def read_name(data: Any, where: str) -> str:
    """Read a name that can be a part of a pathspec. Raises BadRecord.

    A name that comes here is shown, and becomes a part of keys and of paths, where others read it.
    """
    if not isinstance(data, str) or not 0 < len(data) <= _MAX_NAME:
        raise BadRecord(f"{where} is not text of 1 to {_MAX_NAME} characters")
    if data in (".", ".."):
        raise BadRecord(f"{where} is '{data}', which leads to another folder")
    if _UNFIT.search(data):
        raise BadRecord(f"{where} holds '/', '\\', a control character, or what is no text")
    return data


def check_depth(data: Any, where: str) -> None:
    """Refuse JSON values that are too deep in one another. Raises BadRecord.

    What is kept has to be written and read again, and readers differ in how deep they go.
    """
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [
            below
            for one in level
            if isinstance(one, dict | list)
            for below in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise BadRecord(f"{where} is more than {MAX_DEPTH} levels deep")


def _plain(record: Any) -> dict[str, Any]:
    data = asdict(record)
    for name, value in data.items():
        if isinstance(value, frozenset):
            data[name] = sorted(value)
    failure = getattr(record, "failure", None)
    if failure is not None:
        data["failure"] = failure.to_json()
    return data


def _failure(data: Mapping[str, Any] | None) -> Failure | None:
    return None if data is None else Failure.from_json(data)


def _task(data: Sequence[str] | None) -> TaskKey | None:
    return None if data is None else TaskKey(*data)


class _Fields:
    """The members of a JSON object, each taken once and for what it has to be."""

    def __init__(self, data: Any, what: str) -> None:
        if not isinstance(data, dict):
            raise BadRecord(f"a {what} is an object")
        self._data = dict(data)
        self._what = what

    def end(self) -> None:
        if self._data:
            raise BadRecord(f"{self._what} has no member '{min(self._data)}'")

    def has(self, name: str) -> bool:
        if self._data.get(name) is not None:
            return True
        self._data.pop(name, None)
        return False

    def _take(self, name: str) -> Any:
        if name not in self._data:
            raise BadRecord(f"{self._what} lacks '{name}'")
        return self._data.pop(name)

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        value = self._take(name)
        if not isinstance(value, str) or value not in allowed:
            raise BadRecord(f"'{name}' is none of: {', '.join(allowed)}")
        return value

    def number(self, name: str) -> float:
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRecord(f"'{name}' is not a number")
        if not FIRST_SECOND <= value < LAST_SECOND:  # nor is NaN
            raise BadRecord(f"'{name}' is no time")
        return float(value)

    def count(self, name: str) -> int:
        return read_whole(self._take(name), f"'{name}'", most=MAX_NUMBER)

    def count_or_none(self, name: str) -> int | None:
        return self.count(name) if self.has(name) else None

    def flag(self, name: str) -> bool:
        value = self._take(name)
        if not isinstance(value, bool):
            raise BadRecord(f"'{name}' is not true or false")
        return value

    def name(self, name: str) -> str:
        return read_name(self._take(name), f"'{name}'")

    def tags(self, name: str) -> frozenset[str]:
        return read_tags(self._data.pop(name, []), f"'{name}'")

    def object_or_none(self, name: str) -> Mapping[str, Any] | None:
        value = self._data.pop(name, None)
        if value is not None and not isinstance(value, dict):
            raise BadRecord(f"'{name}' is not an object")
        check_depth(value, f"'{name}'")
        return value

    def run(self, name: str) -> RunKey:
        return RunKey(*self._key(name, "a flow and a run", 2))

    def task(self, name: str) -> TaskKey:
        flow, run, step, task = self._key(name, "a flow, a run, a step and a task", 4)
        if parse_id(task) is None:
            raise BadRecord(f"'{name}' ends with what is no task's id")
        return TaskKey(flow, run, step, task)

    def _key(self, name: str, parts: str, length: int) -> list[str]:
        value = self._take(name)
        if not isinstance(value, list | tuple) or len(value) != length:
            raise BadRecord(f"'{name}' is not a list of {parts}")
        return [read_name(part, f"'{name}'") for part in value]

    def failure(self, name: str) -> Failure | None:
        value = self._data.pop(name, None)
        if value is None:
            return None
        try:
            failure = Failure.from_json(value)
        except (KeyError, TypeError, ValueError) as error:
            raise BadRecord(f"'{name}' is not a failure") from error
        texts = (failure.summary, failure.traceback, failure.where)
        numbers = (failure.exit_code, failure.signal)
        if not (
            all(isinstance(text, str) for text in texts)
            # Not `isinstance`: a bool is an int, too.
            and all(type(number) in (int, type(None)) for number in numbers)
            and isinstance(failure.retry, bool)
        ):
            raise BadRecord(f"'{name}' is not a failure")
        return failure
