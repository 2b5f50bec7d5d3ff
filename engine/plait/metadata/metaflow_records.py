"""How a run of plait's is kept by Metaflow's metadata service, which knows runs, tasks and entries.

A run is called `plait-17` there, and its task 4 `plait-4`: the service gives numbers of its own,
and takes names only that are none. What is told of a task is an entry of it, one for each fact; and
what is told of a run is one of a task of the step `_parameters`. Entries may be there twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata import wire
from plait.metadata.protocol import (
    Fact,
    NewRun,
    RunBeat,
    RunEnded,
    RunRecord,
    Status,
    TaskRecord,
)
from plait.metadata.rules import holds_end, is_revived, merge_fact, parse_id

REMOVED = "plait:removed"
"""The user tag of a run that plait has removed: the service itself removes none."""

_OWN = "plait:"
_NAME = "plait-"
_TYPE = "plait"
_NEW_RUN = "plait-new-run"


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of plait's as the service knows it, without what its entries say.

    Args:
        number: Plait's own number of it.
        tags: Its user tags.
        every_system_tag: Its system tags, with those that only the service is to see.
        heartbeat: When it was last heard of, in seconds since 1970; None if never.
    """

    number: int
    tags: frozenset[str]
    every_system_tag: frozenset[str]
    heartbeat: float | None

    @property
    def is_removed(self) -> bool:
        """Whether plait has removed it."""
        return REMOVED in self.tags

    @property
    def user_tags(self) -> frozenset[str]:
        """Tags that its users gave."""
        return self.tags - {REMOVED}

    @property
    def system_tags(self) -> frozenset[str]:
        """Tags that plait gave it for its users to see."""
        return frozenset(tag for tag in self.every_system_tag if not tag.startswith(_OWN))


@dataclass(frozen=True, slots=True)
class Story:
    """What entries tell.

    Args:
        begun: The run as it was made; None if they are not a run's, or it was never begun.
        facts: What happened, in the order in which it was told.
    """

    begun: NewRun | None
    facts: tuple[Fact, ...]


def format_name(number: int | str) -> str:
    """Give what the service is to call a run or a task."""
    return f"{_NAME}{number}"


def tag_request(request: str) -> str:
    """Give the system tag of the run that was asked for by a word."""
    return f"{_OWN}request:{sha256(request.encode(errors='surrogatepass')).hexdigest()[:32]}"


def tag_origin(run: str) -> str:
    """Give the system tag of the runs that resume a run."""
    return f"{_OWN}origin:{run}"


def run_to_json(run: NewRun, request: str, user: str) -> dict[str, Any]:
    """Give what the service is told of a new run, all but its name."""
    own = {tag_request(request)}
    if run.origin_run is not None and parse_id(run.origin_run) is not None:
        own.add(tag_origin(run.origin_run))
    return {
        "user_name": user,
        "tags": sorted(run.user_tags),
        "system_tags": sorted(run.system_tags | own),
    }


def read_run(data: Mapping[str, Any]) -> RunRow | None:
    """Read a run; None if it is none of plait's. Raises BadRecord."""
    # Where there is a name, some versions give it for the number.
    names = (data.get(field) for field in ("run_id", "run_number"))
    name = next((n for n in names if isinstance(n, str) and n.startswith(_NAME)), None)
    number = None if name is None else parse_id(name.removeprefix(_NAME))
    if number is None:
        return None
    beat = data.get("last_heartbeat_ts")
    return RunRow(
        number,
        wire.read_tags(data.get("tags") or [], "'tags'"),
        wire.read_tags(data.get("system_tags") or [], "'system_tags'"),
        float(beat) if isinstance(beat, int | float) else None,
    )


def new_run_to_entry(run: NewRun, user: str) -> dict[str, Any]:
    """Give the entry that says what a run is; its tags are kept with the run, where they change."""
    bare = replace(run, user_tags=frozenset(), system_tags=frozenset(), request=None)
    return _entry(_NEW_RUN, wire.new_run_to_json(bare), 0, user)


def fact_to_entry(fact: Fact, user: str) -> dict[str, Any]:
    """Give the entry that says a fact."""
    data = wire.fact_to_json(fact)
    return _entry(_NAME + data["kind"], data, getattr(fact, "attempt", 0), user)


def read_story(entries: Iterable[Mapping[str, Any]]) -> Story:
    """Read entries as the service gives them; those of others are left out. Raises BadRecord."""
    own = [entry for entry in entries if entry.get("type") == _TYPE]
    begun: NewRun | None = None
    facts: list[Fact] = []
    for entry in sorted(own, key=lambda entry: entry.get("id") or 0):
        try:
            data = json.loads(entry["value"])
        except (KeyError, TypeError, ValueError) as error:
            raise wire.BadRecord("an entry's value is not JSON") from error
        if entry.get("field_name") != _NEW_RUN:
            facts.append(wire.fact_from_json(data))
        elif begun is None:
            # Who asks for a run again gets it as it was made first.
            begun = wire.new_run_from_json(data)
    return Story(begun, tuple(facts))


def fold_run(key: RunKey, row: RunRow, story: Story) -> RunRecord | None:
    """Give a run as its entries tell it; None if it was never begun."""
    if story.begun is None:
        return None
    end, status = None, Status.RUNNING
    for fact in story.facts:
        if isinstance(fact, RunEnded) and holds_end(status, fact.status):
            end, status = fact, fact.status
    if end is not None and row.heartbeat and is_revived(status, end.at, row.heartbeat):
        end, status = None, Status.RUNNING
    return RunRecord(
        key=key,
        created=story.begun.created,
        status=status,
        finished=None if end is None else end.at,
        user_tags=row.user_tags,
        system_tags=row.system_tags,
        origin_run=story.begun.origin_run,
        facts=story.begun.facts or {},
        failure=None if end is None else end.failure,
        failed_task=None if end is None else end.failed_task,
        heartbeat=row.heartbeat,
    )


def fold_tasks(story: Story) -> dict[TaskKey, TaskRecord]:
    """Give the tasks that entries tell of."""
    tasks: dict[TaskKey, TaskRecord] = {}
    for fact in story.facts:
        if not isinstance(fact, RunBeat | RunEnded):
            tasks[fact.key] = merge_fact(tasks.get(fact.key), fact)
    return tasks


def _entry(name: str, data: Mapping[str, Any], attempt: int, user: str) -> dict[str, Any]:
    return {
        "field_name": name,
        "value": json.dumps(data, separators=(",", ":")),
        "type": _TYPE,
        "user_name": user,
        "tags": [f"attempt_id:{attempt}"],
        "system_tags": [],
    }
