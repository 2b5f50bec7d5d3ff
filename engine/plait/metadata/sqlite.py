"""The local store of facts: one SQLite file that any number of processes read and write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from plait.base.pathspec import RunKey, TaskKey
from plait.base.records import Failure
from plait.metadata import schema
from plait.metadata.database import Database
from plait.metadata.errors import SystemTag, UnknownRun
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
from plait.metadata.rules import (
    TaskFact,
    check_tags,
    describe_fact,
    get_number,
    parse_id,
    rank_end,
)

if TYPE_CHECKING:
    from sqlite3 import Connection

Rows = list[tuple[Any, ...]]

_NO_LIMIT = 2**63 - 1
_ENOUGH = 1000


class SQLiteMetadata:
    """A `MetadataStore` in the file *path*, made with the first run.

    Reading never makes it. Any thread of the process may use an instance; a forked child that uses
    its parent's gets a connection of its own.

    Args:
        path: Where the file is.
        wait: How many seconds to wait while other processes are in the way.
        network: Whether the file is on a network file system, where a rollback journal is used
            instead of the write-ahead log; None to find out.
    """

    def __init__(self, path: str, *, wait: float = 60.0, network: bool | None = None) -> None:
        self._database = Database(
            path, tables=schema.TABLES, version=schema.VERSION, wait=wait, network=network
        )

    @property
    def place(self) -> str:
        """Where this is, for messages, and what `metadata(...)` takes."""
        return f"local@{self._database.path}"

    def create_run(self, run: NewRun, *, above: int = 0) -> RunKey:
        """Record a new run and give its key, see `MetadataStore`."""
        user_tags, system_tags = check_tags(run.user_tags), check_tags(run.system_tags)
        if user_tags & system_tags:
            raise SystemTag(f"the new run of '{run.flow}'", user_tags & system_tags)
        facts = _to_json(dict(run.facts or {}))

        def work(connection: Connection) -> int:
            connection.execute(schema.ADD_FLOW, (run.flow,))
            connection.execute(schema.TAKE_NUMBER, (above, run.flow))
            flow, number = connection.execute(schema.READ_NUMBER, (run.flow,)).fetchone()
            connection.execute(
                schema.ADD_RUN,
                (
                    flow,
                    number,
                    run.created,
                    Status.RUNNING.value,
                    _to_json(sorted(user_tags)),
                    _to_json(sorted(system_tags)),
                    run.origin_run,
                    facts,
                ),
            )
            _add_tagged(connection, flow, number, user_tags | system_tags)
            return int(number)

        return RunKey(run.flow, str(self._database.write(work)))

    def record(self, facts: Sequence[Fact]) -> None:
        """Record what happened, see `MetadataStore`."""
        if not facts:
            return

        def work(connection: Connection) -> None:
            # One look-up a run, and one statement for all facts about tasks. The end of a run is
            # about no task, so that it changes nothing to write it after them.
            keys = dict.fromkeys(_run_of(fact) for fact in facts)
            runs = {key: self._get_run(connection, key) for key in keys}
            connection.executemany(
                schema.MERGE_TASK,
                [
                    _task_row(runs[fact.key.run_key], fact)
                    for fact in facts
                    if not isinstance(fact, RunBeat | RunEnded)
                ],
            )
            for fact in facts:
                if isinstance(fact, RunBeat):
                    connection.execute(schema.BEAT, (fact.at, runs[fact.key]))
            connection.executemany(
                schema.END_RUN,
                [
                    (
                        fact.status.value,
                        fact.at,
                        _failure_to_json(fact.failure),
                        None if fact.failed_task is None else _to_json(fact.failed_task),
                        runs[fact.key],
                    )
                    for fact in facts
                    if isinstance(fact, RunEnded)
                ],
            )

        self._change(_run_of(facts[0]), work)

    def change_tags(
        self,
        key: RunKey,
        *,
        add: frozenset[str] = frozenset(),
        remove: frozenset[str] = frozenset(),
    ) -> frozenset[str]:
        """Change a run's user tags at once and give the new ones, see `MetadataStore`."""
        add, remove = check_tags(add), check_tags(remove)
        changed: frozenset[str] = frozenset()

        def work(connection: Connection) -> None:
            nonlocal changed
            run = self._get_run(connection, key)
            flow, number, *tags = connection.execute(schema.READ_TAGS, (run,)).fetchone()
            old, system = (frozenset(json.loads(text)) for text in tags)
            if (add | remove) & system:
                raise SystemTag(f"run '{key}'", (add | remove) & system)
            changed = (old - remove) | add
            connection.execute(schema.SET_TAGS, (_to_json(sorted(changed)), run))
            connection.executemany(
                schema.REMOVE_TAGGED, [(flow, tag, number) for tag in old - changed]
            )
            _add_tagged(connection, flow, number, changed - old)

        self._change(key, work)
        return changed

    def delete_run(self, key: RunKey) -> bool:
        """Remove a run that has ended, see `MetadataStore`."""
        if not self._database.exists():
            return False

        def work(connection: Connection) -> bool:
            found = connection.execute(schema.FIND_RUN_ID, (key.flow, parse_id(key.run))).fetchone()
            if found is None:
                return False
            flow, number, *tags = connection.execute(schema.READ_TAGS, found).fetchone()
            if not connection.execute(schema.DELETE_RUN, found).rowcount:
                return False
            connection.executemany(
                schema.REMOVE_TAGGED,
                [(flow, tag, number) for text in tags for tag in json.loads(text)],
            )
            connection.execute(schema.DELETE_TASKS, found)
            return True

        return self._database.write(work)

    def find_damage(self) -> Sequence[str]:
        """Give what SQLite finds wrong with the file."""
        rows = self._select("PRAGMA integrity_check(20)")
        return [text for (text,) in rows if text != "ok"]

    def iter_flows(self) -> Sequence[str]:
        """Give the names of all flows that have runs, sorted."""
        return [name for (name,) in self._select(schema.LIST_FLOWS)]

    def find_run(self, key: RunKey) -> RunRecord | None:
        """Give a run, or None."""
        rows = self._select(schema.FIND_RUN, key.flow, parse_id(key.run))
        return _run_record(key.flow, rows[0]) if rows else None

    def list_runs(
        self,
        flow: str,
        *,
        tags: frozenset[str] = frozenset(),
        status: Status | None = None,
        before: str | None = None,
        limit: int = 1000,
    ) -> Sequence[RunRecord]:
        """Give runs that have all of *tags*, newest first, see `MetadataStore`."""
        wanted = check_tags(tags)
        end = _NO_LIMIT if before is None else get_number(before)

        def work(connection: Connection) -> Rows:
            found = connection.execute(schema.FIND_FLOW_ID, (flow,)).fetchone()
            if found is None:
                return []
            query, values = _plan_runs(connection, found[0], wanted, status, end)
            return connection.execute(query, (*values, max(limit, 0))).fetchall()

        return [_run_record(flow, row) for row in self._read(work)]

    def list_steps(self, key: RunKey) -> Sequence[StepRecord]:
        """Give the steps that have tasks, newest first."""
        rows = self._select(schema.LIST_STEPS, key.flow, parse_id(key.run))
        return [StepRecord(key.flow, key.run, *row) for row in rows]

    def find_task(self, key: TaskKey) -> TaskRecord | None:
        """Give a task, or None."""
        rows = self._select(
            schema.FIND_TASK, key.flow, parse_id(key.run), key.step, parse_id(key.task)
        )
        return _task_record(key.run_key, key.step, rows[0]) if rows else None

    def list_tasks(
        self, key: RunKey, step: str, *, before: str | None = None, limit: int = 5000
    ) -> Sequence[TaskRecord]:
        """Give tasks of a step, newest first, see `MetadataStore`."""
        end = _NO_LIMIT if before is None else get_number(before)
        rows = self._select(
            schema.LIST_TASKS, key.flow, parse_id(key.run), step, end, max(limit, 0)
        )
        return [_task_record(key, step, row) for row in rows]

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._database.close()

    def _select(self, query: str, *values: object) -> Rows:
        # An id that cannot be one is None here, and NULL is equal to nothing.
        return self._read(lambda connection: connection.execute(query, values).fetchall())

    def _read(self, work: Callable[[Connection], Rows]) -> Rows:
        try:
            return self._database.read(work, empty=[])
        except UnicodeEncodeError:
            # A name with half a surrogate pair, which is how a command line gives bytes that are
            # no text. Nothing is called so.
            return []

    def _change(self, key: RunKey, work: Callable[[Connection], None]) -> None:
        # Writing makes the database; but where there is none, there is no run to write about.
        if not self._database.exists():
            raise UnknownRun(key, self.place)
        self._database.write(work)

    def _get_run(self, connection: Connection, key: RunKey) -> int:
        row = connection.execute(schema.FIND_RUN_ID, (key.flow, parse_id(key.run))).fetchone()
        if row is None:
            raise UnknownRun(key, self.place)
        return int(row[0])


