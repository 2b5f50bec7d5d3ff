"""What can be wrong with a code package: too much to put into it, or not what was put into it."""

from __future__ import annotations

from plait.base.errors import PlaitError


class TooMuchCode(PlaitError):
    """A flow's folder holds more than a code package takes."""

    slug = "too-much-code"

    def __init__(self, folder: str, found: str, limit: str) -> None:
        super().__init__(
            f"'{folder}' holds {found}, and a code package takes {limit}",
            why="what travels is the flow's folder: all files in it, and below it, that have one "
            "of the suffixes",
            fix="put the flow into a folder of its own, or name fewer --package-suffixes",
        )


class NoCode(PlaitError):
    """There is no file whose folder could be packaged, such as for a flow read from a pipe."""

    slug = "no-code"

    def __init__(self, flow: str) -> None:
        super().__init__(
            f"flow '{flow}' has no folder that could travel",
            why="its class is written in no file: it came from a pipe or a notebook's cell",
            fix="save it as a file of its own and start that",
        )


class UnreadableCode(PlaitError):
    """A file that belongs into a code package cannot be read."""

    slug = "unreadable-code"

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(
            f"'{path}' belongs to the flow's code and cannot be read",
            why=error.strerror or str(error),
            fix="make it readable, move it out of the flow's folder, or name other "
            "--package-suffixes",
        )


class MissingPackage(PlaitError):
    """A run's code package is not where it was written."""

    slug = "missing-package"

    def __init__(self, file: str) -> None:
        super().__init__(
            f"the code package {file} is gone",
            why="a run that is recorded ran with it, and the file is not there",
            fix="bring the file back from a copy; the run's results do not need it",
        )


class DamagedPackage(PlaitError):
    """A code package does not hold what its address says."""

    slug = "damaged-package"

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(
            f"the code package {file} is damaged",
            why=reason,
            fix="bring the file back from a copy; or remove it, and the next run of the same code "
            "writes it anew",
        )


class UnsafePackage(PlaitError):
    """An archive holds something that would be written outside of the folder it is unpacked in."""

    slug = "unsafe-package"

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(
            f"member {member!r} of the archive is not unpacked, nor is any other",
            why=reason,
            fix="plait writes no such archive: find out where it came from",
        )
