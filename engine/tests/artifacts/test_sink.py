"""Bytes stay in memory while they are few, are streamed when not, and are hashed either way."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plait.artifacts.codec import SMALL
from plait.artifacts.sink import Sink
from plait.storage.memory import MemoryStorage

_SIZES = st.integers(0, 100) | st.sampled_from(
    [SMALL - 1, SMALL, SMALL + 1, 1 << 20, (1 << 20) + 1, 9 << 20]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(_SIZES, max_size=6), st.booleans())
def test_the_address_is_that_of_all_bytes(sizes, uploads):
    """However the bytes come, their sum is right, and they are kept whole in one place."""
    pieces = [bytes([n]) * size for n, size in enumerate(sizes)]
    data = b"".join(pieces)
    storage = MemoryStorage()

    with Sink(storage.upload if uploads else None) as sink:
        for piece in pieces:
            sink.write(memoryview(piece))
        address, payload = sink.finish()
        sink.commit("key")

    assert address == sha256(data).hexdigest()
    assert sink.size == len(data)
    assert payload == (data if len(data) <= SMALL else None)
    if uploads and len(data) > SMALL:
        assert storage.get("key") == data
    else:
        assert not storage.has("key")


@pytest.mark.parametrize("size", [10, 1 << 20, 9 << 20])
def test_what_is_written_may_change_afterwards(size):
    """A buffer that its owner goes on to use is kept as it was."""
    storage = MemoryStorage()
    buffer = bytearray(size)

    with Sink(storage.upload) as sink:
        sink.write(buffer)
        buffer[0] = 1
        sink.write(bytes(SMALL))
        address, _ = sink.finish()

    assert address == sha256(bytes(size + SMALL)).hexdigest()


@pytest.mark.parametrize("size", [2 << 20, 9 << 20])
def test_what_the_upload_raises_is_passed_on(size):
    """An upload that fails ends the write by its own error, and is dropped."""
    dropped = []

    class Full:
        def write(self, data):
            raise BlockingIOError

        def __exit__(self, kind, error, trace):
            dropped.append(kind)

    with pytest.raises(BlockingIOError), Sink(Full) as sink:
        sink.write(bytes(size))
    assert dropped == [BlockingIOError]
