"""The mistakes that can be made in choosing a sidecar."""

from __future__ import annotations

from collections.abc import Iterable

from plait.base.errors import UsageError, nearest


class UnknownSidecar(UsageError):
    """No event logger or monitor of that name is built in or installed."""

    slug = "unknown-sidecar"

    def __init__(self, kind: str, name: str, known: Iterable[str], group: str) -> None:
        super().__init__(
            f"there is no {kind.replace('-', ' ')} '{name}'",
            why=nearest(name, known),
            fix=f"install the package that offers it under the entry point group '{group}'",
        )
