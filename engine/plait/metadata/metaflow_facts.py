"""Facts as Metaflow's metadata service keeps them: entries of tasks, which are added up when read.

That service knows flows, runs, steps, tasks, tags and heartbeats, and entries of name, type and
text that are told of a task. So a run's own facts are entries of one task of the step
`_parameters`, and a task's are entries of that task.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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
    StepRecord,
    TaskRecord,
)
from plait.metadata.rules import get_number, merge_fact, parse_id

MARK = "plait:run"
"""The system tag of runs that plait began; no run's own tags show it."""

RUN_TASK = "plait-run"
"""The task, of the step `_parameters`, whose entries are about the run."""

_FACT, _RUN = "plait-fact", "plait-run"
_REQUEST = "plait:request:"
_TASK = "plait-"


def name_task(task: str) -> str:
    """Give what a task is called there, where numbers are the service's own to give."""
    return f"{_TASK}{task}"


def make_request_tag(request: str) -> str:
    """Give the system tag by which a run is found again that was asked for before."""
    return _REQUEST + request


def tags_for(run: NewRun) -> tuple[list[str], list[str]]:
    """Give a new run's tags as they are kept there: the user's, and the system's with ours."""
    ours = {MARK} if run.request is None else {MARK, make_request_tag(run.request)}
    return sorted(run.user_tags), sorted(run.system_tags | ours)


def run_entry(run: NewRun) -> dict[str, Any]:
    """Give the entry that says of a run what its creation does not."""
    value = {"created": run.created, "origin_run": run.origin_run, "facts": dict(run.facts or {})}
    return _entry(_RUN, value)


def fact_entry(fact: Fact) -> dict[str, Any]:
    """Give the entry that keeps a fact."""
    return _entry(_FACT, wire.fact_to_json(fact))


def read_run(run: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> RunRecord:
    """Give a run as it is known there.

    Args:
        run: The run, as the service gives it.
        entries: What was told of its task `RUN_TASK`, oldest first.

    Raises:
        BadRecord: An entry of ours is not as we wrote it.
    """
    own: dict[str, Any] = {"created": run["ts_epoch"] / 1000, "origin_run": None, "facts": {}}
    end: RunEnded | None = None
    for entry in entries:
        if entry["field_name"] == _RUN:
            own = _read(entry)
        elif entry["field_name"] == _FACT:
            fact = wire.fact_from_json(_read(entry))
            end = fact if isinstance(fact, RunEnded) else end
    beat = run.get("last_heartbeat_ts")
    return RunRecord(
        key=RunKey(run["flow_id"], str(run["run_number"])),
        created=own["created"],
        status=Status.RUNNING if end is None else end.status,
        finished=None if end is None else end.at,
        user_tags=frozenset(run["tags"] or ()),
        system_tags=frozenset(tag for tag in run["system_tags"] or () if not _is_ours(tag)),
        origin_run=own["origin_run"],
        facts=own["facts"],
        failure=None if end is None else end.failure,
        failed_task=None if end is None else end.failed_task,
        heartbeat=None if beat is None else float(beat),
    )


def read_tasks(entries: Iterable[Mapping[str, Any]]) -> dict[TaskKey, TaskRecord]:
    """Give the tasks that facts are told of. Raises BadRecord."""
    found: dict[TaskKey, TaskRecord] = {}
    for entry in entries:
        if entry["field_name"] == _FACT:
            fact = wire.fact_from_json(_read(entry))
            if not isinstance(fact, RunEnded | RunBeat):
                found[fact.key] = merge_fact(found.get(fact.key), fact)
    return found


def read_steps(tasks: Iterable[TaskRecord]) -> list[StepRecord]:
    """Give the steps of a run's tasks, newest first."""
    by_step: dict[str, list[TaskRecord]] = {}
    for task in tasks:
        by_step.setdefault(task.key.step, []).append(task)
    rows = sorted(
        (
            (min(task.created for task in found), min(map(_number, found)), step)
            for step, found in by_step.items()
        ),
        reverse=True,
    )
    return [
        StepRecord(*found[0].key.run_key, step, created, len(found))
        for created, _, step in rows
        for found in [by_step[step]]
    ]


def newest(tasks: Iterable[TaskRecord], before: str | None) -> list[TaskRecord]:
    """Give tasks of lower ids than *before*, the highest first."""
    end = None if before is None else get_number(before)
    kept = [task for task in tasks if end is None or _number(task) < end]
    return sorted(kept, key=_number, reverse=True)


def is_plaits(run: Mapping[str, Any]) -> bool:
    """Say whether plait began a run, as the service gives it."""
    return MARK in (run["system_tags"] or ()) and parse_id(str(run["run_number"])) is not None


def _number(task: TaskRecord) -> int:
    return get_number(task.key.task)


def _is_ours(tag: str) -> bool:
    return tag == MARK or tag.startswith(_REQUEST)


def _entry(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    # ASCII, so that what is no Unicode (file names in a traceback) gets through.
    return {"field_name": name, "type": name, "value": json.dumps(value), "user_name": None}


def _read(entry: Mapping[str, Any]) -> Any:
    try:
        return json.loads(entry["value"])
    except (TypeError, ValueError) as error:
        raise wire.BadRecord(f"an entry '{entry['field_name']}' is not JSON") from error
