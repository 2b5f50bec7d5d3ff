"""The servers of a session: each started by the first case that needs it, stopped at the end.

Cases run in several processes, and which of them needs a server first is nobody's plan. So what
runs is written in the session's folder, under a lock; whoever comes later finds it there.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from plait_harness.mistakes import UnknownName
from plait_harness.postgres import find_programs, start_postgres
from plait_harness.services import (
    METADATA,
    MOTO,
    PROGRAMS,
    Program,
    Service,
    find_program,
    make_bucket,
    metadata_program,
    metadata_proxy_program,
    proxy_program,
    start,
)

_STOP_SECONDS = 10.0
_started: list[Service] = []
"""Kept, as a process that is forgotten while it runs counts as a mistake of the program's."""


@dataclass(frozen=True, slots=True)
class Server:
    """What a context may name among its `services`.

    Args:
        lack: Says what this machine lacks to run it; None if nothing.
        start: Starts it, with what it needs itself, given a folder; the last one is it.
        modules: What its users import when they ask it something, and what takes long to import.
    """

    lack: Callable[[], str | None]
    start: Callable[[str], Sequence[Service]]
    modules: tuple[str, ...] = ()


def _of_program(program: Program) -> Server:
    def lack() -> str | None:
        return find_program(program)[1]

    return Server(lack, lambda folder: [start(program, folder)])


def _start_s3(folder: str) -> Sequence[Service]:
    moto = start(MOTO, folder)
    make_bucket(moto)
    return [moto]


def _start_faulty_s3(folder: str) -> Sequence[Service]:
    (moto,) = _start_s3(folder)
    return _start_both(moto, lambda server: start(proxy_program(server.url), folder))


def _start_faulty_metadata(folder: str) -> Sequence[Service]:
    return _start_both(
        start(METADATA, folder), lambda service: start(metadata_proxy_program(service.url), folder)
    )


def _start_shared_metadata(folder: str) -> Sequence[Service]:
    return _start_both(
        start_postgres(folder), lambda database: start(metadata_program(database.url), folder)
    )


def _start_both(first: Service, after: Callable[[Service], Service]) -> Sequence[Service]:
    """Give a server and one that needs it."""
    try:
        return [first, after(first)]
    except BaseException:
        first.stop()
        raise


def _find_lack_of_postgres() -> str | None:
    if find_programs() is None:
        return "PostgreSQL is not installed: there is no program 'initdb'"
    if importlib.util.find_spec("psycopg") is None:
        return "the driver of PostgreSQL is not installed: there is no module 'psycopg'"
    return find_program(METADATA)[1]


_S3_MODULES = ("boto3.session",)

SERVERS: Mapping[str, Server] = {
    "s3": Server(lambda: find_program(MOTO)[1], _start_s3, _S3_MODULES),
    "s3-faults": Server(lambda: find_program(MOTO)[1], _start_faulty_s3, _S3_MODULES),
    "metadata-faults": Server(lambda: find_program(METADATA)[1], _start_faulty_metadata),
    "metadata-postgres": Server(_find_lack_of_postgres, _start_shared_metadata),
    **{name: _of_program(program) for name, program in PROGRAMS.items()},
}
"""Every server that contexts can name."""


def find_lack(names: Sequence[str]) -> str | None:
    """Say what this machine lacks to run the servers *names*; None if nothing. Raises Mistake."""
    for name in names:
        if name not in SERVERS:
            raise UnknownName("service", name, SERVERS)
        lack = SERVERS[name].lack()
        if lack is not None:
            return lack
    return None


def find_modules(names: Iterable[str]) -> tuple[str, ...]:
    """Give what the users of the servers *names* import, each module once."""
    return tuple(dict.fromkeys(each for name in names for each in SERVERS[name].modules))


class Servers:
    """The servers of one session, as each of its processes sees them.

    Args:
        folder: The session's own; made with the first server.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._known: dict[str, Mapping[str, str]] = {}

    def environment(self, names: Sequence[str]) -> dict[str, str]:
        """Give the variables by which the servers *names* are found; starts what does not run yet.

        Raises:
            Mistake: A server could not be started.
        """
        env: dict[str, str] = {}
        for name in names:
            if name not in self._known:
                self._known[name] = self._find_or_start(name)
            env.update(self._known[name])
        return env

    def stop(self) -> None:
        """Stop all that runs, the last one started first; also what a killed session has left."""
        for entry in reversed(self._read()):
            _stop(entry["pid"], entry["signal"])
            if entry["home"] is not None:
                shutil.rmtree(entry["home"], ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _find_or_start(self, name: str) -> Mapping[str, str]:
        import fcntl

        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, "lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = self._read()
            for entry in entries:
                if entry["name"] == name and entry["env"] is not None:
                    found: Mapping[str, str] = entry["env"]
                    return found
            started = SERVERS[name].start(os.path.join(self.folder, name))
            _started.extend(started)
            for service in started:
                last = service is started[-1]
                entries.append(
                    {
                        "name": name,
                        "pid": service.process.pid,
                        "signal": int(service.stop_signal),
                        "env": dict(service.env) if last else None,
                        "home": service.home,
                    }
                )
            self._write(entries)
            return started[-1].env

    @property
    def _file(self) -> str:
        return os.path.join(self.folder, "running.json")

    def _read(self) -> list[dict[str, Any]]:
        try:
            with open(self._file, encoding="utf-8") as file:
                entries: list[dict[str, Any]] = json.load(file)
        except FileNotFoundError:
            return []
        return entries

    def _write(self, entries: Sequence[Mapping[str, Any]]) -> None:
        unfinished = f"{self._file}.tmp"
        with open(unfinished, "w", encoding="utf-8") as file:
            json.dump(entries, file)
        os.replace(unfinished, self._file)


NO_SERVERS = Servers("")
"""For cases that need none."""


def _stop(pid: int, number: int) -> None:
    """End a process group and wait until it has ended, whosever child it is."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
    end = time.monotonic() + _STOP_SECONDS
    while _is_alive(pid):
        if time.monotonic() > end:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    with suppress(ChildProcessError):
        # Its own child stays a zombie until it is asked for.
        os.waitpid(pid, os.WNOHANG)
    try:
        # The group, which no other process has by chance, as it may have a number again.
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
