"""What the client reads from, as a promise; which stores keep it, is not the client's to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from plait.artifacts.store import ArtifactStore
from plait.logs.store import LogStore
from plait.metadata.protocol import MetadataStore
from plait.storage.protocol import Storage


class Source(Protocol):
    """The stores that the client reads: facts, values and logs that belong together."""

    @property
    def metadata(self) -> MetadataStore:
        """The store of facts."""
        ...

    @property
    def logs(self) -> LogStore:
        """The store of logs."""
        ...

    @property
    def storage(self) -> Storage:
        """Bytes, which code packages are read from."""
        ...

    def artifacts(self, flow: str) -> ArtifactStore:
        """Give the store of the values of *flow*, the same one each time: it keeps a cache."""
        ...


Opener = Callable[[str | None], Source]
"""Opens the stores that its argument names, as given to `metadata(...)`; None means the default."""
