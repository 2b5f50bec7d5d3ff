"""What a person is told when the file of facts cannot be used."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from plait.base.errors import PlaitError
from plait.base.pathspec import RunKey
from plait.metadata import schema
from plait.metadata.database import Database
from plait.metadata.errors import (
    BusyMetadata,
    DamagedMetadata,
    ForeignMetadata,
    NewerMetadata,
    ReadOnlyMetadata,
    UnavailableMetadata,
)
from plait.metadata.protocol import NewRun, RunBeat
from plait.metadata.sqlite import SQLiteMetadata

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database will be."""
    return tmp_path / "metadata.db"


def make(path: Path) -> None:
    """Make a database with one run of flow `A`."""
    with closing(SQLiteMetadata(str(path), network=False)) as store:
        store.create_run(NewRun("A", 1.0))


def fail(path: Path, kind: type[PlaitError]) -> str:
    """Read and write, check that both raise *kind*, and give what the latter says."""
    with closing(SQLiteMetadata(str(path), wait=0.01, network=False)) as store:
        with pytest.raises(kind):
            store.iter_flows()
        with pytest.raises(kind) as caught:
            store.create_run(NewRun("A", 1.0))
    return caught.value.format()


def test_text_is_no_database(path: Path) -> None:
    """A file of another kind is said to be damaged, and not touched."""
    path.write_text("this is no database, but long enough to be looked at as one " * 20)
    before = path.read_bytes()

    assert fail(path, DamagedMetadata) == (
        f"error[damaged-metadata]: {path} is damaged\n"
        "  why: SQLite says: file is not a database\n"
        f"  fix: move it aside: mv {path} {path}.damaged\n"
        "       The results of runs are kept elsewhere, so that the next run begins a new one"
    )
    assert path.read_bytes() == before


def test_half_a_database_is_damaged(path: Path) -> None:
    """A database that lost its pages is said to be damaged."""
    make(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    assert "malformed" in fail(path, DamagedMetadata)


def test_a_foreign_database_is_left_alone(path: Path) -> None:
    """Another program's database is refused, and not a byte of it changes."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()

    assert f"{path} is a database of another program" in fail(path, ForeignMetadata)
    assert path.read_bytes() == before


def test_a_newer_database_is_left_alone(path: Path) -> None:
    """A database of a later format is refused with both numbers, and not a byte of it changes."""
    make(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = delete")
        connection.execute("PRAGMA user_version = 7")
    before = path.read_bytes()

    assert "it is of format 7; this plait knows formats up to 3" in fail(path, NewerMetadata)
    assert path.read_bytes() == before


def test_a_folder_is_no_database(path: Path) -> None:
    """A folder where the file should be is named as one."""
    path.mkdir()

    assert "why: it is a folder" in fail(path, UnavailableMetadata)


def test_a_file_for_a_folder_is_said(path: Path) -> None:
    """Where a file stands in for the folder, reading finds nothing and writing says why."""
    path.write_text("")
    with closing(SQLiteMetadata(str(path / "metadata.db"))) as store:
        assert store.iter_flows() == []
        with pytest.raises(UnavailableMetadata, match="exists"):
            store.create_run(NewRun("A", 1.0))


def test_a_path_too_long_is_said(path: Path) -> None:
    """What the operating system says of a path is passed on."""
    assert "too long" in fail(path.parent / ("x" * 300), UnavailableMetadata)


@pytest.mark.parametrize("network", [False, True])
def test_a_lock_is_waited_for_only_so_long(path: Path, network: bool) -> None:
    """A store that another process keeps locked is given up on in the end, with its path."""
    with closing(SQLiteMetadata(str(path), wait=0.01, network=network)) as store:
        store.create_run(NewRun("A", 1.0))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(BusyMetadata) as caught:
                store.create_run(NewRun("A", 2.0))
            assert [run.created for run in store.list_runs("A")] == [1.0]
            other.execute("COMMIT")

        assert "could not be reached for 0.01 seconds" in caught.value.format()
        assert f"fuser -v {path} {path}-wal" in caught.value.format()
        assert store.create_run(NewRun("A", 2.0)) == RunKey("A", "2")


def test_a_journal_in_use_is_waited_for(path: Path) -> None:
    """The journal is not changed while somebody reads; that, too, is given up on in the end."""
    with closing(SQLiteMetadata(str(path), network=True)) as store:
        store.create_run(NewRun("A", 1.0))
    with closing(SQLiteMetadata(str(path), wait=0.01, network=False)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM run").fetchall()
            with pytest.raises(BusyMetadata):
                store.create_run(NewRun("A", 2.0))

        assert store.create_run(NewRun("A", 2.0)) == RunKey("A", "2")


def test_a_bug_stays_a_bug(path: Path) -> None:
    """What is not the user's doing is not put into the user's words."""
    make(path)
    database = Database(str(path), tables=(), version=schema.VERSION, wait=1.0)
    with closing(database), pytest.raises(sqlite3.OperationalError, match="no such table"):
        database.read(lambda connection: connection.execute("SELECT * FROM nowhere"), empty=None)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user who may not write, if this one is the one who may do everything."""
    if os.getuid() != 0:
        yield
        return
    # The real id too, because that is whom `os.access` asks about. The saved one leads back.
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder with a database that everybody may read, and nobody write once it is closed."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "metadata.db"
        make(path)
        path.chmod(0o444)
        path.parent.chmod(0o555)
        yield path.parent
        path.parent.chmod(0o755)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="changes its user")


