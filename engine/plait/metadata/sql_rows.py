"""How the records of a store of facts stand in rows of a database, and come back."""

from __future__ import annotations

import json
from typing import Any

from plait.base.pathspec import RunKey, TaskKey
from plait.base.records import Failure
from plait.metadata.protocol import RunRecord, Status, TaskRecord
from plait.metadata.rules import TaskFact, describe_fact, get_number, rank_end


def task_row(run: int, fact: TaskFact) -> tuple[Any, ...]:
    """Give what MERGE_TASK is told of *fact*, about a task of the run that is row *run*."""
    task = describe_fact(fact)
    return (
        run,
        task.key.step,
        get_number(task.key.task),
        task.created,
        task.finished,
        task.status.value,
        rank_end(task),
        task.attempts,
        task.index,
        None if task.origin is None else to_json(task.origin),
        failure_to_json(task.failure),
    )


def task_record(key: RunKey, step: str, row: tuple[Any, ...]) -> TaskRecord:
    """Give a task as FIND_TASK and LIST_TASKS give it."""
    number, created, finished, status, ended, attempts, index, origin, failure = row
    return TaskRecord(
        TaskKey(key.flow, key.run, step, str(number)),
        created,
        finished,
        Status(status),
        None if ended < 0 else ended // 2,
        attempts,
        index,
        None if origin is None else TaskKey(*json.loads(origin)),
        failure_from_json(failure),
    )


def run_record(flow: str, row: tuple[Any, ...]) -> RunRecord:
    """Give a run as FIND_RUN and LIST_RUNS give it."""
    number, created, status, finished, user, system, origin, facts, failure, failed, beat = row
    return RunRecord(
        key=RunKey(flow, str(number)),
        created=created,
        status=Status(status),
        finished=finished,
        user_tags=frozenset(json.loads(user)),
        system_tags=frozenset(json.loads(system)),
        origin_run=origin,
        facts=json.loads(facts),
        failure=failure_from_json(failure),
        failed_task=None if failed is None else TaskKey(*json.loads(failed)),
        heartbeat=beat,
    )


def to_json(value: object) -> str:
    """Give JSON values as the text that is kept of them."""
    # ASCII, so that text which is not Unicode (file names in a traceback) is kept too.
    return json.dumps(value, separators=(",", ":"))


def failure_to_json(failure: Failure | None) -> str | None:
    """Give a failure as the text that is kept of it."""
    return None if failure is None else to_json(failure.to_json())


def failure_from_json(text: str | None) -> Failure | None:
    """Read what `failure_to_json` gave."""
    return None if text is None else Failure.from_json(json.loads(text))
