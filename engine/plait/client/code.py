"""The code that a run ran with, as users read it: its files, its description, a copy to look at."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

from plait.packaging.archive import extract_archive, open_archive, read_info, read_member
from plait.packaging.store import CodeStore

if TYPE_CHECKING:
    import tarfile

    from plait.client.opened_run import OpenedRun


class Code:
    """The code package of a run: `Run("HelloFlow/17").code`.

    Runs of equal code share one. What a package holds, and what not, says the guide to code
    packages.
    """

    __slots__ = ("_address", "_data", "_store")

    def __init__(self, run: OpenedRun, address: str) -> None:
        self._store = CodeStore(run.connection.source().storage, run.key.flow)
        self._address = address
        self._data: bytes | None = None

    def __repr__(self) -> str:
        return f"Code({self.path!r})"

    @property
    def address(self) -> str:
        """What tells it from other code: the SHA-256 of its description, as 64 hex digits."""
        return self._address

    @property
    def path(self) -> str:
        """Where the archive lies: a path or a URL."""
        return self._store.path(self._address)

    @property
    def info(self) -> dict[str, Any]:
        """The package's description: flow, script, version of plait, and each file's SHA-256.

        Raises:
            MissingPackage: The archive is gone.
            DamagedPackage: It is not as it was written.
        """
        return read_info(self._read(), self._address, self.path)

    @property
    def script_name(self) -> str:
        """The name in the archive of the file that the flow is written in. Raises as `info`."""
        name: str = self.info["script"]
        return name

    @property
    def flowspec(self) -> str:
        """The source of the file that the flow is written in. Raises as `info`."""
        content = read_member(self._read(), self.script_name, self.path)
        return content.decode("utf-8", "backslashreplace")

    @property
    def tarball(self) -> tarfile.TarFile:
        """The archive, opened in memory. Raises as `info`."""
        return open_archive(self._read(), self.path)

    def extract(self) -> tempfile.TemporaryDirectory[str]:
        """Unpack the archive into a temporary folder.

        Returns:
            The folder; its `name` is the path. It is gone when this object is, or after `with`.

        Raises:
            UnsafePackage: A member would land outside of it; nothing was written.
            MissingPackage, DamagedPackage: As for `info`.
        """
        data = self._read()
        folder = tempfile.TemporaryDirectory(prefix="plait-code-")
        extract_archive(data, folder.name, self.path)
        return folder

    def extract_to(self, folder: str | os.PathLike[str]) -> list[str]:
        """Unpack the archive into a folder, over nothing that is there.

        Args:
            folder: Made if it is not there.

        Returns:
            The names of the files in it.

        Raises:
            UnsafePackage: A member would land outside of it or over another file; nothing was
                written.
            MissingPackage, DamagedPackage: As for `info`.
        """
        data = self._read()
        os.makedirs(folder, exist_ok=True)
        return extract_archive(data, os.fspath(folder), self.path)

    def _read(self) -> bytes:
        if self._data is None:
            self._data = self._store.get(self._address)
        return self._data


def find_code(run: OpenedRun) -> Code | None:
    """Give the code package of a run; None if it kept none."""
    address = run.record.facts.get("code")
    return Code(run, address) if isinstance(address, str) else None