@linux_only
def test_a_folder_that_may_only_be_read_is_read(closed_folder: Path) -> None:
    """Facts can be read, again and again, where nothing can be written."""
    with as_nobody(), closing(SQLiteMetadata(str(closed_folder / "metadata.db"))) as store:
        assert store.iter_flows() == ["A"]
        assert store.find_run(RunKey("A", "1")) is not None
        with pytest.raises(ReadOnlyMetadata, match="cannot be written"):
            store.create_run(NewRun("A", 1.0))
        with pytest.raises(ReadOnlyMetadata, match="cannot be written"):
            store.check()
        assert store.iter_flows() == ["A"]
    assert [file.name for file in closed_folder.iterdir()] == ["metadata.db"]


@linux_only
def test_a_log_that_cannot_be_read_is_not_passed_over(closed_folder: Path) -> None:
    """Where a killed process left facts that only a writer can bring in, reading says so."""
    (closed_folder / "metadata.db-wal").write_bytes(b"something")
    store = SQLiteMetadata(str(closed_folder / "metadata.db"))
    with as_nobody(), pytest.raises(ReadOnlyMetadata):
        store.iter_flows()


@linux_only
def test_a_new_store_where_nothing_may_be_written(closed_folder: Path) -> None:
    """A store that cannot be made says which folder or file stands in its way."""
    new = closed_folder / "new.db"
    deeper = closed_folder / "new" / "metadata.db"
    with as_nobody():
        with pytest.raises(ReadOnlyMetadata):
            SQLiteMetadata(str(new)).create_run(NewRun("A", 1.0))
        with pytest.raises(UnavailableMetadata, match="Permission denied"):
            SQLiteMetadata(str(deeper)).create_run(NewRun("A", 1.0))


@linux_only
def test_a_file_that_may_not_be_read_is_said(closed_folder: Path) -> None:
    """A file of somebody who keeps it to himself is refused, as unavailable."""
    path = closed_folder / "metadata.db"
    path.chmod(0o000)
    with as_nobody(), pytest.raises(UnavailableMetadata, match="unable to open"):
        SQLiteMetadata(str(path)).iter_flows()


def test_facts_are_read_where_the_disk_has_no_room(tmp_path: Path, monkeypatch: Any) -> None:
    """SQLite needs some for files that its users share; without these, the one file is all."""
    path = tmp_path / "metadata.db"
    with closing(SQLiteMetadata(str(path))) as store:
        key = store.create_run(NewRun("A", 1.0))
    opened = sqlite3.connect

    def connect(name: str, **more: Any) -> sqlite3.Connection:
        if "immutable" not in name:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE  # type: ignore[misc]  # as SQLite does
            raise error
        return opened(name, **more)

    monkeypatch.setattr(sqlite3, "connect", connect)
    with closing(SQLiteMetadata(str(path))) as store:
        found = store.find_run(key)
        assert found is not None
        assert found.created == 1.0
        with pytest.raises(UnavailableMetadata, match="disk I/O error"):
            store.record([RunBeat(key, 5.0)])
    Path(f"{path}-wal").write_bytes(b"news")
    with closing(SQLiteMetadata(str(path))) as store, pytest.raises(UnavailableMetadata):
        store.find_run(key)
