"""What guests keep: runs of another engine, whose clients speak an interface of their own.

They stand beside plait's own facts in the same database. Neither sees the other's, since what a run
is made of differs: here the store numbers tasks, keeps what it is told of them as it is told, and
knows nothing of how a run ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from plait.metadata import guest_schema as words
from plait.metadata.errors import SystemTag
from plait.metadata.rules import check_tags, parse_id
from plait.metadata.sql import Connection, SQLDatabase
from plait.metadata.sql_rows import to_json

T = TypeVar("T")

Path = tuple[str, ...]
"""A flow's name; and, as far as it goes, a run, a step and a task, by number or by name."""

_ROOT = "/"


class NoSuchGuest(Exception):
    """There is nothing at a path; what is asked for has to be made first."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A flow, run, step or task.

    Args:
        path: Where it is, runs and tasks by their numbers.
        name: What its client called it; None if it is known by its number alone.
        created: When, in milliseconds since 1970.
        heartbeat: When its process last said that it goes on, likewise; None if it never has.
        facts: Who made it (`user_name`), and its `tags` and `system_tags`.
    """

    path: Path
    name: str | None
    created: int
    heartbeat: int | None
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An artifact, or what else is told of a task.

    Args:
        name: What it is called.
        attempt: Of which attempt of its task.
        facts: All that its client says of it.
        path: Its task; empty as long as it is on its way in.
        number: Its number within its task, likewise 0.
        created: When it was told, in milliseconds since 1970, likewise 0.
    """

    name: str
    attempt: int
    facts: Mapping[str, Any]
    path: Path = ()
    number: int = 0
    created: int = 0


class Guests:
    """Runs of another engine, in the database of a `SQLMetadata`.

    Args:
        database: Where they are.
        now: Gives the time, in milliseconds since 1970.
    """

    def __init__(self, database: SQLDatabase, now: Callable[[], int] | None = None) -> None:
        self._database = database
        self._now = now or (lambda: int(time.time() * 1000))
        self._ready = False

    def add(self, path: Path, facts: Mapping[str, Any]) -> Guest:
        """Make a flow or a step, and give it; gives the one that is there, if there is one.

        Raises:
            NoSuchGuest: The run of the step is not there.
        """

        def work(connection: Connection) -> Guest:
            parent = _locate(connection, path[:-1])
            where = (*parent, path[-1])
            if connection.execute(words.FIND, (_join(where),)).fetchone() is None:
                number = _take(connection, parent, 1) if parent else 0
                self._add(connection, where, number, None, facts)
            return _get(connection, where)

        return self._write(work)

    def add_numbered(self, parent: Path, name: str | None, facts: Mapping[str, Any]) -> Guest:
        """Make a run of a flow or a task of a step, and give it.

        Args:
            parent: The flow, or the step.
            name: What its client calls it; if there is one of that name, it is given.
            facts: As for `Guest`.

        Raises:
            NoSuchGuest: The parent is not there.
        """

        def work(connection: Connection) -> Guest:
            above = _locate(connection, parent)
            _get(connection, above)
            # Tasks count up within their run, so that their numbers tell them apart.
            counted = above[:2]
            connection.execute(words.LOCK, (_join(counted),))
            if name is not None:
                known = connection.execute(words.FIND_NAMED, (_join(above), name)).fetchone()
                if known is not None:
                    return _get(connection, _split(known[0]))
            number = _take(connection, counted, 1)
            where = (*above, str(number))
            self._add(connection, where, number, name, facts)
            return _get(connection, where)

        return self._write(work)

    def get(self, path: Path) -> Guest:
        """Give what is at a path. Raises NoSuchGuest."""
        return self._read(lambda connection: _get(connection, _locate(connection, path)))

    def children(self, path: Path) -> Sequence[Guest]:
        """Give what is right below a path, newest first. Raises NoSuchGuest."""

        def work(connection: Connection) -> list[Guest]:
            where = _locate(connection, path)
            if where:
                _get(connection, where)
            rows = connection.execute(words.LIST, (_join(where),)).fetchall()
            return [_guest(row) for row in rows]

        return self._read(work)

    def beat(self, path: Path) -> None:
        """Keep that a run or a task goes on. Raises NoSuchGuest."""

        def work(connection: Connection) -> None:
            where = _join(_locate(connection, path))
            if not connection.execute(words.BEAT, (self._now(), where)).rowcount:
                raise NoSuchGuest(where)

        self._write(work)

    def change_tags(self, run: Path, add: Iterable[str], remove: Iterable[str]) -> Sequence[str]:
        """Change a run's user tags at once and give the new ones, sorted.

        Raises:
            NoSuchGuest: There is no such run.
            SystemTag: A system tag is among them.
            BadTag: What is to be added is no tag.
        """
        added, removed = check_tags(add), frozenset(remove)

        def work(connection: Connection) -> list[str]:
            where = _locate(connection, run)
            connection.execute(words.LOCK, (_join(where),))
            facts = dict(_get(connection, where).facts)
            system = frozenset(facts["system_tags"])
            if (added | removed) & system:
                raise SystemTag(f"run '{_join(run)}'", (added | removed) & system)
            facts["tags"] = sorted((frozenset(facts["tags"]) - removed) | added)
            connection.execute(words.SET_FACTS, (to_json(facts), _join(where)))
            return list(facts["tags"])

        return self._write(work)

    def tell(self, task: Path, kind: str, entries: Sequence[Entry]) -> None:
        """Keep what is told of a task; an artifact that was told before is told anew.

        Raises:
            NoSuchGuest: There is no such task.
        """

        def work(connection: Connection) -> None:
            where = _locate(connection, task)
            _get(connection, where)
            if not entries:
                return
            key = (_join(where[:2]), where[2], where[3], kind)
            first = _take(connection, where, len(entries)) - len(entries) + 1
            if kind == "artifact":
                connection.executemany(
                    words.REMOVE_ENTRY, [(*key, entry.attempt, entry.name) for entry in entries]
                )
            now = self._now()
            connection.executemany(
                words.ADD_ENTRY,
                [
                    (*key, number, entry.attempt, entry.name, now, to_json(entry.facts))
                    for number, entry in enumerate(entries, first)
                ],
            )

        self._write(work)

    def told(
        self, path: Path, kind: str, *, attempt: int | None = None, name: str | None = None
    ) -> Sequence[Entry]:
        """Give what was told of tasks, oldest first.

        Args:
            path: A run, a step or a task.
            kind: `artifact` or `metadata`.
            attempt: Only of this attempt.
            name: Only what is called so.

        Raises:
            NoSuchGuest: There is nothing at *path*.
        """

        def work(connection: Connection) -> list[Entry]:
            where = _locate(connection, path)
            _get(connection, where)
            run = where[:2]
            query = words.LIST_ENTRIES
            values: list[object] = [_join(run), kind, *where[2:]]
            query += "".join((words.OF_STEP, words.OF_TASK)[: len(where) - 2])
            if attempt is not None:
                query, values = query + words.OF_ATTEMPT, [*values, attempt]
            if name is not None:
                query, values = query + words.CALLED, [*values, name]
            rows = connection.execute(query + words.OLDEST_ENTRIES, tuple(values)).fetchall()
            return [_entry(run, row) for row in rows]

        return self._read(work)

    def _add(
        self,
        connection: Connection,
        where: Path,
        number: int,
        name: str | None,
        facts: Mapping[str, Any],
    ) -> None:
        path, parent = _join(where), _join(where[:-1])
        values = (path, parent, number, name, self._now(), to_json(facts))
        connection.execute(words.ADD, values)

    def _write(self, work: Callable[[Connection], T]) -> T:
        return self._database.write(work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        if not self._ready:
            # A database of an older version gets its tables with the first write.
            self._database.write(lambda _connection: None)
            self._ready = True
        found: T | None = self._database.read(work, empty=None)
        if found is None:
            raise NoSuchGuest  # nothing can be called so
        return found


def _locate(connection: Connection, path: Path) -> Path:
    """Give a path with numbers for names. Raises NoSuchGuest."""
    found: Path = ()
    for depth, part in enumerate(path):
        # Flows and steps are called what they are called; runs and tasks have numbers.
        if depth % 2 == 0 or parse_id(part) is not None:
            found = (*found, part)
            continue
        row = connection.execute(words.FIND_NAMED, (_join(found), part)).fetchone()
        if row is None:
            raise NoSuchGuest(_join(path))
        found = _split(row[0])
    return found


def _get(connection: Connection, where: Path) -> Guest:
    row = connection.execute(words.FIND, (_join(where),)).fetchone()
    if row is None:
        raise NoSuchGuest(_join(where))
    return _guest(row)


def _take(connection: Connection, where: Path, count: int) -> int:
    """Take *count* numbers below what is at a path, and give the last. Raises NoSuchGuest."""
    path = _join(where)
    connection.execute(words.TAKE_NUMBERS, (count, path))
    row = connection.execute(words.READ_LAST, (path,)).fetchone()
    if row is None:
        raise NoSuchGuest(path)
    return int(row[0])


def _guest(row: tuple[Any, ...]) -> Guest:
    path, name, created, heartbeat, facts = row
    return Guest(_split(path), name, created, heartbeat, json.loads(facts))


def _entry(run: Path, row: tuple[Any, ...]) -> Entry:
    step, task, number, attempt, name, created, facts = row
    return Entry(name, attempt, json.loads(facts), (*run, step, task), number, created)


def _join(path: Path) -> str:
    return "/".join(path) if path else _ROOT


def _split(path: str) -> Path:
    return tuple(path.split("/"))
