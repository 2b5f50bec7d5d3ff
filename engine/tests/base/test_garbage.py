"""The garbage collector's pause: it ends, also by an error, and leaves alone who has paused."""

from __future__ import annotations

import gc

import pytest

from plait.base.garbage import collection_paused


def test_a_pause_ends_however_its_work_does() -> None:
    """Nothing is collected within, and all is as before afterwards, also after an error."""
    assert gc.isenabled()

    with collection_paused():
        within = gc.isenabled()
    with pytest.raises(KeyError), collection_paused():
        raise KeyError

    assert not within
    assert gc.isenabled()


def test_who_collects_nothing_goes_on_so() -> None:
    """A pause within a program without collection does not switch it on."""
    gc.disable()
    try:
        with collection_paused():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()
