"""Bytes by key in S3 or a server that speaks its language: a key is an object below a prefix."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from plait.base.layout import is_addressed, parse_data_key, parse_seal_key
from plait.s3.errors import S3Error, S3InvalidRange, S3NotFound
from plait.s3.lanes import PART
from plait.s3.location import Location
from plait.s3.many import Fetcher, for_each
from plait.s3.reading import iter_objects, read_facts, read_object
from plait.s3.writing import abort_upload, remove_object, write_object
from plait.storage.descriptors import gather, map_file
from plait.storage.errors import storage_error
from plait.storage.keys import check_key
from plait.storage.protocol import UPLOAD, Buffer, MissingKey, Upload
from plait.storage.s3_ahead import Ahead
from plait.storage.s3_place import S3Place, remove_local, write_local
from plait.storage.s3_writing import GrowingLog, S3Upload

_NEAR = 1 << 20
"""Objects of up to so many bytes that a run wrote are kept beside it, to be read from there."""
_RECENT = 32
"""So many seals of up to `_NEAR` bytes that were read stay in memory."""
_PUSH_SECONDS = 5.0
"""How often a log that grows is written, for those who follow it."""


class S3Storage:
    """Bytes by key below a prefix of a bucket.

    An object is written by a conditional request, which fails if there is one, so that nothing is
    asked for before. What is being written lies in a scratch folder of this machine until it is
    sent. That folder also keeps what this run has written itself, so that a task's result is read
    by its run, and by the tasks after it, without another request. A log can't be added to in S3:
    it is kept there too, and written anew now and then, and by `flush`.

    Args:
        place: The prefix, and what of this machine belongs to it.
    """

    def __init__(self, place: S3Place) -> None:
        self._here = place
        self._logs: dict[str, GrowingLog] = {}
        self._recent: dict[str, bytes | None] = {}
        self._ahead = Ahead(place)

    @property
    def place(self) -> str:
        """The URL of the root; an object is at `<place>/<key>`."""
        return str(self._here.root)

    @property
    def cache_folder(self) -> str:
        """The folder of this machine where large values are kept."""
        return self._here.cache.folder

    def excludes(self) -> bool:
        """Say whether the server heeds conditional writes; asks it if that is not known."""
        return self._here.is_conditional()

    def warm(self) -> None:
        """Load what the processes forked from this one need; asks nobody."""
        self._here.connection.warm()

    # Reading

    def get(self, key: str) -> bytes:
        """Give all bytes under *key*. Raises MissingKey."""
        near = self._read_near(key)
        if near is not None:
            return near
        try:
            return read_object(self._here.connection, self._here.at(key))[0]
        except S3NotFound as error:
            raise MissingKey(key, self.place) from error

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Give up to *length* bytes from *offset* on. Raises MissingKey."""
        near = self._read_near(key)
        if near is None and parse_seal_key(key) is not None:
            near = self._read_seal(key)
        if near is not None:
            return near[offset : offset + length]
        if length <= 0:
            self.size(key)
            return b""
        try:
            at = self._here.at(key)
            return read_object(self._here.connection, at, offset, length)[0]
        except S3InvalidRange:
            return b""
        except S3NotFound as error:
            raise MissingKey(key, self.place) from error

    def view(self, key: str) -> memoryview:
        """Give all bytes under *key* as private, writable memory. Raises MissingKey.

        A value is kept in the cache and mapped from there, a large object from a file that has no
        name any more.
        """
        address = parse_data_key(key)
        if address is not None:
            cached = self._here.cache.find(address)
            if cached is not None:
                return cached
        return self._view(key, address)

    def view_anew(self, key: str) -> memoryview:
        """Give what `view` gives, past the cache. Raises MissingKey."""
        return self._view(key, None)

    def _view(self, key: str, address: str | None) -> memoryview:
        """Read an object, and keep it in the cache by *address*."""
        trouble: tuple[OSError, str] | None = None
        # In the cache, where a reader may write who has no store here, and from where a value need
        # not be moved to another disk; elsewhere only if that one is full or not ours.
        for new_file in (self._here.cache.new_file, self._here.new_file):
            path = ""
            try:
                path = new_file()
                memory = self._fetch(key, path, keep=address is not None)
                if address is not None:
                    self._here.cache.admit(address, path)
            except S3NotFound as error:
                raise MissingKey(key, self.place) from error
            except OSError as error:
                trouble = error, path or self._here.scratch
            else:
                return memory
            finally:
                remove_local(path)
        assert trouble is not None
        raise storage_error(*trouble, "write") from trouble[0]

    def _fetch(self, key: str, path: str, *, keep: bool) -> memoryview:
        """Read an object, into a file if it is large or to be kept; give it as private memory."""
        fetcher = Fetcher(self._here.connection)
        try:
            body, facts = fetcher.fetch(self._here.at(key), path)
        finally:
            fetcher.close()
        if body is not None:
            if keep:
                write_local(path, body)
            return memoryview(body)
        with open(path, "rb") as file:
            return map_file(file.fileno(), facts.size) if facts.size else memoryview(bytearray())

    def has(self, key: str) -> bool:
        """Say whether anything is stored under *key*."""
        try:
            self.size(key)
        except MissingKey:
            return False
        return True

    def size(self, key: str) -> int:
        """Give the number of bytes under *key*. Raises MissingKey."""
        near = self._read_near(key)
        if near is not None:
            return len(near)
        try:
            return read_facts(self._here.connection, self._here.at(key)).size
        except S3NotFound as error:
            raise MissingKey(key, self.place) from error

    def refresh(self, key: str) -> bool:
        """Forget what this machine keeps of *key*; the next read is of the store itself."""
        address = parse_data_key(key)
        if address is not None:
            self._here.cache.drop(address)
        self._recent.pop(key, None)
        self._ahead.take(key)
        remove_local(self._near_path(key))
        return True

    # Writing

    def put(self, key: str, parts: Iterable[Buffer]) -> bool:
        """Write *parts*, one after another, under *key*, if nothing is there yet."""
        at = self._here.at(key)
        pieces: list[Buffer] = []
        size = 0
        pending = iter(gather(parts))
        for piece in pending:
            pieces.append(piece)
            size += len(piece)
            if size > PART:
                with self.upload() as upload:
                    for each in pieces:
                        upload.write(each)
                    for each in pending:
                        upload.write(each)
                    return upload.commit(key)
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        free = self._here.is_free(at)
        done = free and write_object(
            self._here.connection, at, data, exclusive=self._here.is_conditional()
        )
        if not done and is_addressed(key) and self._here.is_stale(at, size):
            write_object(self._here.connection, at, data)
        if done and size <= _NEAR and parse_data_key(key) is None:
            self._keep_near(key, data)
        return done

    def put_all(self, objects: Sequence[tuple[str, Sequence[Buffer]]]) -> None:
        """Write each key's parts, where nothing is there yet; many are on their way at once."""
        self._here.is_conditional()  # found out once, and not by several threads
        for_each(lambda item: self.put(*item), objects)

    def bring(self, keys: Sequence[str], *, keep: bool = False) -> None:
        """Read small objects, many at once: into this run's own folder, or into memory."""
        wanted = [key for key in keys if not os.path.exists(self._near_path(key))]
        self._ahead.read(wanted, self._keep_near if keep else None)

    def upload(self) -> Upload:
        """Begin an object whose key is known only once it is written."""
        return S3Upload(self._here)

    def append(self, key: str, data: Buffer) -> None:
        """Add *data* to the end of the log *key*; others see it after `flush`, or in a while."""
        check_key(key)
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = GrowingLog(self._here, key, self._here.new_file())
        log.add(data)
        if time.monotonic() - log.pushed >= _PUSH_SECONDS:
            log.push()

    def flush(self, key: str) -> None:
        """Make all that was appended to *key* readable by everybody."""
        check_key(key)
        log = self._logs.pop(key, None)
        if log is not None:
            log.close()

    # Listing and removing

    def iter_keys(self, prefix: str) -> Iterator[str]:
        """Give every key that begins with the folder *prefix*, sorted."""
        check_key(prefix)
        start = Location(self._here.root.bucket, f"{self._here.at(prefix).key}/")
        found = iter_objects(self._here.connection, start)
        # Not every server lists by the bytes of the names.
        keys = [self._here.key_of(name) for name, _ in found]
        yield from sorted(key for key in keys if key is not None)

    def iter_folders(self, prefix: str = "") -> Iterator[str]:
        """Give the names of the folders right below *prefix*, sorted."""
        if prefix:
            check_key(prefix)
        start = self._here.at(prefix) if prefix else self._here.root
        found = iter_objects(
            self._here.connection,
            Location(start.bucket, f"{start.key}/" if start.key else ""),
            folders=True,
        )
        keys = [self._here.key_of(name[:-1]) for name, facts in found if facts is None]
        yield from sorted(key.rpartition("/")[2] for key in keys if key is not None)

    def modified(self, key: str) -> float | None:
        """Give when *key* was written, in seconds since 1970; None if it is not there."""
        try:
            return read_facts(self._here.connection, self._here.at(key)).modified
        except S3NotFound:
            return None

    def delete(self, key: str) -> None:
        """Remove *key*; nothing happens if it is not there."""
        self.refresh(key)
        remove_object(self._here.connection, self._here.at(key))

    def prune(self, prefix: str) -> None:
        """Remove the folder *prefix* as far as it holds no keys, where a server keeps folders.

        In S3 itself there are none but in the names of what there is.
        """
        at = self._here.at(prefix)
        beside = iter_objects(self._here.connection, at, folders=True)
        if (f"{at.key}/", None) in beside:
            self._prune(Location(at.bucket, f"{at.key}/"))

    def _prune(self, folder: Location) -> bool:
        """Remove an empty folder and those in it, and say whether it was empty."""
        held = list(iter_objects(self._here.connection, folder, folders=True))
        empty = [
            facts is None and self._prune(Location(folder.bucket, name))
            for name, facts in held
            if name != folder.key  # some servers list an object that stands for the folder
        ]
        if all(empty):
            remove_object(self._here.connection, folder)
        return all(empty)

    def sweep(self, folder: str | None = None) -> None:
        """Remove a scratch folder, and drop the uploads that it knows to be unfinished."""
        if folder is None:
            self._logs.clear()
        scratch = folder or self._here.scratch
        try:
            names = os.listdir(scratch)
        except OSError:
            return  # nothing was ever written
        notes = [os.path.join(scratch, name) for name in names if name.endswith(UPLOAD)]
        # A run's own folder goes at its end; what another left can be tried again.
        left = [note for note in notes if not self._drop_upload(note)]
        if left and folder is not None:
            return
        import shutil

        shutil.rmtree(scratch, ignore_errors=True)

    def _drop_upload(self, path: str) -> bool:
        try:
            with open(path, encoding="utf-8") as file:
                # Earlier versions did not say which bucket.
                bucket, key, upload_id = [self._here.root.bucket, *json.load(file)][-3:]
        except (OSError, ValueError):
            return True  # it has ended meanwhile, or was never written whole and so never begun
        try:
            abort_upload(self._here.connection, Location(bucket, key), upload_id)
        except S3NotFound:
            return True
        except S3Error:
            return False  # its parts stay until somebody ends it; no result is lost
        return True

    # What lies on this machine

    def _near_path(self, key: str) -> str:
        check_key(key)
        return os.path.join(self._here.scratch, "near", sha256(key.encode()).hexdigest()[:40])

    def _read_near(self, key: str) -> bytes | None:
        try:
            with open(self._near_path(key), "rb") as file:
                return file.read()
        except OSError:
            # Not written by this run, or not on this machine.
            ahead = self._ahead.take(key)
            if ahead is not None:
                self._remember(key, ahead)
            return self._recent.get(key)

    def _read_seal(self, key: str) -> bytes | None:
        """Read a seal by one request and keep it, as it is asked for value by value; None if large.

        What is sealed does not change.
        """
        if key not in self._recent:
            try:
                body, facts = read_object(self._here.connection, self._here.at(key), 0, _NEAR)
            except S3InvalidRange:
                return b""
            except S3NotFound as error:
                raise MissingKey(key, self.place) from error
            self._remember(key, body if len(body) == facts.size else None)
        return self._recent.get(key)

    def _remember(self, key: str, body: bytes | None) -> None:
        while len(self._recent) >= _RECENT:
            # A tuple, because another thread of a client may be reading too.
            self._recent.pop(next(iter(tuple(self._recent))), None)
        self._recent[key] = body

    def _keep_near(self, key: str, data: Buffer) -> None:
        path = self._near_path(key)
        draft = f"{path}.{os.getpid()}"
        try:
            try:
                write_local(draft, data)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write_local(draft, data)
            os.replace(draft, path)
        except OSError:
            remove_local(draft)  # what is not kept near is read from where it is
