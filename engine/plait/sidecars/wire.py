"""Messages on their way to a sidecar: lines of JSON of a bounded length."""

from __future__ import annotations

import json
from dataclasses import replace

from plait.sidecars.protocol import Kind, Measurement, Message, RunEvent

LONGEST = 4096
"""The most bytes of a line: as many as a pipe of Linux takes whole or not at all."""

_LONGEST_TEXT = 300
"""How much of each text is kept where a message would be too long otherwise."""


def format_message(message: Message) -> bytes | None:
    """Give the line for a message; None if it is too long even with its details cut short."""
    line = _format(message)
    if len(line) > LONGEST and isinstance(message, RunEvent):
        cut = {
            name: value[:_LONGEST_TEXT] if isinstance(value, str) else value
            for name, value in message.details.items()
        }
        line = _format(replace(message, details=cut))
    return line if len(line) <= LONGEST else None


def parse_message(kind: Kind, line: bytes) -> Message:
    """Read what `format_message` gave for a message to a sidecar of *kind*."""
    data = json.loads(line)
    return RunEvent.from_json(data) if kind == "event-logger" else Measurement.from_json(data)


def _format(message: Message) -> bytes:
    return json.dumps(message.to_json(), separators=(",", ":")).encode() + b"\n"
