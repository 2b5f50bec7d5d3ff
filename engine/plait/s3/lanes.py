"""The parts of one object, a few on their way at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

PART = 16 << 20
"""Objects larger than so many bytes travel in parts of so many, several at once."""
_LANES = 4
"""So many parts of one object are on their way at once; so many parts are in memory."""


def side_by_side(work: Callable[[int], None], items: range) -> None:
    """Do *work* for each item, a few at once; after an error none is begun any more."""
    if len(items) <= 1:
        for item in items:
            work(item)
        return
    waiting = iter(items)
    with ThreadPoolExecutor(_LANES) as pool:
        running: set[Future[None]] = {pool.submit(work, item) for item in _take(waiting, _LANES)}
        try:
            while running:
                done = next(iter(wait(running, return_when=FIRST_COMPLETED).done))
                running.discard(done)
                done.result()
                running |= {pool.submit(work, item) for item in _take(waiting, 1)}
        finally:
            for future in running:
                future.cancel()


def _take(items: Iterator[int], count: int) -> Iterator[int]:
    for _, item in zip(range(count), items, strict=False):
        yield item
