"""How long do three steps take, start to end?"""

from __future__ import annotations

from pathlib import Path

from floors import forked_line
from side_by_side import (
    FLOOR,
    Contender,
    Demand,
    floor_program,
    measure,
    metaflow_flow,
    plait_flow,
)

FLOW = """
class Hello(FlowSpec):
    @step
    def start(self):
        self.words = ["hello"]
        self.next(self.middle)

    @step
    def middle(self):
        self.words.append("world")
        self.next(self.end)

    @step
    def end(self):
        print(self.words)


if __name__ == "__main__":
    Hello()
"""


def make(folder: Path, repeat: int) -> list[Contender]:
    """Give the contenders."""
    run = ("--quiet", "run")
    contenders = [
        Contender(FLOOR, floor_program(folder, FLOOR, forked_line(3)), repeat),
        Contender("plait", [*plait_flow(folder, FLOW), *run], repeat),
    ]
    peer = metaflow_flow(folder, FLOW)
    if peer is not None:
        contenders.append(Contender("metaflow", [*peer, *run], min(repeat, 3)))
    return contenders


if __name__ == "__main__":
    measure(__doc__ or "", make, [Demand("plait", "metaflow", 5, at_least=True)])
