"""How long do twenty steps in a row take?"""

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

STEPS = 20


def flow() -> str:
    """Give a flow of a row of steps, each adding one."""
    names = ["start", *(f"s{n}" for n in range(1, STEPS - 1)), "end"]
    lines = ["class Linear(FlowSpec):"]
    for name, after in zip(names, [*names[1:], None], strict=True):
        lines += ["    @step", f"    def {name}(self):"]
        lines.append("        self.n = 0" if name == "start" else "        self.n += 1")
        if after is not None:
            lines.append(f"        self.next(self.{after})")
        lines.append("")
    return "\n".join([*lines, "", "if __name__ == '__main__':", "    Linear()", ""])


def make(folder: Path, repeat: int) -> list[Contender]:
    """Give the contenders."""
    run = ("--quiet", "run")
    contenders = [
        Contender(FLOOR, floor_program(folder, FLOOR, forked_line(STEPS)), repeat),
        Contender("plait", [*plait_flow(folder, flow()), *run], repeat),
    ]
    peer = metaflow_flow(folder, flow())
    if peer is not None:
        contenders.append(Contender("metaflow", [*peer, *run], min(repeat, 3)))
    return contenders


if __name__ == "__main__":
    measure(__doc__ or "", make, [Demand("plait", "metaflow", 15, at_least=True)])
