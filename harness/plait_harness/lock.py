"""Keeps two runs of the harness from writing to one report."""

from __future__ import annotations

import os
import sys

from plait_harness.mistakes import Mistake


class Lock:
    """Holds a folder for one run.

    Args:
        folder: The folder; made if need be.

    Raises:
        Mistake: Another run holds it, or it can't be written to.
    """

    def __init__(self, folder: str) -> None:
        path = os.path.join(folder, ".lock")
        try:
            os.makedirs(folder, exist_ok=True)
            self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115  # it is held open for as long as the lock
        except OSError as error:
            raise Mistake(f"{path} can't be written", error.strerror or str(error)) from error
        if sys.platform == "win32":
            return  # no fcntl there; two runs at once are then the user's own affair
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise Mistake(
                f"another run of the harness is writing to {folder}",
                "wait for it, or give this one a folder of its own with --report",
            ) from None

    def release(self) -> None:
        """Let others have it."""
        self._file.close()
