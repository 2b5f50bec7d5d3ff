"""Where decorators and launchers are found by name: built-ins, and packages by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from plait.base.errors import UsageError, nearest
from plait.hooks.flow import FlowDecorator
from plait.hooks.step import StepDecorator

ENTRY_POINTS = "plait.decorators"
"""The entry point group under which another package offers decorators, `name = module:Class`."""

FLOW_ENTRY_POINTS = "plait.flow_decorators"
"""The same for decorators of flows."""

# By name and not by import: plugins stand on a higher floor than hooks, and each is loaded only
# when a flow uses it.
BUILT_IN = {
    "retry": "plait.plugins.retry:Retry",
    "catch": "plait.plugins.catch:Catch",
    "timeout": "plait.plugins.timeout:Timeout",
    "environment": "plait.plugins.environment:Environment",
    "resources": "plait.plugins.resources:Resources",
    "card": "plait.plugins.card:Card",
}

BUILT_IN_FOR_FLOWS = {"project": "plait.plugins.project:Project"}

_COMMAND_LINE = "plait.cli.main:run_flow_script"
"""What `MyFlow()` at the end of a script calls: the one upward call of the engine."""


class UnknownDecorator(UsageError):
    """No decorator of that name is built in or installed."""

    slug = "unknown-decorator"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(
            f"there is no decorator '{name}'",
            why=nearest(name, known),
            fix=f"install the package that offers it under the entry point group '{ENTRY_POINTS}', "
            f"or '{FLOW_ENTRY_POINTS}' for flows",
        )


def _load(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def _installed(group: str) -> dict[str, Any]:
    # Scanning every installed distribution takes tens of milliseconds, so this is asked only for
    # a name that is not built in.
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=group)}


def get_decorator(name: str) -> type[StepDecorator | FlowDecorator]:
    """Give the class of the decorator called *name*, of steps or of flows.

    Raises:
        UnknownDecorator: None of that name is built in or installed.
    """
    built_in = {**BUILT_IN, **BUILT_IN_FOR_FLOWS}
    if name in built_in:
        return _load(built_in[name])  # type: ignore[no-any-return]  # loaded by name
    installed = {**_installed(FLOW_ENTRY_POINTS), **_installed(ENTRY_POINTS)}
    point = installed.get(name)
    if point is None:
        raise UnknownDecorator(name, [*built_in, *installed])
    return point.load()  # type: ignore[no-any-return]  # the same


def command_line() -> Callable[[type], None]:
    """Give the function that runs a flow class as a command line program."""
    return _load(_COMMAND_LINE)  # type: ignore[no-any-return]  # loaded by name
