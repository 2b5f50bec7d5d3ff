"""All flows of a store, as users read them: where every look at results can begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from plait.client.errors import PlaitNamespaceMismatch
from plait.client.flow import Flow
from plait.client.object import Container
from plait.client.opening import OpenedFlow, find_flow
from plait.client.source import Connection, connect_to, current_connection


class Plait(Container[Flow]):
    """All flows that have runs which the namespace shows, sorted by name."""

    __slots__ = ("_connection",)

    _child_kind = "flow"

    def __init__(self, connection: Connection | None = None) -> None:
        self._connection = connection or current_connection()

    @property
    def flows(self) -> list[Flow]:
        """The flows."""
        return list(self)

    def __iter__(self) -> Iterator[Flow]:
        names = self._connection.metadata().iter_flows()
        found = (OpenedFlow(self._connection, name) for name in names)
        return (Flow(flow) for flow in found if flow.is_seen())

    def __contains__(self, name: object) -> bool:
        try:
            return super().__contains__(name)
        except PlaitNamespaceMismatch:
            return False  # what the namespace does not show is not here

    def _find_child(self, name: str) -> Flow | None:
        flow = find_flow(self._connection, name)
        return None if flow is None else Flow(flow)

    def _child_names(self) -> Iterable[str]:
        return (flow.id for flow in self)

    def __repr__(self) -> str:
        return "Plait()"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopen, (self._connection.place,))


def _reopen(place: str) -> Plait:
    return Plait(connect_to(place))