def _plan_runs(
    connection: Connection, flow: int, tags: frozenset[str], status: Status | None, end: int
) -> tuple[str, list[Any]]:
    """Give the query for runs below the number *end*, and its values but for the limit."""
    query, newest = schema.LIST_RUNS, schema.NEWEST_RUNS
    values: list[Any] = [flow, end]
    if tags:
        # The runs of one tag are gone through, newest first, and looked up under the others; so
        # begin with the rarest. (A join of all would end at SQLite's limit of 64 tables.)
        first, *others = sorted(tags, key=lambda tag: (_count_tagged(connection, flow, tag), tag))
        query, newest = schema.LIST_TAGGED_RUNS, schema.NEWEST_TAGGED_RUNS
        query += schema.WITH_TAG * len(others)
        values += [first, *others]
    if status is not None:
        query += schema.WITH_STATUS
        values.append(status.value)
    return query + newest, values


def _count_tagged(connection: Connection, flow: int, tag: str) -> int:
    """Give how many runs have *tag*; from `_ENOUGH` on, the difference is not worth counting."""
    (count,) = connection.execute(schema.COUNT_TAGGED, (flow, tag, _ENOUGH)).fetchone()
    return int(count)


def _add_tagged(connection: Connection, flow: int, number: int, tags: Iterable[str]) -> None:
    connection.executemany(schema.ADD_TAGGED, [(flow, tag, number) for tag in tags])


def _run_of(fact: Fact) -> RunKey:
    return fact.key if isinstance(fact, RunBeat | RunEnded) else fact.key.run_key


def _task_row(run: int, fact: TaskFact) -> tuple[Any, ...]:
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
        None if task.origin is None else _to_json(task.origin),
        _failure_to_json(task.failure),
    )


def _task_record(key: RunKey, step: str, row: tuple[Any, ...]) -> TaskRecord:
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
        _failure_from_json(failure),
    )


def _run_record(flow: str, row: tuple[Any, ...]) -> RunRecord:
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
        failure=_failure_from_json(failure),
        failed_task=None if failed is None else TaskKey(*json.loads(failed)),
        heartbeat=beat,
    )


def _to_json(value: object) -> str:
    # ASCII, so that text which is not Unicode (file names in a traceback) is kept too.
    return json.dumps(value, separators=(",", ":"))


def _failure_to_json(failure: Failure | None) -> str | None:
    return None if failure is None else _to_json(failure.to_json())


def _failure_from_json(text: str | None) -> Failure | None:
    return None if text is None else Failure.from_json(json.loads(text))
