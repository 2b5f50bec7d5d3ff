"""Values of Python's own plain types, read from a pickle without running anything that is in it."""

from __future__ import annotations

import io
import pickle
from typing import NoReturn

from plait.artifacts.codec import PLAIN
from plait.storage.protocol import Buffer


class NotPlain(Exception):
    """A pickle that names a class or a function, or that is none at all."""


class _Plain(pickle.Unpickler):
    """Knows numbers, text, bytes, None and containers of them, for which pickle needs no names."""

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse, for whatever a pickle names may be called when it is read."""
        raise NotPlain(f"{module}.{name}")


def load_plain(payload: Buffer, codec: str) -> object:
    """Decode a value that is of plain types only.

    A pickle can have any function called; so one that somebody else may have written is read only
    in this way.

    Args:
        payload: What `codec.dump` gave.
        codec: The codec's name.

    Raises:
        NotPlain: It holds anything else.
    """
    if codec != PLAIN:
        raise NotPlain("it has buffers outside of the pickle")
    try:
        return _Plain(io.BytesIO(payload)).load()
    except NotPlain:
        raise
    except Exception as error:  # damaged bytes make pickle raise nearly anything
        raise NotPlain(f"{type(error).__name__}: {error}") from error
