"""Bytes by key in a folder of this machine's file system: a key is a path below the root."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from stat import S_ISREG
from types import TracebackType
from typing import Self

from plait.base.errors import PlaitError
from plait.storage.descriptors import (
    ONE_READ,
    append_all,
    copy_file,
    gather,
    map_file,
    read_part,
    write_all,
)
from plait.storage.errors import StorageFailed, storage_error
from plait.storage.keys import check_key, is_key
from plait.storage.protocol import UPLOAD, Buffer, MissingKey, Upload

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would turn line ends into others without it
_READ = os.O_RDONLY | _BINARY
_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY
_APPEND = os.O_CREAT | os.O_APPEND | os.O_WRONLY | _BINARY

_COPIED_VIEW = 1 << 18
"""Up to so many bytes, a copy costs less than a mapping does."""

_NO_LINKS = {errno.EPERM, errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
"""How file systems say that they have no hard links; AFS has them only within one folder."""

_names = count()


class LocalStorage:
    """Bytes by key below a root folder.

    What is being written lies in a scratch folder on the same file system until it is whole, and
    then gets its name in one step, which fails if the name is taken. Nothing is forced to the
    disk: a process may die at any point, but after a power cut the newest objects may be damaged
    (which reading notices, because every floor above checks sums).

    Args:
        root: The folder of the objects; made when first written to.
        scratch: The folder of unfinished uploads; its own for each run, made when needed.
        link: Gives a file a second name, and fails if that exists. Another than the system's is
            only for tests of what happens where it does not work.
    """

    def __init__(
        self, root: str, scratch: str, *, link: Callable[[str, str], None] = os.link
    ) -> None:
        self._root = os.path.abspath(root)
        self._scratch = os.path.abspath(scratch)
        self._link = link

    @property
    def place(self) -> str:
        """The absolute path of the root; an object's file is `<place>/<key>`."""
        return self._root

    def excludes(self) -> bool:
        """Say that of two who put one key, one gets True."""
        return True

    def warm(self) -> None:
        """Do nothing: what reads and writes files is loaded."""

    def get(self, key: str) -> bytes:
        """Give all bytes under *key*. Raises MissingKey."""
        path = self._path(key)
        fd = self._open(key, path)
        try:
            return read_part(fd, 0, os.fstat(fd).st_size)
        except OSError as error:
            raise self._read_error(error, key, path) from error
        finally:
            os.close(fd)

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Give up to *length* bytes from *offset* on. Raises MissingKey."""
        path = self._path(key)
        fd = self._open(key, path)
        try:
            if length > ONE_READ:
                # A length may come out of a damaged file; memory is taken for what is there only.
                length = max(0, min(length, os.fstat(fd).st_size - offset))
            return read_part(fd, offset, length)
        except OSError as error:
            raise self._read_error(error, key, path) from error
        finally:
            os.close(fd)

    def view(self, key: str) -> memoryview:
        """Give all bytes under *key* as private, writable memory. Raises MissingKey.

        Large files are mapped copy-on-write: pages that nobody writes to are the page cache's own.
        """
        path = self._path(key)
        fd = self._open(key, path)
        try:
            size = os.fstat(fd).st_size
            if size > _COPIED_VIEW:
                return map_file(fd, size)
            return copy_file(fd, memoryview(bytearray(size)))
        except OSError as error:
            raise self._read_error(error, key, path) from error
        finally:
            os.close(fd)

    def view_anew(self, key: str) -> memoryview:
        """Give what `view` gives: nothing is kept nearer. Raises MissingKey."""
        return self.view(key)

    def put(self, key: str, parts: Iterable[Buffer]) -> bool:
        """Write *parts*, one after another, under *key*, if nothing is there yet."""
        check_key(key)
        with self.upload() as upload:
            for piece in gather(parts):
                upload.write(piece)
            return upload.commit(key)

    def put_all(self, objects: Sequence[tuple[str, Sequence[Buffer]]]) -> None:
        """Write each key's parts, where nothing is there yet."""
        for key, parts in objects:
            self.put(key, parts)

    def bring(self, keys: Sequence[str], *, keep: bool = False) -> None:
        """Do nothing: all is near."""

    def upload(self) -> Upload:
        """Begin an object whose key is known only once it is written."""
        return _LocalUpload(self._root, self._scratch, self._link)

    def append(self, key: str, data: Buffer) -> None:
        """Add *data* to the end of the log *key*, making it if need be; all of it or nothing."""
        path = self._path(key)
        try:
            try:
                fd = os.open(path, _APPEND, 0o666)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                fd = os.open(path, _APPEND, 0o666)
            try:
                append_all(fd, data)
            finally:
                os.close(fd)
        except OSError as error:
            raise storage_error(error, path, "write") from error

    def flush(self, key: str) -> None:
        """Do nothing but check *key*: what was appended is seen at once."""
        check_key(key)

    def refresh(self, key: str) -> bool:
        """Say that another read of *key* gives the same: the files are all there is."""
        check_key(key)
        return False

    def modified(self, key: str) -> float | None:
        """Give when *key* was written, in seconds since 1970; None if it is not there."""
        facts = self._find_facts(key)
        return None if facts is None else facts.st_mtime

    def has(self, key: str) -> bool:
        """Say whether anything is stored under *key*."""
        return self._find_facts(key) is not None

    def size(self, key: str) -> int:
        """Give the number of bytes under *key*. Raises MissingKey."""
        facts = self._find_facts(key)
        if facts is None:
            raise MissingKey(key, self._root)
        return facts.st_size

    def iter_keys(self, prefix: str) -> Iterator[str]:
        """Give every key that begins with the folder *prefix*, sorted."""
        check_key(prefix)
        yield from self._walk(prefix)

    def iter_folders(self, prefix: str = "") -> Iterator[str]:
        """Give the names of the folders right below *prefix*, sorted."""
        path = self._path(prefix) if prefix else self._root
        try:
            with os.scandir(path) as entries:
                yield from sorted(e.name for e in entries if e.is_dir() and is_key(e.name))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise storage_error(error, path, "list") from error

    def delete(self, key: str) -> None:
        """Remove *key*; nothing happens if it is not there."""
        path = self._path(key)
        try:
            os.unlink(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            if os.path.isdir(path):
                return  # a folder of keys is no key
            raise storage_error(error, path, "remove") from error

    def prune(self, prefix: str) -> None:
        """Remove the folder *prefix* as far as it holds no keys."""
        for folder, _, _ in os.walk(self._path(prefix), topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass  # it holds something, or is gone already; both are as it should be

    def sweep(self, folder: str | None = None) -> None:
        """Remove a scratch folder with all that is in it."""
        scratch = folder or self._scratch
        try:
            os.rmdir(scratch)
        except (FileNotFoundError, NotADirectoryError):
            return  # nothing was ever written, or could be, or another process swept
        except OSError:
            if folder is None or not _names_uploads(folder):
                _sweep_leftovers(scratch)

    def _path(self, key: str) -> str:
        check_key(key)
        return f"{self._root}/{key}"

    def _find_facts(self, key: str) -> os.stat_result | None:
        path = self._path(key)
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise storage_error(error, path, "read") from error
        return found if S_ISREG(found.st_mode) else None

    def _open(self, key: str, path: str) -> int:
        try:
            return os.open(path, _READ)
        except OSError as error:
            raise self._read_error(error, key, path) from error

    def _read_error(self, error: OSError, key: str, path: str) -> PlaitError:
        if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
            return MissingKey(key, self._root)
        return storage_error(error, path, "read")

    def _walk(self, folder: str) -> Iterator[str]:
        path = f"{self._root}/{folder}"
        try:
            with os.scandir(path) as entries:
                # A folder sorts as its keys do, with the slash: 'a.b' comes before 'a/b'.
                names = sorted(
                    f"{entry.name}/" if entry.is_dir() else entry.name
                    for entry in entries
                    if is_key(entry.name)
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise storage_error(error, path, "list") from error
        for name in names:
            if name.endswith("/"):
                yield from self._walk(f"{folder}/{name[:-1]}")
            else:
                yield f"{folder}/{name}"


class _LocalUpload:
    """A file in the scratch folder, until `commit` gives it a name below the root."""

    def __init__(self, root: str, scratch: str, link: Callable[[str, str], None]) -> None:
        self._root = root
        self._link = link
        try:
            try:
                self._fd, self._path = _create(scratch)
            except FileNotFoundError:
                os.makedirs(scratch, exist_ok=True)
                self._fd, self._path = _create(scratch)
        except OSError as error:
            raise storage_error(error, scratch, "write") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            try:
                self._close()
            finally:
                os.unlink(self._path)
        except FileNotFoundError:
            return  # renamed to its key
        except OSError as failed:
            if error is None:  # else what is already on its way says more
                raise storage_error(failed, self._path, "remove") from failed

    def write(self, data: Buffer) -> None:
        try:
            write_all(self._fd, data)
        except OSError as error:
            raise storage_error(error, self._path, "write") from error

    def commit(self, key: str) -> bool:
        check_key(key)
        target = f"{self._root}/{key}"
        try:
            self._close()
            try:
                return self._name(target)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                return self._name(target)
        except OSError as error:
            raise storage_error(error, target, "write") from error

    def _close(self) -> None:
        if self._fd >= 0:
            # On a network file system, closing is where a full disk is noticed.
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _name(self, target: str) -> bool:
        try:
            self._link(self._path, target)
        except FileExistsError:
            if os.path.isdir(target):
                raise StorageFailed(target, "write", "there is a folder of that name") from None
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return _rename(self._path, target)
        return True


def _rename(path: str, target: str) -> bool:
    """Rename, if *target* does not exist; for file systems without hard links."""
    if sys.platform == "win32":
        try:
            os.rename(path, target)  # refuses by itself to replace
        except FileExistsError:
            return False
        return True
    import fcntl

    folder = os.open(os.path.dirname(target), os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
        except OSError:
            pass  # no locks either: the moment between looking and renaming stays open
        if os.path.lexists(target):
            return False
        os.rename(path, target)
        return True
    finally:
        os.close(folder)


def _create(scratch: str) -> tuple[int, str]:
    """Make a new file in the folder *scratch*, and give its descriptor and path."""
    while True:
        path = f"{scratch}/{os.getpid()}-{next(_names)}"
        try:
            return os.open(path, _CREATE, 0o666), path
        except FileExistsError:
            continue  # left by an earlier process of the same id


def _names_uploads(folder: str) -> bool:
    """Say whether a run that kept its values elsewhere left word there of what it had begun."""
    return any(name.endswith(UPLOAD) for name in os.listdir(folder))


def _sweep_leftovers(scratch: str) -> None:
    # Only a process that was killed leaves something; else nobody pays for this import.
    import shutil

    try:
        shutil.rmtree(scratch)
    except FileNotFoundError:
        return  # another process swept at the same time
    except OSError as error:
        raise storage_error(error, scratch, "remove") from error
