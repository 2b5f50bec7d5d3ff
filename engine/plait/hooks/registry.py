"""Where decorators and launchers are found by name: built-ins, and packages by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from plait.base.errors import UsageError, nearest
from plait.hooks.step import StepDecorator

ENTRY_POINTS = "plait.decorators"
"""The entry point group under which another package offers decorators, `name = module:Class`."""

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

_COMMAND_LINE = "plait.cli.main:run_flow_script"
"""What `MyFlow()` at the end of a script calls: the one upward call of the engine."""


class UnknownDecorator(UsageError):
    """No decorator of that name is built in or installed."""

    slug = "unknown-decorator"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(
            f"there is no decorator '{name}'",
            why=nearest(name, known),
            fix=f"install the package that offers it under the entry point group '{ENTRY_POINTS}'",
        )


def _load(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def _installed() -> dict[str, Any]:
    # Scanning every installed distribution takes tens of milliseconds, so this is asked only for
    # a name that is not built in.
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def find_step_decorator(name: str) -> type[StepDecorator] | None:
    """Give the decorator class called *name*, or None."""
    if name in BUILT_IN:
        return _load(BUILT_IN[name])  # type: ignore[no-any-return]  # loaded by name
    point = _installed().get(name)
    return None if point is None else point.load()


def get_step_decorator(name: str) -> type[StepDecorator]:
    """Give the decorator class called *name*. Raises UnknownDecorator."""
    found = find_step_decorator(name)
    if found is None:
        raise UnknownDecorator(name, [*BUILT_IN, *_installed()])
    return found


def command_line() -> Callable[[type], None]:
    """Give the function that runs a flow class as a command line program."""
    return _load(_COMMAND_LINE)  # type: ignore[no-any-return]  # loaded by name
