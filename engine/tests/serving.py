"""A metadata service in a thread of the tests' own process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from plait.metadata.sql import SQLMetadata
from plait.service.app import make_app


@contextmanager
def serving(
    store: SQLMetadata,
    token: str | None = None,
    port: int = 0,
    *,
    own_interface: bool = True,
    around: Callable[[Any], Any] = lambda app: app,
) -> Iterator[str]:
    """Serve *store* from a thread of this process, and give the URL.

    Args:
        store: What to serve.
        token: What those who ask have to say.
        port: Where to listen; 0 for a free one.
        own_interface: Whether plait's own interface is spoken beside Metaflow's.
        around: Makes an application of the service's, to stand before it.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    app = make_app(store, token, "1.0", own_interface=own_interface)
    config = uvicorn.Config(
        around(app), http="h11", log_level="error", lifespan="off", loop="asyncio"
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
