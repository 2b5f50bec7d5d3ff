"""Comparing stops at the first piece that is not the stored one."""

import io
from pickle import PickleBuffer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.artifacts.codec import PLAIN, SMALL, WITH_BUFFERS, dump, pickled_size
from plait.artifacts.comparison import Comparison, Differs

_LARGE = 3 << 18


@given(st.binary(), st.lists(st.binary(), max_size=5))
def test_equal_and_different_bytes(stored, pieces):
    """Pieces are met exactly if they are the stored bytes one after another."""
    written = b"".join(pieces)
    comparison = Comparison(stored)
    try:
        for piece in pieces:
            comparison.write(piece)
    except Differs:
        assert not stored.startswith(written)
    else:
        assert stored.startswith(written)
        assert comparison.is_complete is (stored == written)


@pytest.mark.parametrize("position", [0, 1 << 18, _LARGE - 1])
def test_large_pieces(position):
    """A difference anywhere in a large piece is found."""
    stored = bytes(_LARGE)
    Comparison(stored).write(memoryview(stored))
    changed = bytearray(stored)
    changed[position] = 1

    with pytest.raises(Differs):
        Comparison(stored).write(memoryview(changed))


class _Kept(io.BytesIO):
    @property
    def size(self):
        return self.tell()


def test_where_the_difference_lies():
    """A difference after the pickle is one in a buffer, if the codec has buffers."""
    output = _Kept()
    assert dump([PickleBuffer(bytes(SMALL))], output) == WITH_BUFFERS
    stored = output.getvalue()

    assert Differs(stored, len(stored) - 100).in_buffer(WITH_BUFFERS)
    assert not Differs(stored, 0).in_buffer(WITH_BUFFERS)
    assert Differs(stored, pickled_size(stored)).in_buffer(WITH_BUFFERS)
    assert not Differs(stored, pickled_size(stored) - 1).in_buffer(WITH_BUFFERS)
    assert not Differs(stored, len(stored) - 100).in_buffer(PLAIN)
    assert not Differs(stored[:-1], len(stored) - 100).in_buffer(WITH_BUFFERS)
