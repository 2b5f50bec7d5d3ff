"""The interface of Metaflow's metadata service, as plait speaks it to one that has no other.

It removes nothing, has no transactions, and tells of many tasks at once only by telling all that it
knows of a run. See `metaflow_records` for how a run is kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from plait.base.identity import user_name
from plait.base.pathspec import PARAMETERS_STEP, RunKey, TaskKey
from plait.metadata import metaflow_records as records
from plait.metadata.errors import SystemTag, UnknownRun
from plait.metadata.http_courier import TRIES, Courier
from plait.metadata.http_errors import NotAService, ServiceUnreachable
from plait.metadata.http_link import Answer, make_path
from plait.metadata.metaflow_records import RunRow, Story
from plait.metadata.protocol import (
    Fact,
    NewRun,
    RunBeat,
    RunRecord,
    Status,
    StepRecord,
    TaskRecord,
)
from plait.metadata.rules import fold_steps, get_number, iter_newest, parse_id, run_of
from plait.metadata.wire import VERSION_HEADER, BadRecord

Send = Callable[[str, str, Any], Answer]
"""Sends a request, once or until it is answered: method, path and body."""

_CONFLICT = 409


def is_metaflow(courier: Courier) -> bool:
    """Say whether the service is one that has this interface and not plait's own."""
    answer = courier.ask("GET", "/ping")
    headers = answer.headers
    # A plait service of another version has both; facts are not to lie in two places.
    return "METADATA_SERVICE_VERSION" in headers and VERSION_HEADER not in headers


