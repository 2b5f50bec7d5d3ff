"""`load_plain`: values of plain types, and nothing that could run."""

from __future__ import annotations

import collections
import os
import pickle
from typing import Any

import pytest

from plait.artifacts.codec import PLAIN, WITH_BUFFERS
from plait.artifacts.plain import NotPlain, load_plain


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> Any:
        return (os.system, ("exit 7",))


@pytest.mark.parametrize(
    "value",
    [None, True, -(2**70), 1.5, "ü", b"\0", [1, [2]], (1,), {"a": {1: None}}, {1}, bytearray(b"x")],
    ids=repr,
)
def test_plain_values_are_read(value: object) -> None:
    """Whatever pickle writes without naming a class."""
    try:
        read = load_plain(pickle.dumps(value, 5), PLAIN)
    except NotPlain:
        pytest.fail(f"{value!r} is plain")
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize("value", [Evil(), [Evil()], collections.OrderedDict(), print, 1j])
def test_what_names_anything_is_not_read(value: object) -> None:
    """Nor is it called."""
    with pytest.raises(NotPlain):
        load_plain(pickle.dumps(value, 5), PLAIN)


@pytest.mark.parametrize("payload", [b"", b"\x80\x05", b"cos\nsystem\n(S'exit 7'\ntR.", b"junk"])
def test_what_is_no_pickle_is_refused(payload: bytes) -> None:
    """With the same error, whatever pickle says."""
    with pytest.raises(NotPlain):
        load_plain(payload, PLAIN)


def test_buffers_outside_are_not_plain() -> None:
    """They belong to arrays."""
    with pytest.raises(NotPlain, match="buffers"):
        load_plain(pickle.dumps(1, 5), WITH_BUFFERS)
