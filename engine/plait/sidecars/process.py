"""The sidecar that is a process: started beside the run, fed by a pipe that never makes it wait."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile

from plait.sidecars.guardian import END
from plait.sidecars.protocol import Losses, Message
from plait.sidecars.registry import Choice
from plait.sidecars.status import StatusFile
from plait.sidecars.wire import format_message

CLOSE_SECONDS = 1.0
"""How long a sidecar may go on after the run has told it everything."""

_END_SECONDS = 0.5
"""How long its guardian has to end it, which takes milliseconds unless somebody stopped it."""

_PIPE_BYTES = 1 << 20
"""How much may be on its way, where the system can be asked for it: some thousand messages."""

# It finds modules where the run's process does, which what was installed only for that may need.
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from plait.sidecars.helper import main; "
    "sys.exit(main(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))"
)


class ProcessSidecar:
    """A `Sidecar` with a process of its own.

    What is on its way is in the pipe between the two, and nowhere else: when that is full, a
    message is dropped. The other process notes how many messages it took in a file that both hold,
    so that the count is right however it ends.

    Args:
        choice: What it is to run.
        close_seconds: How long it may go on after `close` was called.
    """

    def __init__(self, choice: Choice, *, close_seconds: float = CLOSE_SECONDS) -> None:
        self.kind = choice.kind
        self.name = choice.name
        self._close_seconds = close_seconds
        self._sent = 0
        self._rest = b""
        self._losses: Losses | None = None
        self._why = ""
        self._status = tempfile.TemporaryFile()  # noqa: SIM115  # it is closed by `close`
        self._pipe: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start(choice)
        except OSError as error:
            # No more processes or descriptors are to be had: the run goes on without.
            self._why = f"it could not be started: {error.strerror}"
            self._hang_up()

    @property
    def pid(self) -> int | None:
        """The process; None if it could not be started."""
        return None if self._process is None else self._process.pid

    def send(self, message: Message) -> None:
        """Put the message into the pipe, if there is room and somebody at the other end."""
        if self._losses is not None:
            return
        self._sent += 1
        if not self._flush():
            return  # as for every message while it hangs or is gone, so that this costs least
        line = format_message(message)
        if line is not None:
            self._rest = line
            if not self._flush() and len(self._rest) == len(line):
                self._rest = b""  # nothing of it is in the pipe, so it can be dropped whole

    def close(self) -> Losses:
        """Close the pipe and wait for the process, which is ended if it takes too long."""
        if self._losses is None:
            try:
                self._flush()
                self._hang_up()
                self._end()
            finally:
                # Also when Ctrl-C breaks off the wait.
                self._kill()
            status = StatusFile(self._status.fileno()).read()
            self._status.close()
            lost = self._sent - status.taken
            why = status.error or self._why or "it was too slow"
            self._losses = Losses(self._sent, lost, why if lost else "")
        return self._losses

    def _start(self, choice: Choice) -> None:
        read, self._pipe = os.pipe()
        try:
            status = self._status.fileno()
            # In a session of its own, where no Ctrl-C gets to. What it prints is not the run's
            # output, and goes to standard error.
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _PROGRAM,
                    json.dumps(sys.path),
                    str(os.getpid()),
                    str(status),
                    str(self._close_seconds),
                ],
                stdin=read,
                stdout=2,
                start_new_session=True,
                pass_fds=(status,),
            )
        finally:
            os.close(read)
        try:
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except (AttributeError, OSError):
            pass  # macOS knows no such call; the user's pipes may be full: it is smaller then
        os.set_blocking(self._pipe, False)
        setup = {"kind": choice.kind, "target": choice.target, "argument": choice.argument}
        self._rest = json.dumps(setup).encode() + b"\n"
        self._flush()

    def _flush(self) -> bool:
        """Write what is left of the last line; False while the pipe is full, or nobody reads it.

        A pipe takes a line whole or not at all, but for the longer ones of some systems.
        """
        if self._pipe is None:
            return False
        try:
            while self._rest:
                self._rest = self._rest[os.write(self._pipe, self._rest) :]
        except BlockingIOError:
            return False
        except OSError:
            self._hang_up()  # it is gone; how it ended is asked when the run ends
            return False
        return True

    def _hang_up(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def _end(self) -> None:
        if self._process is None:
            return
        try:
            code = self._process.wait(self._close_seconds)
        except subprocess.TimeoutExpired:
            self._why = f"it went on for {self._close_seconds:g} s after the run, and was ended"
            return
        if code < 0:
            self._why = f"it was killed by {signal.Signals(-code).name}"
        elif code > 0:
            self._why = f"it left with exit code {code}"

    def _kill(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        # Its guardian finds more of what it may have started than is in its session.
        process.send_signal(END)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
