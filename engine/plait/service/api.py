"""The service's own interface, version 1: a store of facts, one request a method."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata import wire
from plait.metadata.protocol import MetadataStore, Status
from plait.metadata.rules import parse_id
from plait.service.limits import Refused

MAX_PAGE = 1000
"""The most records that one answer holds."""

MAX_FACTS = 5000
"""The most facts that one request records."""

MAX_ABOVE = 10**17
"""The highest number above which a run's may be wanted."""

MAX_TAGS = 500
"""How many tags may be asked for at once: each is a condition, of which databases bear so many."""

MAX_LIMIT = 2**63
"""The most records that may be asked for; more than `MAX_PAGE` are given in several answers."""

_DIGITS = re.compile(r"[0-9]{1,30}\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, let in and read.

    Args:
        path: The parts of its path that have names.
        query: What stands behind the question mark.
        body: Its JSON values, where it has a body.
    """

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None

    @property
    def run(self) -> RunKey:
        """The run that the path names."""
        return RunKey(self.part("flow"), self.part("run"))

    @property
    def step(self) -> str:
        """The step that the path names."""
        return self.part("step")

    @property
    def task(self) -> TaskKey:
        """The task that the path names."""
        return TaskKey(*self.run, self.step, self.part("task"))

    def part(self, part: str) -> str:
        """Give a part of a pathspec that the path names. Raises Refused."""
        try:
            return wire.read_name(self.path[part], part)
        except wire.BadRecord:
            raise Refused(404, "not-there", f"no {part} is called so") from None

    def members(self, *allowed: str) -> dict[str, Any]:
        """Give the body, an object of members that are *allowed*. Raises BadRecord."""
        if not isinstance(self.body, dict):
            raise wire.BadRecord("the body is not an object")
        strange = set(self.body) - set(allowed)
        if strange:
            raise wire.BadRecord(f"the body has no member '{min(strange)}'")
        return self.body


def list_flows(store: MetadataStore, _asked: Asked) -> Any:
    """Give the names of the flows that have runs."""
    return {"flows": list(store.iter_flows())}


def create_run(store: MetadataStore, asked: Asked) -> Any:
    """Record a new run."""
    body = asked.members("run", "above")
    run = wire.new_run_from_json(body.get("run"))
    above = wire.read_whole(body.get("above", 0), "'above'", most=MAX_ABOVE)
    return {"key": list(store.create_run(run, above=above))}


def record(store: MetadataStore, asked: Asked) -> Any:
    """Record what happened."""
    body = asked.members("facts", "requests")
    facts = body.get("facts")
    if not isinstance(facts, list):
        raise wire.BadRecord("'facts' is not a list")
    if len(facts) > MAX_FACTS:
        raise Refused(413, "too-large", f"a request records at most {MAX_FACTS} facts")
    requests = wire.read_requests(body.get("requests", []))
    store.record([wire.fact_from_json(fact) for fact in facts], requests=requests)
    return {"recorded": len(facts)}


def change_tags(store: MetadataStore, asked: Asked) -> Any:
    """Change a run's user tags."""
    body = asked.members("add", "remove")
    add = wire.read_tags(body.get("add", []), "'add'")
    remove = wire.read_tags(body.get("remove", []), "'remove'")
    return {"tags": sorted(store.change_tags(asked.run, add=add, remove=remove))}


def delete_run(store: MetadataStore, asked: Asked) -> Any:
    """Remove a run that has ended."""
    return {"deleted": store.delete_run(asked.run)}


def find_run(store: MetadataStore, asked: Asked) -> Any:
    """Give a run."""
    found = store.find_run(asked.run)
    if found is None:
        raise Refused(404, "not-there", f"there is no run {asked.run}")
    return {"run": wire.record_to_json(found)}


def find_runs(store: MetadataStore, asked: Asked) -> Any:
    """Give runs of a flow, newest first."""
    body = asked.members("flow", "tags", "status", "before", "limit")
    flow = wire.read_name(body.get("flow"), "'flow'")
    tags = wire.read_tags(body.get("tags", []), "'tags'")
    if len(tags) > MAX_TAGS:
        raise wire.BadRecord(f"'tags' holds more than {MAX_TAGS} tags")
    status = body.get("status")
    if status is not None and status not in tuple(Status):
        raise wire.BadRecord(f"'status' is none of: {', '.join(Status)}")
    limit = _page(body.get("limit", MAX_PAGE))
    found = store.list_runs(
        flow,
        tags=tags,
        status=None if status is None else Status(status),
        before=_before(body.get("before")),
        limit=limit + 1,
    )
    runs = [wire.record_to_json(run) for run in found[:limit]]
    return {"runs": runs, "more": len(found) > limit}


def list_steps(store: MetadataStore, asked: Asked) -> Any:
    """Give the steps of a run."""
    return {"steps": [wire.record_to_json(step) for step in store.list_steps(asked.run)]}


def list_tasks(store: MetadataStore, asked: Asked) -> Any:
    """Give tasks of a step, newest first."""
    text = asked.query.get("limit", str(MAX_PAGE))
    limit = _page(int(text) if _DIGITS.match(text) else text)
    before = _before(asked.query.get("before"))
    found = store.list_tasks(asked.run, asked.step, before=before, limit=limit + 1)
    tasks = [wire.record_to_json(task) for task in found[:limit]]
    return {"tasks": tasks, "more": len(found) > limit}


def find_task(store: MetadataStore, asked: Asked) -> Any:
    """Give a task."""
    found = store.find_task(asked.task)
    if found is None:
        raise Refused(404, "not-there", f"there is no task {asked.task}")
    return {"task": wire.record_to_json(found)}


def find_damage(store: MetadataStore, _asked: Asked) -> Any:
    """Read everything and say what is damaged."""
    return {"sentences": list(store.find_damage())}


def _page(value: Any) -> int:
    # One that asks for more gets a page, and is told that there is more.
    return min(wire.read_whole(value, "'limit'", most=MAX_LIMIT), MAX_PAGE)


def _before(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or parse_id(value) is None:
        raise wire.BadRecord("'before' is not an id")
    return value
