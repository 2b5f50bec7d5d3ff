"""What every store of facts must do, as checks that a test of each store goes through.

A check takes a function that makes a new, empty store, and raises AssertionError where the store
breaks its promise. For example:

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_mine(check):
        check(MyMetadata)
"""

from __future__ import annotations

from collections.abc import Callable

from plait.metadata.conformance_ends import END_CHECKS
from plait.metadata.conformance_ids import ID_CHECKS
from plait.metadata.conformance_runs import RUN_CHECKS
from plait.metadata.conformance_tasks import TASK_CHECKS
from plait.metadata.protocol import MetadataStore

Make = Callable[[], MetadataStore]
"""Makes a new, empty store."""

CHECKS: tuple[Callable[[Make], None], ...] = (
    *ID_CHECKS,
    *RUN_CHECKS,
    *END_CHECKS,
    *TASK_CHECKS,
)
"""Every check; the name of each is what it promises."""
