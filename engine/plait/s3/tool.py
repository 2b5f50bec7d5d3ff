"""`S3`: objects in S3 for the code of steps, and of whoever reads their results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, Self

from plait.s3.connection import S3Connection, share_connection
from plait.s3.errors import S3BadFile, S3Closed, S3NotFound, S3ScratchFailed
from plait.s3.given import (
    Key,
    check_item,
    check_range,
    list_items,
    list_keys,
    name_of,
    path_of,
    read_value,
)
from plait.s3.location import Location
from plait.s3.many import Fetcher, for_each
from plait.s3.objects import Labels
from plait.s3.reading import check_missing, iter_objects, read_facts, read_object
from plait.s3.results import (
    Found,
    RangeInfo,
    S3GetObject,
    S3Object,
    S3PutObject,
)
from plait.s3.roots import find_root
from plait.s3.shelf import InFile, Shelf
from plait.s3.writing import write_file, write_object


class _Planned(NamedTuple):
    """What is to be written, looked at, with the place and what is to be said of it."""

    item: S3PutObject
    at: Location
    labels: Labels


class S3:
    """Objects in S3, or in a server that speaks its language.

    Use it as a context manager: what is read lies in files, or in memory until its file is asked
    for, and is gone at its end.

    Args:
        tmproot: The folder in which these files are made; the system's own by default.
        run: The run that objects belong to: `self` in a step, or a run of the client. They are
            kept below PLAIT_DATASTORE_SYSROOT_S3, apart from those of other runs.
        s3root: The URL of a prefix, such as `s3://bucket/prefix`. Without it and without *run*,
            keys are whole URLs.

    Raises:
        S3BadRoot: Both are given, *run* is of no run, or the bucket of runs is not set.
        S3BadURL: *s3root* is no URL.
        S3ScratchFailed: Files can't be made in *tmproot*.
    """

    def __init__(
        self, tmproot: str | None = None, *, run: Any = None, s3root: str | None = None
    ) -> None:
        self._root = find_root(run, s3root)
        self._shared: S3Connection | None = share_connection()
        self._shelf = Shelf(tmproot)
        self._buckets: set[str] = set()
        """Those that are known to be there."""

    @property
    def _connection(self) -> S3Connection:
        """The connection to the server. Raises S3Closed."""
        if self._shared is None:
            raise S3Closed("an S3 is used")
        return self._shared

    def __enter__(self) -> Self:
        self._connection  # noqa: B018  # an S3 is entered before it is closed, or not at all
        return self

    def __reduce__(self) -> NoReturn:
        # Other than with PlaitError, who keeps it as an artifact is told by which name.
        raise TypeError(
            "an S3 holds connections and files of this process; keep the URLs that put() gives, "
            "or what was read, as found.blob, and make another S3 where they are used"
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what was read; the objects given have no bytes any more.

        In a process forked from the one that made it, this ends its use there alone.
        """
        self._shared = None
        self._shelf.clear()

    # Reading

    def get(self, key: Key, return_missing: bool = False) -> S3Object:
        """Read an object.

        Args:
            key: Its key below the root, its URL, or a range of it, as `S3GetObject`.
            return_missing: Whether to give an object that does not exist, and not to raise.

        Raises:
            S3NotFound: There is none.
            S3InvalidRange: It has no byte in the range.
            S3Error: It could not be read.
        """
        return self.get_many([key], return_missing=return_missing)[0]

    def get_many(self, keys: Iterable[Key], return_missing: bool = False) -> list[S3Object]:
        """Read objects, many at once, and give them in the order of *keys*.

        Args:
            keys: As for `get`.
            return_missing: As for `get`.

        Raises:
            S3Error: As for `get`, for the first in this order that could not be read.
        """
        wanted = [(key, self._root.at(name_of(key)), None) for key in list_keys(keys)]
        for key, at, _ in wanted:
            if isinstance(key, S3GetObject):
                check_range(key, str(at))
        return self._read(wanted, return_missing=return_missing)

    def get_recursive(self, keys: Iterable[str]) -> list[S3Object]:
        """Read all objects below prefixes, as `list_recursive` finds them."""
        return self._read_found(self.list_recursive(keys))

    def get_all(self) -> list[S3Object]:
        """Read all objects below the root. Raises S3BadRoot if there is no root."""
        return self._read_found(self.list_recursive())

    def info(self, key: str, return_missing: bool = False) -> S3Object:
        """Say what is known of an object, without reading it; arguments as for `get`."""
        return self.info_many([key], return_missing=return_missing)[0]

    def info_many(self, keys: Iterable[str], return_missing: bool = False) -> list[S3Object]:
        """Say what is known of objects, without reading them; arguments as for `get_many`."""

        def ask(at: Location) -> S3Object:
            try:
                facts = read_facts(self._connection, at)
            except S3NotFound as error:
                if at.bucket not in self._buckets:
                    check_missing(self._connection, at)
                    self._buckets.add(at.bucket)
                if not return_missing:
                    raise self._lack(error) from error
                facts = None
            return S3Object(Found(str(at), self._root.key_of(at), facts=facts))

        self._connection.client()  # made here, once, and not by several threads at once
        return for_each(ask, [self._root.at(name_of(key)) for key in list_keys(keys)])

    # Listing

    def list_paths(self, keys: Iterable[str] | None = None) -> list[S3Object]:
        """Give the objects and folders right below prefixes; a folder does not exist as an object.

        Args:
            keys: The prefixes, each taken for a folder; None for the root.
        """
        return self._list(keys, folders=True)

    def list_recursive(self, keys: Iterable[str] | None = None) -> list[S3Object]:
        """Give all objects below prefixes, however deep; arguments as for `list_paths`."""
        return self._list(keys, folders=False)

    # Writing

    def put(
        self,
        key: str,
        obj: Any,
        overwrite: bool = True,
        content_type: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Write an object, and give its URL.

        Args:
            key: Its key below the root, or its URL.
            obj: Text, bytes, or a file that is open for reading.
            overwrite: Whether to write it if there is one of that key already.
            content_type: Its kind, such as `text/csv`.
            metadata: What to say of it: values that JSON knows, by name; 2 KB at most.

        Raises:
            S3BadValue: *obj* is something else.
            S3BadLabel: *content_type* or *metadata* can't be kept with an object.
            S3Error: It could not be written.
        """
        self._write_many([S3PutObject(key, obj, None, content_type, metadata)], overwrite=overwrite)
        return str(self._root.at(key))

    def put_many(
        self,
        key_objs: Iterable[tuple[str, Any] | S3PutObject],
        overwrite: bool = True,
    ) -> list[tuple[str, str]]:
        """Write objects, many at once.

        Args:
            key_objs: Pairs of a key and a value as for `put`, or an `S3PutObject` each. Of several
                for one key, only the last is written; without *overwrite*, the first.
            overwrite: As for `put`.

        Returns:
            The key and the URL of each that was written, in the same order.

        Raises:
            S3Error: As for `put`. Where a key, a value or what is said of it can be none, nothing
                is written.
        """
        return self._write_many(list_items(key_objs), overwrite=overwrite)

    def put_files(
        self,
        key_paths: Iterable[tuple[str, str] | S3PutObject],
        overwrite: bool = True,
    ) -> list[tuple[str, str]]:
        """Write files as objects, many at once, large ones in parts.

        Args:
            key_paths: Pairs of a key and a path, or an `S3PutObject` each.
            overwrite: As for `put`.

        Returns:
            As `put_many`.

        Raises:
            S3BadFile: One is a folder, is not there, or may not be read; nothing is written.
            S3Error: As for `put_many`.
        """
        return self._write_many(list_items(key_paths, files=True), overwrite=overwrite)

    # How

    def _read(
        self, wanted: Sequence[tuple[Key, Location, str | None]], *, return_missing: bool
    ) -> list[S3Object]:
        fetcher = Fetcher(self._connection)

        def read(item: tuple[Key, Location, str | None]) -> S3Object:
            key, at, prefix = item
            found = Found(str(at), self._root.key_of(at), prefix)
            try:
                if isinstance(key, S3GetObject):
                    return S3Object(self._read_range(key, at, found))
                path = self._shelf.new_path()
                body, facts = fetcher.fetch(at, path)
            except S3NotFound as error:
                if not return_missing:
                    raise self._lack(error) from error
                return S3Object(found)
            except OSError as error:
                # Those of requests are told otherwise, so it is one of the file.
                if self._shared is None:
                    raise S3Closed(f"{at} is being read") from error
                raise S3ScratchFailed(os.path.dirname(path), str(error)) from error
            kept = InFile(path) if body is None else self._shelf.keep(body, path)
            return S3Object(replace(found, facts=facts, kept=kept))

        try:
            return for_each(read, wanted)
        finally:
            fetcher.close()

    def _lack(self, error: S3NotFound) -> S3NotFound:
        """Give the error with where the object may be in its place."""
        return S3NotFound(error.url, self._root.origin)

    def _read_range(self, key: S3GetObject, at: Location, found: Found) -> Found:
        offset, length = check_range(key, str(at))
        body, facts = read_object(self._connection, at, offset, length)
        span = RangeInfo(facts.size, offset, len(body))
        return replace(found, facts=facts, kept=self._shelf.keep(body), span=span)

    def _read_found(self, found: Sequence[S3Object]) -> list[S3Object]:
        wanted = [(each.key, self._root.at(each.key), each.prefix) for each in found]
        return self._read(wanted, return_missing=False)

    def _list(self, keys: Iterable[str] | None, *, folders: bool) -> list[S3Object]:
        self._connection.client()

        def search(key: str | None) -> list[S3Object]:
            start = self._root.folder(key)
            found = []
            for name, facts in iter_objects(self._connection, start, folders=folders):
                if name == start.key:
                    continue  # some servers list an object that stands for the folder
                at = Location(start.bucket, name)
                found.append(S3Object(Found(str(at), self._root.key_of(at), str(start), facts)))
            return found

        wanted: Sequence[str | None] = [None] if keys is None else list_keys(keys)
        return [each for group in for_each(search, wanted) for each in group]

    def _write_many(
        self, items: Sequence[S3PutObject], *, overwrite: bool
    ) -> list[tuple[str, str]]:
        connection = self._connection
        # All of them are looked at before the first is written.
        planned = [_Planned(item, self._root.at(item.key), check_item(item)) for item in items]
        planned = _drop_doubles(planned, last=overwrite)
        connection.client()  # made here, once, and not by several threads at once
        written = for_each(partial(self._write, overwrite=overwrite), planned)
        return [
            (each.item.key, str(each.at))
            for each, is_new in zip(planned, written, strict=True)
            if is_new
        ]

    def _write(self, planned: _Planned, *, overwrite: bool) -> bool:
        item, at, labels = planned
        data = read_value(item) if item.path is None else None
        # Looked for first, as some servers take a conditional write for any other.
        if not overwrite and self._has(at):
            return False
        if data is not None:
            return write_object(self._connection, at, data, exclusive=not overwrite, labels=labels)
        path, connection = path_of(item), self._connection
        try:
            return write_file(connection, at, path, exclusive=not overwrite, labels=labels)
        except OSError as error:
            raise S3BadFile(item.key, item.path, f"the system says: {error.strerror}") from error

    def _has(self, at: Location) -> bool:
        try:
            read_facts(self._connection, at)
        except S3NotFound:
            return False
        return True


def _drop_doubles(planned: list[_Planned], *, last: bool) -> list[_Planned]:
    """Of what is for one key, keep the last or the first, as they are written in any order."""
    if last:
        return _drop_doubles(planned[::-1], last=False)[::-1]
    kept: dict[Location, _Planned] = {}
    for each in planned:
        kept.setdefault(each.at, each)
    return list(kept.values())
