"""Options that mean nothing as they are given: with no value, or beside others, or without them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from plait_harness.mistakes import Mistake, refuse
from plait_harness.options import OPTIONS, SELECTING
from plait_harness.sources import split_names

_NEEDS = {
    "--update-floors": "--coverage",
    "--coverage-with": "--coverage",
    "--keep-found": "--generate",
    "--shrink-seconds": "--generate",
}
"""Options that do nothing without another."""

_PARTS = (*(flag for flag in SELECTING if flag != "--contexts"), "--generate", "--cover")
_PARTS += ("--rerun-failed",)
"""Options that leave a context with some of its cases, so that they can not be counted."""

_MODES: Mapping[str, Collection[str]] = {
    "--update-kept": (),
    "--mutants": ("--report", "--num-parallel"),
}
"""Options that run no matrix, and those that mean something beside them."""

_LISTED = ("--rerun-failed", "--update-tally", "--update-floors")
"""Options that would have what is listed be other cases, or write something down."""


def check_options(get: Callable[[str], Any]) -> None:
    """Refuse options that mean nothing as they are given, on either command line.

    Args:
        get: Gives the value of an attribute by its name; see `Option.dest`.

    Raises:
        Mistake: There are some; tells of all.
    """
    given = find_given(get)
    values = {option.flag: get(option.dest) for option in OPTIONS}
    refuse(
        [
            *(name_nothing(flag) for flag in SELECTING if names_nothing(values[flag])),
            *(
                Mistake(f"{flag} does nothing without {needed}")
                for flag, needed in _NEEDS.items()
                if flag in given and needed not in given
            ),
            *(
                Mistake(f"--coverage-with {path}: there is no such file")
                for path in values["--coverage-with"] or ()
                if not os.path.isfile(path)
            ),
            *_find_counted(given),
        ]
    )


def check_modes(chosen: Mapping[str, Any], given: Collection[str], rest: Sequence[str]) -> None:
    """Refuse what stands beside an option that runs nothing, or no matrix, and means nothing there.

    Args:
        chosen: The values of the options that only the command has, by flag.
        given: The options of both command lines that were given.
        rest: What pytest would be given.

    Raises:
        Mistake: There is such; tells of all.
    """
    own = [flag for flag, value in chosen.items() if value not in (None, False, 0)]
    found = []
    if names_nothing(chosen["--mutants"]):
        found.append(Mistake("--mutants names nothing", "`all` is every one"))
    for mode, allowed in _MODES.items():
        if mode in own:
            others = [each for each in (*given, *own) if each != mode and each not in allowed]
            others += _pytests(rest)
            found += [Mistake(f"{each} means nothing beside {mode}") for each in others]
    if "--list" in own and not any(mode in own for mode in _MODES):
        others = [each for each in given if each in _LISTED] + _pytests(rest)
        found += [
            Mistake(f"{each} means nothing beside --list, which runs no case") for each in others
        ]
    if "--debug" in own and chosen["--num-parallel"] > 1:
        found.append(Mistake("--num-parallel means nothing beside --debug, which runs in order"))
    refuse(found)


def find_given(get: Callable[[str], Any]) -> list[str]:
    """Give the options that were given, and not as they are without."""
    return [
        option.flag
        for option in OPTIONS
        if get(option.dest) != option.declaration()["default"]
        and not names_nothing(get(option.dest))
    ]


def names_nothing(value: Any) -> bool:
    """Find out whether an option was given that names nothing, as by an empty variable."""
    return isinstance(value, str) and not split_names(value)


def name_nothing(flag: str) -> Mistake:
    """Give the mistake of an option that names nothing."""
    return Mistake(f"{flag} names nothing", "leave it out for all, or give names")


def _find_counted(given: Collection[str]) -> Iterator[Mistake]:
    if "--update-tally" in given:
        for flag in _PARTS:
            if flag in given:
                yield Mistake(
                    f"--update-tally counts whole contexts, and {flag} leaves some of one",
                    "choose by --contexts alone",
                )


def _pytests(rest: Sequence[str]) -> list[str]:
    return [" ".join(rest)] if rest else []
