"""How long do Python alone, `import plait`, its flow classes, and `flow.py show` take?"""

from __future__ import annotations

import sys
from pathlib import Path

from hello import FLOW
from side_by_side import Contender, Demand, measure, metaflow_flow, plait_flow


def make(folder: Path, repeat: int) -> list[Contender]:
    """Give the contenders; they are short, so each is run more often."""
    often = repeat * 4
    contenders = [
        Contender("python", [sys.executable, "-c", "pass"], often),
        Contender("import", [sys.executable, "-c", "import plait"], often),
        Contender("FlowSpec", [sys.executable, "-c", "from plait import FlowSpec, step"], often),
        Contender("show", [*plait_flow(folder, FLOW), "show"], often),
    ]
    peer = metaflow_flow(folder, FLOW)
    if peer is not None:
        contenders.append(Contender("metaflow", [*peer, "show"], min(repeat, 5)))
    return contenders


if __name__ == "__main__":
    measure(__doc__ or "", make, [Demand("show", "metaflow", 2, at_least=True)])
