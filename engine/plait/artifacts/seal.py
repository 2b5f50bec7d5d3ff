"""The file of a sealed attempt, byte by byte: parsing and formatting (docs/store-format.md)."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from plait.base.pathspec import AttemptKey
from plait.base.records import ArtifactRef, AttemptFacts

MAGIC = b"PLAITA1\n"
_FAMILY = b"PLAITA"
_LENGTHS = struct.Struct("<8sIIQ")
_DIGEST_SIZE = 32
HEADER_SIZE = _LENGTHS.size + _DIGEST_SIZE

_MALFORMED = (KeyError, IndexError, TypeError, ValueError)
"""What reading a JSON form raises that a sum proves undamaged, yet is not as expected."""

_format_json = json.JSONEncoder(separators=(",", ":")).encode


class BadSeal(Exception):
    """Bytes that are not a seal, or no longer; says what is wrong."""


class OtherSeal(Exception):
    """A seal in another version of the format; holds what it says of itself."""


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a seal: where its parts are, and their sum."""

    facts: int
    index: int
    body: int
    digest: bytes

    @property
    def body_offset(self) -> int:
        """Where in the file the body begins."""
        return HEADER_SIZE + self.facts + self.index

    @property
    def file_size(self) -> int:
        """How many bytes the whole file has."""
        return self.body_offset + self.body


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value that an attempt made: `payload` if it is small, else None."""

    address: str
    size: int
    type: str
    codec: str
    payload: bytes | None


def format_seal(
    facts: AttemptFacts, values: Mapping[str, Encoded], carried: Mapping[str, ArtifactRef]
) -> list[bytes]:
    """Give the file of an attempt, in parts to be written one after another.

    Args:
        facts: What it says of itself.
        values: The values that it made, by artifact name.
        carried: The values that it passes on, by artifact name.
    """
    homes, types, codecs = _Table(""), _Table(), _Table()
    rows: dict[str, list[Any]] = {}
    body: list[bytes] = []
    offsets: dict[str, int] = {}
    end = 0
    for name in sorted({*values, *carried}):
        made = values.get(name)
        if made is None:
            ref = carried[name]
            row = [ref.address, ref.size, types.number(ref.type), codecs.number(ref.codec)]
            if ref.home:
                row += [homes.number(ref.home), ref.offset]
        else:
            row = [made.address, made.size, types.number(made.type), codecs.number(made.codec)]
            if made.payload is not None:
                if made.address not in offsets:
                    offsets[made.address] = end
                    end += len(made.payload)
                    body.append(made.payload)
                row += [0, offsets[made.address]]
        rows[name] = row
    index = {
        "homes": homes.entries[1:],
        "types": types.entries,
        "codecs": codecs.entries,
        "artifacts": rows,
    }
    facts_part, index_part = _format_json(facts.to_json()).encode(), _format_json(index).encode()
    lengths = _LENGTHS.pack(MAGIC, len(facts_part), len(index_part), end)
    digest = sha256(lengths + facts_part + index_part).digest()
    return [lengths, digest, facts_part, index_part, *body]


def parse_header(data: bytes) -> Header:
    """Read the beginning of a seal. Raises BadSeal, OtherSeal."""
    if not data.startswith(MAGIC):
        if data.startswith(_FAMILY) and len(data) >= len(MAGIC):
            raise OtherSeal(repr(data[: len(MAGIC)]))
        raise BadSeal("it does not begin as a sealed attempt does")
    if len(data) < HEADER_SIZE:
        raise BadSeal(f"it is cut off after {len(data)} bytes")
    _, facts, index, body = _LENGTHS.unpack_from(data)
    return Header(facts, index, body, data[_LENGTHS.size : HEADER_SIZE])


def check_head(data: bytes, header: Header) -> None:
    """Compare lengths, facts and index in *data* with their sum. Raises BadSeal."""
    head = memoryview(data)[: header.body_offset]
    digest = sha256(head[: _LENGTHS.size])
    digest.update(head[HEADER_SIZE:])
    if digest.digest() != header.digest:
        raise BadSeal("its facts and index don't have the SHA-256 that it says they have")


def parse_facts(data: bytes, header: Header, key: AttemptKey) -> AttemptFacts:
    """Read the facts out of a checked head.

    Args:
        data: The file's bytes, at least up to its body.
        header: Its header.
        key: The attempt that it is looked for as.

    Raises:
        BadSeal: It is another attempt's.
        OtherSeal: The facts are not in this version's form.
    """
    try:
        facts = AttemptFacts.from_json(json.loads(data[HEADER_SIZE : HEADER_SIZE + header.facts]))
    except _MALFORMED as error:
        raise OtherSeal(f"facts with {error!r}") from error
    if facts.key != key:
        raise BadSeal(f"it is the seal of {facts.key}")
    return facts


def parse_index(data: bytes, header: Header, home: str) -> dict[str, ArtifactRef]:
    """Read the index out of a checked head.

    Args:
        data: The file's bytes, at least up to its body.
        header: Its header.
        home: The storage key of the file itself.

    Raises:
        OtherSeal: The index is not in this version's form.
    """
    return take_index(data, header).parse(home)


def take_index(data: bytes, header: Header) -> UnreadIndex:
    """Cut the index out of a checked head, without looking at it."""
    return UnreadIndex(data[HEADER_SIZE + header.facts : header.body_offset], header.body_offset)


class UnreadIndex(NamedTuple):
    """The index of a seal as it was written: some hundred bytes, a third of what it says read.

    Args:
        text: Its bytes, whose sum was right.
        body_offset: Where in the file the body begins.
    """

    text: bytes
    body_offset: int

    def parse(self, home: str) -> dict[str, ArtifactRef]:
        """Read it; *home* is the storage key of the seal's file. Raises OtherSeal."""
        try:
            return _read_index(json.loads(self.text), self.body_offset, home)
        except _MALFORMED as error:
            raise OtherSeal(f"an index with {error!r}") from error


def _read_index(index: Any, body_offset: int, home: str) -> dict[str, ArtifactRef]:
    homes, types, codecs = [home, *index["homes"]], index["types"], index["codecs"]
    artifacts = {}
    for name, row in index["artifacts"].items():
        address, size, type_, codec, *place = row
        if not place:
            ref = ArtifactRef(address, size, types[type_], codecs[codec])
        else:
            number, offset = place
            if number == 0:
                # Relative to the body in the file, for its place depends on the index's length;
                # from the file's beginning everywhere else, so that one read gets the value.
                offset += body_offset
            ref = ArtifactRef(address, size, types[type_], codecs[codec], homes[number], offset)
        artifacts[name] = ref
    return artifacts


class _Table:
    """Strings by number, in the order in which they came."""

    def __init__(self, *entries: str) -> None:
        self.entries = list(entries)
        self._numbers = {entry: number for number, entry in enumerate(entries)}

    def number(self, entry: str) -> int:
        """Give the number of *entry*, adding it if it is new."""
        number = self._numbers.setdefault(entry, len(self.entries))
        if number == len(self.entries):
            self.entries.append(entry)
        return number
