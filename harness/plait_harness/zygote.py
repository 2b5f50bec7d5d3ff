"""A prepared process that others are forked from: each runs a script as `python script.py` would.

Run as a program, by path, so that nothing of the harness is imported here that a flow could see.
It imports the engine once, stays single-threaded, and for each request forks a child that becomes
the script: its own session, environment, arguments, working directory, and output files. A child
with another interpreter or other interpreter options is replaced by that program (`exec`) instead.

It is the *subreaper* of all that it starts: a process that a script leaves behind becomes its
child, whatever session or folder it has moved to, and is reported as left behind, and killed.
"""

from __future__ import annotations

# These are in every interpreter from its start on. All else is imported after the engine, so that
# it can be told what a script would have found loaded from what it would not.
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    # `typing` itself is not loaded in every interpreter.
    import socket
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from resource import struct_rusage
    from typing import Any, NoReturn


class Child:
    """One request: the process that it became, and who waits for its end."""

    def __init__(
        self, pid: int, connection: socket.socket, request: Mapping[str, Any], now: float
    ) -> None:
        self.pid = pid
        self.connection: socket.socket | None = connection
        self.began = now
        self.deadline = now + request["timeout"]
        self.grace: float = request["grace"]
        self.timed_out = False
        self.left: list[str] = []
        self.status = 0
        self.usage: struct_rusage | None = None
        self.ended: float | None = None


def load(names: Iterable[str]) -> None:
    """Import modules; `package:*` also imports all that is in a package, at any depth."""
    from importlib import import_module

    for name in names:
        module_name, _, rest = name.partition(":")
        module = import_module(module_name)
        if rest == "*":
            for inner in find_modules(module_name, module.__path__):
                import_module(inner)


NOT_LOADED = ("conformance", "testing", "tutorials")
"""Parts of a package that no flow loads, and that bring with them what no flow has."""


def find_modules(package: str, folders: Iterable[str]) -> Iterator[str]:
    """Give the names of all modules in a package, sorted, by its folders alone."""
    for folder in folders:
        for entry in sorted(os.listdir(folder)):
            stem, suffix = os.path.splitext(entry)
            if stem in NOT_LOADED:
                continue
            name = f"{package}.{stem}"
            if suffix == ".py" and stem.isidentifier() and not stem.startswith("__"):
                yield name
            elif os.path.isfile(os.path.join(folder, entry, "__init__.py")):
                yield name
                yield from find_modules(name, [os.path.join(folder, entry)])


class Server:
    """Answers requests over a socket, until standard input ends."""

    def __init__(self, address: str) -> None:
        import signal
        import socket

        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(address)
        self.listener.listen(16)
        self.wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self.children: dict[int, Child] = {}
        self.incoming: dict[socket.socket, bytes] = {}
        self.pid = os.getpid()

    def serve(self) -> dict[str, Any]:
        """Serve; returns in a child only, with the request that it is to become."""
        import select
        import time

        while True:
            wait = next_wait(self.children.values(), time.monotonic())
            waiting = [c.connection for c in self.children.values() if c.connection]
            readable: list[Any] = [0, self.wake, self.listener, *self.incoming, *waiting]
            ready, _, _ = select.select(readable, [], [], wait)
            if 0 in ready and not os.read(0, 1):
                self.stop()
            if self.wake in ready:
                os.read(self.wake, 4096)
                reap(self.children)
            self.forget_lost(ready)
            for connection in [c for c in self.incoming if c in ready]:
                request = self.receive(connection)
                if request is not None:
                    pid = os.fork()
                    if pid == 0:
                        self.let_go(connection)
                        return {**request, "parent": self.pid}
                    self.children[pid] = Child(pid, connection, request, time.monotonic())
            if self.listener in ready:
                self.incoming[self.listener.accept()[0]] = b""
            settle(self.children, time.monotonic())

    def receive(self, connection: socket.socket) -> dict[str, Any] | None:
        """Take what has come; a request once it is whole."""
        import json

        data = connection.recv(1 << 16)
        self.incoming[connection] += data
        if not data:
            del self.incoming[connection]
            connection.close()
            return None
        if not data.endswith(b"\n"):
            return None
        request: dict[str, Any] = json.loads(self.incoming.pop(connection))
        return request

    def forget_lost(self, ready: list[Any]) -> None:
        """End what nobody waits for any more: nothing is ever sent after a request."""
        for child in self.children.values():
            if child.connection is not None and child.connection in ready:
                child.connection.close()
                child.connection = None
                child.deadline = 0.0

    def let_go(self, connection: socket.socket) -> None:
        """In a child: give up what is the server's."""
        import signal

        signal.set_wakeup_fd(-1)
        # Detached, so that no collector closes a number that the script has used again.
        open_here = [self.listener, connection, *self.incoming]
        open_here += [c.connection for c in self.children.values() if c.connection]
        for each in open_here:
            each.detach()

    def stop(self) -> NoReturn:
        """End, with all that was started."""
        kill_all(self.children)
        kill_all(find_left(self.children))
        os._exit(0)


