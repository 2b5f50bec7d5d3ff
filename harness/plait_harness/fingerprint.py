"""A short word for a value, equal for equal values, for processes to compare what they read."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Any


def fingerprint(value: Any) -> str:
    """Give a digest of a value: of its type and content, whatever process or copy it is in.

    Pickles don't serve for this: equal values may have different ones, by what they share.
    """
    digest = hashlib.blake2b(digest_size=12)
    _Writer(digest).write(value)
    return digest.hexdigest()


class _Writer:
    def __init__(self, digest: Any) -> None:
        self.digest = digest
        # Objects by id, for values that contain themselves; kept alive, so that no id is reused.
        self.seen: dict[int, tuple[int, Any]] = {}

    def write(self, value: Any) -> None:
        kind = type(value)
        if value is None or kind in (bool, int, str, complex, range, slice):
            self.token(kind.__name__, repr(value).encode("utf-8", "surrogatepass"))
        elif kind is float:
            self.token("float", struct.pack("<d", value))
        elif kind in (bytes, bytearray):
            self.token(kind.__name__, bytes(value))
        elif id(value) in self.seen:
            self.token("again", str(self.seen[id(value)][0]).encode())
        else:
            self.seen[id(value)] = (len(self.seen), value)
            self.write_object(value)

    def write_object(self, value: Any) -> None:
        kind = type(value)
        if kind in (list, tuple):
            self.begin(kind, len(value))
            for each in value:
                self.write(each)
        elif kind is dict:
            self.begin(kind, len(value))
            for key, each in value.items():
                self.write(key)
                self.write(each)
        elif kind in (set, frozenset):
            # A set's order differs from process to process.
            self.begin(kind, len(value))
            for each in sorted(map(fingerprint, value)):
                self.token("element", each.encode())
        elif isinstance(value, type) or callable(getattr(value, "__qualname__", None)):
            self.token("global", _name_of(value))
        elif _is_array(value):
            self.token("array", f"{value.dtype.str}{value.shape}".encode())
            self.digest.update(value.tobytes())
        else:
            self.write_reduced(value)

    def write_reduced(self, value: Any) -> None:
        if hasattr(value, "__qualname__"):
            self.token("global", _name_of(value))
            return
        self.token("object", _name_of(type(value)))
        reduced = value.__reduce_ex__(4)
        parts: Iterable[Any] = [reduced] if isinstance(reduced, str) else reduced
        for part in parts:
            # The items of a list or dict subclass come as iterators.
            self.write(list(part) if hasattr(part, "__next__") else part)

    def begin(self, kind: type, size: int) -> None:
        self.token(kind.__name__, str(size).encode())

    def token(self, kind: str, data: bytes) -> None:
        self.digest.update(f"{kind}:{len(data)}:".encode())
        self.digest.update(data)


def _name_of(value: Any) -> bytes:
    module = getattr(value, "__module__", None)
    return f"{module}.{value.__qualname__}".encode()


def _is_array(value: Any) -> bool:
    # Objects in an array are compared as what they are, not by where they lie.
    return (
        type(value).__module__ == "numpy"
        and type(value).__name__ == "ndarray"
        and not value.dtype.hasobject
    )
