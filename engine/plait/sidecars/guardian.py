"""The guardian: the process above a sidecar's, which ends it and what it started when it is time.

A sidecar's class is anybody's, and may hang where no Python code gets to run. The guardian never
hangs. When the run's process has been killed, it lets the sidecar take what was on its way, for a
moment, and then ends it; so nothing outlives its run, and the last events of a killed run are told.
"""

from __future__ import annotations

import os
import selectors
import signal
import time

from plait.base import lifeline

END = signal.SIGUSR1
"""What tells a guardian to end the sidecar at once, and all that it started."""

_SECONDS_BETWEEN_LOOKS = 0.5
"""How often the run's process is looked for where no signal tells that it is gone."""


def fork_sidecar(parent: int, grace: float) -> None:
    """Fork, and come back in the child alone; the other process guards it until both are gone.

    The guardian ends with the child's exit code, or by the signal that ended the child.

    Args:
        parent: The process id of the run, this process's parent.
        grace: How many seconds the child may go on when that is gone.
    """
    lifeline.prepare()
    lifeline.adopt_orphans()
    read, write = os.pipe()
    for end in (read, write):
        os.set_blocking(end, False)
    own = os.getpid()
    # Before the fork, so that a child that ends at once is heard of.
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, END):
        signal.signal(number, lambda *_: None)
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, END):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.close(read)
        os.close(write)
        lifeline.die_with_parent(own)
        return
    try:
        # The run is to learn that nobody reads on, when the child has ended.
        os.close(0)
        # By a signal that it hears; what is sent to all processes of a job only makes it look.
        lifeline.hear_of_parents_death(signal.SIGTERM)
        code = _wait(child, read, parent, grace)
        lifeline.end_children()
        if code < 0:
            if -code != signal.SIGKILL:
                signal.signal(-code, signal.SIG_DFL)
            os.kill(own, -code)
        os._exit(code)
    finally:
        os._exit(1)


def _wait(child: int, wake: int, parent: int, grace: float) -> int:
    """Give how the child ended: an exit code, or the negative number of a signal."""
    deadline: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(wake, selectors.EVENT_READ)
        while True:
            gone, status = os.waitpid(child, os.WNOHANG)
            if gone:
                return os.waitstatus_to_exitcode(status)
            if deadline is None and os.getppid() != parent:
                deadline = time.monotonic() + grace
            if deadline is not None and time.monotonic() >= deadline:
                return -signal.SIGKILL
            rest = _SECONDS_BETWEEN_LOOKS if deadline is None else deadline - time.monotonic()
            # The numbers of the signals that came are what is in the pipe.
            if selector.select(max(0.0, rest)) and END in os.read(wake, 4096):
                return -signal.SIGKILL
