"""The description of the interface that guests use, a part of the service's own."""

from __future__ import annotations

from typing import Any

from plait.metadata.wire import MAX_NUMBER
from plait.service.api import MAX_FACTS
from plait.service.openapi_words import NAME, TAGS, UNFIT, asks, object_of, record_of

_OBJECT = {"type": "object"}
_LIST = {"type": "array", "items": _OBJECT}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_TEXT = {"type": ["string", "null"], "maxLength": 100_000}
_TAGS = {"anyOf": [TAGS, {"type": "null"}]}
_MADE = {"user_name": _TEXT, "tags": _TAGS, "system_tags": _TAGS}
_CALLED = {
    "type": ["string", "null"],
    "minLength": 1,
    "maxLength": 500,
    "pattern": f"^(?!\\.{{1,2}}$)[^0-9{UNFIT}][^{UNFIT}]*$",
}
_ARTIFACT = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": NAME,
        "attempt_id": {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER},
        **dict.fromkeys(("location", "ds_type", "sha", "type", "content_type", "user_name"), _TEXT),
    },
}
_METADATUM = {
    "type": "object",
    "required": ["field_name"],
    "properties": {
        "field_name": NAME,
        "value": {},
        "type": _TEXT,
        "user_name": _TEXT,
        "tags": {"type": ["array", "null"], "items": {"type": "string"}},
        "system_tags": {"type": ["array", "null"], "items": {"type": "string"}},
    },
}
_MANY = {"type": "array", "maxItems": MAX_FACTS}
_FIELD = {"anyOf": [NAME, {"const": ""}]}
_PATTERN = {
    "type": "string",
    "maxLength": 1000,
    "pattern": r"^\^?(\.\*|\\[^A-Za-z0-9]|[^.*+?()\[\]{}|^$\\])*\$?$",
}


def describe_guests() -> dict[str, Any]:
    """Give the paths that guests ask, each with what it does."""
    flow, run = ("flow",), ("flow", "run")
    step, task = (*run, "step"), (*run, "step", "task")
    of_flow = "/flows/{flow}"
    of_run = f"{of_flow}/runs/{{run}}"
    of_step = f"{of_run}/steps/{{step}}"
    of_task = f"{of_step}/tasks/{{task}}"
    made: dict[str, Any] = {"type": "object", "properties": _MADE}
    beaten = object_of(wait_time_in_seconds={"type": "integer"})
    artifact, attempt = "/artifacts/{artifact}", "/attempt/{attempt}"
    return {
        "/flows": {"get": asks("All flows of guests", _LIST)},
        of_flow: {
            "get": asks("A flow", _OBJECT, flow),
            "post": asks("Make a flow, if there is none", _OBJECT, flow, body=made),
        },
        f"{of_flow}/run": {
            "post": asks("Make a run", _OBJECT, flow, body=_with(made, "run_number", _CALLED))
        },
        f"{of_flow}/runs": {"get": asks("The runs of a flow, newest first", _LIST, flow)},
        of_run: {"get": asks("A run", _OBJECT, run)},
        f"{of_run}/tag/mutate": {
            "patch": asks(
                "Change a run's tags",
                object_of(tags=_TEXTS),
                run,
                body=record_of({}, tags_to_add=TAGS, tags_to_remove=_TEXTS),
            )
        },
        f"{of_run}/heartbeat": {"post": asks("Say that a run goes on", beaten, run)},
        f"{of_run}/artifacts": {"get": asks("Artifacts of a run's tasks", _LIST, run)},
        f"{of_run}/metadata": {"get": asks("What was told of a run's tasks", _LIST, run)},
        f"{of_run}/steps": {"get": asks("The steps of a run, newest first", _LIST, run)},
        of_step: {"get": asks("A step", _OBJECT, step)},
        f"{of_step}/step": {
            "post": asks("Make a step, if there is none", _OBJECT, step, body=made)
        },
        f"{of_step}/artifacts": {"get": asks("Artifacts of a step's tasks", _LIST, step)},
        f"{of_step}/filtered_tasks": {
            "get": asks(
                "The pathspecs of tasks of which something was told",
                _TEXTS,
                step,
                query={"metadata_field_name": _FIELD, "pattern": _PATTERN},
            )
        },
        f"{of_step}/task": {
            "post": asks("Make a task", _OBJECT, step, body=_with(made, "task_id", _CALLED))
        },
        f"{of_step}/tasks": {"get": asks("The tasks of a step, newest first", _LIST, step)},
        of_task: {"get": asks("A task", _OBJECT, task)},
        f"{of_task}/heartbeat": {"post": asks("Say that a task goes on", beaten, task)},
        f"{of_task}/artifact": {
            "post": asks(
                "Tell which artifacts a task has made",
                object_of(artifacts_created={"type": "integer"}),
                task,
                body={**_MANY, "items": _ARTIFACT},
            )
        },
        f"{of_task}/artifacts": {"get": asks("The last attempt's artifacts", _LIST, task)},
        of_task + artifact: {"get": asks("An artifact", _OBJECT, (*task, "artifact"))},
        f"{of_task}{attempt}/artifacts": {
            "get": asks("An attempt's artifacts", _LIST, (*task, "attempt"))
        },
        of_task + attempt + artifact: {
            "get": asks("An attempt's artifact", _OBJECT, (*task, "attempt", "artifact"))
        },
        f"{of_task}/metadata": {
            "get": asks("What was told of a task, oldest first", _LIST, task),
            "post": asks(
                "Tell something of a task",
                object_of(metadata_created={"type": "integer"}),
                task,
                body={**_MANY, "items": _METADATUM},
            ),
        },
    }


def _with(made: dict[str, Any], name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {**made, "properties": {**made["properties"], name: schema}}
