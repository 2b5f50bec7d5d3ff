"""The code packages of one flow, kept by address, equal code once."""

from __future__ import annotations

from plait.base.clock import SystemClock
from plait.base.layout import code_key
from plait.packaging.errors import MissingPackage
from plait.packaging.manifest import Code
from plait.storage.protocol import YOUNG_SECONDS, MissingKey, Storage, is_shared


class CodeStore:
    """Where the code packages of a flow are.

    Args:
        storage: Where the bytes lie.
        flow: The flow's name.
    """

    def __init__(self, storage: Storage, flow: str) -> None:
        self._storage = storage
        self._flow = flow

    def keep(self, code: Code) -> str:
        """Keep a package, if it is not there yet, and give its address."""
        address = code.address
        key = code_key(self._flow, address)
        if not self._is_kept(key):
            # Loaded only here: most runs have the code of the run before.
            from plait.packaging.archive import write_archive

            self._storage.put(key, [write_archive(code)])
        return address

    def _is_kept(self, key: str) -> bool:
        """Say whether a package is there, and will be."""
        if not is_shared(self._storage.place):
            return self._storage.has(key)
        written = self._storage.modified(key)
        return written is not None and SystemClock().now() - written < YOUNG_SECONDS / 2

    def get(self, address: str) -> bytes:
        """Give a package as it was written. Raises MissingPackage."""
        try:
            return self._storage.get(code_key(self._flow, address))
        except MissingKey as error:
            raise MissingPackage(self.path(address)) from error

    def path(self, address: str) -> str:
        """Give where a package lies: a path or a URL."""
        return f"{self._storage.place}/{code_key(self._flow, address)}"
