"""Plait's own interface of a metadata service, as its clients speak it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata import wire
from plait.metadata.errors import SystemTag, UnknownRun
from plait.metadata.http_courier import Courier
from plait.metadata.http_errors import NotAService
from plait.metadata.http_link import Answer, make_path
from plait.metadata.protocol import Fact, NewRun, RunRecord, Status, StepRecord, TaskRecord
from plait.metadata.rules import get_number

API = "/api/1"
"""Where the interface of this version begins."""

DAMAGE_SECONDS = 600.0
"""How long it may take to read everything."""


class NotOurs(NotAService):
    """The service has nothing where plait's own interface begins; it may have another."""


class OwnInterface:
    """Speaks plait's own `Interface`."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._place = f"service@{courier.url}"

    def create_run(self, run: NewRun, *, above: int) -> RunKey:
        """Record a new run and give its key, see `MetadataStore`."""
        # An answer may get lost on its way; then the run is asked for again, by this word.
        asked = replace(run, request=run.request or os.urandom(16).hex())
        body = {"run": wire.new_run_to_json(asked), "above": above}
        return RunKey(*self._ask("POST", "/runs", body)["key"])

    def plan(self, facts: Sequence[Fact]) -> list[list[Fact]]:
        """Tell all facts at once: the service takes them in one transaction."""
        return [list(facts)]

    def tell(self, facts: Sequence[Fact], requests: Mapping[RunKey, str]) -> None:
        """Tell facts, with the words that their runs were asked for by. Raises UnknownRun."""
        body: dict[str, Any] = {"facts": [wire.fact_to_json(fact) for fact in facts]}
        if requests:
            body["requests"] = [[*key, word] for key, word in requests.items()]
        self._read(self._courier.try_once("POST", f"{API}/facts", body))

    def change_tags(
        self, key: RunKey, *, add: frozenset[str], remove: frozenset[str]
    ) -> frozenset[str]:
        """Change a run's user tags at once and give the new ones, see `MetadataStore`."""
        path = make_path("flows", key.flow, "runs", key.run, "tags")
        if path is None:
            raise UnknownRun(key, self._place)
        body = {"add": sorted(add), "remove": sorted(remove)}
        return frozenset(self._ask("PATCH", path, body, run=key)["tags"])

    def delete_run(self, key: RunKey) -> bool:
        """Remove a run that has ended, see `MetadataStore`."""
        path = make_path("flows", key.flow, "runs", key.run)
        if path is None or self.find_run(key) is None:
            return False
        # A request whose answer was lost has been made again, and found nothing the second time.
        return bool(self._ask("DELETE", path)["deleted"]) or self.find_run(key) is None

    def iter_flows(self) -> Sequence[str]:
        """Give the names of all flows that have runs, sorted."""
        flows: list[str] = self._ask("GET", "/flows")["flows"]
        return flows

    def find_run(self, key: RunKey) -> RunRecord | None:
        """Give a run, or None."""
        found = self._find(make_path("flows", key.flow, "runs", key.run))
        return None if found is None else wire.run_from_json(found["run"])

    def list_runs(
        self,
        flow: str,
        *,
        tags: frozenset[str],
        status: Status | None,
        before: str | None,
        limit: int,
    ) -> Sequence[RunRecord]:
        """Give runs that have all of *tags*, newest first, see `MetadataStore`."""
        if make_path(flow) is None:
            return []
        wanted = None if status is None else status.value
        body = {"flow": flow, "tags": sorted(tags), "status": wanted}

        def ask(before: str | None, limit: int) -> Any:
            return self._ask("POST", "/runs/find", {**body, "before": before, "limit": limit})

        return [wire.run_from_json(data) for data in _pages(ask, "runs", before, limit)]

    def list_steps(self, key: RunKey) -> Sequence[StepRecord]:
        """Give the steps that have tasks, newest first."""
        found = self._find(make_path("flows", key.flow, "runs", key.run, "steps"))
        return [] if found is None else [wire.step_from_json(data) for data in found["steps"]]

    def find_task(self, key: TaskKey) -> TaskRecord | None:
        """Give a task, or None."""
        found = self._find(
            make_path("flows", key.flow, "runs", key.run, "steps", key.step, "tasks", key.task)
        )
        return None if found is None else wire.task_from_json(found["task"])

    def list_tasks(
        self, key: RunKey, step: str, *, before: str | None, limit: int
    ) -> Sequence[TaskRecord]:
        """Give tasks of a step, newest first, see `MetadataStore`."""
        path = make_path("flows", key.flow, "runs", key.run, "steps", step, "tasks")
        if path is None:
            return []

        def ask(before: str | None, limit: int) -> Any:
            start = "" if before is None else f"&before={before}"
            return self._ask("GET", f"{path}?limit={limit}{start}")

        return [wire.task_from_json(data) for data in _pages(ask, "tasks", before, limit)]

    def find_damage(self) -> Sequence[str]:
        """Give what the service finds wrong with its database."""
        found = self._ask("GET", "/damage", seconds=DAMAGE_SECONDS)
        sentences: list[str] = found["sentences"]
        return sentences

    def _find(self, path: str | None) -> Any:
        return None if path is None else self._ask("GET", path, missing=True)

    def _ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        run: RunKey | None = None,
        missing: bool = False,
        seconds: float | None = None,
    ) -> Any:
        answer = self._courier.ask(method, API + path, body, seconds=seconds)
        return self._read(answer, run=run, missing=missing)

    def _read(self, answer: Answer, *, run: RunKey | None = None, missing: bool = False) -> Any:
        """Give what an answer holds.

        Args:
            answer: The answer.
            run: The run whose tags the request changes.
            missing: Whether None may be the answer, where there is nothing.

        Raises:
            NotAService: The answer is none of ours.
            UnknownRun, SystemTag: The answer says so.
        """
        url, status = self._courier.url, answer.status
        try:
            data = json.loads(answer.text)
            error: Any = data["error"] if status >= 400 else {}  # of HTTP
            slug = error["slug"] if status >= 400 else None
        except (ValueError, KeyError, TypeError) as mistake:
            kind = NotOurs if status in (404, 405) else NotAService
            raise kind(url, f"it answers {status}, and not as one") from mistake
        if slug is None:
            return data
        if slug == "not-there" and missing:
            return None
        if slug == "unknown-run":
            raise UnknownRun(RunKey(*error["run"]), self._place)
        if slug == "system-tag":
            raise SystemTag(f"run '{run}'", error["tags"])
        kind = NotOurs if slug == "no-such-path" else NotAService
        raise kind(url, f"it answers {status}: {error['why']}")


def _pages(
    ask: Callable[[str | None, int], Any], name: str, before: str | None, limit: int
) -> list[Mapping[str, Any]]:
    """Give up to *limit* records, page by page: the service gives as many at once as it likes."""
    if before is not None:
        get_number(before)
    found: list[Mapping[str, Any]] = []
    while len(found) < limit:
        answer = ask(before, limit - len(found))
        found.extend(answer[name])
        if not answer["more"]:
            break
        before = found[-1]["key"][-1]
    return found
