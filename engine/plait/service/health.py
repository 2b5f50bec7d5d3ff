"""Whether the service's database answers: asked once for all who want to know, and told once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from plait.base.errors import PlaitError
from plait.metadata.sql import SQLMetadata

SECONDS = 2.0
"""How long an answer of the database is waited for by who asks how it is."""

SILENT = "database-silent"
"""The word for a database that takes longer than that."""


class Health:
    """Asks a store how it is. Not for use by several threads.

    Args:
        store: The store.
        tell: Given a line when its database is away, and when it is back.
    """

    def __init__(self, store: SQLMetadata, tell: Callable[[str], None]) -> None:
        self._store = store
        self._tell = tell
        self._asking: asyncio.Task[str | None] | None = None
        self._is_away = False
        self._only_reads = False

    async def ask(self) -> str | None:
        """Give None if facts can be read and written, else a word for what is the matter.

        However many ask at once, the database is asked once: so nobody who asks again and again
        while it is away keeps those from working whose requests wait for it.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._check())
        try:
            return await asyncio.wait_for(asyncio.shield(self._asking), SECONDS)
        except TimeoutError:
            return SILENT

    def failed(self, error: PlaitError, *, writing: bool) -> None:
        """Tell that the database is away, if that is new.

        Args:
            error: What it said.
            writing: Whether it was to write. Then it may be read all the while, as on a full disk.
        """
        self._only_reads = writing and (self._only_reads or not self._is_away)
        if self._is_away:
            return
        self._is_away = True
        finding = error.findings[0]
        self._tell(f"{finding.what} ({' '.join(finding.why.split())}); who asks is told to wait")

    def worked(self, *, writing: bool) -> None:
        """Tell that the database is back, if it was away and can now do what it could not."""
        if self._is_away and (writing or not self._only_reads):
            self._is_away = False
            self._tell("the database is back")

    async def _check(self) -> str | None:
        # In a thread of its own: all that there are for requests may be waiting for the database.
        try:
            await asyncio.to_thread(self._store.check)
        except PlaitError as error:
            self.failed(error, writing=True)
            return error.findings[0].slug
        self.worked(writing=True)
        return None
