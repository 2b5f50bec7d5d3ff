"""The description of the service's interface, in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

from typing import Any

_NAME = {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[^/\\x00-\\x1f\\x7f]+$"}
_ID = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,17})$"}
_TAGS = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 500},
}
_LIMIT = {"type": "integer", "minimum": 0}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_RECORDS = {"type": "array", "items": {"type": "object"}}
_BOOL = {"type": "boolean"}
_STATUS = ["running", "done", "failed", "interrupted", "lost", None]


def describe(version: str) -> dict[str, Any]:
    """Give the description, for a service of plait *version*."""
    run = ("flow", "run")
    step, task = (*run, "step"), (*run, "step", "task")
    root = "/api/1/flows/{flow}/runs/{run}"
    return {
        "openapi": "3.1.0",
        "info": {"title": "plait's metadata service", "version": version},
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "error": _object(
                    error={
                        "type": "object",
                        "required": ["slug", "why"],
                        "properties": {"slug": {"type": "string"}, "why": {"type": "string"}},
                    }
                )
            },
        },
        "paths": {
            "/healthz": {"get": _asks("Whether it can work", _object(status={"type": "string"}))},
            "/ping": {"get": _says("Whether it is there")},
            "/version": {"get": _says("The version of plait")},
            "/api/1/flows": {"get": _asks("All flows that have runs", _object(flows=_TEXTS))},
            "/api/1/runs": {
                "post": _asks(
                    "Record a new run; the same `request` again gives the same run",
                    _object(key=_TEXTS),
                    body={
                        "type": "object",
                        "required": ["run"],
                        "additionalProperties": False,
                        "properties": {
                            "run": {"type": "object", "required": ["flow", "created"]},
                            "above": {"type": "integer", "minimum": 0, "maximum": 10**17},
                        },
                    },
                )
            },
            "/api/1/runs/find": {
                "post": _asks(
                    "Runs of a flow, newest first",
                    _object(runs=_RECORDS, more=_BOOL),
                    body={
                        "type": "object",
                        "required": ["flow"],
                        "additionalProperties": False,
                        "properties": {
                            "flow": _NAME,
                            "tags": _TAGS,
                            "status": {"enum": _STATUS},
                            "before": {"anyOf": [_ID, {"type": "null"}]},
                            "limit": _LIMIT,
                        },
                    },
                )
            },
            "/api/1/facts": {
                "post": _asks(
                    "Record what happened, all of it or nothing",
                    _object(recorded={"type": "integer"}),
                    body={
                        "type": "object",
                        "required": ["facts"],
                        "additionalProperties": False,
                        "properties": {"facts": {**_RECORDS, "maxItems": 5000}},
                    },
                )
            },
            "/api/1/damage": {
                "get": _asks("Read everything and say what is damaged", _object(sentences=_TEXTS))
            },
            root: {
                "get": _asks("A run", _object(run={"type": "object"}), run),
                "delete": _asks("Remove a run that has ended", _object(deleted=_BOOL), run),
            },
            f"{root}/tags": {
                "patch": _asks(
                    "Change a run's tags",
                    _object(tags=_TEXTS),
                    run,
                    body={
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"add": _TAGS, "remove": _TAGS},
                    },
                )
            },
            f"{root}/steps": {"get": _asks("The steps of a run", _object(steps=_RECORDS), run)},
            f"{root}/steps/{{step}}/tasks": {
                "get": _asks(
                    "Tasks of a step, newest first",
                    _object(tasks=_RECORDS, more=_BOOL),
                    step,
                    query={"before": _ID, "limit": _LIMIT},
                )
            },
            f"{root}/steps/{{step}}/tasks/{{task}}": {
                "get": _asks("A task", _object(task={"type": "object"}), task)
            },
        },
    }


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "properties": members}


def _asks(
    summary: str,
    answer: dict[str, Any],
    path: tuple[str, ...] = (),
    *,
    query: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _NAME} for name in path
    ] + [{"name": name, "in": "query", "schema": schema} for name, schema in (query or {}).items()]
    error = {"$ref": "#/components/schemas/error"}
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "So it is", "content": _json(answer)},
            "default": {"description": "It is not answered", "content": _json(error)},
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    return operation


def _says(summary: str) -> dict[str, Any]:
    text = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "summary": summary,
        "security": [],
        "responses": {"200": {"description": "Text", "content": text}},
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
