"""A store of facts in a database that speaks SQL, which one is left to those that build on it.

The statements are those of `schema`, written as SQLite takes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata import schema
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
from plait.metadata.rules import Requests, check_tags, get_number, parse_id, run_of
from plait.metadata.sql_rows import (
    failure_to_json,
    run_record,
    task_record,
    task_row,
    to_json,
)

T = TypeVar("T")
Rows = list[tuple[Any, ...]]


class Cursor(Protocol):
    """What a statement leaves."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchone(self) -> Any:
        """Give the next row; None after the last."""
        ...

    def fetchall(self) -> Rows:
        """Give all rows."""
        ...


class Connection(Protocol):
    """What runs statements, within the transaction that it was given for."""

    def execute(self, statement: str, values: Any = ..., /) -> Cursor:
        """Run a statement of `schema`."""
        ...

    def executemany(self, statement: str, rows: Any, /) -> object:
        """Run a statement of `schema` once for each of *rows*."""
        ...


class SQLDatabase(Protocol):
    """A database, as the store needs it; see `database.Database`."""

    def exists(self) -> bool:
        """Say whether there is anything in which a run may be found."""
        ...

    def read(self, work: Callable[[Any], T], *, empty: T) -> T:
        """Give what *work* reads; *empty* where nothing was written yet."""
        ...

    def write(self, work: Callable[[Any], T]) -> T:
        """Do *work*, whole or not at all, and give its result. It may be called again."""
        ...

    def check(self) -> None:
        """See that it can be read and written; makes the tables if need be, or brings them on."""
        ...

    def find_damage(self) -> Sequence[str]:
        """Give a sentence for each thing that is wrong with the database."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


_NO_LIMIT = 2**63 - 1
_ENOUGH = 1000


class SQLMetadata:
    """A `MetadataStore` in a database.

    Args:
        database: Where the statements go.
        place: Where that is, for messages.
    """

    def __init__(self, database: SQLDatabase, place: str) -> None:
        self.database = database
        self._place = place
        self._requests = Requests()

    @property
    def place(self) -> str:
        """Where this is, for messages, and what `metadata(...)` takes."""
        return self._place

    def create_run(self, run: NewRun, *, above: int = 0) -> RunKey:
        """Record a new run and give its key, see `MetadataStore`."""
        user_tags, system_tags = check_tags(run.user_tags), check_tags(run.system_tags)
        if user_tags & system_tags:
            raise SystemTag(f"the new run of '{run.flow}'", user_tags & system_tags)
        facts = to_json(dict(run.facts or {}))

        def work(connection: Connection) -> int:
            connection.execute(schema.ADD_FLOW, (run.flow,))
            if run.request is not None:
                locked = connection.execute(schema.LOCK_FLOW, (run.flow,)).fetchone()
                asked = (*locked, run.request)
                known = connection.execute(schema.FIND_REQUEST, asked).fetchone()
                if known is not None:
                    return int(known[0])
            connection.execute(schema.TAKE_NUMBER, (above, run.flow))
            flow, number = connection.execute(schema.READ_NUMBER, (run.flow,)).fetchone()
            connection.execute(
                schema.ADD_RUN,
                (
                    flow,
                    number,
                    run.created,
                    Status.RUNNING.value,
                    to_json(sorted(user_tags)),
                    to_json(sorted(system_tags)),
                    run.origin_run,
                    facts,
                    run.request,
                ),
            )
            _add_tagged(connection, flow, number, user_tags | system_tags)
            return int(number)

        key = RunKey(run.flow, str(self.database.write(work)))
        self._requests.keep(key, run.request)
        return key

    def record(
        self, facts: Sequence[Fact], *, requests: Mapping[RunKey, str] | None = None
    ) -> None:
        """Record what happened, see `MetadataStore`."""
        if not facts:
            return
        words = self._requests.find(facts, requests)

        def work(connection: Connection) -> None:
            # One look-up a run, and one statement for all facts about tasks. The end of a run is
            # about no task, so that it changes nothing to write it after them.
            keys = dict.fromkeys(run_of(fact) for fact in facts)
            runs = {key: self._get_run(connection, key, words.get(key)) for key in keys}
            connection.executemany(
                schema.MERGE_TASK,
                [
                    task_row(runs[fact.key.run_key], fact)
                    for fact in facts
                    if not isinstance(fact, RunBeat | RunEnded)
                ],
            )
            for fact in facts:
                if isinstance(fact, RunBeat):
                    connection.execute(schema.BEAT, (fact.at, runs[fact.key]))
                elif isinstance(fact, RunEnded):
                    end = schema.LOSE_RUN if fact.status is Status.LOST else schema.END_RUN
                    task = None if fact.failed_task is None else to_json(fact.failed_task)
                    failure = failure_to_json(fact.failure)
                    row = (fact.status.value, fact.at, failure, task, runs[fact.key])
                    connection.execute(end, row)

        self._change(run_of(facts[0]), work)

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
            connection.execute(schema.SET_TAGS, (to_json(sorted(changed)), run))
            connection.executemany(
                schema.REMOVE_TAGGED, [(flow, tag, number) for tag in old - changed]
            )
            _add_tagged(connection, flow, number, changed - old)

        self._change(key, work)
        return changed

    def delete_run(self, key: RunKey) -> bool:
        """Remove a run that has ended, see `MetadataStore`."""
        if not self.database.exists():
            return False

        def work(connection: Connection) -> bool:
            asked = (key.flow, parse_id(key.run))
            found = connection.execute(schema.LOCK_RUN_ID, asked).fetchone()
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

        return self.database.write(work)

    def check(self) -> None:
        """See that facts can be read and written, at the cost of a transaction without any.

        The tables are made if there are none, and those of an earlier plait brought to this one's.

        Raises:
            PlaitError: They can't.
        """
        self.database.check()

    def find_damage(self) -> Sequence[str]:
        """Give what the database finds wrong with itself."""
        return self.database.find_damage()

    def iter_flows(self) -> Sequence[str]:
        """Give the names of all flows that have runs, sorted."""
        return [name for (name,) in self._select(schema.LIST_FLOWS)]

    def find_run(self, key: RunKey) -> RunRecord | None:
        """Give a run, or None."""
        rows = self._select(schema.FIND_RUN, key.flow, parse_id(key.run))
        return run_record(key.flow, rows[0]) if rows else None

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

        return [run_record(flow, row) for row in self._read(work)]

    def list_steps(self, key: RunKey) -> Sequence[StepRecord]:
        """Give the steps that have tasks, newest first."""
        rows = self._select(schema.LIST_STEPS, key.flow, parse_id(key.run))
        return [StepRecord(key.flow, key.run, *row) for row in rows]

    def find_task(self, key: TaskKey) -> TaskRecord | None:
        """Give a task, or None."""
        rows = self._select(
            schema.FIND_TASK, key.flow, parse_id(key.run), key.step, parse_id(key.task)
        )
        return task_record(key.run_key, key.step, rows[0]) if rows else None

    def list_tasks(
        self, key: RunKey, step: str, *, before: str | None = None, limit: int = 5000
    ) -> Sequence[TaskRecord]:
        """Give tasks of a step, newest first, see `MetadataStore`."""
        end = _NO_LIMIT if before is None else get_number(before)
        rows = self._select(
            schema.LIST_TASKS, key.flow, parse_id(key.run), step, end, max(limit, 0)
        )
        return [task_record(key, step, row) for row in rows]

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self.database.close()

    def _select(self, query: str, *values: object) -> Rows:
        # An id that cannot be one is None here, and NULL is equal to nothing.
        return self._read(lambda connection: connection.execute(query, values).fetchall())

    def _read(self, work: Callable[[Connection], Rows]) -> Rows:
        try:
            return self.database.read(work, empty=[])
        except UnicodeEncodeError:
            # A name with half a surrogate pair, which is how a command line gives bytes that are
            # no text. Nothing is called so.
            return []

    def _change(self, key: RunKey, work: Callable[[Connection], None]) -> None:
        # Writing makes the database; but where there is none, there is no run to write about.
        if not self.database.exists():
            raise UnknownRun(key, self.place)
        self.database.write(work)

    def _get_run(self, connection: Connection, key: RunKey, request: str | None = None) -> int:
        asked = (key.flow, parse_id(key.run))
        if request is None:
            row = connection.execute(schema.FIND_RUN_ID, asked).fetchone()
        else:
            row = connection.execute(schema.FIND_REQUESTED_ID, (*asked, request)).fetchone()
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
