"""What clients of Metaflow's metadata service say and want to hear, as JSON; reading is strict."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from plait.metadata.guests import Entry, Guest
from plait.metadata.rules import check_tags, parse_id
from plait.metadata.wire import MAX_NUMBER, BadRecord, check_depth, read_name, read_tags, read_whole

_MAX_TEXT = 100_000
_MAX_PATTERN = 1000
_ATTEMPT_TAG = re.compile(r"attempt_id:([0-9]{1,9})\Z")
_WILD = re.compile(r"\.\*|\\([^A-Za-z0-9])|([^.*+?()\[\]{}|^$\\])")


def read_facts(data: Any) -> dict[str, Any]:
    """Give what is kept of a flow, run, step or task. Raises BadRecord, BadTag."""
    body = _object(data, "the body")
    return {
        "user_name": _text(body, "user_name"),
        "tags": sorted(check_tags(_tag_texts(body, "tags"))),
        "system_tags": sorted(check_tags(_tag_texts(body, "system_tags"))),
    }


def read_id(data: Mapping[str, Any], name: str) -> str | None:
    """Give the name that a client has for a new run or task; None if it has none."""
    value = data.get(name)
    if value is None:
        return None
    found = read_name(value, f"'{name}'")
    if parse_id(found) is not None:
        raise BadRecord(f"'{name}' is a number, and these are given here")
    return found


def artifact_from_json(data: Any) -> Entry:
    """Read what a client says of an artifact. Raises BadRecord."""
    body = _object(data, "an artifact")
    attempt = read_whole(body.get("attempt_id", 0), "'attempt_id'", most=MAX_NUMBER)
    kept = ("location", "ds_type", "sha", "type", "content_type", "user_name")
    facts: dict[str, Any] = {name: _text(body, name) for name in kept}
    return Entry(read_name(body.get("name"), "'name'"), attempt, facts)


def metadatum_from_json(data: Any) -> Entry:
    """Read what else a client tells of a task. Raises BadRecord."""
    body = _object(data, "metadata")
    facts: dict[str, Any] = {name: _text(body, name) for name in ("type", "user_name")}
    # Mostly text, but clients send lists and numbers as they are, too.
    facts["value"] = body.get("value")
    check_depth(facts["value"], "'value'")
    # Which attempt it is about is said by a tag of its own.
    facts["tags"] = sorted(_tag_texts(body, "tags"))
    facts["system_tags"] = sorted(_tag_texts(body, "system_tags"))
    found = [match for tag in facts["tags"] if (match := _ATTEMPT_TAG.match(tag))]
    attempt = int(found[0].group(1)) if found else 0
    return Entry(read_name(body.get("field_name"), "'field_name'"), attempt, facts)


def read_pattern(text: str) -> Callable[[str], bool]:
    """Give what says whether a text begins like a pattern.

    Of regular expressions, only characters and `.*` are understood: those are what clients send,
    and no text takes long to be held against them.

    Raises:
        BadRecord: It is another expression, or too long.
    """
    if len(text) > _MAX_PATTERN:
        raise BadRecord(f"'pattern' has more than {_MAX_PATTERN} characters")
    parts = [""]
    body = text.removeprefix("^")
    position, whole = 0, False
    while position < len(body):
        if body[position:] == "$":
            whole = True
            break
        found = _WILD.match(body, position)
        if found is None:
            raise BadRecord("'pattern' has more in it than characters and '.*'")
        position = found.end()
        if found.group() == ".*":
            parts.append("")
        else:
            parts[-1] += found.group(1) or found.group(2)
    return lambda value: _fits(value, parts, whole=whole)


def flow_to_json(flow: Guest) -> dict[str, Any]:
    """Give a flow."""
    return {"flow_id": flow.path[0], **flow.facts, "ts_epoch": flow.created}


def run_to_json(run: Guest) -> dict[str, Any]:
    """Give a run."""
    return {
        **_ids(run),
        **run.facts,
        "ts_epoch": run.created,
        "last_heartbeat_ts": _seconds(run.heartbeat),
    }


def guest_to_json(guest: Guest, run: Guest) -> dict[str, Any]:
    """Give a step or a task of a run."""
    found = {
        **_ids(run),
        "step_name": guest.path[2],
        "user_name": guest.facts["user_name"],
        **_tags(run),
        "ts_epoch": guest.created,
    }
    if len(guest.path) > 3:  # a step has three parts
        found["task_id"] = int(guest.path[3])
        found["task_name"] = guest.name
        found["last_heartbeat_ts"] = _seconds(guest.heartbeat)
    return found


def entry_to_json(entry: Entry, run: Guest) -> dict[str, Any]:
    """Give an artifact or metadata of a task of a run."""
    found = {
        **_ids(run),
        "step_name": entry.path[2],
        "task_id": int(entry.path[3]),
        "task_name": None,
        **_tags(run),
        **entry.facts,
        "ts_epoch": entry.created,
    }
    if "value" in entry.facts:
        return {"id": entry.number, "field_name": entry.name, **found}
    return {"name": entry.name, "attempt_id": entry.attempt, **found}


def _ids(run: Guest) -> dict[str, Any]:
    return {"flow_id": run.path[0], "run_number": int(run.path[1]), "run_id": run.name}


def _tags(run: Guest) -> dict[str, Any]:
    return {"tags": run.facts["tags"], "system_tags": run.facts["system_tags"]}


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // 1000


def _fits(value: str, parts: list[str], *, whole: bool) -> bool:
    """Say whether *value* begins with the first part, and the others follow, in order."""
    if not value.startswith(parts[0]):
        return False
    position = len(parts[0])
    for part in parts[1:]:
        found = value.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    if not whole:
        return True
    if len(parts) == 1:
        return position == len(value)
    # The last part may also stand later than where it was found first.
    return value.endswith(parts[-1])


def _object(data: Any, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise BadRecord(f"{what} is not an object")
    return data


def _tag_texts(data: Mapping[str, Any], name: str) -> frozenset[str]:
    value = data.get(name)
    return frozenset() if value is None else read_tags(value, f"'{name}'")


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise BadRecord(f"'{name}' is not text of at most {_MAX_TEXT} characters")
    return value
