"""The warden: the keeper's parent, which ends what a killed keeper leaves, the run gone or not.

The keeper finds even what fled from a task into a session of its own, for such orphans become its
children. Killed itself, it can find nothing any more; then they become the warden's. It does
nothing but wait, so that little can happen to it; and the keeper ends when it is gone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from plait.base import lifeline

if TYPE_CHECKING:
    from socket import socket


_HEEDED_BY_THE_RUN = {signal.SIGINT, signal.SIGHUP, signal.SIGTERM}


def stand_guard(sock: socket, keep: Callable[[socket, int], object]) -> NoReturn:
    """Fork a keeper off this process, wait until it is gone, and end all that it left.

    Called in a process that is there for nothing else.

    Args:
        sock: The keeper's end of its socket to the run's process, which the warden closes.
        keep: What the keeper does; given *sock*, and a descriptor that is at its end once the
            warden is gone.
    """
    # Out of reach of Ctrl-C, and of what schedulers send to all processes of a job. Blocked and
    # not ignored, for the user's module may have handlers that tasks are to inherit.
    os.setsid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED_BY_THE_RUN)
    lifeline.prepare()
    lifeline.adopt_orphans()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(write)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            keep(sock, read)
        finally:
            os._exit(1)
    os.close(read)
    # The run learns of the keeper's end by this socket, so no other process may hold it.
    sock.close()
    # A handler of the user's would ask for the keeper's end before this does.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.waitpid(pid, 0)
    lifeline.end_children()
    os._exit(0)
