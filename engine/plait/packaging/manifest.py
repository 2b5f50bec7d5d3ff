"""The description of a code package, which is also what names it: equal code has one address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from plait.base.version import VERSION
from plait.packaging.errors import NoCode, TooMuchCode, UnreadableCode
from plait.packaging.selection import (
    MOST_BYTES,
    Chosen,
    Selection,
    parse_suffixes,
    select_code,
    select_plait,
    select_script,
)

_FORMAT = 1


class Packed(NamedTuple):
    """One file of a package, as its description lists it.

    Args:
        name: Its name in the archive.
        size: Its bytes.
        sha256: Of its content, as 64 hex digits.
        executable: Whether its owner may execute it.
    """

    name: str
    size: int
    sha256: str
    executable: bool


class Code(NamedTuple):
    """A package that is not written yet: its description, and what it holds.

    Args:
        info: The description, as JSON in UTF-8.
        contents: The bytes of each file and whether it is executable, by name, in order.
        selection: What was chosen, and what was left out.
    """

    info: bytes
    contents: Mapping[str, tuple[bytes, bool]]
    selection: Selection

    @property
    def address(self) -> str:
        """The SHA-256 of the description, as 64 hex digits; it holds those of all files."""
        return sha256(self.info).hexdigest()


def read_code(
    flow: str,
    file: str,
    suffixes: str = "",
    *,
    with_plait: bool = False,
    script_alone: bool = False,
) -> Code:
    """Read what travels with a flow.

    Args:
        flow: Its name.
        file: The file that it is written in, absolute; empty for none.
        suffixes: Suffixes of more files, `.csv,.txt`.
        with_plait: Whether plait itself travels too, so that a machine without it can run the flow.
        script_alone: Whether only the flow's own file travels.

    Raises:
        NoCode: *file* is empty.
        TooMuchCode: The folder is too large.
        UnreadableCode: A file cannot be read.
    """
    if not file:
        raise NoCode(flow)
    chosen_suffixes = parse_suffixes(suffixes)
    selection = select_script(file) if script_alone else select_code(file, chosen_suffixes)
    own = select_plait() if with_plait else ()
    # Where the flow lies beside plait, both say the same of it.
    every = {each.name: each for each in (*own, *selection.files)}
    contents: dict[str, tuple[bytes, bool]] = {}
    packed = []
    total = 0
    for name in sorted(every):
        data, executable = _read(every[name])
        total += len(data)
        if total > MOST_BYTES:
            limit = f"at most {MOST_BYTES // 1_000_000} MB"
            raise TooMuchCode(selection.folder, "more than that", limit)
        contents[name] = (data, executable)
        packed.append(Packed(name, len(data), sha256(data).hexdigest(), executable))
    about = {
        "format": _FORMAT,
        "flow": flow,
        "script": selection.script,
        "plait": VERSION,
        "with_plait": with_plait,
        "whole_folder": not script_alone,
        "suffixes": list(chosen_suffixes),
        "files": [each._asdict() for each in packed],
    }
    return Code(json.dumps(about, indent=1).encode() + b"\n", contents, selection)


def parse_info(info: bytes) -> dict[str, Any]:
    """Read the description of a package. Raises ValueError if it is none."""
    about = json.loads(info)
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise ValueError("it is not a description of a code package in a form known here")
    return about


def list_packed(about: Mapping[str, Any]) -> list[Packed]:
    """Give the files that a description lists."""
    return [Packed(**each) for each in about["files"]]


def _read(chosen: Chosen) -> tuple[bytes, bool]:
    import os

    try:
        with open(chosen.path, "rb") as file:
            return file.read(MOST_BYTES + 1), bool(os.fstat(file.fileno()).st_mode & 0o100)
    except OSError as error:
        raise UnreadableCode(chosen.path, error) from error
