"""How plait tells a person about a mistake: what, why and fix, with their own names and line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the user's source: a file and, where known, a line (from 1)."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake, in the four parts that a person needs.

    Args:
        slug: Kebab-case name of the mistake; its page is `docs/errors/<slug>.md`.
        what: One sentence with the user's own names.
        why: What is there instead, or the rule that it breaks.
        fix: The line to write or the command to run.
        where: The place in the user's source, where there is one.
    """

    slug: str
    what: str
    why: str = ""
    fix: str = ""
    where: Where | None = None

    def format(self) -> str:
        """Give the finding as the lines that a terminal shows."""
        place = "" if self.where is None else f" ({self.where})"
        lines = [f"error[{self.slug}]: {self.what}{place}"]
        for label, text in (("why", self.why), ("fix", self.fix)):
            if text:
                head, *rest = text.splitlines()
                lines.append(f"  {label}: {head}")
                lines.extend(f"       {line}" for line in rest)
        return "\n".join(lines)


class PlaitError(Exception):
    """A mistake that a person can make and mend; every subclass is one, with a slug of its own.

    A subclass takes *facts* and builds its sentences. A bug of plait's own is an `AssertionError`
    instead, never one of these.
    """

    slug: ClassVar[str] = "plait-error"
    exit_code: ClassVar[int] = 1

    def __init__(
        self, what: str, *, why: str = "", fix: str = "", where: Where | None = None
    ) -> None:
        super().__init__(what)
        self.findings: Sequence[Finding] = (Finding(self.slug, what, why, fix, where),)

    def place(self, where: Where | None) -> None:
        """Say where the mistake is written, for findings that could not know when they were made.

        Args:
            where: The place; None leaves them as they are.
        """
        self.findings = tuple(
            replace(finding, where=finding.where or where) for finding in self.findings
        )

    def format(self) -> str:
        """Give every finding of this error, in the order found, as the terminal shows them."""
        return "\n".join(finding.format() for finding in self.findings)

    def __str__(self) -> str:
        return self.format()

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take facts of their own, so the default (call the class with `args`) would
        # fail when an error travels from a task's process by pickle.
        return (_rebuild, (type(self), self.args, self.__dict__))


class UsageError(PlaitError):
    """A command, option or argument is wrong; the command line exits with 2."""

    slug = "usage"
    exit_code = 2


class InvalidFlow(PlaitError):
    """A flow breaks rules of the graph or of its declarations; holds all findings at once."""

    slug = "invalid-flow"

    def __init__(self, flow: str, findings: Iterable[Finding]) -> None:
        found = tuple(findings)
        count = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
        super().__init__(f"flow '{flow}' has {count}")
        self.findings = found


def _rebuild(cls: type[PlaitError], args: tuple[Any, ...], state: dict[str, Any]) -> PlaitError:
    error = cls.__new__(cls)
    Exception.__init__(error, *args)
    error.__dict__.update(state)
    return error


def shown_path(path: str) -> str:
    """Give *path* as messages show it: from the working directory on, if it lies in there."""
    try:
        here = os.path.join(os.getcwd(), "")
    except FileNotFoundError:  # the working directory was deleted, so nothing lies in it
        return path
    return path.removeprefix(here)


def nearest(name: str, known: Iterable[str]) -> str:
    """Give a sentence that names what *name* may have meant, or what there is; empty if nothing is.

    Args:
        name: What the user wrote.
        known: What exists.
    """
    import difflib

    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"there is: {shown}"
