"""A store of facts in this process's memory: what tests use, and what the real ones are held to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata.errors import SystemTag, UnknownRun
from plait.metadata.protocol import (
    Fact,
    NewRun,
    RunBeat,
    RunEnded,
    RunRecord,
    Status,
    StepRecord,
    TaskRecord,
)
from plait.metadata.rules import (
    check_tags,
    fold_steps,
    get_number,
    holds_end,
    is_revived,
    iter_newest,
    merge_fact,
    parse_id,
    run_of,
)

T = TypeVar("T")


@dataclass(slots=True)
class _Run:
    record: RunRecord
    # As text, so that neither who wrote them nor who reads them can change them here.
    facts: str
    steps: dict[str, dict[int, TaskRecord]] = field(default_factory=dict)

    def read(self) -> RunRecord:
        return replace(self.record, facts=json.loads(self.facts))


@dataclass(slots=True)
class _Flow:
    last: int = 0
    runs: dict[int, _Run] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)


class MemoryMetadata:
    """A `MetadataStore` that lives and dies with its process."""

    place = "memory"

    def __init__(self) -> None:
        self._flows: dict[str, _Flow] = {}

    def create_run(self, run: NewRun, *, above: int = 0) -> RunKey:
        """Record a new run and give its key, see `MetadataStore`."""
        user_tags, system_tags = check_tags(run.user_tags), check_tags(run.system_tags)
        if user_tags & system_tags:
            raise SystemTag(f"the new run of '{run.flow}'", user_tags & system_tags)
        facts = json.dumps(dict(run.facts or {}))
        flow = self._flows.setdefault(run.flow, _Flow())
        if run.request is not None and flow.requests.get(run.request) in flow.runs:
            return RunKey(run.flow, str(flow.requests[run.request]))
        flow.last = max(flow.last, above) + 1
        if run.request is not None:
            flow.requests[run.request] = flow.last
        key = RunKey(run.flow, str(flow.last))
        record = RunRecord(
            key=key,
            created=run.created,
            status=Status.RUNNING,
            finished=None,
            user_tags=user_tags,
            system_tags=system_tags,
            origin_run=run.origin_run,
            facts={},
            failure=None,
            failed_task=None,
        )
        flow.runs[flow.last] = _Run(record, facts)
        return key

    def record(
        self, facts: Sequence[Fact], *, requests: Mapping[RunKey, str] | None = None
    ) -> None:
        """Record what happened, see `MetadataStore`."""
        # All runs are looked up first, so that a batch about an unknown one changes nothing.
        runs = [self._get(run_of(fact)) for fact in facts]
        for key in map(run_of, facts):
            word = (requests or {}).get(key)
            if word is not None and str(self._flows[key.flow].requests.get(word)) != key.run:
                raise UnknownRun(key, self.place)
        for run, fact in zip(runs, facts, strict=True):
            if isinstance(fact, RunBeat):
                latest = max(fact.at, run.record.heartbeat or fact.at)
                if is_revived(run.record.status, run.record.finished, fact.at):
                    run.record = replace(run.record, status=Status.RUNNING, finished=None)
                run.record = replace(run.record, heartbeat=latest)
            elif isinstance(fact, RunEnded) and holds_end(run.record.status, fact.status):
                run.record = replace(
                    run.record,
                    status=fact.status,
                    finished=fact.at,
                    failure=fact.failure,
                    failed_task=fact.failed_task,
                )
            elif not isinstance(fact, RunEnded):
                tasks = run.steps.setdefault(fact.key.step, {})
                number = get_number(fact.key.task)
                tasks[number] = merge_fact(tasks.get(number), fact)

    def change_tags(
        self,
        key: RunKey,
        *,
        add: frozenset[str] = frozenset(),
        remove: frozenset[str] = frozenset(),
    ) -> frozenset[str]:
        """Change a run's user tags at once and give the new ones, see `MetadataStore`."""
        add, remove = check_tags(add), check_tags(remove)
        run = self._get(key)
        if (add | remove) & run.record.system_tags:
            raise SystemTag(f"run '{key}'", (add | remove) & run.record.system_tags)
        run.record = replace(run.record, user_tags=(run.record.user_tags - remove) | add)
        return run.record.user_tags

    def iter_flows(self) -> Sequence[str]:
        """Give the names of all flows that have runs, sorted."""
        return sorted(name for name, flow in self._flows.items() if flow.runs)

    def delete_run(self, key: RunKey) -> bool:
        """Remove a run that has ended, see `MetadataStore`."""
        run = self._find(key)
        if run is None or run.record.status is Status.RUNNING:
            return False
        runs = self._flows[key.flow].runs
        if any(
            other.record.origin_run == key.run and other.record.status is Status.RUNNING
            for other in runs.values()
        ):
            return False
        del runs[get_number(key.run)]
        return True

    def find_run(self, key: RunKey) -> RunRecord | None:
        """Give a run, or None."""
        run = self._find(key)
        return None if run is None else run.read()

    def list_runs(
        self,
        flow: str,
        *,
        tags: frozenset[str] = frozenset(),
        status: Status | None = None,
        before: str | None = None,
        limit: int = 1000,
    ) -> Sequence[RunRecord]:
        """Give runs that have all of *tags*, newest first, see `MetadataStore`."""
        wanted = check_tags(tags)
        runs = self._flows[flow].runs if flow in self._flows else {}
        return [
            run.read()
            for run in islice(
                (
                    run
                    for run in iter_newest(runs, before)
                    if wanted <= run.record.user_tags | run.record.system_tags
                    and status in (None, run.record.status)
                ),
                max(limit, 0),
            )
        ]

    def list_steps(self, key: RunKey) -> Sequence[StepRecord]:
        """Give the steps that have tasks, newest first."""
        run = self._find(key)
        if run is None:
            return []
        return fold_steps(task for tasks in run.steps.values() for task in tasks.values())

    def find_task(self, key: TaskKey) -> TaskRecord | None:
        """Give a task, or None."""
        run, number = self._find(key.run_key), parse_id(key.task)
        if run is None or number is None:
            return None
        return run.steps.get(key.step, {}).get(number)

    def list_tasks(
        self, key: RunKey, step: str, *, before: str | None = None, limit: int = 5000
    ) -> Sequence[TaskRecord]:
        """Give tasks of a step, newest first, see `MetadataStore`."""
        run = self._find(key)
        tasks = {} if run is None else run.steps.get(step, {})
        return list(islice(iter_newest(tasks, before), max(limit, 0)))

    def find_damage(self) -> Sequence[str]:
        """Give nothing: memory is as it was written."""
        return []

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def _find(self, key: RunKey) -> _Run | None:
        flow, number = self._flows.get(key.flow), parse_id(key.run)
        return None if flow is None or number is None else flow.runs.get(number)

    def _get(self, key: RunKey) -> _Run:
        run = self._find(key)
        if run is None:
            raise UnknownRun(key, self.place)
        return run
