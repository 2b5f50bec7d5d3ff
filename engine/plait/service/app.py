"""The service as an ASGI application: routes, and every mishap as an answer that says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from plait.base.errors import PlaitError
from plait.metadata.errors import BadTag, SystemTag, UnknownRun
from plait.metadata.guests import Guests, NoSuchGuest
from plait.metadata.protocol import MetadataStore
from plait.metadata.sql import SQLMetadata
from plait.metadata.wire import VERSION_HEADER, BadRecord
from plait.service import api, guest_api
from plait.service.errors import ServiceNotInstalled
from plait.service.health import Health
from plait.service.limits import Gate, Refused, check_path, read_json
from plait.service.openapi import describe

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

Handler = Callable[[MetadataStore, api.Asked], Any]

_RUN = "/api/1/flows/{flow}/runs/{run}"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/api/1/flows", api.list_flows),
    ("POST", "/api/1/runs", api.create_run),
    ("POST", "/api/1/runs/find", api.find_runs),
    ("POST", "/api/1/facts", api.record),
    ("GET", "/api/1/damage", api.find_damage),
    ("GET", _RUN, api.find_run),
    ("DELETE", _RUN, api.delete_run),
    ("PATCH", f"{_RUN}/tags", api.change_tags),
    ("GET", f"{_RUN}/steps", api.list_steps),
    ("GET", f"{_RUN}/steps/{{step}}/tasks", api.list_tasks),
    ("GET", f"{_RUN}/steps/{{step}}/tasks/{{task}}", api.find_task),
)
"""What is answered: method, path, and by whom."""

_AWAY = 503
_WORKERS = 16


def make_app(
    store: SQLMetadata,
    token: str | None,
    version: str,
    *,
    own_interface: bool = True,
    tell: Callable[[str], None] = lambda _line: None,
) -> Starlette:
    """Make the application.

    Args:
        store: What it keeps facts in; used by several threads.
        token: What those who ask have to say; None if anybody on this machine may.
        version: The version of plait.
        own_interface: Whether it speaks plait's own interface beside Metaflow's.
        tell: Given a line when the database is away, and when it is back.

    Raises:
        ServiceNotInstalled: Starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.routing import Route
    except ImportError as error:
        raise ServiceNotInstalled(error.name or "starlette") from error

    answers = _Answers(store, Gate(token), version, tell, own_interface=own_interface)
    guests = Guests(store.database)
    own = ROUTES if own_interface else ()
    every = [
        *((method, path, partial(handler, store)) for method, path, handler in own),
        *((method, path, partial(handler, guests)) for method, path, handler in guest_api.ROUTES),
        *((method, path, partial(handler, guests)) for method, path, handler in guest_api.BEATS),
    ]
    silent = {path for _, path, _ in guest_api.BEATS}
    # All methods of a path together, so that what is none of them can be told which there are.
    handlers: dict[str, dict[str, Callable[[api.Asked], Any]]] = {}
    for method, path, handler in every:
        handlers.setdefault(path, {})[method] = handler
    app = Starlette(
        routes=[
            # For anybody, without a token: nothing of anybody's is in there.
            Route("/healthz", answers.health),
            Route("/ping", answers.ping),
            Route("/version", answers.version),
            Route("/openapi.json", answers.openapi),
            *(
                Route(
                    path,
                    partial(answers.ask, found, reads=path not in silent),
                    methods=list(found),
                )
                for path, found in handlers.items()
            ),
        ],
        exception_handlers={HTTPException: answers.on_http},
    )
    # To whatever host whoever asks has named.
    app.router.redirect_slashes = False
    return app


