"""The description of the service's interface, in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

from typing import Any

from plait.service.api import MAX_ABOVE, MAX_FACTS, MAX_LIMIT, MAX_TAGS
from plait.service.guest_openapi import describe_guests
from plait.service.openapi_records import FACT, NEW_RUN, REQUESTS
from plait.service.openapi_words import NAME, TAGS, asks, object_of, record_of

_ID = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,17})$"}
_LIMIT = {"type": "integer", "minimum": 0, "maximum": MAX_LIMIT}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_RECORDS = {"type": "array", "items": {"type": "object"}}
_BOOL = {"type": "boolean"}
_STATUS = ["running", "done", "failed", "interrupted", "lost", None]


def describe(version: str, *, secured: bool, own_interface: bool = True) -> dict[str, Any]:
    """Give the description.

    Args:
        version: The version of plait.
        secured: Whether the service asks for a token.
        own_interface: Whether it speaks plait's own interface beside Metaflow's.
    """
    found = _describe(version, secured=secured)
    if not own_interface:
        paths = found["paths"].items()
        found["paths"] = {path: what for path, what in paths if not path.startswith("/api/")}
    return found


def _describe(version: str, *, secured: bool) -> dict[str, Any]:
    run = ("flow", "run")
    step, task = (*run, "step"), (*run, "step", "task")
    root = "/api/1/flows/{flow}/runs/{run}"
    return {
        "openapi": "3.1.0",
        "info": {"title": "plait's metadata service", "version": version},
        "security": [{"token": []}] if secured else [],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "error": object_of(
                    error={
                        "type": "object",
                        "required": ["slug", "why"],
                        "properties": {"slug": {"type": "string"}, "why": {"type": "string"}},
                    }
                )
            },
        },
        "paths": {
            "/healthz": {
                "get": {
                    **asks("Whether it can work", object_of(status={"type": "string"})),
                    "security": [],
                }
            },
            "/ping": {"get": _says("Whether it is there")},
            "/version": {"get": _says("The version of plait")},
            "/api/1/flows": {"get": asks("All flows that have runs", object_of(flows=_TEXTS))},
            "/api/1/runs": {
                "post": asks(
                    "Record a new run; the same `request` again gives the same run",
                    object_of(key=_TEXTS),
                    body=record_of(
                        {"run": NEW_RUN},
                        above={"type": "integer", "minimum": 0, "maximum": MAX_ABOVE},
                    ),
                )
            },
            "/api/1/runs/find": {
                "post": asks(
                    "Runs of a flow, newest first",
                    object_of(runs=_RECORDS, more=_BOOL),
                    body=record_of(
                        {"flow": NAME},
                        tags={**TAGS, "maxItems": MAX_TAGS},
                        status={"enum": _STATUS},
                        before={"anyOf": [_ID, {"type": "null"}]},
                        limit=_LIMIT,
                    ),
                )
            },
            "/api/1/facts": {
                "post": asks(
                    "Record what happened, all of it or nothing",
                    object_of(recorded={"type": "integer"}),
                    body=record_of(
                        {"facts": {"type": "array", "items": FACT, "maxItems": MAX_FACTS}},
                        requests=REQUESTS,
                    ),
                )
            },
            "/api/1/damage": {
                "get": asks("Read everything and say what is damaged", object_of(sentences=_TEXTS))
            },
            root: {
                "get": asks("A run", object_of(run={"type": "object"}), run),
                "delete": asks("Remove a run that has ended", object_of(deleted=_BOOL), run),
            },
            f"{root}/tags": {
                "patch": asks(
                    "Change a run's tags",
                    object_of(tags=_TEXTS),
                    run,
                    body=record_of({}, add=TAGS, remove=TAGS),
                )
            },
            f"{root}/steps": {"get": asks("The steps of a run", object_of(steps=_RECORDS), run)},
            f"{root}/steps/{{step}}/tasks": {
                "get": asks(
                    "Tasks of a step, newest first",
                    object_of(tasks=_RECORDS, more=_BOOL),
                    step,
                    query={"before": _ID, "limit": _LIMIT},
                )
            },
            f"{root}/steps/{{step}}/tasks/{{task}}": {
                "get": asks("A task", object_of(task={"type": "object"}), task)
            },
            **describe_guests(),
        },
    }


def _says(summary: str) -> dict[str, Any]:
    text = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "summary": summary,
        "security": [],
        "responses": {"200": {"description": "Text", "content": text}},
    }
