"""The records that requests hold, in JSON Schema: a new run, and what happened in one."""

from __future__ import annotations

from typing import Any

from plait.base.records import FailureKind
from plait.metadata.protocol import Status
from plait.metadata.wire import FIRST_SECOND, LAST_SECOND, MAX_NUMBER, MAX_REQUESTS
from plait.service.openapi_words import NAME, TAGS, record_of

_TIME = {"type": "number", "minimum": FIRST_SECOND, "exclusiveMaximum": LAST_SECOND}
_COUNT = {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER}
_ID = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,17})$"}
_NUMBER = {"type": ["integer", "null"]}
_RUN = {"type": "array", "prefixItems": [NAME, NAME], "items": False, "minItems": 2}
_TASK = {"type": "array", "prefixItems": [NAME, NAME, NAME, _ID], "items": False, "minItems": 4}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


_FAILURE = _or_null(
    record_of(
        {"kind": {"enum": list(FailureKind)}, "summary": {"type": "string"}},
        traceback={"type": "string"},
        exit_code=_NUMBER,
        signal=_NUMBER,
        where={"type": "string"},
        retry={"type": "boolean"},
    )
)

NEW_RUN = record_of(
    {"flow": NAME, "created": _TIME},
    user_tags=TAGS,
    system_tags=TAGS,
    origin_run=_or_null(NAME),
    facts={"type": ["object", "null"]},
    request=_or_null(NAME),
)
"""A run that is to be recorded."""

REQUESTS = {
    "type": "array",
    "maxItems": MAX_REQUESTS,
    "items": {
        "type": "array",
        "prefixItems": [NAME, NAME, NAME],
        "items": False,
        "minItems": 3,
    },
}
"""The words by which the runs of facts were asked for: flow, run and word each."""

FACT = {
    "anyOf": [
        record_of(
            {"kind": {"const": "attempt-started"}, "key": _TASK, "attempt": _COUNT, "at": _TIME},
            index=_or_null(_COUNT),
        ),
        record_of(
            {
                "kind": {"const": "attempt-ended"},
                "key": _TASK,
                "attempt": _COUNT,
                "at": _TIME,
                "ok": {"type": "boolean"},
                "final": {"type": "boolean"},
            },
            failure=_FAILURE,
        ),
        record_of(
            {
                "kind": {"const": "task-cloned"},
                "key": _TASK,
                "attempt": _COUNT,
                "at": _TIME,
                "origin": _TASK,
            },
            index=_or_null(_COUNT),
        ),
        record_of({"kind": {"const": "run-beat"}, "key": _RUN, "at": _TIME}),
        record_of(
            {
                "kind": {"const": "run-ended"},
                "key": _RUN,
                "at": _TIME,
                "status": {"enum": list(Status)},
            },
            failure=_FAILURE,
            failed_task=_or_null(_TASK),
        ),
    ]
}
"""Something that happened."""
