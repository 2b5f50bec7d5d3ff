"""Settings in, stores out: where values, facts and logs of this machine are kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from plait.artifacts.store import ArtifactStore
from plait.base.errors import UsageError
from plait.base.layout import DATABASE, SPINS
from plait.base.settings import DEFAULT_STORES, StoreChoice, resolve
from plait.logs.store import LogStore
from plait.metadata.protocol import MetadataStore
from plait.storage.local import LocalStorage

if TYPE_CHECKING:
    from plait.storage.protocol import Storage

STORE_FOLDER = ".plait"
"""The folder that a local store is kept in."""

_VALUES = "store"
_LOCAL = "local"
_S3 = "s3"
_SERVICE = "service"


class NoSuchStore(UsageError):
    """`metadata(...)` or an option names a store that there is not."""

    slug = "no-such-store"

    def __init__(self, spec: str, why: str) -> None:
        super().__init__(
            f"there is no store '{spec}'",
            why=why,
            fix="name the folder in which a flow has run, such as local@/home/ada/project",
        )


@dataclass(frozen=True, slots=True)
class Stores:
    """What is open in one process: values, facts and logs that belong together.

    The database is opened at its first use, so that a process which needs values only, as a task
    does, does not pay for it.
    """

    root: str
    scratch: str
    storage: Storage
    logs: LogStore
    choice: StoreChoice
    _open: dict[str, Any] = field(default_factory=dict)

    @property
    def metadata(self) -> MetadataStore:
        """The store of facts."""
        if _LOCAL not in self._open:
            self._open[_LOCAL] = _open_metadata(self.root, self.choice.metadata)
        found: MetadataStore = self._open[_LOCAL]
        return found

    def artifacts(self, flow: str) -> ArtifactStore:
        """Give the store of the values of *flow*; the same one each time."""
        name = f"artifacts of {flow}"
        if name not in self._open:
            self._open[name] = ArtifactStore(self.storage, flow)
        found: ArtifactStore = self._open[name]
        return found

    def warm(self) -> None:
        """Load what the processes forked from this one need to read and write; opens nothing."""
        self.storage.warm()

    def close(self) -> None:
        """Close what is open."""
        metadata = self._open.pop(_LOCAL, None)
        if metadata is not None:
            metadata.close()


def find_root(given: str | None = None) -> str:
    """Give the folder of the local store, which may not be there yet.

    Args:
        given: What an option said; else PLAIT_DATASTORE_ROOT holds, else the nearest `.plait`
            above the working directory, else a new one in it.
    """
    root = given or resolve("datastore-root").value
    if root:
        return os.path.abspath(os.path.expanduser(root))
    here = os.getcwd()
    folder = here
    while True:
        candidate = os.path.join(folder, STORE_FOLDER)
        if os.path.isdir(candidate):
            return candidate
        parent = os.path.dirname(folder)
        if parent == folder:
            return os.path.join(here, STORE_FOLDER)
        folder = parent


def open_stores(choice: StoreChoice = DEFAULT_STORES, *, scratch: str | None = None) -> Stores:
    """Open the stores; touches no disk and no network yet.

    Args:
        choice: Which stores.
        scratch: The name under which unfinished uploads lie; those of one run share it.
    """
    folder = find_root(choice.root)
    if _is_spin(folder):
        choice = replace(choice, datastore=_LOCAL, metadata=_LOCAL)
    name = scratch or f"pid-{os.getpid()}"
    scratch_folder = os.path.join(folder, "scratch", name)
    storage: Storage
    if (choice.datastore or resolve("datastore").value) == _S3:
        from plait.wiring.s3 import open_s3_storage

        storage = open_s3_storage(scratch_folder)
    else:
        storage = LocalStorage(os.path.join(folder, _VALUES), scratch_folder)
    return Stores(folder, name, storage, LogStore(storage), replace(choice, root=folder))


def _open_metadata(root: str, named: str | None) -> MetadataStore:
    """Open the store of facts that is *named*, or that settings name."""
    kind, _, url = (named or resolve("metadata").value or _LOCAL).partition("@")
    if kind == _SERVICE:
        from plait.metadata.http import open_service

        return open_service(
            url or resolve("service-url").value,
            resolve("service-token").value,
            resolve("service-wait").value,
        )
    from plait.metadata.sqlite import SQLiteMetadata

    return SQLiteMetadata(os.path.join(root, DATABASE))


def _is_spin(folder: str) -> bool:
    """Say whether a folder is that of a spin that was kept, which is a store by itself."""
    above, name = os.path.split(folder)
    return name.isdecimal() and os.path.basename(above) == SPINS


def open_memory_stores() -> Stores:
    """Open stores in this process's memory, empty and gone with it: for tests."""
    from plait.metadata.memory import MemoryMetadata
    from plait.storage.memory import MemoryStorage

    storage = MemoryStorage()
    name = MemoryMetadata.place
    return Stores(
        name, name, storage, LogStore(storage), StoreChoice(name), {_LOCAL: MemoryMetadata()}
    )


def open_source(spec: str | None, choice: StoreChoice = DEFAULT_STORES) -> Stores:
    """Open what the client reads.

    Args:
        spec: What `metadata(...)` was given: `local`, `local@PATH`, where PATH is a `.plait`
            folder, one that holds such a folder, or its database; the URL of a metadata service;
            or None for the default.
        choice: Which stores, as far as *spec* does not say.

    Raises:
        NoSuchStore: It names nothing that can be read.
    """
    if spec is None:
        if choice.root is not None and (choice.metadata or resolve("metadata").value) == _LOCAL:
            return open_source(f"{_LOCAL}@{choice.root}", choice)
        return open_stores(choice)
    kind, _, path = spec.partition("@")
    if spec.startswith(("http://", "https://")):
        kind, path = _SERVICE, spec
    if kind == _SERVICE:
        from plait.metadata.http_link import check_url

        named = f"{_SERVICE}@{check_url(path)}" if path else _SERVICE
        datastore = choice.datastore or _find_datastore(choice.root)
        return open_stores(replace(choice, metadata=named, datastore=datastore))
    if kind != _LOCAL:
        there = f"{_LOCAL}, {_SERVICE}"
        raise NoSuchStore(spec, f"'{kind}' is no kind of store; there is: {there}")
    choice = replace(choice, metadata=_LOCAL)
    if not path:
        return open_stores(choice)
    path = os.path.abspath(os.path.expanduser(path))
    if os.path.basename(path) == DATABASE:
        path = os.path.dirname(path)
    inner = os.path.join(path, STORE_FOLDER)
    if os.path.isdir(inner):
        path = inner
    if not os.path.isdir(path):
        raise NoSuchStore(spec, f"'{path}' is not a folder")
    return open_stores(replace(choice, root=path))


def _find_datastore(root: str | None) -> str | None:
    """Say where the values are of runs that a service knows; None for where settings say.

    Where nothing says so, there is no folder with values, and a bucket is named, they are in that
    bucket: so a reader on another machine needs to be told no more than where both are.
    """
    if resolve("datastore").source != "default" or not resolve("datastore-sysroot-s3").value:
        return None
    return None if os.path.isdir(os.path.join(find_root(root), _VALUES)) else _S3
