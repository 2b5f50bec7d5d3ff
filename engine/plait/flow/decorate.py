"""How a decorator class becomes `@name` in code, or `--with name:key=value` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, overload

from plait.base.errors import Finding, UsageError
from plait.flow.config import is_later
from plait.flow.source import find_caller
from plait.flow.step import (
    MisplacedDecorator,
    PendingDecorator,
    add_decorator,
    add_finding,
    is_step,
)
from plait.hooks.flow import FlowDecorator
from plait.hooks.registry import get_decorator
from plait.hooks.step import BadDecorator, StepDecorator

Function = TypeVar("Function", bound=Callable[..., Any])
Attributes = ParamSpec("Attributes")

_ESCAPES = {"n": "\n", "t": "\t"}
_WORDS = {"True": True, "False": False, "None": None}


class BadWith(UsageError):
    """The text after `--with` is not of the form `name:key=value,...`."""

    slug = "bad-with"

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"--with {text!r} cannot be read",
            why=why,
            fix="write it as --with name or --with 'name:key=value,key=value'; put a value that "
            "holds a comma in double quotes",
        )


class DecoratorFunction(Generic[Attributes]):
    """What a user writes after the `@`: bare, or called with attributes.

    Args:
        decorator: The class that it makes decorators of.
    """

    def __init__(self, decorator: type[StepDecorator]) -> None:
        self.decorator = decorator
        self.__name__ = self.__qualname__ = decorator.name
        self.__doc__ = decorator.__doc__

    @overload
    def __call__(self, function: Function, /) -> Function: ...

    @overload
    def __call__(
        self, *nothing: Attributes.args, **attributes: Attributes.kwargs
    ) -> Callable[[Function], Function]: ...

    def __call__(self, *given: Any, **attributes: Any) -> Any:
        """Decorate a step, or give the decorator that has these attributes."""
        if given:
            return self._apply_bare(given, attributes)
        return lambda function: self._apply(function, attributes)

    def __repr__(self) -> str:
        return f"@{self.__name__}"

    def _apply_bare(self, given: tuple[Any, ...], attributes: Mapping[str, Any]) -> Any:
        target = given[0]
        if len(given) > 1 or attributes or not callable(target) or isinstance(target, type):
            if isinstance(target, (type, property, classmethod, staticmethod)):
                raise MisplacedDecorator(self.decorator.name, target)
            example = next(iter(self.decorator.defaults), "key")
            raise BadDecorator(
                self.decorator.name,
                f"{target!r} is given without the name of its attribute",
                why="attributes are given by name",
                fix=f"write @{self.decorator.name}({example}={target!r})",
            )
        return self._apply(target, {})

    def _apply(self, function: Any, attributes: Mapping[str, Any]) -> Any:
        name = self.decorator.name
        where = find_caller()
        if not hasattr(function, "__code__"):
            raise MisplacedDecorator(name, function)
        if not is_step(function) and not _is_in_class(function):
            raise MisplacedDecorator(name, function)
        if is_later(attributes):
            add_decorator(function, PendingDecorator(self.decorator, attributes, where))
            return function
        try:
            decorator = self.decorator(attributes, where=where)
        except BadDecorator as error:
            # Said with all other findings when the flow is read, because an exception here would
            # reach the user as a traceback and hide the others.
            for found in error.findings:
                add_finding(function, Finding(found.slug, found.what, found.why, found.fix, where))
        else:
            add_decorator(function, decorator)
        return function


def decorate(
    decorator: type[StepDecorator],
    attributes: Callable[Attributes, object] | None = None,  # noqa: ARG001  # only types are read
) -> DecoratorFunction[Attributes]:
    """Make the function that users write after an `@` out of a decorator class.

    Args:
        decorator: The class.
        attributes: A function that takes the attributes; type checkers then know them.
    """
    return DecoratorFunction(decorator)


def parse_with(text: str) -> StepDecorator | FlowDecorator:
    r"""Make the decorator that `--with` asks for.

    A value is read as JSON; `True`, `False` and `None` are understood too. What is neither is
    text. In text, a backslash keeps a comma or a backslash, and `\n` and `\t` are what they are
    in Python; single quotes around a text keep its commas as well.

    Args:
        text: Such as `retry:times=3,minutes_between_retries=0`.

    Raises:
        BadWith: The text is not of that form.
        UnknownDecorator: There is no such decorator.
        BadDecorator: The decorator has no such attribute, or can't use its value.
    """
    name, colon, rest = text.partition(":")
    name = name.strip()
    if not name:
        raise BadWith(text, "the name of a decorator is missing")
    attributes = _parse_attributes(text, rest) if colon else {}
    return get_decorator(name)(attributes)


def _is_in_class(function: Callable[..., Any]) -> bool:
    outer = function.__qualname__.rpartition(".")[0]
    return bool(outer) and not outer.endswith("<locals>")


def _parse_attributes(whole: str, rest: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    position = 0
    while position < len(rest):
        key, equals, _ = rest[position:].partition("=")
        if not equals:
            raise BadWith(whole, f"'{rest[position:]}' has no '='")
        position += len(key) + 1
        key = key.strip()
        if not key.isidentifier():
            raise BadWith(whole, f"'{key}' is not the name of an attribute")
        if key in found:
            raise BadWith(whole, f"'{key}' is given twice")
        found[key], position = _parse_value(whole, rest, position)
    return found


def _parse_value(whole: str, rest: str, start: int) -> tuple[Any, int]:
    """Read the value that begins at *start*; give it and where the next attribute begins."""
    while rest[start : start + 1] == " ":
        start += 1
    try:
        value, end = json.JSONDecoder().raw_decode(rest, start)
    except ValueError:
        pass  # not JSON, so it is text, which the rest of this function reads
    else:
        tail = rest[end:].lstrip()
        if not tail or tail[0] == ",":
            return value, len(rest) - len(tail) + 1
    if rest[start : start + 1] == "'":
        text, end = _scan(rest, start + 1, "'")
        tail = rest[end:].lstrip()
        if end > len(rest) or (tail and tail[0] != ","):
            raise BadWith(whole, f"the quote before {rest[start + 1 :]!r} is not closed")
        return text, len(rest) - len(tail) + 1
    text, end = _scan(rest, start, ",")
    text = text.rstrip()
    return _WORDS.get(text, text), end


def _scan(rest: str, start: int, stop: str) -> tuple[str, int]:
    """Give the text up to an unescaped *stop*, and the position after it (past the end if none)."""
    text: list[str] = []
    position = start
    while position < len(rest) and rest[position] != stop:
        if rest[position] == "\\" and position + 1 < len(rest):
            position += 1
            text.append(_ESCAPES.get(rest[position], rest[position]))
        else:
            text.append(rest[position])
        position += 1
    return "".join(text), position + 1
