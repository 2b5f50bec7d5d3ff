"""Where sidecars are found by name: built-ins, and packages by entry point."""

from __future__ import annotations

from dataclasses import dataclass

from plait.sidecars.errors import UnknownSidecar
from plait.sidecars.protocol import Kind

ENTRY_POINTS: dict[Kind, str] = {
    "event-logger": "plait.event_loggers",
    "monitor": "plait.monitors",
}
"""The entry point group of each kind: `name = module:Class`."""

NULL = "null"
"""The name of none: nothing is started."""

BUILT_IN: dict[Kind, dict[str, str]] = {
    "event-logger": {"debug": "plait.sidecars.debug:DebugEventLogger"},
    "monitor": {"debug": "plait.sidecars.debug:DebugMonitor"},
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A sidecar that somebody chose.

    Args:
        kind: Which kind.
        name: Its name.
        target: Its class, as `module:Class`.
        argument: What it is made with: what the option has after the name and a colon.
    """

    kind: Kind
    name: str
    target: str
    argument: str = ""


def find_choice(kind: Kind, spec: str) -> Choice | None:
    """Read what an option says; its class is not loaded here but in the sidecar's process.

    Args:
        kind: Which option.
        spec: `NAME` or `NAME:ARGUMENT`.

    Returns:
        The choice; None for `null`.

    Raises:
        UnknownSidecar: There is none of that name.
    """
    name, _, argument = spec.partition(":")
    if name == NULL:
        return None
    target = BUILT_IN[kind].get(name)
    if target is None:
        installed = _find_installed(ENTRY_POINTS[kind])
        if name not in installed:
            known = [NULL, *BUILT_IN[kind], *installed]
            raise UnknownSidecar(kind, name, known, ENTRY_POINTS[kind])
        target = installed[name]
    return Choice(kind, name, target, argument)


def _find_installed(group: str) -> dict[str, str]:
    # As for decorators: to look through all that is installed takes long, so it is done only for
    # a name that is not built in.
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=group)}
