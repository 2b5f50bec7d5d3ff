"""Keyword arguments as the options of a command line, and those that no command line can hold."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any

from plait.runner.errors import BadRunArgument

_MANY = {"tag": "tag", "tags": "tag", "with_": "with", "decospecs": "with"}
"""Arguments that give an option as often as they have elements; `with` is a word of Python's."""

FLAGS = frozenset({"quiet", "lint", "coverage"})
"""Options before the command that are there or not, and have no value."""

_LONGEST = 32_000
"""The most characters of one argument that every system takes."""


def format_options(
    given: Mapping[str, object], flags: Collection[str] = ()
) -> tuple[list[str], dict[str, object]]:
    """Give what a command line is called with for keyword arguments.

    Args:
        given: Values by name, where `_` stands for `-`. What is None is left out.
        flags: The names of options that have no value.

    Returns:
        The options; and by name the values that are handed over as JSON, since there is more than
        one way to write them as text, or too much of it.

    Raises:
        BadRunArgument: A value is of no kind that a run can be given.
    """
    options: list[str] = []
    handed: dict[str, object] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in _MANY:
            options.extend(f"--{_MANY[name]}={_format(name, each)}" for each in _many(value))
        elif name in flags:
            option = name.replace("_", "-")
            options.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, (list, tuple, dict)):
            handed[name] = _plain(name, value)
        else:
            text = _format(name, value)
            if len(text) > _LONGEST:
                handed[name] = text
            else:
                options.append(f"--{name.replace('_', '-')}={text}")
    return options, handed


def format_configs(
    config: Mapping[str, object] | Iterable[tuple[str, object]] | None,
    config_value: Mapping[str, object] | Iterable[tuple[str, object]] | None,
) -> list[str]:
    """Give the options that give a flow's configs their values.

    Args:
        config: The path of each config's file, by the config's name.
        config_value: The value of each config by its name: a dict, or the text of one.

    Raises:
        BadRunArgument: A value is none that JSON can hold.
    """
    options: list[str] = []
    for name, path in _pairs(config):
        options += ["--config", name, _format("config", path)]
    for name, value in _pairs(config_value):
        text = value if isinstance(value, str) else _dump("config_value", value)
        options += ["--config-value", name, text]
    return options


def check_surroundings(env: Mapping[str, str | None], folder: str | None, named: str) -> None:
    """Say what is wrong with the variables and the folder that a run is to have.

    Args:
        env: The variables; None takes one away.
        folder: The folder; None for that of this process.
        named: What the argument for the folder is called.

    Raises:
        BadRunArgument: A variable is no text, or there is no such folder.
    """
    for name, value in env.items():
        if value is not None and not isinstance(value, str):
            raise BadRunArgument(
                "env",
                {name: value},
                why=f"a variable is text, and {value!r} is of type {type(value).__name__}",
                fix=f"write it as text: env={{{name!r}: {str(value)!r}}}",
            )
    if folder is not None and not os.path.isdir(folder):
        raise BadRunArgument(
            named,
            folder,
            why=f"there is no such folder; the one that you are in is {os.getcwd()}",
            fix="make it first, or name one that is there",
        )


def _pairs(given: Any) -> Iterable[tuple[str, object]]:
    if isinstance(given, Mapping):
        return given.items()
    return given or ()


def _many(value: object) -> Iterable[object]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return (value,)
    return sorted(value) if isinstance(value, (set, frozenset)) else value


def _format(name: str, value: object) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    raise BadRunArgument(name, value)


def _plain(name: str, value: object) -> object:
    """Give *value* as what it is after a way through JSON."""
    import json

    plain: object = json.loads(_dump(name, value))
    return plain


def _dump(name: str, value: object) -> str:
    import json

    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        raise BadRunArgument(name, value) from None
