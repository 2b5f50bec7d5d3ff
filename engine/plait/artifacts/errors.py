"""What can go wrong with a value: it can't be pickled or unpickled, is damaged, or is gone."""

from __future__ import annotations

from dataclasses import dataclass

from plait.base.errors import PlaitError
from plait.base.pathspec import AttemptKey


@dataclass(frozen=True, slots=True)
class Culprit:
    """What can't be pickled: the way to it from the artifact, its type, and why not."""

    path: str
    type: str
    reason: str


class UnpicklableArtifact(PlaitError):
    """A value can't be stored, because it or something in it can't be pickled."""

    slug = "unpicklable-artifact"

    def __init__(self, name: str, type_: str, culprit: Culprit) -> None:
        self.name, self.type, self.culprit = name, type_, culprit
        if culprit.path == name:
            part = "it can't be pickled"
        else:
            part = f"{culprit.path}, of type {culprit.type}, can't be pickled"
        super().__init__(
            f"artifact '{name}' of type {type_} can't be stored: {part}",
            why=culprit.reason,
            fix=f"store in self.{name} only what pickles, such as the data that {culprit.path} is "
            "made from; or keep it in a local variable, which is not stored",
        )


class UnreadableArtifact(PlaitError):
    """A value's bytes are whole, but Python can't make the value of them in this process."""

    slug = "unreadable-artifact"

    def __init__(self, name: str, type_: str, reason: str) -> None:
        self.name, self.type = name, type_
        what = f"artifact '{name}'" if name else "an artifact"
        if reason.startswith("ModuleNotFoundError"):
            fix = "install that module here, or run where it can be imported (see PYTHONPATH)"
        elif "__main__" in reason:
            fix = (
                "a class defined in a script can be read in that script only: move it to a module "
                "that both import, or read the artifact in the script that wrote it"
            )
        else:
            fix = (
                "read it with the code and the package versions that wrote it; the pickle itself "
                "is undamaged"
            )
        super().__init__(
            f"{what} of type {type_} cannot be read in this process", why=reason, fix=fix
        )


class DamagedArtifact(PlaitError):
    """The bytes of a value are not those that were written."""

    slug = "damaged-artifact"

    def __init__(self, name: str, file: str, reason: str) -> None:
        self.name, self.file = name, file
        what = f"artifact '{name}'" if name else "an artifact"
        super().__init__(
            f"{what} is damaged in '{file}'",
            why=reason,
            fix="restore that file from a copy; or remove it and run again the task that wrote it",
        )


class DamagedAttempt(PlaitError):
    """The file of a sealed attempt is not as it was written."""

    slug = "damaged-attempt"

    def __init__(self, file: str, reason: str) -> None:
        self.file = file
        super().__init__(
            f"the sealed attempt '{file}' is damaged",
            why=reason,
            fix="restore that file from a copy; or remove it and resume the run, which runs that "
            "task again",
        )


class UnknownFormat(PlaitError):
    """Something in the store was written by a plait whose format this one does not know."""

    slug = "unknown-format"

    def __init__(self, file: str, found: str) -> None:
        super().__init__(
            f"'{file}' is in a format that this version of plait does not know",
            why=f"it says of itself: {found}",
            fix="read it with the version of plait that wrote it, or a newer one",
        )


class MissingArtifact(PlaitError):
    """The file that should hold a value is not there."""

    slug = "missing-artifact"

    def __init__(self, name: str, file: str) -> None:
        what = f"the value of artifact '{name}'" if name else "the value of an artifact"
        super().__init__(
            f"{what} is gone: there is no file '{file}'",
            why="a sealed attempt refers to it, so it was there when that was written",
            fix="restore the file from a copy; or run again the task that wrote it",
        )


class MissingAttempt(PlaitError):
    """A task's attempt has no seal: it has not ended, or was never begun."""

    slug = "missing-attempt"

    def __init__(self, key: AttemptKey, place: str) -> None:
        super().__init__(
            f"there is no finished attempt {key}",
            why=f"'{place}' holds no seal of it; it has not ended, was never begun, or was removed",
            fix="wait until the task has ended, or look at another run",
        )
