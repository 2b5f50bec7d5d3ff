"""The mistakes and mishaps that a store of facts can tell a person about."""

from __future__ import annotations

from collections.abc import Iterable

from plait.base.errors import Finding, PlaitError, UsageError
from plait.base.pathspec import RunKey


class UnknownRun(PlaitError):
    """A run is to be changed or written to that the store does not know."""

    slug = "unknown-run"

    def __init__(self, key: RunKey, place: str) -> None:
        super().__init__(
            f"there is no run '{key}'",
            why=f"looked in {place}",
            fix="check its flow and its id, and that you are in the folder it was started from",
        )
        self.key = key


class SystemTag(UsageError):
    """A tag that plait itself put on a run is to be added or removed."""

    slug = "system-tag"

    def __init__(self, run: str, tags: Iterable[str]) -> None:
        self.tags = tuple(sorted(tags))
        names = ", ".join(f"'{tag}'" for tag in self.tags)
        super().__init__(
            f"{names} of {run} cannot be added or removed",
            why="plait put it there itself, to say who ran it, where and with what",
            fix="choose another tag, or leave this one out",
        )


class BadTag(UsageError):
    """One or more tags are not ones that a run can have; holds all of them at once."""

    slug = "bad-tag"

    def __init__(self, mistakes: Iterable[tuple[object, str]]) -> None:
        found = tuple(mistakes)
        super().__init__("1 bad tag" if len(found) == 1 else f"{len(found)} bad tags")
        self.findings = tuple(
            Finding(
                self.slug,
                f"{_shorten(repr(tag))} cannot be a tag",
                why,
                "a tag is text of 1 to 500 characters on one line, such as 'nightly' or 'size: 3'",
            )
            for tag, why in found
        )


class BusyMetadata(PlaitError):
    """Another process kept the store of facts locked for longer than anyone should wait."""

    slug = "metadata-busy"

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(
            f"the facts about runs could not be reached for {seconds:g} seconds",
            why=f"another process holds {path} locked",
            fix=f"find it with: fuser -v {path} {path}-wal\n"
            "then let it finish, or stop it, and try again",
        )


class DamagedMetadata(PlaitError):
    """The file that should hold the facts is not a database, or not a whole one."""

    slug = "damaged-metadata"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} is damaged",
            why=f"SQLite says: {reason}",
            fix=f"move it aside: mv {path} {path}.damaged\n"
            "The results of runs are kept elsewhere, so that the next run begins a new one",
        )


class ForeignMetadata(PlaitError):
    """The file is a good database, but another program's."""

    slug = "foreign-metadata"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} is a database of another program",
            why="it has tables, but not plait's mark",
            fix="name another folder, or move the file out of plait's way",
        )


class NewerMetadata(PlaitError):
    """The facts were written by a later plait than this one."""

    slug = "newer-metadata"

    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(
            f"{path} was written by a later plait",
            why=f"it is of format {found}; this plait knows formats up to {known}",
            fix="pip install --upgrade plait",
        )


class ReadOnlyMetadata(PlaitError):
    """Facts are to be written, or could only be read by writing, where nothing may be written."""

    slug = "read-only-metadata"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} cannot be written",
            why=f"{reason}\nSQLite writes it, and makes files beside it, also in order to read",
            fix="make the folder writable for you, or work in a folder of your own",
        )


class UnavailableMetadata(PlaitError):
    """The operating system refuses the file that holds the facts."""

    slug = "metadata-unavailable"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} cannot be opened, read or written",
            why=reason,
            fix="check the folder's permissions and the space that is left: df -h, df -i",
        )


class DriverMissing(PlaitError):
    """The library that speaks to a kind of database is not installed."""

    slug = "driver-missing"

    def __init__(self, module: str, kind: str) -> None:
        super().__init__(
            f"{kind} cannot be spoken to",
            why=f"the library {module} is not installed",
            fix="pip install 'plait[service]'",
        )


class BadConnectionURL(UsageError):
    """The URL of a PostgreSQL database cannot be read; it is not shown, as it may hold a secret."""

    slug = "bad-connection-url"

    def __init__(self) -> None:
        super().__init__(
            "the URL of the PostgreSQL database cannot be read",
            why="it is none, or has a character in it that is to be written in another way",
            fix="write it like postgresql://user:password@host:5432/database; in user and "
            "password,\nwrite %40 for @, %2F for /, %3A for :, %25 for % and %20 for a blank",
        )


class DatabaseUnreachable(PlaitError):
    """A database server does not answer, or does not let us in."""

    slug = "database-unreachable"

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"the database {place} cannot be reached",
            why=reason,
            fix="check that its server runs, and the user, password and name in the URL",
        )


def _shorten(text: str, length: int = 60) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
