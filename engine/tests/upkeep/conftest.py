"""What the tests of this folder share: an empty store."""

from __future__ import annotations

from pathlib import Path

import pytest
from upkeep.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty store."""
    return House(tmp_path / ".plait")