class _Answers:
    """Turns requests into calls of handlers, and what these give or raise into answers."""

    def __init__(
        self,
        store: SQLMetadata,
        gate: Gate,
        version: str,
        tell: Callable[[str], None],
        *,
        own_interface: bool,
    ) -> None:
        import anyio

        self._gate = gate
        self._version = version
        self._own_interface = own_interface
        self._document = describe(version, secured=gate.asks_for_token, own_interface=own_interface)
        self._limiter = anyio.CapacityLimiter(_WORKERS)
        self._health = Health(store, tell)

    async def ask(
        self,
        handlers: Mapping[str, Callable[[api.Asked], Any]],
        request: Request,
        *,
        reads: bool,
    ) -> Response:
        """Let the method's handler answer; if it *reads*, a POST or PATCH has to hold JSON."""
        writing = request.method not in ("GET", "HEAD")
        try:
            self._gate.check(request)
            check_path(request)
            with_body = reads and request.method in ("POST", "PATCH")
            body = await read_json(request) if with_body else None
            asked = api.Asked(request.path_params, request.query_params, body)
            # HEAD is GET whose answer the server keeps to itself.
            handler = handlers["GET" if request.method == "HEAD" else request.method]
            found = await self._work(partial(handler, asked))
            self._health.worked(writing=writing)
            return _answer(found)
        except Refused as refused:
            return _refuse(refused)
        except NoSuchGuest:
            return _refuse(Refused(404, "not-there", "there is nothing of this path"))
        except BadRecord as mistake:
            return _refuse(Refused(422, "bad-record", str(mistake)))
        except PlaitError as error:
            said = _of_store(error)
            if said.status == _AWAY:
                self._health.failed(error, writing=writing)
            return _refuse(said)

    async def health(self, _request: Request) -> Response:
        """Say whether the database can be read and written."""
        slug = await self._health.ask()
        if slug is None:
            return _answer({"status": "ok"})
        # Who asks need not have a token: where the database is, and what it says, is not for them.
        return _refuse(Refused(_AWAY, slug, "facts cannot be read and written now"))

    async def ping(self, _request: Request) -> Response:
        """Say that it is there."""
        found = _text("pong")
        found.headers["METADATA_SERVICE_VERSION"] = guest_api.SERVICE_VERSION
        if self._own_interface:
            # So that a plait that does not find its interface knows that it is not Metaflow's.
            found.headers[VERSION_HEADER] = self._version
        return found

    async def version(self, _request: Request) -> Response:
        """Say which plait this is."""
        return _text(self._version)

    async def openapi(self, _request: Request) -> Response:
        """Give the description."""
        return _answer(self._document)

    async def on_http(self, _request: Request, error: Exception) -> Response:
        """Say that there is no such path, or no such method of it."""
        status = getattr(error, "status_code", 500)
        slug = {404: "no-such-path", 405: "no-such-method"}.get(status, "http")
        found = _refuse(Refused(status, slug, str(getattr(error, "detail", error))))
        found.headers.update(getattr(error, "headers", None) or {})
        return found

    async def _work(self, work: Callable[[], Any]) -> Any:
        """Do what waits for the database in a thread."""
        import anyio

        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


def _answer(data: Any, status: int = 200) -> Response:
    from starlette.responses import Response

    # ASCII, so that what is no Unicode (file names in a traceback) gets through.
    return Response(json.dumps(data), status, media_type="application/json")


def _text(text: str) -> Response:
    from starlette.responses import Response

    return Response(text, media_type="text/plain")


def _refuse(refused: Refused) -> Response:
    return _answer(refused.to_json(), refused.status)


def _of_store(error: PlaitError) -> Refused:
    """Give the answer to what the store says no to."""
    finding = error.findings[0]
    if isinstance(error, UnknownRun):
        return Refused(404, error.slug, finding.what, run=list(error.key))
    if isinstance(error, SystemTag):
        return Refused(409, error.slug, finding.what, tags=list(error.tags))
    if isinstance(error, BadTag):
        return Refused(422, error.slug, "; ".join(f"{f.what}: {f.why}" for f in error.findings))
    # The database is away or in somebody's way: those who ask may ask again.
    return Refused(_AWAY, finding.slug, finding.what)
