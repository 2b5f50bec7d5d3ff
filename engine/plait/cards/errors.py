"""What can be wrong with a card that is kept."""

from __future__ import annotations

from plait.base.errors import PlaitError


class DamagedCard(PlaitError):
    """What is kept as a card of a task is not one that plait wrote."""

    slug = "damaged-card"

    def __init__(self, pathspec: str, reason: str) -> None:
        super().__init__(
            f"a card of '{pathspec}' is not as plait writes cards",
            why=reason,
            fix="run the step again, and find out who else writes to the store",
        )
