"""A metadata service in a thread of the tests' own process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from plait.metadata.sql import SQLMetadata
from plait.service.app import make_app
from plait_harness.faults import FaultProxy, Plan, hide


@contextmanager
def serving(store: SQLMetadata, token: str | None = None, port: int = 0) -> Iterator[str]:
    """Serve *store* from a thread of this process, and give the URL."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    config = uvicorn.Config(
        make_app(store, token, "1.0"), http="h11", log_level="error", lifespan="off", loop="asyncio"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@contextmanager
def serving_metaflow(store: SQLMetadata, token: str | None = None) -> Iterator[str]:
    """Serve *store* as a service would that speaks only the interface of Metaflow's."""
    with serving(store, token) as url, FaultProxy(url, Plan([hide("/api/")])) as proxy:
        yield proxy.url
