"""Reading sealed attempts straight from a local store's files, by the documented format.

Nothing of the engine is used, so that what its own readers might overlook is seen; what stands
where is said in docs/store-format.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_MAGIC = b"PLAITA1\n"
_LENGTHS = struct.Struct("<8sIIQ")
_DIGEST = 32
_SUFFIX = ".attempt"


class DamagedSeal(Exception):
    """A file of the store does not hold what the format promises; says which and what."""


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


def read_run(store: str, flow: str, run: str) -> list[SealedTask]:
    """Read every sealed attempt of a run, and check every value against its address.

    Args:
        store: The folder that holds the values of all flows: `.plait/store`.
        flow: The flow's name.
        run: The run's id.

    Raises:
        DamagedSeal: A file or a value is not what it says it is.
    """
    reader = _Reader(store)
    return [reader.read(key) for key in _iter_seals(store, f"{flow}/runs/{run}")]


def _iter_seals(store: str, prefix: str) -> Iterator[str]:
    for folder, folders, files in os.walk(os.path.join(store, prefix)):
        folders.sort()
        for name in sorted(files):
            if name.endswith(_SUFFIX):
                yield os.path.relpath(os.path.join(folder, name), store).replace(os.sep, "/")


class _Reader:
    def __init__(self, store: str) -> None:
        self.store = store
        self.contents: dict[str, bytes] = {}
        # Thousands of tasks point to the same value; it is hashed once per place.
        self.checked: set[tuple[str, int, str]] = set()

    def bytes_of(self, key: str) -> bytes:
        if key not in self.contents:
            try:
                with open(os.path.join(self.store, key), "rb") as file:
                    self.contents[key] = file.read()
            except OSError as error:
                raise DamagedSeal(f"{key} can't be read: {error.strerror}") from error
        return self.contents[key]

    def read(self, key: str) -> SealedTask:
        try:
            return self.read_documented(key)
        except (ValueError, LookupError, TypeError) as error:
            raise DamagedSeal(f"{key} is not of the documented form: {error!r}") from error

    def read_documented(self, key: str) -> SealedTask:
        data = self.bytes_of(key)
        facts_size, index_size = self.check_head(key, data)
        begin = _LENGTHS.size + _DIGEST
        facts = json.loads(data[begin : begin + facts_size])
        index = json.loads(data[begin + facts_size : begin + facts_size + index_size])
        self.check_values(key, index, body=begin + facts_size + index_size)
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
            addresses={name: row[0] for name, row in index["artifacts"].items()},
            origin="/".join(facts["origin"][:4]) if "origin" in facts else None,
            failure=facts.get("failure", {}).get("summary", ""),
        )

    def check_head(self, key: str, data: bytes) -> tuple[int, int]:
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

    def check_values(self, key: str, index: Mapping[str, Any], *, body: int) -> None:
        homes = [key, *index["homes"]]
        for name, (address, size, _type, _codec, *place) in index["artifacts"].items():
            if place:
                home, offset = homes[place[0]], place[1]
                if place[0] == 0:
                    offset += body
            else:
                home, offset = f"{key.partition('/')[0]}/data/{address[:2]}/{address}", 0
            if (home, offset, address) in self.checked:
                continue
            self.checked.add((home, offset, address))
            value = memoryview(self.bytes_of(home))[offset : offset + size]
            if len(value) != size or hashlib.sha256(value).hexdigest() != address:
                raise DamagedSeal(
                    f"artifact '{name}' of {key} is not in {home} as its address says"
                )


def _foreach_frames(facts: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    for _step, _task, index, width, foreach in facts.get("frames", ()):
        if foreach is not None:
            yield index, width
