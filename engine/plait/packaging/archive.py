"""Code packages as bytes: equal code gives equal bytes, and unpacking stays in its folder."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from plait.packaging.errors import DamagedPackage, UnsafePackage
from plait.packaging.manifest import Code, Packed, list_packed, parse_info
from plait.packaging.selection import INFO

if TYPE_CHECKING:
    import tarfile

_TIME = 315_532_800
"""The time of every member: the first that all formats of archives can tell, 1980-01-01."""

_GZIP = 16 + zlib.MAX_WBITS
"""Has zlib write gzip's header, which then holds neither a time nor a name."""


def write_archive(code: Code) -> bytes:
    """Give *code* as a `.tgz`; its description is the first member."""
    import tarfile

    plain = io.BytesIO()
    with tarfile.open(
        fileobj=plain,
        mode="w",
        format=tarfile.PAX_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",  # a name on the disk may be any bytes
    ) as archive:
        for name, (data, executable) in ((INFO, (code.info, False)), *code.contents.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), _TIME
            member.mode = 0o755 if executable else 0o644
            archive.addfile(member, io.BytesIO(data))
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    return packer.compress(plain.getvalue()) + packer.flush()


def open_archive(data: bytes, file: str) -> tarfile.TarFile:
    """Open an archive. Raises DamagedPackage, which names *file*."""
    import tarfile

    try:
        # All of it at once, so that its end, which has a check sum, is looked at before anything.
        plain = io.BytesIO(zlib.decompress(data, _GZIP))
        return tarfile.open(fileobj=plain, mode="r:", encoding="utf-8", errors="surrogateescape")
    except (tarfile.TarError, zlib.error) as error:
        raise DamagedPackage(file, str(error)) from error


def read_member(data: bytes, name: str, file: str) -> bytes:
    """Give the content of one member. Raises DamagedPackage if there is none."""
    for found, content in _iter_members(data, file):
        if found == name:
            return content
    raise DamagedPackage(file, f"it holds no '{name}'")


def read_info(data: bytes, address: str, file: str) -> dict[str, Any]:
    """Give the description of the package of that address. Raises DamagedPackage."""
    info = read_member(data, INFO, file)
    if sha256(info).hexdigest() != address:
        raise DamagedPackage(file, "its description is not the one that it is named after")
    try:
        return parse_info(info)
    except ValueError as error:
        raise DamagedPackage(file, str(error)) from error


def check_archive(data: bytes, address: str, file: str) -> None:
    """Compare a package with its address, file by file. Raises DamagedPackage."""
    about = read_info(data, address, file)
    listed = {each.name: each for each in list_packed(about)}
    for name, content in _iter_members(data, file):
        if name == INFO:
            continue
        packed: Packed | None = listed.pop(name, None)
        if packed is None or packed.sha256 != sha256(content).hexdigest():
            raise DamagedPackage(file, f"member '{name}' is not as it was written")
    if listed:
        raise DamagedPackage(file, f"it holds no '{min(listed)}'")


def extract_archive(data: bytes, folder: str, file: str) -> list[str]:
    """Unpack an archive below *folder*, all of it or nothing.

    Only plain files are written, none outside of *folder*, none through a link, and none over
    another.

    Args:
        data: The archive.
        folder: An existing folder.
        file: The archive's name, for messages.

    Returns:
        The names of the files written, with `/`, in the archive's order.

    Raises:
        UnsafePackage: A member would do otherwise; nothing was written then.
        DamagedPackage: It is not to be read.
    """
    root = os.path.realpath(folder)
    found: dict[str, tuple[bytes, int]] = {}
    with open_archive(data, file) as archive:
        for member in _iter_archive(archive, file):
            _refuse_unsafe(member, root)
            stream = archive.extractfile(member)
            assert stream is not None, "a plain file has a content"
            found[member.name] = (stream.read(), member.mode)
    for name, (content, mode) in found.items():
        path = os.path.join(root, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        rights = 0o777 if mode & 0o100 else 0o666
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, rights), "wb") as target:
            target.write(content)
    return list(found)


def _refuse_unsafe(member: tarfile.TarInfo, root: str) -> None:
    name = member.name
    if not member.isreg():
        raise UnsafePackage(name, "it is no plain file")
    parts = name.split("/")
    # Another separator than `/`, and a drive, are what Windows would heed in a name.
    foreign = os.sep != "/" and (os.sep in name or ":" in name)
    if foreign or {"", ".", ".."} & set(parts):
        raise UnsafePackage(name, "its name leads out of the folder that it is unpacked in")
    path = os.path.join(root, *parts)
    if os.path.lexists(path):
        raise UnsafePackage(name, f"there is a '{path}' already")
    if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path):
        raise UnsafePackage(name, "a link stands in its way, which may lead elsewhere")


def _iter_members(data: bytes, file: str) -> Iterator[tuple[str, bytes]]:
    with open_archive(data, file) as archive:
        for member in _iter_archive(archive, file):
            stream = archive.extractfile(member)
            if stream is not None:
                yield member.name, stream.read()


def _iter_archive(archive: tarfile.TarFile, file: str) -> Iterator[tarfile.TarInfo]:
    import tarfile

    try:
        yield from archive.getmembers()
    except tarfile.TarError as error:
        raise DamagedPackage(file, str(error)) from error
