"""Values become bytes and values again, with large buffers outside of the pickle."""

import io
import pickle
import struct
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plait.artifacts.codec import (
    ALIGNMENT,
    PLAIN,
    SMALL,
    WITH_BUFFERS,
    BadPayload,
    dump,
    load,
    pickled_size,
    type_name,
)


class _Kept(io.BytesIO):
    """An output that keeps everything."""

    @property
    def size(self):
        return self.tell()


class _Dropped:
    """An output that keeps nothing, and notes the largest piece."""

    size = 0
    largest = 0

    def write(self, data):
        size = memoryview(data).nbytes
        self.size += size
        self.largest = max(self.largest, size)


class Blob:
    """A value that offers its bytes as a buffer, as arrays do."""

    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        return Blob, (pickle.PickleBuffer(self.data),)


def _dumped(value):
    output = _Kept()
    codec = dump(value, output)
    return codec, output.getvalue()


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@settings(max_examples=40)
@given(_VALUES)
def test_values_come_back(value):
    """What is dumped loads to an equal value, and is a pickle that Python reads by itself."""
    codec, payload = _dumped(value)

    assert codec == PLAIN
    assert load(payload, codec) == value
    assert pickle.loads(payload) == value


@given(st.lists(st.integers(0, 3 * SMALL), max_size=4))
def test_buffers_come_back(sizes):
    """Buffers of any size come back, the large ones from outside of the pickle."""
    value = [Blob(bytes([n % 251]) * size) for n, size in enumerate(sizes)]

    codec, payload = _dumped(value)

    assert codec == (WITH_BUFFERS if any(size >= SMALL for size in sizes) else PLAIN)
    assert [bytes(blob.data) for blob in load(payload, codec)] == [b.data for b in value]


def test_large_buffers_are_aligned_and_not_copied():
    """A loaded array uses the payload's memory, at a multiple of 64 bytes, and is writable."""
    array = np.arange(SMALL, dtype=np.float64).reshape(256, -1)
    codec, payload = _dumped({"name": "x", "array": array})
    memory = bytearray(payload)

    loaded = load(memory, codec)["array"]

    assert np.array_equal(loaded, array)
    start = payload.index(array.tobytes())
    assert start % ALIGNMENT == 0
    assert start >= pickled_size(payload)
    loaded[0, 0] = 7
    assert memory[start : start + 8] == struct.pack("<d", 7)


def test_read_only_arrays_stay_read_only():
    """An array that could not be written to can't be afterwards either."""
    array = np.zeros(SMALL)
    array.flags.writeable = False
    codec, payload = _dumped(array)

    assert not load(bytearray(payload), codec).flags.writeable


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(0),
        np.array(3.5),
        np.arange(10),
        np.asfortranarray(np.arange(SMALL).reshape(64, -1)),
        np.arange(2 * SMALL)[::2],
        np.arange(SMALL, dtype=">i4"),
        np.array(["a", "bc"] * SMALL),
        np.array([{"a": 1}, None], dtype=object),
    ],
    ids=["empty", "scalar", "small", "fortran", "strided", "big-endian", "text", "objects"],
)
def test_arrays_of_every_form(array):
    """Arrays keep shape, type, order and content, however they lie in memory."""
    codec, payload = _dumped(array)
    loaded = load(bytearray(payload), codec)

    assert loaded.dtype == array.dtype
    assert loaded.shape == array.shape
    assert np.array_equal(loaded, array)
    assert loaded.flags.writeable


def test_data_frames():
    """A data frame's columns are buffers too."""
    frame = pd.DataFrame({"a": range(SMALL), "b": np.linspace(0, 1, SMALL), "c": ["x"] * SMALL})
    codec, payload = _dumped(frame)

    assert codec == WITH_BUFFERS
    pd.testing.assert_frame_equal(load(bytearray(payload), codec), frame)


def test_the_same_value_gives_the_same_bytes():
    """The bytes depend on the value alone, so that equal values have one address."""
    first, second = ({"a": [1, 2.5], "b": np.arange(SMALL)} for _ in range(2))

    assert _dumped(first) == _dumped(second)


@pytest.mark.parametrize(
    "value",
    [Blob(bytearray(64 << 20)), bytes(64 << 20), [bytes(1 << 20)] * 64, list(range(300, 300_000))],
    ids=["buffer", "bytes", "many", "list"],
)
def test_dumping_takes_no_memory_to_speak_of(value):
    """Memory while dumping does not grow with the value."""
    output = _Dropped()
    tracemalloc.start()
    dump(value, output)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    # What pickle itself notes of 300,000 numbers or of a large value is all.
    assert output.size > 500_000
    assert peak < 1 << 20


def test_what_output_raises_is_passed_on():
    """An output that fails ends the dump by its own error."""

    class Full(_Dropped):
        def write(self, data):
            raise BlockingIOError

    with pytest.raises(BlockingIOError):
        dump(bytes(10), Full())
    with pytest.raises(BlockingIOError):
        dump(Blob(bytes(SMALL)), Full())


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda data: data + b"PLAITB1\n"))
def test_what_is_no_table_of_buffers_is_refused(payload):
    """Bytes that don't end in a table are refused by name, and cost no memory."""
    with pytest.raises(BadPayload):
        pickled_size(payload[:-1] + b"?")
    with pytest.raises((BadPayload, pickle.UnpicklingError, EOFError)):
        load(payload, WITH_BUFFERS)


@pytest.mark.parametrize(
    ("entry", "footer"),
    [
        ((0, 1 << 60), (0, 1)),
        ((1 << 60, 0), (0, 1)),
        ((0, 0), (1 << 60, 1)),
        ((0, 0), (0, 1 << 60)),
        ((0, 0), (0, 3)),
    ],
)
def test_absurd_numbers_in_a_table_are_refused(entry, footer):
    """Offsets, lengths and counts that lead outside are refused."""
    payload = struct.pack("<QQ", *entry) + struct.pack("<QQ8s", *footer, b"PLAITB1\n")

    with pytest.raises(BadPayload):
        load(payload, WITH_BUFFERS)


def test_type_names():
    """A type is named with its module, unless it is a builtin."""
    assert type_name(int) == "int"
    assert type_name(np.ndarray) == "numpy.ndarray"
    assert type_name(_Kept) == f"{__name__}._Kept"
