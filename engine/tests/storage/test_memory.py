"""The storage in memory keeps the promises of every storage."""

import pytest

from plait.storage.conformance import CHECKS
from plait.storage.memory import MemoryStorage


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_conformance(check):
    """Each check of the suite passes."""
    check(MemoryStorage())


def test_its_place():
    """Messages say that it is in memory."""
    assert MemoryStorage().place == "memory"
