"""How long does a foreach over 500 elements take, four at a time?"""

from __future__ import annotations

from pathlib import Path

from fans import fan
from floors import forked_fan
from side_by_side import (
    FLOOR,
    Contender,
    Demand,
    floor_program,
    measure,
    metaflow_flow,
    plait_flow,
)

WIDTH = 500
WORKERS = 4

FLOW = fan(WIDTH)


def make(folder: Path, repeat: int) -> list[Contender]:
    """Give the contenders."""
    run = ("--quiet", "run", "--max-workers", str(WORKERS), "--max-num-splits", str(WIDTH))
    contenders = [
        Contender(FLOOR, floor_program(folder, FLOOR, forked_fan(WIDTH, WORKERS)), repeat),
        Contender("plait", [*plait_flow(folder, FLOW), *run], repeat),
    ]
    peer = metaflow_flow(folder, FLOW)
    if peer is not None:
        contenders.append(Contender("metaflow", [*peer, *run], 1))
    return contenders


if __name__ == "__main__":
    measure(
        __doc__ or "",
        make,
        [
            Demand(FLOOR, "plait", 6, at_least=False),
            Demand("plait", "metaflow", 30, at_least=True),
        ],
    )
