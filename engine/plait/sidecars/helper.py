"""What a sidecar's own process does: it loads the class that was chosen, and hands it messages."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from plait.sidecars.guardian import fork_sidecar
from plait.sidecars.protocol import Kind
from plait.sidecars.status import StatusFile
from plait.sidecars.wire import parse_message


def main(parent: int, descriptor: int, grace: float) -> int:
    """Serve as a sidecar until standard input ends.

    Its first line says which class and what to make it with; each other one is a message.

    Args:
        parent: The process id of the run, without which a sidecar has no business.
        descriptor: That of its status.
        grace: How many seconds it may go on when the run's process is gone.

    Returns:
        The exit code: 1 if the class could not be made.
    """
    # Ctrl-C and what a scheduler sends to all processes of a job are for the run to heed. A
    # sidecar ends when the run has told it all.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    fork_sidecar(parent, grace)
    with open(0, "rb", closefd=False) as stream:
        setup = json.loads(stream.readline())
        return serve(setup, stream, StatusFile(descriptor))


def serve(setup: dict[str, Any], lines: Iterable[bytes], status: StatusFile) -> int:
    """Make the class that *setup* names, hand it each message of *lines*, and close it.

    What it raises is noted, and the next message is handed to it all the same.

    Args:
        setup: `kind`, `target` (`module:Class`) and `argument`.
        lines: The messages.
        status: Where it is noted how far it came.
    """
    kind: Kind = setup["kind"]
    try:
        module, _, name = setup["target"].partition(":")
        receiver = getattr(import_module(module), name)(setup["argument"])
        take = receiver.log if kind == "event-logger" else receiver.measure
    except Exception as error:  # noqa: BLE001  # somebody else's code raises what it likes
        status.write_error(f"it could not start: {_describe(error)}")
        return 1
    taken = 0
    for line in lines:
        try:
            take(parse_message(kind, line))
        except Exception as error:  # noqa: BLE001  # as above
            status.write_error(f"it raised {_describe(error)}")
        else:
            taken += 1
            status.write_taken(taken)
    try:
        receiver.close()
    except Exception as error:  # noqa: BLE001  # as above
        status.write_error(f"it raised {_describe(error)} at the end")
    return 0


def _describe(error: Exception) -> str:
    return f"{type(error).__qualname__}: {error}" if str(error) else type(error).__qualname__
