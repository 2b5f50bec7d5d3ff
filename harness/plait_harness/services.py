"""Servers that cases and tests need: started on a free port of this machine, and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from plait_harness.mistakes import Mistake

_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
KEY, SECRET = "testkey", "testsecret"
"""The credentials of the S3 servers that are started here."""


class NotThere(Mistake):
    """A server's program is not installed here."""


@dataclass(slots=True)
class Service:
    """A server that runs.

    Args:
        name: What it is.
        url: Where it answers.
        env: What its users' environment needs to find it.
        process: Its process.
        log: The file that it writes to.
        stop_signal: What ends it.
        home: A folder that goes with it, outside of the one it was started for.
    """

    name: str
    url: str
    env: Mapping[str, str]
    process: subprocess.Popen[bytes]
    log: str
    stop_signal: int = signal.SIGTERM
    home: str | None = None

    def stop(self) -> None:
        """End it, with all that it started."""
        try:
            self._end()
        finally:
            if self.home is not None:
                shutil.rmtree(self.home, ignore_errors=True)

    def _end(self) -> None:
        try:
            os.killpg(self.process.pid, self.stop_signal)
        except ProcessLookupError:
            pass  # it has ended by itself
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@dataclass(frozen=True, slots=True)
class Program:
    """How a server is started.

    Args:
        name: What it is.
        command: The program and its arguments; `{port}`, `{port2}`, ... are free ports.
        env: Variables for it.
        users: What its users' environment needs; `{url}` is where it answers.
        ready: The path that answers when it is ready.
        stop_signal: What ends it.
    """

    name: str
    command: Sequence[str]
    users: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: str = "/"
    stop_signal: int = signal.SIGTERM


def free_port() -> int:
    """Give a port of the loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def start(program: Program, folder: str) -> Service:
    """Start a server and wait until it answers.

    Args:
        program: How.
        folder: Where its log lies, and what it keeps.

    Raises:
        NotThere: Its program is not installed.
        Mistake: It ended, or did not answer in time.
    """
    os.makedirs(folder, exist_ok=True)
    names = {f"port{number or ''}": str(free_port()) for number in (0, *range(2, 9))}
    names["folder"] = folder
    command = [part.format(**names) for part in program.command]
    found, lack = find_program(program)
    if lack is not None:
        raise NotThere(lack)
    log = os.path.join(folder, f"{program.name}.log")
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [found, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **program.env},
            cwd=folder,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{names['port']}"
    users = {name: value.format(url=url, **names) for name, value in program.users.items()}
    service = Service(program.name, url, users, process, log, program.stop_signal)
    try:
        wait_ready(service, lambda: _answers(url + program.ready))
    except BaseException:
        service.stop()
        raise
    return service


def find_program(program: Program) -> tuple[str, str | None]:
    """Give where a server's program lies, and what is lacking: None, or a sentence."""
    found = shutil.which(program.command[0], path=_search_path())
    if found is None:
        return "", f"{program.name} is not installed: there is no program '{program.command[0]}'"
    return found, None


def wait_ready(service: Service, is_ready: Callable[[], bool]) -> None:
    """Wait until a server is ready. Raises Mistake if it ends before, or is not in time."""
    end = time.monotonic() + _READY_SECONDS
    while not is_ready():
        code = service.process.poll()
        if code is not None or time.monotonic() > end:
            with open(service.log, encoding="utf-8", errors="replace") as file:
                said = file.read()[-2000:]
            how = f"ended with {code}" if code is not None else "does not answer"
            raise Mistake(f"{service.name} {how}, saying:\n{said}")
        time.sleep(_POLL_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310  # a server of this machine
            return True
    except urllib.error.HTTPError:
        return True  # it says no, but it speaks
    except OSError:
        return False


def _search_path() -> str:
    """Give where programs are looked for: beside this interpreter first."""
    return os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])


_S3_USERS = {
    "PLAIT_S3_ENDPOINT_URL": "{url}",
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

MOTO = Program(
    name="moto",
    command=("moto_server", "-H", "127.0.0.1", "-p", "{port}"),
    users=_S3_USERS,
    ready="/moto-api/",
)
"""An S3 server in memory, which heeds conditional writes."""

SEAWEED = Program(
    name="seaweedfs",
    command=(
        *("weed", "server", "-ip=127.0.0.1", "-dir={folder}", "-s3", "-s3.port={port}"),
        *("-master.port={port2}", "-volume.port={port3}", "-filer.port={port4}"),
        *("-s3.port.grpc={port5}", "-filer.port.grpc={port6}", "-master.port.grpc={port7}"),
        *("-volume.port.grpc={port8}", "-master.volumeSizeLimitMB=64", "-volume.max=40"),
        *("-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
    ),
    users=_S3_USERS,
    env={"GOMEMLIMIT": "500MiB"},
    stop_signal=signal.SIGKILL,  # it takes half a minute to end in an orderly way
)
"""An S3 server that keeps what it is given on the disk."""

BUCKET = "plait-cases"
"""The bucket that cases keep their values in."""


def make_bucket(service: Service) -> None:
    """Make the bucket of cases in an S3 server that does not ask who wants it."""
    request = urllib.request.Request(f"{service.url}/{BUCKET}", method="PUT")  # noqa: S310  # own
    with urllib.request.urlopen(request, timeout=_READY_SECONDS):  # noqa: S310  # of this machine
        return


def proxy_program(upstream: str) -> Program:
    """Say how a proxy before the S3 server *upstream* is started in which a tenth goes wrong."""
    return _faulty("s3-faults", upstream, _S3_USERS)


def metadata_proxy_program(upstream: str) -> Program:
    """Say how a proxy before a metadata service is started in which a tenth goes wrong.

    No byte is changed on its way: what carries JSON sees to that, and nothing could notice it.
    """
    kinds = "throttled,error,reset,lost,truncated,hang,slow"
    return _faulty("metadata-faults", upstream, METADATA.users, "--kinds", kinds)


def _faulty(name: str, upstream: str, users: Mapping[str, str], *options: str) -> Program:
    return Program(
        name=name,
        command=(
            *(sys.executable, "-m", "plait_harness.faults", "--upstream", upstream),
            *("--port", "{port}", "--rate", "0.1", "--seed", "7", *options),
        ),
        env={"PYTHONPATH": os.path.dirname(os.path.dirname(os.path.abspath(__file__)))},
        users=users,
    )


def metadata_program(
    database: str = "sqlite:///{folder}/facts.db", *, name: str = "metadata", interface: str = "all"
) -> Program:
    """Say how the metadata service is started.

    Args:
        database: The database; a file of its own if nothing is said.
        name: What it is.
        interface: What it speaks, as its command says it.
    """
    return Program(
        name=name,
        command=(
            *("plait", "service", "--db", database),
            *("--port", "{port}", "--interface", interface),
        ),
        users={"PLAIT_SERVICE_URL": "{url}"},
        ready="/healthz",
    )


METADATA = metadata_program()
"""The metadata service, with a file."""

METAFLOW_METADATA = metadata_program(name="metadata-metaflow", interface="metaflow")
"""A metadata service that speaks what Metaflow's speaks, and nothing else."""

PROGRAMS: Mapping[str, Program] = {p.name: p for p in (MOTO, SEAWEED, METADATA, METAFLOW_METADATA)}
