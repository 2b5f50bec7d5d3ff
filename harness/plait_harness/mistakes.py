"""A mistake in what the harness was given, told with file, name and what there is instead."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Callable, Iterable, Sequence
from typing import Any


class Mistake(Exception):
    """A specification or an option is wrong; nothing is run.

    Args:
        what: One sentence with the author's own names.
        details: Lines that say more: every problem found, or what there is instead.
    """

    def __init__(self, what: str, details: str = "") -> None:
        super().__init__(what, details)
        self.what = what
        self.details = details

    def __str__(self) -> str:
        lines = [self.what, *(f"  {line}" for line in self.details.splitlines())]
        return "\n".join(lines)


class UnknownName(Mistake):
    """A name given on the command line or in a specification names nothing."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no {kind} '{name}'", suggest(name, known))


class Mistakes(Mistake):
    """Several mistakes at once."""

    def __init__(self, found: Sequence[Mistake]) -> None:
        super().__init__(f"{len(found)} mistakes", "\n".join(map(str, found)))
        self.found = tuple(found)


def collect(*choices: Callable[[], Any]) -> list[Any]:
    """Give what each of *choices* gives. Raises Mistake, which tells all mistakes at once."""
    chosen: list[Any] = []
    mistakes: list[Mistake] = []
    for choose in choices:
        try:
            chosen.append(choose())
        except Mistake as mistake:
            mistakes.extend(mistake.found if isinstance(mistake, Mistakes) else (mistake,))
    refuse(mistakes)
    return chosen


def refuse(found: Iterable[Mistake]) -> None:
    """Raise what was found, all at once; do nothing if that is nothing. Raises Mistake."""
    mistakes = [*found]
    if mistakes:
        raise mistakes[0] if len(mistakes) == 1 else Mistakes(mistakes)


def suggest(name: str, known: Iterable[str]) -> str:
    """Give a sentence with the names nearest to *name*, or else all that there is."""
    names = sorted(set(known))
    lower = {each.lower(): each for each in names}
    close = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(f"'{lower[each]}'" for each in close) + "?"
    return "there is: " + (", ".join(names) if names else "none")


_REFUSALS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def is_refused(error: BaseException | None) -> bool:
    """Find out whether a disk or a folder refused something, which is no bug of the harness."""
    return isinstance(error, OSError) and error.errno in _REFUSALS


def describe_refusal(error: OSError) -> str:
    """Say it in a line, with the file if that is known."""
    said = error.strerror or str(error)
    return f"{said}: {error.filename}" if error.filename else said
