"""A metadata service as Metaflow's is where it differs from plait's speaking its interface."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Foreign:
    """An ASGI application before plait's service.

    What is there already is answered with 409, what is not with plain text; names are given for
    numbers, entries newest first; a path comes before all others; and somebody else changes tags
    at the same moment as the first who does.

    Args:
        app: The service.
    """

    prefix = "/meta"

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self._there: set[tuple[str, str]] = set()
        self._changed = False
        self.asked: list[str] = []
        """The requests, in order."""
        self.headers: list[dict[str, str]] = []
        """The headers of each."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        method, path = scope["method"], scope["path"].removeprefix(self.prefix)
        self.asked.append(f"{method} {path}")
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break

        async def give() -> Message:
            return {"type": "http.request", "body": body}

        if self._is_conflict(method, path, body):
            await _answer(send, 409, b"it is there already")
            return
        said: list[Message] = []

        async def keep(message: Message) -> None:
            said.append(message)

        inner = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(inner, give, keep)
        status, text = said[0]["status"], b"".join(part.get("body", b"") for part in said[1:])
        if path == "/ping":
            for message in said:
                await send(message)
        elif status == 404:
            await _answer(send, 404, b"404: Not Found")
        else:
            await _answer(send, status, json.dumps(_rename(json.loads(text))).encode())

    def _is_conflict(self, method: str, path: str, body: bytes) -> bool:
        if path.endswith("/tag/mutate") and not self._changed:
            self._changed = True
            return True
        if method != "POST" or path.endswith(("/metadata", "/heartbeat")):
            return False
        data = json.loads(body)
        named = (path, str(data.get("run_number") or data.get("task_id")))
        if named in self._there:
            return True
        self._there.add(named)
        return False


def _rename(data: Any) -> Any:
    if isinstance(data, list):
        return [_rename(one) for one in reversed(data)]
    for name, number in (("run_id", "run_number"), ("task_name", "task_id")):
        if data.get(name) is not None:
            data[number] = data.pop(name)
    return data


async def _answer(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
