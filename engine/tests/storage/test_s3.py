"""The S3 storage keeps every promise, on two servers, and asks them for little."""

from __future__ import annotations

import pytest

from plait.storage.conformance import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_conforms(make_storage, check):
    """Every promise of a storage is kept."""
    check(make_storage())
