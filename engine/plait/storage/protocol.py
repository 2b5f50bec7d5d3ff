"""What a store of bytes promises, whichever it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

from plait.base.errors import PlaitError

Buffer = bytes | bytearray | memoryview
"""What may be written: bytes in any of their forms; a memoryview is of single bytes."""


YOUNG_SECONDS = 86_400.0
"""Where other machines write, too, who cleans leaves what is younger: somebody may be about to
refer to it. So what is kept once for all who need it counts as written whenever it is kept again:
such an object is written anew, the same as it is, when it is older than half of this."""


def is_shared(place: str) -> bool:
    """Say whether other machines may write to a storage, whom no lock of this one keeps from it.

    Args:
        place: The storage's place.
    """
    return "://" in place


class MissingKey(PlaitError):
    """Nothing is stored under a key; floors above turn it into a sentence of their own."""

    slug = "missing-key"

    def __init__(self, key: str, place: str) -> None:
        super().__init__(
            f"nothing is stored under '{key}'",
            why=f"looked in {place}",
            fix="check that the store is the one that the run was written to",
        )
        self.key = key


UPLOAD = ".upload"
"""How the names of files in a scratch folder end that say which uploads have begun elsewhere."""


class Upload(Protocol):
    """Bytes on their way in, under no key yet; nobody can read them before `commit`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop what was not committed."""
        ...

    def write(self, data: Buffer) -> None:
        """Add *data* at the end."""
        ...

    def commit(self, key: str) -> bool:
        """Make the bytes appear under *key*, whole.

        Returns:
            True if they are now there; False if *key* already held something, which stays.
        """
        ...


class Storage(Protocol):
    """Bytes by key.

    A key is one or more segments divided by `/`; no segment is empty, `.` or `..`, or holds a NUL
    or a backslash. An object appears whole or not at all, and once there never changes, except
    that `append` adds to a log's end. No key is a folder of another. All methods may be called from
    any process at any time; one instance is used by one process, and a forked child opens its own.
    """

    @property
    def place(self) -> str:
        """Where this is, for messages: a path or a URL."""
        ...

    def excludes(self) -> bool:
        """Say whether `put` of one key by two at the same instant gives True to one of them only.

        Where it does not, both may get True, and what is there is of the later one.
        """
        ...

    def warm(self) -> None:
        """Load what processes that are forked from this one need to read and write.

        For the process that forks tasks, before it does; opens nothing, and asks nobody.
        """
        ...

    def get(self, key: str) -> bytes:
        """Give all bytes under *key*. Raises MissingKey."""
        ...

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Give up to *length* bytes from *offset* on. Raises MissingKey."""
        ...

    def view(self, key: str) -> memoryview:
        """Give all bytes under *key* as memory that is private to the caller and writable.

        Local stores map the file, so that a large value costs no copy. Raises MissingKey.
        """
        ...

    def view_anew(self, key: str) -> memoryview:
        """Give what `view` gives, read from the store itself, and keep nothing of it nearer.

        For who wants to know whether it is whole there. Raises MissingKey.
        """
        ...

    def put(self, key: str, parts: Iterable[Buffer]) -> bool:
        """Write *parts*, one after another, under *key*, if nothing is there yet.

        What has its address for a key is young then, see `YOUNG_SECONDS`.

        Returns:
            True if they are now there; False if *key* already held something, which stays.
        """
        ...

    def put_all(self, objects: Sequence[tuple[str, Sequence[Buffer]]]) -> None:
        """Do as `put` does for each key with its parts, several at once where that is faster."""
        ...

    def bring(self, keys: Sequence[str], *, keep: bool = False) -> None:
        """Bring small objects near, for who is about to read them one after another.

        Only a store that is far away does anything. What is missing or large is passed over.

        Args:
            keys: Some hundred of them at most.
            keep: Whether they stay near, for all processes of the same scratch name until `sweep`;
                else for this process to read each once.
        """
        ...

    def upload(self) -> Upload:
        """Begin an object whose key is known only once it is written."""
        ...

    def append(self, key: str, data: Buffer) -> None:
        """Add *data* to the end of the log *key*, making it if need be. One writer a key.

        Others may see it later, but not after `flush`.
        """
        ...

    def flush(self, key: str) -> None:
        """Make everybody see all that was appended to the log *key*; for its writer, at its end."""
        ...

    def refresh(self, key: str) -> bool:
        """Forget what is kept of *key* nearer than the store itself.

        For a reader that found damage: it may have come about on the way.

        Returns:
            Whether another read may give something else.
        """
        ...

    def modified(self, key: str) -> float | None:
        """Give when *key* was written, in seconds since 1970; None if it is not there."""
        ...

    def has(self, key: str) -> bool:
        """Say whether anything is stored under *key*."""
        ...

    def size(self, key: str) -> int:
        """Give the number of bytes under *key*. Raises MissingKey."""
        ...

    def iter_keys(self, prefix: str) -> Iterator[str]:
        """Give every key that begins with the folder *prefix* (`a/b` means `a/b/...`), sorted."""
        ...

    def iter_folders(self, prefix: str = "") -> Iterator[str]:
        """Give the names of the folders right below the folder *prefix*, sorted; "" is the root.

        A folder that holds no key any more may be among them.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove *key*; nothing happens if it is not there."""
        ...

    def prune(self, prefix: str) -> None:
        """Remove the folder *prefix* as far as it holds no keys.

        Only for where nobody writes: a folder may go while another process is about to use it.
        """
        ...

    def sweep(self, folder: str | None = None) -> None:
        """Remove what uploads of a scratch name left unfinished, wherever that is.

        By whichever process; so it is only for when no process of that scratch name is left.

        Args:
            folder: The scratch folder; None for this instance's own. Another one stays where it
                names uploads that can't be ended from here.
        """
        ...
