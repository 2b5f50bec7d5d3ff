"""The local store of facts: one SQLite file that any number of processes read and write."""

from __future__ import annotations

from collections.abc import Sequence

from plait.metadata import schema
from plait.metadata.database import Database
from plait.metadata.sql import SQLMetadata


class SQLiteMetadata(SQLMetadata):
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
        database = _File(
            path,
            tables=schema.TABLES,
            version=schema.VERSION,
            wait=wait,
            network=network,
            migrations=schema.MIGRATIONS,
        )
        super().__init__(database, f"local@{database.path}")


class _File(Database):
    def find_damage(self) -> Sequence[str]:
        """Give what SQLite finds wrong with the file."""
        rows: list[tuple[str]] = self.read(
            lambda connection: connection.execute("PRAGMA integrity_check(20)").fetchall(), empty=[]
        )
        return [text for (text,) in rows if text != "ok"]
