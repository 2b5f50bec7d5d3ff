"""How a value becomes bytes and a value again: pickle 5, with large buffers outside of the pickle.

Two codecs. `pickle5` is a plain pickle. `pickle5+buffers` is a pickle, then each large buffer that
the pickle refers to, then a table of the buffers (docs/store-format.md has every byte). Both begin
with the pickle, so that nothing has to be known in advance and values are written in one pass.
"""

from __future__ import annotations

import pickle
import struct
from typing import Protocol

from plait.storage.protocol import Buffer

PLAIN = "pickle5"
WITH_BUFFERS = "pickle5+buffers"
CODECS = (PLAIN, WITH_BUFFERS)

SMALL = 65536
"""A value of up to so many encoded bytes lies in its attempt's seal; a buffer of fewer bytes lies
in the pickle, so that a value with a buffer outside is always a large one."""

PROTOCOL = 5
ALIGNMENT = 64
"""Buffers begin at multiples of this, as vector instructions like it."""

_ENTRY = struct.Struct("<QQ")  # offset and length of a buffer
_FOOTER = struct.Struct("<QQ8s")  # length of the pickle, number of buffers, mark
_MARK = b"PLAITB1\n"
_LARGE = 64 << 20
"""Payloads of at least so many bytes are not kept in memory beside what is made of them."""


class Output(Protocol):
    """Where encoded bytes go."""

    @property
    def size(self) -> int:
        """How many bytes went there so far."""
        ...

    def write(self, data: Buffer, /) -> object:
        """Take *data*, which may change after the call."""
        ...


def dump(value: object, output: Output) -> str:
    """Encode *value* and give the codec's name.

    Raises whatever *value* raises when it is pickled, and what *output* raises.
    """
    outside: list[memoryview] = []

    def keep_in(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < SMALL:
            return True
        outside.append(raw)
        return False

    pickle.Pickler(output, PROTOCOL, buffer_callback=keep_in).dump(value)
    if not outside:
        return PLAIN
    pickled = output.size
    table = []
    for raw in outside:
        output.write(bytes(-output.size % ALIGNMENT))
        table.append(_ENTRY.pack(output.size, raw.nbytes))
        output.write(raw)
    output.write(b"".join(table) + _FOOTER.pack(pickled, len(table), _MARK))
    return WITH_BUFFERS


def load(payload: Buffer, codec: str) -> object:
    """Decode what `dump` gave, by the codec's name.

    With `WITH_BUFFERS`, arrays use *payload*'s memory, not a copy, and are writable if it is.

    Raises:
        BadPayload: The bytes don't have the form of that codec.
        Exception: Whatever unpickling raises.
    """
    if codec == PLAIN:
        if len(payload) < _LARGE:
            return pickle.loads(payload)
        # Loaded here, for most tasks read only small values.
        from plait.artifacts.drain import Drain

        return pickle.load(Drain(payload))
    view = memoryview(payload)
    pickled, table = _parse_table(view)
    buffers = [view[offset : offset + length] for offset, length in table]
    return pickle.loads(view[:pickled], buffers=buffers)


def type_name(cls: type) -> str:
    """Give a type as `module.QualName`, builtins without the module."""
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"


class BadPayload(Exception):
    """Encoded bytes that don't have the form of their codec."""


def pickled_size(payload: Buffer) -> int:
    """Give the length of the pickle in a payload of `WITH_BUFFERS`. Raises BadPayload."""
    return _parse_table(memoryview(payload))[0]


def _parse_table(view: memoryview) -> tuple[int, list[tuple[int, int]]]:
    end = len(view) - _FOOTER.size
    if end < 0:
        raise BadPayload("it is shorter than the table at its end")
    pickled, number, mark = _FOOTER.unpack_from(view, end)
    start = end - number * _ENTRY.size
    if mark != _MARK or not pickled <= start <= end:
        raise BadPayload("the table of buffers at its end is not one")
    table = list(_ENTRY.iter_unpack(view[start:end]))
    if any(offset + length > start for offset, length in table):
        raise BadPayload("the table of buffers points outside")
    return pickled, table
