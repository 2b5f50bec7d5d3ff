"""A prefix of S3 with what of this machine belongs to it, as its readers and writers share it."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from itertools import count
from urllib.parse import unquote

from plait.s3.connection import S3Connection
from plait.s3.errors import S3Error, S3NotFound
from plait.s3.location import Location
from plait.s3.reading import read_facts
from plait.s3.writing import remove_object, write_object
from plait.storage.blob_cache import BlobCache
from plait.storage.descriptors import write_all
from plait.storage.keys import check_key, is_key
from plait.storage.protocol import YOUNG_SECONDS, Buffer

_names = count()
_ODD = re.compile(r"[%\x00-\x1f\x7f]")
"""Servers disagree about such characters in an object's name, so there they are written as %XX."""


@dataclass(slots=True)
class S3Place:
    """A prefix of a bucket, with the folders of this machine that belong to it.

    Args:
        connection: The server.
        root: The bucket and the prefix.
        scratch: A folder of this machine; its own for each run, made when needed.
        cache: Where large values are kept on this machine.
        conditional: Whether the server heeds conditional writes; None if that is to be found out.
    """

    connection: S3Connection
    root: Location
    scratch: str
    cache: BlobCache
    conditional: bool | None = None

    def __post_init__(self) -> None:
        self.root = Location(self.root.bucket, self.root.key.strip("/"))
        self.scratch = os.path.abspath(self.scratch)

    def at(self, key: str) -> Location:
        """Give where the object of *key* is. Raises BadKey."""
        check_key(key)
        name = _ODD.sub(_quote, key)
        return Location(self.root.bucket, f"{self.root.key}/{name}" if self.root.key else name)

    def key_of(self, name: str) -> str | None:
        """Give the key of an object by its whole name; None if it is no key's."""
        skip = len(self.root.key) + 1 if self.root.key else 0
        key = unquote(name[skip:])
        return key if is_key(key) else None

    def is_conditional(self) -> bool:
        """Say whether the server heeds conditional writes; asks it once in a run."""
        if self.conditional is None:
            self.conditional = self._load_or_probe()
        return self.conditional

    def is_free(self, at: Location) -> bool:
        """Say whether nothing is there, where the server would not say so itself upon a write."""
        return self.is_conditional() or not self.has(at)

    def has(self, at: Location) -> bool:
        """Ask whether an object is there."""
        try:
            read_facts(self.connection, at)
        except S3NotFound:
            return False
        return True

    def is_stale(self, at: Location, size: int) -> bool:
        """Say whether what has its address for a name is to be written anew.

        It is if it will soon be old enough to be cleaned away, see `YOUNG_SECONDS`, or is damaged.

        Args:
            at: The object.
            size: How many bytes it should have.
        """
        try:
            facts = read_facts(self.connection, at)
        except S3NotFound:
            return True  # cleaned away just now
        old = facts.modified is None or time.time() - facts.modified > YOUNG_SECONDS / 2
        return old or facts.size != size

    def new_file(self) -> str:
        """Give the path of a file that is not there, in the scratch folder, which is."""
        os.makedirs(self.scratch, exist_ok=True)
        name = f"{os.getpid()}-{next(_names)}-{os.urandom(3).hex()}"
        return os.path.join(self.scratch, name)

    def _load_or_probe(self) -> bool:
        known = os.path.join(self.scratch, "conditional")
        try:
            with open(known, encoding="utf-8") as file:
                return file.read() == "yes"
        except OSError:
            pass  # the first process of the run finds out
        found = probe_conditional(self.connection, self.root)
        draft = f"{known}.{os.getpid()}"
        try:
            os.makedirs(self.scratch, exist_ok=True)
            write_local(draft, b"yes" if found else b"no")
            os.replace(draft, known)
        except OSError:
            remove_local(draft)  # the next process tries, too
        return found


def _quote(odd: re.Match[str]) -> str:
    return f"%{ord(odd[0]):02X}"


def probe_conditional(connection: S3Connection, root: Location) -> bool:
    """Try whether the server heeds conditional writes, with an object that is removed again."""
    at = root.child(f".plait-probe-{os.urandom(8).hex()}")
    write_object(connection, at, b"")
    try:
        return not write_object(connection, at, b"", exclusive=True)
    except S3Error:
        return False  # it knows no such requests
    finally:
        remove_object(connection, at)


def write_local(path: str, data: Buffer) -> None:
    """Write a file, made or overwritten."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)


def remove_local(path: str) -> None:
    """Remove a file; nothing happens if there is none."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return