def next_wait(children: Collection[Child], now: float) -> float | None:
    """Give how long nothing can happen but by a signal or a message; None is forever."""
    # A process left behind makes no signal when it ends that says so before it is reaped, and is
    # given a moment to end by itself, in which it is looked at often.
    if any(child.ended is not None for child in children):
        return 0.005
    deadlines = [child.deadline for child in children]
    return max(0.0, min(deadlines) - now) if deadlines else None


def reap(children: Mapping[int, Child]) -> None:
    """Take every ended process, known or adopted."""
    import time

    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in children:
            child = children[pid]
            child.status, child.usage, child.ended = status, usage, time.monotonic()


def settle(children: dict[int, Child], now: float) -> None:
    """Kill what is late, and answer for what has ended and left nothing behind, or had its time."""
    for child in list(children.values()):
        if child.ended is None:
            if now >= child.deadline and not child.timed_out:
                child.timed_out = True
                kill_session(child.pid)
            continue
        left = find_left(children)
        if left and now < child.ended + child.grace and not child.timed_out:
            continue
        if left:
            # Answered only when they are gone, so that nothing of one case meets the next.
            if not child.timed_out:
                # Told apart by their ids: one that is being killed is described otherwise.
                known = {each.split()[0] for each in child.left}
                child.left += [each for each in describe(left) if each.split()[0] not in known]
            kill_all(left)
            continue
        del children[child.pid]
        answer(child)


def answer(child: Child) -> None:
    """Tell who waited how the child ended."""
    import json

    if child.connection is None:
        return
    assert child.ended is not None
    assert child.usage is not None
    reply = {
        "code": os.waitstatus_to_exitcode(child.status),
        "seconds": child.ended - child.began,
        "cpu": child.usage.ru_utime + child.usage.ru_stime,
        "timed_out": child.timed_out,
        "left": child.left,
    }
    try:
        child.connection.sendall(json.dumps(reply).encode() + b"\n")
    except OSError:
        pass  # whoever waited has gone; there is nobody to tell
    child.connection.close()


def find_left(children: Collection[int]) -> list[int]:
    """Give the processes that were left behind: children that no request made."""
    if sys.platform != "linux":
        return []
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            pids = [int(pid) for pid in file.read().split()]
    except OSError:
        return []  # a kernel without that list can't be asked
    return [pid for pid in pids if pid not in children]


def describe(pids: Iterable[int]) -> list[str]:
    """Give `pid command` of each process, for messages."""
    lines = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
            with open(f"/proc/{pid}/stat") as file:
                state = file.read().rpartition(")")[2].split()[0]
        except OSError:
            continue  # it ended after all
        if state != "Z":
            lines.append(f"{pid} {words or '(no command line)'}")
    return lines


def kill_all(pids: Iterable[int]) -> None:
    """Kill processes that were left behind, with the sessions that they lead."""
    for pid in pids:
        kill_session(pid)


def kill_session(pid: int) -> None:
    """Kill a process and, where it leads a group, the group."""
    import signal

    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # it ended, or leads no group


def start() -> None:
    """Prepare, serve, and in a child become what was asked for."""
    from importlib import import_module

    # Beside this file, and not by way of the package, which would be loaded with it.
    child: Any = import_module("child")
    del sys.modules["child"]
    # The folder of this file is no place for scripts to import from.
    del sys.path[0]
    options = marshal.loads(bytes.fromhex(sys.argv[1]))  # noqa: S302  # its parent wrote it
    had_before = set(sys.modules)
    if options["coverage"]:
        sys.path[:0] = options["path"]
        import_module("plait_harness.probe").begin(options["coverage"])
        del sys.path[: len(options["path"])]
    load(options["engine"])
    loaded = {*sys.modules, *had_before}
    # The probe brings some of the harness, which a flow is not to see.
    loaded = {name for name in loaded if name.partition(".")[0] != "plait_harness"}
    load(options["judge"])
    server = Server(options["socket"])
    child.set_process_option(child.PR_SET_CHILD_SUBREAPER, 1)
    prepare()
    request = server.serve()
    child.become(request, loaded)
    child.run_script(request["argv"])


def prepare() -> None:
    """Make the process one to fork from, and say so."""
    import gc

    gc.collect()
    # What is there now will never be collected, so children need not touch, and so copy, it.
    gc.freeze()
    os.write(1, b"ready\n")


if __name__ == "__main__":
    start()