class MetaflowInterface:
    """Speaks the interface of Metaflow's metadata service; an `Interface`."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._place = f"service@{courier.url}"
        self._highest: dict[str, int] = {}
        # What this process knows to be there, so that it is not made again.
        self._known: set[RunKey] = set()
        self._made: set[str] = set()

    # Runs

    def create_run(self, run: NewRun, *, above: int) -> RunKey:
        """Record a new run and give its key, see `MetadataStore`.

        The number is one above the highest that there is; the service sees to it that no other
        run gets the same name, and the word that it was asked by says whose it is.
        """
        request = run.request or os.urandom(16).hex()
        mark = records.tag_request(request)
        if run.request is not None or run.flow not in self._highest:
            for known in self._list_rows(run.flow):
                if mark in known.every_system_tag:
                    return self._begin(RunKey(run.flow, str(known.number)), known, run)
        self._make(self._ask, _path("flows", run.flow), {"user_name": user_name(), **_NO_TAGS})
        body = records.run_to_json(run, request, user_name())
        while True:
            number = max(self._highest.get(run.flow, 0), above) + 1
            key = RunKey(run.flow, str(number))
            asked = {**body, "run_number": records.format_name(number)}
            made = self._make(self._ask, _path("flows", run.flow, "run"), asked)
            row = self._find_row(key) if made is None else self._read_row(made)
            if row is not None and mark in row.every_system_tag and not row.is_removed:
                self._highest[run.flow] = number
                return self._begin(key, row, run)
            # Somebody else's, who was faster.
            self._list_rows(run.flow)
            self._highest[run.flow] = max(self._highest.get(run.flow, 0), number)

    def delete_run(self, key: RunKey) -> bool:
        """Mark a run that has ended as removed, so that plait sees it no more."""
        run = self.find_run(key)
        if run is None or run.status is Status.RUNNING or self._is_resumed(key):
            return False
        mark = frozenset({records.REMOVED})
        self._mutate(key, add=mark, remove=frozenset())
        # One that began to resume it before may have found it still there.
        if self._is_resumed(key):
            self._mutate(key, add=frozenset(), remove=mark)
            return False
        self._known.discard(key)
        return True

    def change_tags(
        self, key: RunKey, *, add: frozenset[str], remove: frozenset[str]
    ) -> frozenset[str]:
        """Change a run's user tags at once and give the new ones, see `MetadataStore`."""
        row = self._find_row(key)
        if row is None:
            raise UnknownRun(key, self._place)
        fixed = (add | remove) & (row.every_system_tag | {records.REMOVED})
        if fixed:
            raise SystemTag(f"run '{key}'", fixed)
        if not add and not remove:
            return row.user_tags
        return self._mutate(key, add=add, remove=remove - add) - {records.REMOVED}

    def iter_flows(self) -> Sequence[str]:
        """Give the names of all flows that have runs of plait's, sorted."""
        found = self._list(self._read(self._ask("GET", "/flows")))
        names = {flow["flow_id"] for flow in found if isinstance(flow.get("flow_id"), str)}
        return sorted(name for name in names if self.list_runs(name, limit=1))

    def find_run(self, key: RunKey) -> RunRecord | None:
        """Give a run, or None."""
        row = self._find_row(key)
        return None if row is None else self._read_run(key, row)

    def list_runs(
        self,
        flow: str,
        *,
        tags: frozenset[str] = frozenset(),
        status: Status | None = None,
        before: str | None = None,
        limit: int,
    ) -> Sequence[RunRecord]:
        """Give runs that have all of *tags*, newest first; asks once for each."""
        end = None if before is None else get_number(before)
        found: list[RunRecord] = []
        for row in self._list_rows(flow) if limit > 0 else ():
            if (end is None or row.number < end) and tags <= row.user_tags | row.system_tags:
                run = self._read_run(RunKey(flow, str(row.number)), row)
                if run is not None and status in (None, run.status):
                    found.append(run)
            if len(found) >= limit:
                break
        return found

    # Tasks

    def list_steps(self, key: RunKey) -> Sequence[StepRecord]:
        """Give the steps that have tasks, newest first."""
        return fold_steps(self._read_tasks(key).values())

    def find_task(self, key: TaskKey) -> TaskRecord | None:
        """Give a task, or None."""
        if parse_id(key.task) is None or make_path(key.step) is None:
            return None
        if self._find_row(key.run_key) is None:
            return None
        return records.fold_tasks(self._read_story(_task_path(key))).get(key)

    def list_tasks(
        self, key: RunKey, step: str, *, before: str | None, limit: int
    ) -> Sequence[TaskRecord]:
        """Give tasks of a step, newest first, see `MetadataStore`."""
        tasks = {
            get_number(task.key.task): task
            for task in self._read_tasks(key).values()
            if task.key.step == step
        }
        return list(islice(iter_newest(tasks, before), max(limit, 0)))

    def find_damage(self) -> Sequence[str]:
        """Read what the service keeps of each run, and tell what is not as plait wrote it."""
        found: list[str] = []
        for flow in self._list(self._read(self._ask("GET", "/flows"))):
            for row in self._list_rows(flow["flow_id"]):
                key = RunKey(flow["flow_id"], str(row.number))
                try:
                    self._read_story(_run_path(key))
                except NotAService as error:
                    found.append(f"run '{key}': {error.findings[0].why}")
        return found

    # Facts

    def plan(self, facts: Sequence[Fact]) -> list[list[Fact]]:
        """Put together what is of one task, and of one run after all of its tasks."""
        for key in {run_of(fact): None for fact in facts}:
            if key not in self._known and self._find_row(key, send=self._try) is None:
                raise UnknownRun(key, self._place)
            self._known.add(key)
        groups: dict[TaskKey | RunKey, list[Fact]] = {}
        for fact in facts:
            groups.setdefault(fact.key, []).append(fact)
        return sorted(groups.values(), key=lambda group: isinstance(group[0].key, RunKey))

    def tell(self, facts: Sequence[Fact], requests: Mapping[RunKey, str]) -> None:  # noqa: ARG002  # it takes facts by the run's name alone
        """Tell what happened, task by task. Raises UnknownRun."""
        for group in self.plan(facts):
            key, user = group[0].key, user_name()
            beats = any(isinstance(fact, RunBeat) for fact in group)
            if isinstance(key, RunKey) and beats:
                self._read(self._try("POST", f"{_run_path(key)}/heartbeat", {}), key)
            entries = [
                records.fact_to_entry(fact, user) for fact in group if not isinstance(fact, RunBeat)
            ]
            if entries:
                task = TaskKey(*key, PARAMETERS_STEP, "0") if isinstance(key, RunKey) else key
                self._add_entries(self._try, task, entries)

    def _begin(self, key: RunKey, row: RunRow, run: NewRun) -> RunKey:
        """Say what a run is; without that, it is not there."""
        if self._read_run(key, row) is None:
            entry = records.new_run_to_entry(run, user_name())
            self._add_entries(self._ask, TaskKey(*key, PARAMETERS_STEP, "0"), [entry])
        self._known.add(key)
        return key

    def _add_entries(self, send: Send, key: TaskKey, entries: list[dict[str, Any]]) -> None:
        """Add entries to a task, which is made if this process has not seen it yet."""
        path, made = _task_path(key), {"user_name": user_name(), **_NO_TAGS}
        step = _run_path(key.run_key) + _path("steps", key.step)
        for where, what, body in (
            (step, f"{step}/step", made),
            (path, f"{step}/task", {**made, "task_id": records.format_name(key.task)}),
        ):
            if where not in self._made:
                self._make(send, what, body, key.run_key)
                self._made.add(where)
        self._read(send("POST", f"{path}/metadata", entries), key.run_key)

    # Reading

    def _list_rows(self, flow: str) -> list[RunRow]:
        """Give plait's runs of a flow that are not removed, newest first."""
        path = make_path("flows", flow, "runs")
        answer = None if path is None else self._read(self._ask("GET", path), missing=True)
        found = [] if answer is None else self._list(answer)
        rows = [row for data in found if (row := self._read_row(data)) is not None]
        rows.sort(key=lambda row: row.number, reverse=True)
        self._highest[flow] = max(self._highest.get(flow, 0), rows[0].number if rows else 0)
        return [row for row in rows if not row.is_removed]

    def _find_row(self, key: RunKey, send: Send | None = None) -> RunRow | None:
        """Give a run, as far as the service itself knows it; None if there is none."""
        if parse_id(key.run) is None or make_path(key.flow) is None:
            return None
        found = self._read((send or self._ask)("GET", _run_path(key), None), missing=True)
        row = None if found is None else self._read_row(found)
        return None if row is None or row.is_removed else row

    def _read_row(self, data: Any) -> RunRow | None:
        if not isinstance(data, dict):
            raise self._strange("a run is not an object")
        try:
            return records.read_run(data)
        except BadRecord as mistake:
            raise self._strange(f"of a run, {mistake}") from mistake

    def _read_run(self, key: RunKey, row: RunRow) -> RunRecord | None:
        story = self._read_story(_task_path(TaskKey(*key, PARAMETERS_STEP, "0")))
        return records.fold_run(key, row, story)

    def _read_tasks(self, key: RunKey) -> dict[TaskKey, TaskRecord]:
        if self._find_row(key) is None:
            return {}
        return records.fold_tasks(self._read_story(_run_path(key)))

    def _read_story(self, path: str) -> Story:
        """Give what is told of the run or the task of a path."""
        found = self._read(self._ask("GET", f"{path}/metadata"), missing=True)
        try:
            return records.read_story([] if found is None else self._list(found))
        except BadRecord as mistake:
            raise self._strange(f"of {path}, {mistake}") from mistake

    def _is_resumed(self, key: RunKey) -> bool:
        """Say whether a run that goes on resumes this one."""
        tag = records.tag_origin(key.run)
        for row in self._list_rows(key.flow):
            if tag in row.every_system_tag:
                run = self._read_run(RunKey(key.flow, str(row.number)), row)
                if run is not None and run.status is Status.RUNNING:
                    return True
        return False

    # Requests

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        return self._courier.ask(method, path, body)

    def _try(self, method: str, path: str, body: Any = None) -> Answer:
        return self._courier.try_once(method, path, body)

    def _make(self, send: Send, path: str, body: Any, run: RunKey | None = None) -> Any:
        """Make something; gives None where the service says that it is there already."""
        answer = send("POST", path, body)
        return None if answer.status == _CONFLICT else self._read(answer, run)

    def _mutate(
        self, key: RunKey, *, add: frozenset[str], remove: frozenset[str]
    ) -> frozenset[str]:
        """Change the tags that users may change, and give all that there are then."""
        body = {"tags_to_add": sorted(add), "tags_to_remove": sorted(remove)}
        for _ in range(TRIES):
            answer = self._ask("PATCH", f"{_run_path(key)}/tag/mutate", body)
            if answer.status != _CONFLICT:
                found: dict[str, list[str]] = self._read(answer, key)
                return frozenset(found["tags"])
        # Others have changed them at the same moment, time and again.
        raise ServiceUnreachable(self._courier.url, f"it answers {_CONFLICT}")

    def _read(self, answer: Answer, run: RunKey | None = None, *, missing: bool = False) -> Any:
        """Give what an answer holds.

        Args:
            answer: The answer.
            run: The run that has to be there.
            missing: Whether None may be the answer, where there is nothing.
        """
        if answer.status == 404:  # HTTP: not found
            if missing:
                return None
            if run is not None:
                raise UnknownRun(run, self._place)
        if answer.status >= 400:  # HTTP: a mistake
            said = answer.text[:200].decode(errors="replace")
            raise self._strange(f"it answers {answer.status}: {said}")
        try:
            return json.loads(answer.text)
        except ValueError as mistake:
            raise self._strange(f"it answers {answer.status}, and not as one") from mistake

    def _list(self, found: Any) -> list[dict[str, Any]]:
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._strange("its answer is not a list of objects")
        return found

    def _strange(self, why: str) -> NotAService:
        return NotAService(self._courier.url, why)


_NO_TAGS: Mapping[str, Any] = {"tags": [], "system_tags": []}


def _run_path(key: RunKey) -> str:
    return _path("flows", key.flow, "runs", records.format_name(get_number(key.run)))


def _task_path(key: TaskKey) -> str:
    name = records.format_name(get_number(key.task))
    return _run_path(key.run_key) + _path("steps", key.step, "tasks", name)


def _path(*parts: str) -> str:
    path = make_path(*parts)
    assert path is not None, f"one of {parts} is a name that nothing has"
    return path
