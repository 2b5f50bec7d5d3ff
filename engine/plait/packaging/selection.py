"""Which files travel: those of the flow's folder that have a suffix of code, and plait's own."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from plait.base.errors import shown_path
from plait.packaging.errors import TooMuchCode

SUFFIXES = (".py", ".toml", ".yaml", ".yml", ".sql")
"""What travels always. Data is not in it: a run that writes it beside its code would make a new
package each time."""

MOST_ENTRIES = 10_000
"""So many names are looked at, so that a flow that lies in somebody's home costs no seconds."""
MOST_FILES = 2_000
MOST_BYTES = 20_000_000

INFO = "INFO"
"""The member that describes the package; no file of the flow can have its place."""

PLAIT = "plait"
"""The folder of the archive that holds plait itself."""

# Beside all hidden ones. What a package manager or Python put there can be put there again.
_NEVER = frozenset({"__pycache__", "node_modules", "site-packages"})
# What marks a folder as an environment of Python's.
_ENVIRONMENT = frozenset({"pyvenv.cfg", "conda-meta"})


class Chosen(NamedTuple):
    """A file that travels: its name in the archive, with `/`, and where it lies."""

    name: str
    path: str


class LeftOut(NamedTuple):
    """Something that does not travel although one might think so, and why."""

    name: str
    why: str


class Selection(NamedTuple):
    """What travels of a folder.

    Args:
        folder: Its path.
        script: The name in the archive of the flow's own file.
        files: What travels, sorted by name.
        left_out: What does not, sorted by name.
    """

    folder: str
    script: str
    files: tuple[Chosen, ...]
    left_out: tuple[LeftOut, ...] = ()


def parse_suffixes(text: str) -> tuple[str, ...]:
    """Give the suffixes that *text* names, `.csv,txt`, after those that travel always."""
    more = (part.strip() for part in text.split(","))
    dotted = (part if part.startswith(".") else f".{part}" for part in more if part)
    return tuple(dict.fromkeys((*SUFFIXES, *dotted)))


def find_folder(file: str) -> str:
    """Give the folder that travels with the flow in *file*.

    That is the one it lies in; for a module of a package, the one that the package lies in, so that
    it can be imported by its name.
    """
    folder = os.path.dirname(file)
    while os.path.exists(os.path.join(folder, "__init__.py")):
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    return folder


def select_code(file: str, suffixes: Sequence[str]) -> Selection:
    """Decide what travels with the flow in *file*.

    Links are followed, so that what they lead to travels under the link's name. Hidden files and
    folders, environments of Python's, caches and installed packages stay.

    Args:
        file: The flow's own file, absolute; it travels whatever its suffix is.
        suffixes: Those of the files that travel.

    Raises:
        TooMuchCode: The folder holds too many names or files; sizes are not looked at here.
    """
    folder = find_folder(file)
    walk = _Walk(folder, tuple(suffixes))
    script = os.path.relpath(file, folder).replace(os.sep, "/")
    found = {chosen.name: chosen for chosen in walk.iter_files(folder, "", ())}
    if INFO in found:
        del found[INFO]
        walk.left_out.append(LeftOut(INFO, "the package's own description has its name"))
    found[script] = Chosen(script, file)
    if len(found) > MOST_FILES:
        raise TooMuchCode(
            shown_path(folder), f"{len(found):,} files of code", f"at most {MOST_FILES:,}"
        )
    return Selection(
        folder, script, tuple(found[name] for name in sorted(found)), tuple(sorted(walk.left_out))
    )


def select_script(file: str) -> Selection:
    """Give the flow's own file alone, for where its folder is too much."""
    folder = find_folder(file)
    script = os.path.relpath(file, folder).replace(os.sep, "/")
    return Selection(folder, script, (Chosen(script, file),))


def select_plait() -> tuple[Chosen, ...]:
    """Give the files of plait itself, sorted by name."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    walk = _Walk(folder, ("",))
    return tuple(sorted(walk.iter_files(folder, f"{PLAIT}/", ())))


class _Walk:
    """One walk through a folder."""

    def __init__(self, folder: str, suffixes: tuple[str, ...]) -> None:
        self._folder = folder
        self._suffixes = suffixes
        self._seen = 0
        self.left_out: list[LeftOut] = []

    def iter_files(
        self, path: str, prefix: str, above: Collection[tuple[int, int]]
    ) -> Iterator[Chosen]:
        """Give the files to take in *path* and below it.

        Args:
            path: A folder.
            prefix: Its name in the archive, with a slash; empty for the top.
            above: The device and number of every folder that the walk is in.
        """
        try:
            with os.scandir(path) as scan:
                entries = list(scan)
        except OSError as error:
            self.left_out.append(LeftOut(prefix.rstrip("/"), error.strerror or str(error)))
            return
        if prefix and not _ENVIRONMENT.isdisjoint(entry.name for entry in entries):
            self.left_out.append(LeftOut(prefix.rstrip("/"), "it is an environment of Python's"))
            return
        self._count(len(entries))
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if entry.name.startswith(".") or entry.name in _NEVER:
                continue
            if entry.is_dir():
                yield from self._enter(entry, name, above)
            elif not entry.name.endswith(self._suffixes):
                continue
            elif entry.is_file():
                yield Chosen(name, entry.path)
            elif entry.is_symlink():
                self.left_out.append(LeftOut(name, "it is a link that leads to no file"))

    def _enter(
        self, entry: os.DirEntry[str], name: str, above: Collection[tuple[int, int]]
    ) -> Iterator[Chosen]:
        try:
            found = entry.stat()
        except OSError as error:
            self.left_out.append(LeftOut(name, error.strerror or str(error)))
            return
        own = (found.st_dev, found.st_ino)
        if own in above:
            self.left_out.append(LeftOut(name, "it is a link to a folder that it lies in"))
            return
        yield from self.iter_files(entry.path, f"{name}/", (*above, own))

    def _count(self, entries: int) -> None:
        self._seen += entries
        if self._seen > MOST_ENTRIES:
            raise TooMuchCode(
                shown_path(self._folder),
                f"more than {MOST_ENTRIES:,} files and folders",
                "a folder of no more than that",
            )
