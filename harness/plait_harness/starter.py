"""Starting programs for cases: by forking a prepared process where that is the same thing."""

from __future__ import annotations

import json
import marshal
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

_HERE = os.path.dirname(os.path.abspath(__file__))

ENGINE_MODULES = ("plait:*", "shlex", "shutil", "signal", "socket", "sqlite3")
"""What a prepared process imports for flows: the whole engine, and what that loads when in need."""

JUDGE_MODULES = ("plait_harness.checking", "plait_harness.model")
"""What it imports besides for judges; a flow does not see these."""

_GRACE = 1.0
"""Seconds that a process may outlive the command that left it, before that is a failure."""


@dataclass(frozen=True, slots=True)
class Command:
    """A Python script to run.

    Args:
        argv: The script and its arguments.
        env: Its whole environment.
        cwd: Its working directory.
        stdout: The file that its output goes to.
        stderr: The file that its error output goes to.
        timeout: Seconds after which it is killed, with all that it started.
        python: The interpreter and its options; empty for this one without options.
        fresh: Whether to start a new interpreter even where a fork would be the same.
        keep: Whether the script is the harness's own, which may see the harness's modules loaded.
        limits: What it has less of; see `plait_harness.limits.Limits.to_request`.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    stdout: str
    stderr: str
    timeout: float
    python: tuple[str, ...] = ()
    fresh: bool = False
    keep: bool = False
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Args:
        code: The exit code; the negated number of the signal that killed it.
        seconds: How long it took.
        cpu: Seconds of processor time, its waited-for children included.
        timed_out: Whether it was killed for taking too long.
        left: `pid command` of each process that it left behind, all of which are killed by now.
    """

    code: int
    seconds: float
    cpu: float
    timed_out: bool
    left: tuple[str, ...]


class StarterLost(RuntimeError):
    """The prepared process has died: a bug of the harness, or something killed it."""


class Starter:
    """Where commands are started: a prepared process, by its address.

    Args:
        address: The path of its socket.
        env: The environment that it was started in.
    """

    def __init__(self, address: str, env: Mapping[str, str]) -> None:
        self.address = address
        self._env = dict(env)

    def run(self, command: Command) -> Ended:
        """Run a command to its end.

        Raises:
            StarterLost: The prepared process has died.
        """
        program = list(command.python or (sys.executable,))
        request = {
            "argv": list(command.argv),
            "env": dict(command.env),
            "cwd": command.cwd,
            "stdout": command.stdout,
            "stderr": command.stderr,
            "timeout": command.timeout,
            "grace": _GRACE,
            "program": [] if self.can_fork(command) else program,
            "keep": command.keep,
            "limits": dict(command.limits),
        }
        reply = self._ask(request)
        return Ended(
            code=reply["code"],
            seconds=reply["seconds"],
            cpu=reply["cpu"],
            timed_out=reply["timed_out"],
            left=tuple(reply["left"]),
        )

    def can_fork(self, command: Command) -> bool:
        """Say whether a fork of the prepared process is the same as a fresh start of *command*.

        It is, if the interpreter and its options are the same, and so is every variable that an
        interpreter reads when it starts.
        """
        if command.python and command.python != (sys.executable,):
            return False
        # Root gives up rights by becoming another program.
        if command.fresh or command.limits.get("as_anybody"):
            return False
        names = {name for name in (*command.env, *self._env) if _is_read_at_start(name)}
        return all(command.env.get(name) == self._env.get(name) for name in names)

    def _ask(self, request: Mapping[str, Any]) -> Any:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(self.address)
                connection.sendall(json.dumps(request).encode() + b"\n")
                with connection.makefile("rb") as answers:
                    line = answers.readline()
        except OSError as error:
            raise StarterLost(f"the prepared process at {self.address} is gone: {error}") from error
        if not line:
            raise StarterLost(f"the prepared process at {self.address} died")
        return json.loads(line)


class PreparedProcess(Starter):
    """The prepared process of one worker, started and stopped by it.

    Args:
        env: The environment to start it in; commands whose environment differs in what an
            interpreter reads at its start are started afresh.
        coverage: What `probe.begin` is given in it; None measures nothing.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        coverage: Mapping[str, Any] | None = None,
        engine: Sequence[str] = ENGINE_MODULES,
        judge: Sequence[str] = JUDGE_MODULES,
    ) -> None:
        # A short path: a socket's may not have more than some hundred characters.
        self._folder = tempfile.mkdtemp(prefix="plait-h-")
        super().__init__(os.path.join(self._folder, "s"), env)
        options = {
            "socket": self.address,
            "coverage": None if coverage is None else dict(coverage),
            "path": [os.path.dirname(_HERE)],
            "engine": list(engine),
            "judge": list(judge),
        }
        self._errors = open(  # noqa: SIM115  # it lives as long as the process that writes to it
            os.path.join(self._folder, "stderr"), "w+b"
        )
        self._process = subprocess.Popen(
            [sys.executable, os.path.join(_HERE, "zygote.py"), marshal.dumps(options).hex()],
            env=self._env,
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip()
            self.close()
            raise StarterLost(f"the prepared process did not start:\n{said}")

    def close(self) -> None:
        """Stop it, and all that it started."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_read_at_start(name: str) -> bool:
    return name.startswith(("PYTHON", "LC_", "LD_", "MALLOC_")) or name in ("LANG", "TZ")
