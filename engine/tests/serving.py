"""A metadata service in a thread of the tests' own process, or in one of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from plait.metadata.sql import SQLMetadata
from plait.service.app import make_app
from plait.service.connections import Connections, Patience
from plait.service.http1 import make_protocol, watch


@contextmanager
def serving(
    store: SQLMetadata,
    token: str | None = None,
    port: int = 0,
    *,
    own_interface: bool = True,
    around: Callable[[Any], Any] = lambda app: app,
    patience: Patience | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> Iterator[str]:
    """Serve *store* from a thread of this process, and give the URL.

    Args:
        store: What to serve.
        token: What those who ask have to say.
        port: Where to listen; 0 for a free one.
        own_interface: Whether plait's own interface is spoken beside Metaflow's.
        around: Makes an application of the service's, to stand before it.
        patience: What is borne of connections; they are not watched if nothing is said.
        tell: Given what the service has to say.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    app = make_app(store, token, "1.0", own_interface=own_interface, tell=tell)
    connections = None if patience is None else Connections(patience)
    config = uvicorn.Config(
        around(app) if connections is None else watch(app, connections),
        http="h11" if connections is None else make_protocol(connections),
        log_level="error", lifespan="off", loop="asyncio",
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@dataclass(frozen=True)
class Started:
    """A metadata service in a process of its own.

    Args:
        process: The process.
        port: Where it listens, on 127.0.0.1.
    """

    process: subprocess.Popen[str]
    port: int

    def connect(self) -> socket.socket:
        """Give a new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


@contextmanager
def started(
    folder: Path, db: str | None = "sqlite:///facts.db", files: int = 0, **env: str
) -> Iterator[Started]:
    """Run `plait service` in *folder* until the end, and see that it has nothing to say.

    Args:
        folder: Its working directory.
        db: Its database; None if *env* names it.
        files: How many files it may open; as many as the tests if nothing is said.
        env: What its environment has beside that of the tests.
    """
    code = "from plait.cli.plait import main; main()"
    if files:
        limit = f"resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))"
        code = f"import resource; {limit}; {code}"
    named = [] if db is None else ["--db", db]
    process = subprocess.Popen(
        [sys.executable, "-c", code, "service", *named, "--port", "0"],
        cwd=folder, env={**os.environ, **env}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        line = process.stderr.readline()
        try:
            yield Started(process, int(line.rpartition(":")[2]))
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.stderr.read()
    assert said == ""
