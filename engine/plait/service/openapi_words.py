"""What descriptions of operations in OpenAPI are made of."""

from __future__ import annotations

from typing import Any

UNFIT = "/\\\\\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069"
"""The characters that are in no part of a pathspec, as a regular expression has them."""

NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": 500,
    "pattern": f"^(?!\\.{{1,2}}$)[^{UNFIT}]+$",
}
"""A part of a pathspec."""

_UNFIT_TAG = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029"
TAG = {
    "type": "string",
    "minLength": 1,
    "maxLength": 500,
    "pattern": f"^[^{_UNFIT_TAG}]*[^\\s{_UNFIT_TAG}][^{_UNFIT_TAG}]*$",
}
"""A tag."""

TAGS = {"type": "array", "items": TAG}
"""Some of them."""


def object_of(**members: Any) -> dict[str, Any]:
    """Give the schema of an object that has all of *members*."""
    return {"type": "object", "required": list(members), "properties": members}


def record_of(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Give the schema of an object that has all of *required* and, at most, *optional* beside."""
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": {**required, **optional},
    }


def asks(
    summary: str,
    answer: dict[str, Any],
    path: tuple[str, ...] = (),
    *,
    query: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Give the description of an operation.

    Args:
        summary: What it does.
        answer: The schema of its answer.
        path: The names within its path.
        query: The schemas of what stands behind the question mark.
        body: The schema of what it holds.
    """
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": NAME} for name in path
    ] + [{"name": name, "in": "query", "schema": schema} for name, schema in (query or {}).items()]
    error = {"$ref": "#/components/schemas/error"}
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "So it is", "content": as_json(answer)},
            "default": {"description": "It is not answered", "content": as_json(error)},
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": as_json(body)}
    return operation


def as_json(schema: dict[str, Any]) -> dict[str, Any]:
    """Give the content of a request or an answer that is JSON."""
    return {"application/json": {"schema": schema}}
