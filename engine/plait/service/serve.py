"""Starting the service: its database, its socket, and a server that ends in an orderly way."""

from __future__ import annotations

import ipaddress
import math
import os
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from plait.metadata.http_errors import BadServiceToken
from plait.metadata.http_link import check_token
from plait.metadata.sql import SQLMetadata
from plait.service.app import make_app
from plait.service.connections import Connections, Patience
from plait.service.errors import (
    BadDatabaseURL,
    BadTokenFile,
    PortTaken,
    ServiceNotInstalled,
    TokenNeeded,
)

_GRACE_SECONDS = 10
_MAX_HEADERS = 64_000

_PLAIN = re.compile(r"[\w./-]*")
"""What has no password in it."""

_QUEUE = 1024
"""How many connections may wait for being taken, which takes no file."""

_BATCH = 64
"""How many are taken at once, before any of them is looked at."""

_BATCHES = 4
"""How many times that may be open on top: asyncio takes further ones before it tells of the first,
and closes late."""

_OTHER_FILES = 60
"""How many files have to be left for all else: the database's, and modules."""


def open_database(url: str) -> SQLMetadata:
    """Open the store of facts that `--db` names; touches nothing yet.

    Args:
        url: `sqlite:///folder/file`, relative to the working directory, with one more slash from
            the root on; or `postgresql://...`, as libpq takes it.

    Raises:
        BadDatabaseURL: It is neither.
        DriverMissing: What speaks to it is not installed.
    """
    kind, _, rest = url.partition("://")
    if kind == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from plait.metadata.sqlite import SQLiteMetadata

        return SQLiteMetadata(rest[1:])
    if kind in ("postgresql", "postgres"):
        from plait.metadata.postgres import PostgresMetadata

        return PostgresMetadata(url)
    # The rest of it may hold a password.
    raise BadDatabaseURL(kind if rest or _PLAIN.fullmatch(url) else "...")


def read_token(file: str | None) -> str | None:
    """Give the service's token: what *file* holds, else PLAIT_SERVICE_TOKEN; None if neither.

    Raises:
        BadTokenFile: The file cannot be read, is empty, or holds more than a token.
        BadServiceToken: No client can send what the variable holds.
    """
    if file is None:
        found = os.environ.get("PLAIT_SERVICE_TOKEN")
        return check_token(found) if found else None
    try:
        with open(file, encoding="utf-8") as opened:
            token = opened.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadTokenFile(file, str(error)) from error
    if not token:
        raise BadTokenFile(file, "it is empty")
    try:
        return check_token(token)
    except BadServiceToken:
        raise BadTokenFile(file, "it has several lines, or characters not of ASCII") from None


def serve(
    url: str,
    *,
    host: str,
    port: int,
    token: str | None,
    version: str,
    tell: Callable[[str], None],
    own_interface: bool = True,
    patience: Patience | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; requests that have begun are answered.

    Args:
        url: The database, as for `open_database`.
        host: Where to listen; another than this machine's loopback needs a token.
        port: Where to listen; 0 for a free one.
        token: What those who ask have to say.
        version: The version of plait.
        tell: Given a line once it listens, when the database is away, and when it is back.
        own_interface: Whether it speaks plait's own interface beside Metaflow's.
        patience: What it bears of connections; by default what is usual.

    Raises:
        PlaitError: It cannot be started, see `errors`.
    """
    if token is None and not _is_loopback(host):
        raise TokenNeeded(host)
    try:
        import uvicorn

        from plait.service.http1 import make_protocol, watch
    except ImportError as error:
        raise ServiceNotInstalled(error.name or "uvicorn") from error
    store = open_database(url)
    try:
        # Before it listens: what is wrong with the database is told to whoever starts it.
        store.check()
        listening = _listen(host, port)
    except BaseException:
        store.close()
        raise
    app = make_app(store, token, version, own_interface=own_interface, tell=tell)
    borne = patience or Patience()
    most, batch = _find_room(borne.most)
    connections = Connections(replace(borne, most=most))
    config = uvicorn.Config(
        watch(app, connections),
        http=make_protocol(connections),
        ws="none",
        loop="asyncio",
        # Anybody can send what is worth a warning, as often as they like.
        log_level="error",
        access_log=False,
        server_header=False,
        # Whole seconds, and no fewer than those after which the connection is closed here.
        timeout_keep_alive=math.ceil(borne.idle) + 1,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        backlog=batch,  # for asyncio that; for the system, see `_Listening`
        h11_max_incomplete_event_size=_MAX_HEADERS,
        lifespan="off",
    )
    shown = f"[{host}]" if ":" in host else host
    tell(f"plait's metadata service listens on http://{shown}:{listening.getsockname()[1]}")

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await super().shutdown(sockets)
            # uvicorn ends by the signal that ended it, so that nothing comes after it. SQLite
            # brings all that it has into the one file when that is closed.
            store.close()

    try:
        _run(Server(config), listening)
    finally:
        store.close()
        listening.close()


def _run(server: Any, listening: socket.socket) -> None:
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # uvicorn has ended in order, and hands on what ended it


def _find_room(wanted: int) -> tuple[int, int]:
    """Give how many connections may be open, so that files are left, and be taken at once.

    Args:
        wanted: How many should; the process's limit of files is raised for them if it can be.
    """
    import resource

    needed = wanted + _BATCHES * _BATCH + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted, _BATCH
    batch = max(1, min(_BATCH, soft // 16))
    # Where that leaves next to nothing, some connections come before the rest.
    return max(soft - _BATCHES * batch - _OTHER_FILES, soft // 8, 1), batch


class _Listening(socket.socket):
    """A socket that listens with a long queue, whatever asyncio asks for.

    It has one number for how many connections may queue up and how many it takes at once. Where
    the queue is full, the other end waits for a second before it tries again.
    """

    def listen(self, _backlog: int = 0, /) -> None:
        super().listen(_QUEUE)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # TCP by name: only then has asyncio each part of an answer sent at once, and not after the
    # 40 ms for which the other end holds back its word that it has the part before.
    listening = _Listening(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        # From here on those who ask wait, and are not turned away.
        listening.listen()
    except OSError as error:
        listening.close()
        raise PortTaken(host, port, str(error)) from error
    return listening


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
