"""Writing to S3 what is not all there at once: uploads without a key yet, and logs that grow."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from plait.base.layout import parse_data_key
from plait.s3.lanes import PART
from plait.s3.location import Location
from plait.s3.reading import read_object
from plait.s3.writing import write_file
from plait.storage.descriptors import write_all
from plait.storage.errors import storage_error
from plait.storage.protocol import UPLOAD, Buffer
from plait.storage.s3_place import S3Place, remove_local, write_local


class S3Upload:
    """Bytes on their way in, in a file of the scratch folder."""

    def __init__(self, place: S3Place) -> None:
        self._place = place
        self._path = place.new_file()
        self._file = -1
        try:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            raise storage_error(error, self._path, "write") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        remove_local(self._path)

    def write(self, data: Buffer) -> None:
        """Add *data* at the end."""
        try:
            write_all(self._file, data)
        except OSError as error:
            raise storage_error(error, self._path, "write") from error

    def commit(self, key: str) -> bool:
        """Make the bytes appear under *key*, whole; False if it already held something."""
        place = self._place
        at = place.at(key)
        self._close()
        address = parse_data_key(key)
        # What is sent in parts is looked for first: to send it all in vain would take longest.
        size = os.path.getsize(self._path)
        if size > PART and place.has(at):
            done = False
        else:
            done = place.is_free(at) and write_file(
                place.connection,
                at,
                self._path,
                exclusive=place.is_conditional(),
                note=self._note(at),
            )
        if address is not None:
            if not done and place.is_stale(at, size):
                write_file(place.connection, at, self._path, note=self._note(at))
            # Equal or not, what is under this address is this value.
            place.cache.admit(address, self._path)
        return done

    def _note(self, at: Location) -> Callable[[str], Callable[[], None]]:
        """Give what notes an upload's id where `sweep` finds it if this process is killed."""
        path = f"{self._path}{UPLOAD}"

        def begun(upload_id: str) -> Callable[[], None]:
            write_local(path, json.dumps([at.bucket, at.key, upload_id]).encode())
            return lambda: remove_local(path)

        return begun

    def _close(self) -> None:
        if self._file >= 0:
            descriptor, self._file = self._file, -1
            os.close(descriptor)


class GrowingLog:
    """A log of which S3 has an earlier part, and a file of the scratch folder all."""

    def __init__(self, place: S3Place, key: str, path: str) -> None:
        self._place, self._key, self._path = place, key, path
        self._is_first = True
        self._has_news = False
        self.pushed = time.monotonic()

    def add(self, data: Buffer) -> None:
        """Add *data* to the file."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                write_all(descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error(error, self._path, "write") from error
        self._has_news = True

    def push(self) -> None:
        """Write the log as it is by now."""
        place = self._place
        at = place.at(self._key)
        send = write_file
        if self._is_first and not (
            place.is_free(at)
            and send(
                place.connection,
                at,
                self._path,
                exclusive=place.is_conditional(),
            )
        ):
            # An earlier process began it: what is added comes after that.
            earlier = read_object(place.connection, at)[0]
            with open(self._path, "rb") as file:
                added = file.read()
            write_local(self._path, earlier + added)
            send(place.connection, at, self._path)
        elif not self._is_first:
            send(place.connection, at, self._path)
        self._is_first = self._has_news = False
        self.pushed = time.monotonic()

    def close(self) -> None:
        """Write what was not yet written, and let go of the file."""
        try:
            if self._has_news:
                self.push()
        finally:
            remove_local(self._path)
