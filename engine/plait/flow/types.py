"""The kinds of value that a parameter may have: how text becomes one, and how each is described."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, Protocol, get_args, get_origin

from plait.base.errors import nearest

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


class BadValue(Exception):
    """The reason why something is not a value; parameters make a finding of it."""


class JSONType:
    """The type of a parameter that is any JSON value: `Parameter("config", type=JSONType)`."""


class ValueKind(Protocol):
    """One kind of value."""

    @property
    def words(self) -> str:
        """What it is, for a person: `a whole number`."""
        ...

    @property
    def choices(self) -> tuple[str, ...]:
        """The texts allowed; empty if there are too many to list."""
        ...

    def parse(self, text: str) -> object:
        """Give the value that *text* stands for. Raises BadValue."""
        ...

    def accept(self, value: object) -> object:
        """Give the value for an object of Python's. Raises BadValue."""
        ...

    def format(self, value: object) -> str:
        """Give the text that `parse` would turn into *value*."""
        ...


def convert(kind: ValueKind, value: object) -> object:
    """Turn *value*, text or not, into a value of *kind*. Raises BadValue."""
    return kind.parse(value) if isinstance(value, str) else kind.accept(value)


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, a number or a truth value."""

    type: type

    @property
    def words(self) -> str:
        """What it is, for a person."""
        return _SCALARS[self.type]

    @property
    def choices(self) -> tuple[str, ...]:
        """None are listed."""
        return ()

    def parse(self, text: str) -> object:
        """Give the value that *text* stands for."""
        if self.type is str:
            return text
        if self.type is bool:
            return _parse_bool(text)
        try:
            return self.type(text.strip())
        except ValueError:
            raise BadValue(f"{_shorten(repr(text))} is not {self.words}") from None

    def accept(self, value: object) -> object:
        """Give the value for an object of Python's."""
        wanted = (int, float) if self.type is float else self.type
        if not isinstance(value, wanted) or (isinstance(value, bool) and self.type is not bool):
            raise BadValue(f"{value!r} ({type(value).__name__}) is not {self.words}")
        return float(value) if self.type is float and type(value) is int else value

    def format(self, value: object) -> str:
        """Give the text that stands for *value*."""
        return str(value)


_SCALARS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _parse_bool(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise BadValue(f"{text!r} is neither true nor false (true, yes, on, 1; false, no, off, 0)")


@dataclass(frozen=True, slots=True)
class Json:
    """Any value that JSON can say."""

    words: str = "JSON"
    choices: tuple[str, ...] = ()

    def parse(self, text: str) -> object:
        """Give the value that *text* stands for."""
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadValue(f"{_shorten(text)} is not JSON: {error}") from None

    def accept(self, value: object) -> object:
        """Give the value for an object of Python's, as JSON would give it back."""
        try:
            return json.loads(json.dumps(value))
        except (TypeError, ValueError, RecursionError) as error:
            raise BadValue(f"{_shorten(repr(value))} cannot be JSON: {error}") from None

    def format(self, value: object) -> str:
        """Give the text that stands for *value*."""
        return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values: the members of an Enum or of a Literal.

    Args:
        values: The values by the text that stands for each, in order.
        aliases: Other texts that are understood: an Enum member's own value.
    """

    values: Mapping[str, object]
    aliases: Mapping[str, object]

    @property
    def words(self) -> str:
        """What it is, for a person."""
        return f"one of {', '.join(self.values)}"

    @property
    def choices(self) -> tuple[str, ...]:
        """The texts allowed."""
        return tuple(self.values)

    def parse(self, text: str) -> object:
        """Give the value that *text* stands for."""
        for texts in (self.values, self.aliases):
            if text in texts:
                return texts[text]
        hint = nearest(text, self.values)
        raise BadValue(f"{text!r} is not {self.words}" + (f"; {hint}" if "mean" in hint else ""))

    def accept(self, value: object) -> object:
        """Give the value for an object of Python's."""
        for known in (*self.values.values(), *self.aliases.values()):
            # True == 1, so equality alone would let a number stand for a truth value.
            if type(known) is type(value) and known == value:
                return known
        raise BadValue(f"{value!r} is not {self.words}")

    def format(self, value: object) -> str:
        """Give the text that stands for *value*."""
        return next(text for text, known in self.values.items() if known is value or known == value)


@dataclass(frozen=True, slots=True)
class Separated:
    """A list, written as one text with a separator between its elements."""

    element: ValueKind
    separator: str

    @property
    def words(self) -> str:
        """What it is, for a person."""
        return f"{self.element.words}, any number of times, divided by {self.separator!r}"

    @property
    def choices(self) -> tuple[str, ...]:
        """None are listed, because any number of them may be given."""
        return ()

    def parse(self, text: str) -> object:
        """Give the list that *text* stands for; nothing for no text."""
        return [self.element.parse(part) for part in text.split(self.separator)] if text else []

    def accept(self, value: object) -> object:
        """Give the list for a list or tuple of Python's."""
        if not isinstance(value, (list, tuple)):
            raise BadValue(f"{value!r} ({type(value).__name__}) is neither a list nor text")
        return [convert(self.element, part) for part in value]

    def format(self, value: object) -> str:
        """Give the text that stands for *value*."""
        assert isinstance(value, list)
        return self.separator.join(self.element.format(part) for part in value)


def infer_kind(given: object, default: object, separator: str | None) -> ValueKind:
    """Decide what kind of value a parameter has.

    Args:
        given: The `type=` of the parameter, or None.
        default: Its default, or None; a function says nothing about the kind.
        separator: Its `separator=`, or None.

    Raises:
        BadValue: *given* or *default* is of no kind that there is.
    """
    if separator is None:
        return _infer_one(given, default)
    if not isinstance(separator, str) or not separator:
        raise BadValue(f"separator={separator!r} is not a text with at least one character")
    if isinstance(default, (list, tuple)):
        default = default[0] if default else None
    return Separated(_infer_one(given, default), separator)


def _infer_one(given: object, default: object) -> ValueKind:
    if given is not None:
        return _kind_of_type(given)
    if default is None or callable(default):
        return Scalar(str)
    if isinstance(default, (dict, list, tuple)):
        return Json()
    if isinstance(default, Enum):
        return _kind_of_type(type(default))
    for scalar in (bool, int, float, str):
        if isinstance(default, scalar):
            return Scalar(scalar)
    raise BadValue(f"the default {default!r} is of type {type(default).__name__}")


def _kind_of_type(given: object) -> ValueKind:
    if given is JSONType or isinstance(given, JSONType):
        return Json()
    if isinstance(given, type) and given in _SCALARS:
        return Scalar(given)
    if isinstance(given, type) and issubclass(given, Enum):
        members = given.__members__
        return Choice(dict(members), {str(m.value): m for m in reversed([*members.values()])})
    if get_origin(given) is Literal:
        options: tuple[Any, ...] = get_args(given)
        return Choice({str(option): option for option in options}, {})
    raise BadValue(f"type={getattr(given, '__name__', given)!s} is not one that parameters have")


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
