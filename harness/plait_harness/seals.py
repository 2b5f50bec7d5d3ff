"""Reading sealed attempts straight from a local store's files, by the documented format.

Nothing of the engine is used, so that what its own readers might overlook is seen; what stands
where is said in docs/store-format.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_MAGIC = b"PLAITA1\n"
_LENGTHS = struct.Struct("<8sIIQ")
_DIGEST = 32
_SUFFIX = ".attempt"
_BUFFERS_MAGIC = b"PLAITB1\n"
_TAIL = struct.Struct("<QQ8s")
_PLACE = struct.Struct("<QQ")


class DamagedSeal(Exception):
    """A file of the store does not hold what the format promises; says which and what."""


class Row(NamedTuple):
    """Where the encoded bytes of an artifact are, as an index says.

    Attributes:
        address: The SHA-256 of the bytes.
        size: How many there are.
        codec: How the value was encoded.
        home: The key of the file that they are in.
        offset: Where in it they begin.
    """

    address: str
    size: int
    codec: str
    home: str
    offset: int


@dataclass(frozen=True, slots=True)
class SealedTask:
    """A sealed attempt as its file says it is.

    Args:
        step: Its step.
        task: Its task's id.
        attempt: Its number.
        ok: Whether it reached its end.
        parents: Step and task of those before it, in join order.
        frames: The foreaches open around it, outermost first: index and width.
        artifacts: The names of its artifacts.
        addresses: The address of each, by its name.
        origin: The pathspec of the task that a resume took it over from; None if it ran itself.
        failure: Why it failed, in one line; empty if it did not.
        logged: The number of the attempt that wrote its log, which is its origin's if it has one.
        rows: Where each artifact is, by its name.
    """

    step: str
    task: str
    attempt: int
    ok: bool
    parents: tuple[tuple[str, str], ...]
    frames: tuple[tuple[int, int], ...]
    artifacts: frozenset[str]
    addresses: Mapping[str, str] = field(default_factory=dict)
    origin: str | None = None
    failure: str = ""
    logged: int = 0
    rows: Mapping[str, Row] = field(default_factory=dict)


def read_run(store: str, flow: str, run: str) -> list[SealedTask]:
    """Read every sealed attempt of a run, and check every value against its address.

    Args:
        store: The folder that holds the values of all flows: `.plait/store`.
        flow: The flow's name.
        run: The run's id.

    Raises:
        DamagedSeal: A file or a value is not what it says it is.
    """
    return SealReader(store).read_run(flow, run)


class SealReader:
    """Reads what is in a store, each file once.

    Args:
        store: The folder that holds the values of all flows: `.plait/store`.
    """

    def __init__(self, store: str) -> None:
        self.store = store
        self.contents: dict[str, bytes] = {}
        # Thousands of tasks point to the same value; it is hashed once per place.
        self.checked: set[tuple[str, int, str]] = set()

    def read_run(self, flow: str, run: str) -> list[SealedTask]:
        """Read every sealed attempt of a run. Raises DamagedSeal."""
        return [self.read(key) for key in self.iter_keys(f"{flow}/runs/{run}", _SUFFIX)]

    def iter_keys(self, prefix: str = "", suffix: str = "") -> Iterator[str]:
        """Give the keys below one that end so, in order."""
        for folder, folders, files in os.walk(os.path.join(self.store, prefix)):
            folders.sort()
            for name in sorted(files):
                if name.endswith(suffix):
                    path = os.path.relpath(os.path.join(folder, name), self.store)
                    yield path.replace(os.sep, "/")

    def value_of(self, row: Row) -> Any:
        """Give the value of an artifact.

        Raises:
            DamagedSeal: It can't be decoded.
        """
        payload = memoryview(self.bytes_of(row.home))[row.offset : row.offset + row.size]
        if row.codec == "pickle5":
            return pickle.loads(payload)
        if row.codec != "pickle5+buffers":
            raise DamagedSeal(f"{row.home} has a value of an unknown codec, {row.codec}")
        pickled, count, magic = _TAIL.unpack(payload[-_TAIL.size :])
        if magic != _BUFFERS_MAGIC:
            raise DamagedSeal(f"{row.home} has no table of buffers at its end")
        table = payload[len(payload) - _TAIL.size - count * _PLACE.size : -_TAIL.size]
        # Writable, as those of the engine are, so that equal arrays are equal in this, too.
        buffers = [bytearray(payload[at : at + size]) for at, size in _PLACE.iter_unpack(table)]
        return pickle.loads(payload[:pickled], buffers=buffers)

    def bytes_of(self, key: str) -> bytes:
        """Give what a file holds. Raises DamagedSeal."""
        if key not in self.contents:
            try:
                with open(os.path.join(self.store, key), "rb") as file:
                    self.contents[key] = file.read()
            except OSError as error:
                raise DamagedSeal(f"{key} can't be read: {error.strerror}") from error
        return self.contents[key]

    def read(self, key: str) -> SealedTask:
        """Read a sealed attempt, and check it and every value in it. Raises DamagedSeal."""
        try:
            return self._read_documented(key)
        except (ValueError, LookupError, TypeError) as error:
            raise DamagedSeal(f"{key} is not of the documented form: {error!r}") from error

    def _read_documented(self, key: str) -> SealedTask:
        data = self.bytes_of(key)
        facts_size, index_size = self._check_head(key, data)
        begin = _LENGTHS.size + _DIGEST
        facts = json.loads(data[begin : begin + facts_size])
        index = json.loads(data[begin + facts_size : begin + facts_size + index_size])
        rows = dict(_iter_rows(key, index, body=begin + facts_size + index_size))
        self._check_values(key, rows)
        step, name = key.split("/")[-2:]
        task, _, attempt = name.removesuffix(_SUFFIX).rpartition(".")
        if facts["key"][2:] != [step, task, int(attempt)]:
            raise DamagedSeal(f"{key} says that it is {facts['key']}")
        return SealedTask(
            step=step,
            task=task,
            attempt=int(attempt),
            ok=facts["ok"],
            parents=tuple((parent[0], parent[1]) for parent in facts.get("parents", ())),
            frames=tuple(_foreach_frames(facts)),
            artifacts=frozenset(index["artifacts"]),
            addresses={name: row.address for name, row in rows.items()},
            rows=rows,
            origin="/".join(facts["origin"][:4]) if "origin" in facts else None,
            logged=facts["origin"][4] if "origin" in facts else int(attempt),
            failure=facts.get("failure", {}).get("summary", ""),
        )

    def _check_head(self, key: str, data: bytes) -> tuple[int, int]:
        begin = _LENGTHS.size + _DIGEST
        if len(data) < begin or not data.startswith(_MAGIC):
            raise DamagedSeal(f"{key} does not begin as a sealed attempt")
        _, facts, index, body = _LENGTHS.unpack_from(data)
        digest = hashlib.sha256(data[: _LENGTHS.size] + data[begin : begin + facts + index])
        if digest.digest() != data[_LENGTHS.size : begin]:
            raise DamagedSeal(f"{key}: facts and index don't match their sum")
        if len(data) != begin + facts + index + body:
            raise DamagedSeal(f"{key} has {len(data)} bytes, not what its lengths add up to")
        return facts, index

    def _check_values(self, key: str, rows: Mapping[str, Row]) -> None:
        for name, row in rows.items():
            if (row.home, row.offset, row.address) in self.checked:
                continue
            self.checked.add((row.home, row.offset, row.address))
            value = memoryview(self.bytes_of(row.home))[row.offset : row.offset + row.size]
            if len(value) != row.size or hashlib.sha256(value).hexdigest() != row.address:
                raise DamagedSeal(
                    f"artifact '{name}' of {key} is not in {row.home} as its address says"
                )


def _iter_rows(key: str, index: Mapping[str, Any], *, body: int) -> Iterator[tuple[str, Row]]:
    homes = [key, *index["homes"]]
    for name, (address, size, _type, codec, *place) in index["artifacts"].items():
        if place:
            home, offset = homes[place[0]], place[1] + (0 if place[0] else body)
        else:
            home, offset = f"{key.partition('/')[0]}/data/{address[:2]}/{address}", 0
        yield name, Row(address, size, index["codecs"][codec], home, offset)


def _foreach_frames(facts: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    for _step, _task, index, width, foreach in facts.get("frames", ()):
        if foreach is not None:
            yield index, width
