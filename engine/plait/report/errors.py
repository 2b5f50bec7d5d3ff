"""What can keep a page from being made."""

from __future__ import annotations

from plait.base.errors import PlaitError


class ReportExtraMissing(PlaitError):
    """A page was asked for, and what makes pages is not installed."""

    slug = "report-extra-missing"

    def __init__(self, package: str) -> None:
        super().__init__(
            f"a page cannot be made without {package}, which is not installed",
            why="it is among what only pages need, and comes with plait[report]",
            fix="pip install 'plait[report]'",
        )
