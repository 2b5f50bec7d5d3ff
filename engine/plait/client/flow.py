"""A flow by its name, as users read it: its runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from plait.base.pathspec import RunKey
from plait.client.errors import PlaitNamespaceMismatch
from plait.client.namespaces import tags_seen
from plait.client.object import ClientObject, Container
from plait.client.opened_run import OpenedRun
from plait.client.opening import OpenedFlow, find_run, open_flow
from plait.client.run import Run
from plait.client.source import current_connection
from plait.client.times import local_time
from plait.metadata.protocol import RunRecord, Status

if TYPE_CHECKING:
    from datetime import datetime

    from plait.client.plait import Plait

PAGE = 1000
"""How many runs are asked for at once."""


class Flow(ClientObject[OpenedFlow], Container[Run]):
    """A flow: `Flow("HelloFlow")`. Holds its runs, newest first: those that the namespace shows.

    Args:
        pathspec: The flow's name.

    Raises:
        PlaitNotFound: It has no runs.
        PlaitNamespaceMismatch: It has none that the namespace shows.
    """

    __slots__ = ()

    _child_kind = "run"

    def __init__(self, pathspec: str | OpenedFlow) -> None:
        if not isinstance(pathspec, OpenedFlow):
            pathspec = open_flow(current_connection(), pathspec)
        self._opened = pathspec

    def __iter__(self) -> Iterator[Run]:
        return self.runs()

    def __contains__(self, name: object) -> bool:
        try:
            return super().__contains__(name)
        except PlaitNamespaceMismatch:
            return False  # what the namespace does not show is not here

    def _find_child(self, name: str) -> Run | None:
        run = find_run(self._opened.connection, RunKey(self.id, name))
        return None if run is None else Run(run)

    def _child_names(self) -> Iterable[str]:
        metadata = self._opened.connection.metadata()
        records = metadata.list_runs(self.id, tags=tags_seen(), limit=100)
        return [record.key.run for record in records]

    @property
    def parent(self) -> Plait:
        """All flows of its store."""
        # Here, because it gives flows and so its module imports this one.
        from plait.client.plait import Plait

        return Plait(self._opened.connection)

    def runs(self, *tags: str) -> Iterator[Run]:
        """Give its runs that the namespace shows, newest first.

        Args:
            tags: Only those that have all of these.
        """
        connection = self._opened.connection
        records = self._iter_records(tags_seen(frozenset(tags)))
        return (Run(OpenedRun(connection, record)) for record in records)

    @property
    def latest_run(self) -> Run | None:
        """Its newest run, of those that the namespace shows; or None."""
        return self._find_latest(None)

    @property
    def latest_successful_run(self) -> Run | None:
        """Its newest run that reached its end, of those that the namespace shows; or None."""
        return self._find_latest(Status.DONE)

    def _find_latest(self, status: Status | None) -> Run | None:
        connection = self._opened.connection
        metadata = connection.metadata()
        found = metadata.list_runs(self.id, tags=tags_seen(), status=status, limit=1)
        return Run(OpenedRun(connection, found[0])) if found else None

    def _iter_records(self, tags: frozenset[str]) -> Iterator[RunRecord]:
        metadata, before = self._opened.connection.metadata(), None
        while True:
            page = metadata.list_runs(self.id, tags=tags, before=before, limit=PAGE)
            yield from page
            if len(page) < PAGE:
                return
            before = page[-1].key.run

    @property
    def created_at(self) -> datetime:
        """When its first run began, in local time, whether or not the namespace shows that."""
        first = self._opened.connection.metadata().find_run(RunKey(self.id, "1"))
        if first is None:
            # Ids may begin higher, and runs may have been removed.
            *_, first = self._iter_records(frozenset())
        return local_time(first.created)

    @property
    def finished_at(self) -> None:
        """None: a flow can always run again."""
        return

    @property
    def user_tags(self) -> frozenset[str]:
        """None: it is runs that have tags."""
        return frozenset()

    @property
    def system_tags(self) -> frozenset[str]:
        """None: it is runs that have tags."""
        return frozenset()

    def is_in_namespace(self) -> bool:
        """Whether the current namespace shows any of its runs."""
        return self._opened.is_seen()
