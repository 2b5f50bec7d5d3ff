"""How a flow decorator class becomes `@name` above a flow, and which decorators a flow has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, overload

from plait.base.errors import Finding, PlaitError
from plait.flow.config import is_later
from plait.flow.source import find_caller
from plait.flow.step import PendingDecorator
from plait.hooks.flow import FlowDecorator
from plait.hooks.step import BadDecorator

Flow = TypeVar("Flow", bound=type)
Attributes = ParamSpec("Attributes")

_DECORATORS = "_flow_decorators"
_FINDINGS = "_flow_findings"


class MisplacedFlowDecorator(PlaitError):
    """A decorator for flows was put on something that is not a class."""

    slug = "misplaced-flow-decorator"

    def __init__(self, name: str, target: object) -> None:
        called = getattr(target, "__name__", "")
        words = f"the {type(target).__name__} '{called}'" if called else repr(target)
        super().__init__(
            f"@{name} is on {words}, not on a flow",
            why=f"@{name} decorates classes that are derived from FlowSpec",
            fix=f"put @{name} on the line above the class",
            where=find_caller(),
        )


class FlowDecoratorFunction(Generic[Attributes]):
    """What a user writes after the `@` above a class: bare, or called with attributes.

    Args:
        decorator: The class that it makes decorators of.
    """

    def __init__(self, decorator: type[FlowDecorator]) -> None:
        self.decorator = decorator
        self.__name__ = self.__qualname__ = decorator.name
        self.__doc__ = decorator.__doc__

    @overload
    def __call__(self, cls: Flow, /) -> Flow: ...

    @overload
    def __call__(
        self, *nothing: Attributes.args, **attributes: Attributes.kwargs
    ) -> Callable[[Flow], Flow]: ...

    def __call__(self, *given: Any, **attributes: Any) -> Any:
        """Decorate a flow, or give the decorator that has these attributes."""
        if not given:
            return lambda cls: self._apply(cls, attributes)
        if len(given) > 1 or attributes or isinstance(given[0], (str, int, float)):
            example = next(iter(self.decorator.defaults), "key")
            raise BadDecorator(
                self.decorator.name,
                f"{given[0]!r} is given without the name of its attribute",
                why="attributes are given by name",
                fix=f"write @{self.decorator.name}({example}={given[0]!r})",
            )
        return self._apply(given[0], {})

    def __repr__(self) -> str:
        return f"@{self.__name__}"

    def _apply(self, cls: Any, attributes: Mapping[str, Any]) -> Any:
        if not isinstance(cls, type):
            raise MisplacedFlowDecorator(self.decorator.name, cls)
        where = find_caller()
        if is_later(attributes):
            _add(cls, _DECORATORS, PendingDecorator(self.decorator, attributes, where))
            return cls
        try:
            _add(cls, _DECORATORS, self.decorator(attributes, where=where))
        except BadDecorator as error:
            # Said with all other findings when the flow is read, as those of steps are.
            for found in error.findings:
                _add(cls, _FINDINGS, Finding(found.slug, found.what, found.why, found.fix, where))
        return cls


def decorate_flow(
    decorator: type[FlowDecorator],
    attributes: Callable[Attributes, object] | None = None,  # noqa: ARG001  # only types are read
) -> FlowDecoratorFunction[Attributes]:
    """Make the function that users write after an `@` above a class out of a flow decorator.

    Args:
        decorator: The class.
        attributes: A function that takes the attributes; type checkers then know them.
    """
    return FlowDecoratorFunction(decorator)


def flow_decorators_of(cls: type) -> tuple[FlowDecorator | PendingDecorator, ...]:
    """Give the decorators of a flow, outermost first; its own hide those of its bases."""
    found: dict[str, FlowDecorator | PendingDecorator] = {}
    for base in cls.__mro__:
        own = vars(base).get(_DECORATORS, ())
        inherited = frozenset(found)
        for decorator in own:
            if decorator.name not in inherited:
                found.setdefault(decorator.name, decorator)
    return tuple(found.values())


def flow_findings_of(cls: type) -> tuple[Finding, ...]:
    """Give what was found wrong with the decorators of a flow and of its bases."""
    return tuple(finding for base in cls.__mro__ for finding in vars(base).get(_FINDINGS, ()))


def _add(cls: type, name: str, what: object) -> None:
    # A new tuple in this very class: one found by inheritance belongs to a base.
    setattr(cls, name, (what, *vars(cls).get(name, ())))
