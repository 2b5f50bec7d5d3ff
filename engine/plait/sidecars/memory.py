"""The sidecar that is none: it keeps what it is told, in this process; for tests."""

from __future__ import annotations

from plait.sidecars.protocol import Kind, Losses, Message
from plait.sidecars.wire import format_message, parse_message


class MemorySidecar:
    """A `Sidecar` without a process.

    Attributes:
        told: What it took, as the real one would: after a way through its line.
        is_hung: Set it to have the sidecar take nothing from now on.
    """

    def __init__(self, kind: Kind, name: str = "memory") -> None:
        self.kind = kind
        self.name = name
        self.told: list[Message] = []
        self.is_hung = False
        self._sent = 0
        self._losses: Losses | None = None

    def send(self, message: Message) -> None:
        """Keep the message, unless the sidecar is hung."""
        if self._losses is not None:
            return
        self._sent += 1
        line = format_message(message)
        if line is not None and not self.is_hung:
            self.told.append(parse_message(self.kind, line))

    def close(self) -> Losses:
        """Say what was lost."""
        if self._losses is None:
            lost = self._sent - len(self.told)
            self._losses = Losses(self._sent, lost, "it took no more" if lost else "")
        return self._losses
