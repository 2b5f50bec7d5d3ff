"""One SQLite file and this process's connection to it: opened late, made once, waited for.

What a transaction holds is the caller's; that it is whole, that it is tried again while others are
in the way, and that a mishap becomes a sentence, is done here.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NoReturn, TypeVar

from plait.metadata.errors import (
    BusyMetadata,
    DamagedMetadata,
    ForeignMetadata,
    NewerMetadata,
    ReadOnlyMetadata,
    UnavailableMetadata,
)
from plait.metadata.filesystem import find_network_type

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")
Work = Callable[["sqlite3.Connection"], T]

APPLICATION_ID = 0x706C6169
"""What marks a database as plait's (`plai`), so that no other program's is ever written to."""

# Primary result codes of SQLite (https://sqlite.org/rescode.html).
_IN_THE_WAY = (5, 6, 15)  # BUSY, LOCKED, PROTOCOL: somebody else is at it, and will be done.
_READ_ONLY = 8
_IO_ERROR, _FULL = 10, 13
_REFUSED = (3, 10, 13, 14, 23)  # PERM, IOERR, FULL, CANTOPEN, AUTH
_CANNOT_OPEN = 14
_DAMAGED = (11, 26)  # CORRUPT, NOTADB

# Connections that a fork brought along. Using one, or closing it, in the child could release its
# parent's locks and tear its transactions, so they are kept, unused, until the process ends.
_inherited: list[sqlite3.Connection] = []


class Database:
    """A SQLite file with plait's mark and one schema.

    Args:
        path: Where the file is, or will be with the first write.
        tables: The statements that make an empty database ready.
        version: The number of this schema, from 1; kept in the file.
        wait: How many seconds to wait for other processes before giving up.
        network: Whether the file is on a network file system; None to find out.
        migrations: The statements that bring a database to a version from the one before it; run
            with the first write. Reading must do without.
    """

    def __init__(
        self,
        path: str,
        *,
        tables: tuple[str, ...],
        version: int,
        wait: float,
        network: bool | None = None,
        migrations: Mapping[int, tuple[str, ...]] | None = None,
    ) -> None:
        self.path = os.path.abspath(path)
        self._tables = tables
        self._version = version
        self._migrations = migrations or {}
        self._wait = wait
        self._network = network
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        # Of this connection: whether the tables are there, and whether it is fit for writing.
        self._made = False
        self._writable = False

    def exists(self) -> bool:
        """Say whether there is a file by now."""
        return os.path.exists(self.path)

    def read(self, work: Work[T], *, empty: T) -> T:
        """Give what *work* reads; *empty* where there is no database yet. Never makes one."""
        return self._attempt(lambda: self._read(work, empty))

    def write(self, work: Work[T]) -> T:
        """Do *work* in one transaction and give its result; makes the database if need be.

        Others are kept from writing from before *work* begins, so that what it reads still holds
        when it writes. It may be called again if its transaction could not be completed.
        """
        return self._attempt(lambda: self._write(work))

    def check(self) -> None:
        """See that it can be written; makes the file if need be, or brings it to this version.

        Something is written, the same as it was: a disk may be full, and let itself be read.
        """

        def write_again(connection: sqlite3.Connection) -> None:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {version}")

        self.write(write_again)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._guard():
            self._disconnect()

    def _attempt(self, act: Callable[[], T]) -> T:
        import sqlite3

        give_up = time.monotonic() + self._wait
        pause = 0.001
        with self._guard():
            while True:
                try:
                    return act()
                except sqlite3.Error as error:
                    if _code(error) not in _IN_THE_WAY:
                        self._disconnect()
                        self._explain(error)
                    if time.monotonic() >= give_up:
                        raise BusyMetadata(self.path, self._wait) from error
                # SQLite waits by itself where that can help, but reports at once where waiting
                # inside it might deadlock: above all when several processes that start on no
                # database switch it to the write-ahead log. Out here nothing is held.
                time.sleep(pause)
                pause = min(2 * pause, 0.05)

    def _read(self, work: Work[T], empty: T) -> T:
        import sqlite3

        try:
            connection = self._connect()
            return work(connection) if connection and self._is_made(connection) else empty
        except sqlite3.OperationalError as error:
            if not self._is_sealed_off(error):
                raise
        # That nobody has it open, as this way of opening trusts, is known only of this moment.
        self._disconnect()
        try:
            connection = self._open("mode=ro&immutable=1")
            return work(connection) if self._is_made(connection) else empty
        finally:
            self._disconnect()

    def _write(self, work: Work[T]) -> T:
        connection = self._connect()
        if connection is None:
            try:
                os.makedirs(os.path.dirname(self.path), exist_ok=True)
            except OSError as error:
                raise UnavailableMetadata(self.path, str(error)) from error
            connection = self._open("mode=rwc")
        if not self._writable:
            self._prepare(connection)
        return self._transact(connection, work)

    def _transact(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        try:
            # A deferred BEGIN that reads first fails at its first write if anybody wrote meanwhile,
            # without waiting; IMMEDIATE takes the right to write at once, and waits for it.
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            # Some failures, such as a full disk, have SQLite roll back by itself.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _guard(self) -> threading.Lock:
        """Give the lock of this process; in a forked child, drop what is its parent's first."""
        if os.getpid() != self._pid:
            self._pid = os.getpid()
            # Another thread of the parent may have held it, and there is no such thread here.
            self._lock = threading.Lock()
            if self._connection is not None:
                _inherited.append(self._connection)
                self._connection = None
        return self._lock

    def _connect(self) -> sqlite3.Connection | None:
        """Give the connection to the file that is there now, or None if none is."""
        try:
            status = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            self._disconnect()
            return None
        except OSError as error:
            raise UnavailableMetadata(self.path, str(error)) from error
        if self._connection is not None and self._file == (status.st_dev, status.st_ino):
            return self._connection
        # Not open yet, or the file was removed and made again under our feet.
        self._disconnect()
        return self._open("mode=rw")

    def _open(self, options: str) -> sqlite3.Connection:
        import sqlite3

        # Kept short, so that `_attempt` is asked often enough to keep its own time.
        busy = min(self._wait, 5.0)
        # Serialized by `_guard`, so any thread may use it. No implicit transactions.
        connection = sqlite3.connect(
            f"{_uri(self.path)}?{options}",
            uri=True,
            timeout=busy,
            isolation_level=None,
            check_same_thread=False,
        )
        self._made = self._writable = False
        try:
            self._check(connection)
            status = os.stat(self.path)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._file = (status.st_dev, status.st_ino)
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _check(self, connection: sqlite3.Connection) -> None:
        """Refuse a database that is not plait's, or of a later version."""
        if self._is_made(connection):
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > self._version:
                raise NewerMetadata(self.path, version, self._version)
        # The mark is looked at again, because mark and tables are written by one transaction that
        # may have come in between.
        elif _has_tables(connection) and not self._is_made(connection):
            raise ForeignMetadata(self.path)

    def _is_made(self, connection: sqlite3.Connection) -> bool:
        if not self._made:
            (mark,) = connection.execute("PRAGMA application_id").fetchone()
            self._made = mark == APPLICATION_ID
        return self._made

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the connection fit for writing, and the schema if there is none."""
        if self._network is None:
            self._network = find_network_type(os.path.dirname(self.path)) is not None
        wanted = "delete" if self._network else "wal"
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != wanted:
            connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
        # With the write-ahead log, NORMAL can lose the last transactions when the power fails, but
        # never tears one; they are rebuilt from what attempts sealed. A rollback journal can tear.
        level = "FULL" if self._network else "NORMAL"
        connection.execute(f"PRAGMA synchronous = {level}")
        self._transact(connection, self._make)
        self._made = self._writable = True

    def _make(self, connection: sqlite3.Connection) -> None:
        if self._is_made(connection):
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            statements = [
                statement
                for version in range(found + 1, self._version + 1)
                for statement in self._migrations[version]
            ]
            if not statements:
                return
        else:
            statements = list(self._tables)
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {self._version}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _is_sealed_off(self, error: sqlite3.OperationalError) -> bool:
        """Say whether reading failed only because SQLite cannot make the files that it shares.

        It may not, or there is no room. Then nobody has the database open (those files would be
        there), and with no write-ahead log beside it, the file alone is all there is and can be
        read as it stands.
        """
        log, code = self.path + "-wal", _code(error)
        refused = code in (_READ_ONLY, _CANNOT_OPEN) and self._is_read_only()
        no_room = code in (_IO_ERROR, _FULL)
        return (refused or no_room) and not (os.path.exists(log) and os.path.getsize(log))

    def _explain(self, error: sqlite3.Error) -> NoReturn:
        """Raise what a person can mend; anything else is a bug and stays as it is."""
        code = _code(error)
        if code in _DAMAGED:
            raise DamagedMetadata(self.path, str(error)) from error
        if code == _READ_ONLY or (code == _CANNOT_OPEN and self._is_read_only()):
            raise ReadOnlyMetadata(self.path, f"SQLite says: {error}") from error
        if code in _REFUSED:
            said = "it is a folder" if os.path.isdir(self.path) else f"SQLite says: {error}"
            raise UnavailableMetadata(self.path, said) from error
        raise error

    def _is_read_only(self) -> bool:
        folder = os.path.dirname(self.path)
        readable = not os.path.exists(self.path) or os.access(self.path, os.R_OK)
        return readable and os.path.isdir(folder) and not os.access(folder, os.W_OK)


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None


def _code(error: sqlite3.Error) -> int:
    # Errors of the Python module itself, such as use of a closed connection, have no code.
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def _uri(path: str) -> str:
    # By hand, because urllib.parse costs more to import than all else here.
    for character, code in (("%", "%25"), ("?", "%3f"), ("#", "%23")):
        path = path.replace(character, code)
    path = path.replace(os.sep, "/")
    return "file://" + path if path.startswith("/") else "file:///" + path
