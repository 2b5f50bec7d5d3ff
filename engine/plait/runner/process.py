"""The process of a run: its output in files, its end in an event, and nothing left of either."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Stream = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")

_GRACE = 10.0
"""Seconds that a run has to end in an orderly way before it is killed."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is started.

    Args:
        script: The flow's file; one of *files* by its name alone.
        before: Options before the command.
        command: The command and what follows it.
        handed: Parameters that go by a file.
        env: Variables over those of this process; None takes one away.
        cwd: The folder to run in; None for that of this process.
        files: Files to write beside the output first, by name; gone with it.
        kept: The name of a folder beside the output for what the command keeps, gone with it;
            empty for none.
    """

    script: str
    before: Sequence[str] = ()
    command: Sequence[str] = ()
    handed: Mapping[str, object] = field(default_factory=dict)
    env: Mapping[str, str | None] = field(default_factory=dict)
    cwd: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    kept: str = ""


class RunProcess:
    """A flow's program, run in a session of its own.

    Its output goes to files and not to pipes, so that it does not depend on this process, and can
    be read from its beginning at any time. A thread waits for it, so that it is never a zombie.

    Args:
        call: What to start.
    """

    def __init__(self, call: Call) -> None:
        self.folder = tempfile.mkdtemp(prefix="plait-run-")
        # Also when nobody cleans up: at the interpreter's end, and when the object goes.
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self._process = self._start(call)
        except BaseException:
            self._remove()
            raise
        self.ended = threading.Event()
        self._kept: dict[Stream, bytes] = {}
        self._announced: dict[str, Any] | None = None
        self._waiter = threading.Thread(
            target=_wait, args=(self._process, self.ended), name="plait-run", daemon=True
        )
        self._waiter.start()

    def _start(self, call: Call) -> subprocess.Popen[bytes]:
        for name, text in call.files.items():
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text)
        told = ["--announce-file", self.path("announced")]
        if call.handed:
            with open(self.path("parameters"), "w", encoding="utf-8") as file:
                json.dump(dict(call.handed), file)
            told += ["--parameters-file", self.path("parameters")]
        if call.kept:
            told += ["--keep-in", self.path(call.kept)]
        script = self.path(call.script) if call.script in call.files else call.script
        env: dict[str, str] = dict(os.environ)
        for name, value in call.env.items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        with open(self.path("stdout"), "wb") as out, open(self.path("stderr"), "wb") as err:
            return subprocess.Popen(
                [sys.executable, script, *call.before, *call.command, *told],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=call.cwd,
                env=env,
                # Ctrl-C reaches whoever waits, who hands it on; twice would end it the hard way.
                start_new_session=True,
            )

    def path(self, name: str) -> str:
        """Give the path of a file beside the output."""
        return os.path.join(self.folder, name)

    @property
    def returncode(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.returncode

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def find_announced(self) -> dict[str, Any] | None:
        """Give what the run said of itself when it began; None if it did not yet."""
        if self._announced is None:
            try:
                with open(self.path("announced"), encoding="utf-8") as file:
                    self._announced = json.load(file)
            except FileNotFoundError:
                return None
        return self._announced

    @property
    def announced(self) -> dict[str, Any]:
        """What the run said of itself; it has begun."""
        found = self.find_announced()
        assert found is not None, "the run has not begun"
        return found

    def read(self, stream: Stream, position: int = 0) -> bytes:
        """Give what was written to *stream* so far, from a byte on."""
        if stream in self._kept:
            return self._kept[stream][position:]
        with open(self.path(stream), "rb") as file:
            file.seek(position)
            return file.read()

    def follow(self, show: Callable[[Stream, bytes], None] | None) -> None:
        """Wait for its end; where the wait is broken off by Ctrl-C, break off the run, too.

        Args:
            show: Is given what it prints as it comes.
        """
        seen = dict.fromkeys(STREAMS, 0)

        def pass_on() -> None:
            for stream in STREAMS:
                data = self.read(stream, seen[stream])
                seen[stream] += len(data)
                if data and show is not None:
                    show(stream, data)

        try:
            while not self.ended.wait(0.03 if show is not None else None):
                pass_on()
        except KeyboardInterrupt:
            self.stop()
            raise
        finally:
            pass_on()

    def stop(self, grace: float = _GRACE) -> None:
        """End it as Ctrl-C would, or after *grace* seconds by force; and wait for that."""
        deadline = time.monotonic() + grace
        if not self.ended.is_set():
            self._process.terminate()
        if not self.ended.wait(max(0.0, deadline - time.monotonic())):
            self._process.kill()
            self.ended.wait()

    def clean_up(self) -> None:
        """Remove its files; those of one that still runs go when this process ends.

        What it printed can still be read.
        """
        if self.ended.is_set() and not self._kept:
            self.find_announced()
            self._kept = {stream: self.read(stream) for stream in STREAMS}
            self._remove()


def _wait(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    process.wait()
    ended.set()
