"""The fixtures of plait's own, also where it was installed before it had any."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plait.client.source import use_opener
from plait.testing.plugin import flow_runner, plait_flow
from plait.wiring.stores import Stores, open_source

__all__ = ["flow_runner", "plait_flow"]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Closes what the client opens, which Python 3.13 asks of whoever has opened a database."""
    opened: list[Stores] = []

    def opener(spec: str | None) -> Stores:
        opened.append(open_source(spec))
        return opened[-1]

    use_opener(opener)
    yield
    use_opener(open_source)
    for stores in opened:
        stores.close()
