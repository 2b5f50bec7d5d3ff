"""The shared store of facts in PostgreSQL: many writers at once, each with a connection of its own.

What the service opens for `--db postgresql://...`. The statements are those of every SQL store;
where PostgreSQL wants another word, `postgres_schema` has it.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import methodcaller
from typing import TYPE_CHECKING, Any, TypeVar

from plait.metadata import postgres_schema as words
from plait.metadata.errors import (
    BadConnectionURL,
    DatabaseUnreachable,
    DriverMissing,
    ForeignMetadata,
    NewerMetadata,
)
from plait.metadata.schema import VERSION
from plait.metadata.sql import Cursor, SQLMetadata
from plait.metadata.wire import BadRecord

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

# As libpq takes them: several with commas, a folder, or an abstract socket.
_HOST = re.compile(r"@?[^@\s]*")
_PORT = re.compile(r"[0-9,]*")

_IS_READ_ONLY = "SELECT current_setting('transaction_read_only') = 'on' FROM version LIMIT 1"

_IDLE = 16
"""The most connections that are kept open while nobody uses them."""

# How soon a server counts as gone of which nothing is heard, as libpq takes it: without these, one
# whose machine was switched off keeps those who wait for it for a quarter of an hour.
_TIMING = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}


class PostgresMetadata(SQLMetadata):
    """A `MetadataStore` in the PostgreSQL database *url*, in a schema of its own named `plait`.

    Any thread may use an instance: each transaction has a connection to itself.

    Args:
        url: As libpq takes it: `postgresql://user:password@host:port/database`.
        wait: How many seconds a transaction is tried again while others are in its way, or the
            database is away.
    """

    def __init__(self, url: str, *, wait: float = 10.0) -> None:
        self.database = PostgresDatabase(url, wait=wait)
        super().__init__(self.database, self.database.place)


class PostgresDatabase:
    """Connections to one database, its schema made at the first use; see `sql.SQLDatabase`."""

    def __init__(self, url: str, *, wait: float) -> None:
        self._psycopg = load_driver()
        refusals = self._psycopg.errors
        # What asking again does not mend, but whoever runs the database does.
        self._refusals = (
            refusals.InsufficientPrivilege,
            refusals.ReadOnlySqlTransaction,
            refusals.UndefinedTable,
            refusals.InvalidSchemaName,
        )
        self.place = _place(self._psycopg, url)
        self._url = url
        given = self._psycopg.conninfo.conninfo_to_dict(url)
        self._timing = {word: value for word, value in _TIMING.items() if word not in given}
        self._wait = wait
        self._lock = threading.Lock()
        self._idle: list[psycopg.Connection[Any]] = []
        self._made = False

    def exists(self) -> bool:
        """Say that there is something to read: the tables are made when they are first wanted."""
        return True

    def read(self, work: Callable[[Any], T], *, empty: T) -> T:
        """Give what *work* reads."""
        try:
            return self._attempt(work)
        except _UnfitText:
            return empty  # nothing is called so

    def write(self, work: Callable[[Any], T]) -> T:
        """Do *work* in one transaction and give its result. It may be called again."""
        return self._attempt(work)

    def check(self) -> None:
        """See that it answers and can be written: the tables are there, and none is a standby's."""
        if self._attempt(lambda words: words.execute(_IS_READ_ONLY).fetchone()[0]):
            raise DatabaseUnreachable(self.place, "it can be read, but not be written")

    def find_damage(self) -> Sequence[str]:
        """Read every row, and give what the database says where it cannot."""
        found: list[str] = []
        for table, statement in words.READ.items():
            try:
                self._attempt(methodcaller("execute", statement))
            except self._psycopg.errors.InternalError as error:
                found.append(f"table {table}: {str(error).strip()}")
        return found

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _attempt(self, work: Callable[[Any], T]) -> T:
        give_up = time.monotonic() + self._wait
        pause = 0.005
        while True:
            try:
                with self._borrow() as connection, connection.transaction():
                    return work(_Words(connection))
            except self._psycopg.errors.ProgramLimitExceeded as error:
                # Counted among what may pass, but it does not.
                raise BadRecord("its names are longer than the database can index") from error
            except self._psycopg.OperationalError as error:
                # In the way of others (a deadlock is one), or the connection broke. All that is
                # written here may be written twice.
                if time.monotonic() >= give_up:
                    raise DatabaseUnreachable(self.place, _first_line(error)) from error
            except self._refusals as error:
                raise DatabaseUnreachable(self.place, _first_line(error)) from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # spreads writers, hides nothing
            pause = min(2 * pause, 0.5)

    @contextmanager
    def _borrow(self) -> Iterator[psycopg.Connection[Any]]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        try:
            yield connection
        except BaseException:
            # Idle ones may be as broken as this one is.
            if connection.closed or connection.broken:
                self.close()
            else:
                self._return(connection)
            raise
        self._return(connection)

    def _return(self, connection: psycopg.Connection[Any]) -> None:
        with self._lock:
            if len(self._idle) < _IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = self._psycopg.connect(
            self._url,
            autocommit=True,
            application_name="plait service",
            client_encoding="UTF8",
            **self._timing,
        )
        try:
            if not self._made:
                with connection.transaction():
                    self._make(connection)
                self._made = True
            connection.execute(words.USE_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make(self, connection: psycopg.Connection[Any]) -> None:
        """Make the tables, or bring them to this version, while others wait."""
        connection.execute(words.LOCK_SCHEMA)
        there = connection.execute(words.FIND_SCHEMA).fetchone()
        found = 0
        if there is not None:
            if connection.execute(words.FIND_MARK).fetchone() is None:
                raise ForeignMetadata(f"{self.place}, in its schema 'plait',")
            row = connection.execute(words.READ_VERSION).fetchone()
            found = 0 if row is None else int(row[0])
        if found > VERSION:
            raise NewerMetadata(self.place, found, VERSION)
        for version in range(found + 1, VERSION + 1):
            for statement in words.MIGRATIONS.get(version, ()):
                connection.execute(statement)
        if found < VERSION:
            connection.execute(words.SET_VERSION, (VERSION,))


class _UnfitText(ValueError):
    """Text that a database in UTF-8 cannot hold, so that nothing in it is called so."""


class _Words:
    """A connection that takes the statements of `schema`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Cursor:
        """Run a statement."""
        _check(values)
        return self._connection.execute(words.translate(statement), values)

    def executemany(self, statement: str, rows: Sequence[Sequence[object]], /) -> None:
        """Run a statement for each of *rows*, without waiting for one before the next."""
        if not rows:
            return
        for row in rows:
            _check(row)
        with self._connection.cursor() as cursor:
            cursor.executemany(words.translate(statement), rows)


def _place(psycopg: Any, url: str) -> str:
    """Give where a URL leads, without user and password: this is shown.

    Raises:
        BadConnectionURL: It cannot be read, or what should be a place holds a part of a password.
    """
    try:
        facts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What libpq says of it shows the part that it could not read.
        raise BadConnectionURL from None
    host, port, name = (str(facts.get(part) or "") for part in ("host", "port", "dbname"))
    # Of a password with '@' or '/' in it, libpq takes the rest for a host or a database.
    if not _HOST.fullmatch(host) or not _PORT.fullmatch(port) or "@" in name:
        raise BadConnectionURL
    return f"postgresql://{host or 'localhost'}:{port or 5432}/{name}"


def load_driver() -> Any:
    """Give the module psycopg. Raises DriverMissing."""
    try:
        import psycopg
    except ImportError as error:
        raise DriverMissing("psycopg", "PostgreSQL") from error
    return psycopg


def _check(values: Sequence[object]) -> None:
    if any(isinstance(value, str) and "\0" in value for value in values):
        raise _UnfitText


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
