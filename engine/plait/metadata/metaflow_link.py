"""A service that speaks only the interface of Metaflow's: our requests, told in its words.

Its requests are those that its documentation names. What it has no word for, it does not keep: a
run can't be removed, its heartbeat is the service's own time, ids of runs count over all flows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from plait.base.pathspec import PARAMETERS_STEP, RunKey, TaskKey
from plait.metadata import metaflow_facts as words
from plait.metadata import wire
from plait.metadata.errors import RunNumberTaken, SystemTag, UnknownRun
from plait.metadata.http_errors import NotAService, ServiceUnreachable
from plait.metadata.http_link import ANSWER_SECONDS, Link
from plait.metadata.protocol import Fact, NewRun, RunBeat, RunEnded, RunRecord, Status
from plait.metadata.rules import get_number, parse_id

ONCE = "once-"
"""How the word of a request begins that only its own process can make again."""

_PONG = b"pong"
_MADE = (200, 201, 409)
"""The answers to what is to be made: it is, or it was there."""


def find_metaflow(link: Link) -> MetaflowLink | None:
    """Give the way to speak to a service that does not know plait's interface; None if none is.

    Args:
        link: The connection to what answered, and not as plait's service does.
    """
    try:
        status, text = link.exchange("GET", "/ping")
    except ServiceUnreachable:
        return None
    return MetaflowLink(link) if status == 200 and text.strip() == _PONG else None


class MetaflowLink:
    """Takes the requests of plait's interface, as `Link` does, and makes those of Metaflow's.

    Args:
        link: The connection.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._made: set[str] = set()
        self._asked: set[str] = set()

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        seconds: float = ANSWER_SECONDS,
        run: RunKey | None = None,  # noqa: ARG002  # it is in the path
        missing: bool = False,  # noqa: ARG002  # None is given only where it may be
    ) -> Any:
        """Answer one request as `Link.request` does, by as many as it takes."""
        where, _, query = path.partition("?")
        parts = [unquote(part) for part in where.strip("/").split("/")]
        ask = _Asking(self._link, seconds)
        try:
            return self._answer(ask, method, parts, parse_qs(query), body)
        except wire.BadRecord as error:
            raise NotAService(
                self._link.url, f"what plait wrote there has changed: {error}"
            ) from error

    def close(self) -> None:
        """Let go of the connection; the next request makes another."""
        self._link.close()

    def _answer(
        self,
        ask: _Asking,
        method: str,
        parts: Sequence[str],
        query: Mapping[str, Sequence[str]],
        body: Any,
    ) -> Any:
        match (method, *parts):
            case ("POST", "runs"):
                return self._create_run(ask, wire.new_run_from_json(body["run"]), body["above"])
            case ("POST", "runs", "find"):
                return _list_runs(ask, **body)
            case ("POST", "facts"):
                return self._record(ask, [wire.fact_from_json(fact) for fact in body["facts"]])
            case ("GET", "damage"):
                return {"sentences": []}
            case ("GET", "flows"):
                return {"flows": sorted(flow["flow_id"] for flow in ask.get("/flows") or ())}
            case (_, "flows", flow, "runs", run, *rest):
                return self._answer_of_run(ask, method, RunKey(flow, run), rest, query, body)
        raise AssertionError(f"no such request: {method} {parts}")

    def _answer_of_run(
        self,
        ask: _Asking,
        method: str,
        key: RunKey,
        rest: Sequence[str],
        query: Mapping[str, Sequence[str]],
        body: Any,
    ) -> Any:
        match (method, *rest):
            case ("GET",):
                found = _find_run(ask, key)
                return None if found is None else {"run": wire.record_to_json(found)}
            case ("DELETE",):
                return {"deleted": False}
            case ("PATCH", "tags"):
                return {"tags": _change_tags(ask, key, body["add"], body["remove"])}
            case ("GET", "steps"):
                steps = words.read_steps(_list_tasks(ask, key))
                return {"steps": [wire.record_to_json(step) for step in steps]}
            case ("GET", "steps", step, "tasks"):
                tasks = [task for task in _list_tasks(ask, key) if task.key.step == step]
                (before,), (limit,) = query.get("before", [None]), query["limit"]
                page, more = _cut(words.newest(tasks, before), int(limit))
                return {"tasks": [wire.record_to_json(task) for task in page], "more": more}
            case ("GET", "steps", step, "tasks", task):
                wanted = TaskKey(*key, step, task)
                told = ask.get(f"{_of_task(wanted)}/metadata") if _is_id(key.run, task) else None
                record = words.read_tasks(told or ()).get(wanted)
                return None if record is None else {"task": wire.record_to_json(record)}
        raise AssertionError(f"no such request: {method} {rest}")

    def _create_run(self, ask: _Asking, run: NewRun, above: int) -> Any:
        """Begin a run, or find the one that the same request began. Raises RunNumberTaken."""
        flow = f"/flows/{_quote(run.flow)}"
        assert run.request is not None
        if run.request in self._asked or not run.request.startswith(ONCE):
            tag = words.make_request_tag(run.request)
            for there in ask.get(f"{flow}/runs") or ():
                if tag in (there["system_tags"] or ()):
                    return self._begin(ask, RunKey(run.flow, str(there["run_number"])), run)
        self._asked.add(run.request)
        ask.make(flow, {"user_name": None, "tags": [], "system_tags": []})
        user_tags, system_tags = words.tags_for(run)
        tags = {"user_name": None, "tags": user_tags, "system_tags": system_tags}
        made = ask.make(f"{flow}/run", tags, once=True)
        key = RunKey(run.flow, str(made["run_number"]))
        found = self._begin(ask, key, run)
        if get_number(key.run) <= above:
            self._record(ask, [RunEnded(key, run.created, Status.INTERRUPTED)])
            raise RunNumberTaken(key, above, f"service@{self._link.url}")
        return found

    def _begin(self, ask: _Asking, key: RunKey, run: NewRun) -> Any:
        """Say of a run what its creation did not; if it was said before, it was the same."""
        task = TaskKey(*key, PARAMETERS_STEP, "")
        self._make_task(ask, task, words.RUN_TASK)
        ask.make(f"{_of_task(task)}/metadata", [words.run_entry(run)])
        return {"key": list(key)}

    def _record(self, ask: _Asking, facts: Sequence[Fact]) -> Any:
        """Keep facts, those of a task by one request. Raises UnknownRun."""
        runs = {
            fact.key if isinstance(fact, RunBeat | RunEnded) else fact.key.run_key for fact in facts
        }
        for key in sorted(runs):
            if str(key) not in self._made:
                ask.demand(key)
                self._made.add(str(key))
        told: dict[TaskKey, list[dict[str, Any]]] = {}
        beats = set[RunKey]()
        for fact in facts:
            if isinstance(fact, RunBeat):
                beats.add(fact.key)
                continue
            task = fact.key
            if isinstance(fact, RunEnded):
                # Behind all that is told of tasks, so that a run that has ended is whole.
                task = TaskKey(*fact.key, PARAMETERS_STEP, "")
                told[task] = told.pop(task, [])
            assert isinstance(task, TaskKey)
            told.setdefault(task, []).append(words.fact_entry(fact))
        for task, entries in told.items():
            self._make_task(ask, task, words.name_task(task.task) if task.task else words.RUN_TASK)
            ask.make(f"{_of_task(task)}/metadata", entries)
        for key in sorted(beats):
            ask.make(f"{_of_run(key)}/heartbeat", {})
        return {}

    def _make_task(self, ask: _Asking, key: TaskKey, name: str) -> None:
        """Make a task, and its step, unless this process has made them."""
        step = f"{_of_run(key.run_key)}/steps/{_quote(key.step)}"
        nobody: dict[str, Any] = {"user_name": None, "tags": [], "system_tags": []}
        for made, path, body in (
            (step, f"{step}/step", nobody),
            (f"{step}/{name}", f"{step}/task", {**nobody, "task_id": name}),
        ):
            if made not in self._made:
                ask.make(path, body)
                self._made.add(made)


class _Asking:
    """Requests to the service, and what their answers hold."""

    def __init__(self, link: Link, seconds: float) -> None:
        self._link = link
        self._seconds = seconds

    def get(self, path: str) -> Any:
        """Give what is at *path*; None if there is nothing."""
        status, text = self._link.exchange("GET", path, seconds=self._seconds)
        return None if status == 404 else self._read(status, text, (200,))

    def make(self, path: str, body: Any, method: str = "POST", *, once: bool = False) -> Any:
        """Have something made or told, and give the answer."""
        status, text = self._link.exchange(method, path, body, seconds=self._seconds, once=once)
        return self._read(status, text, _MADE)

    def demand(self, key: RunKey) -> Mapping[str, Any]:
        """Give a run as the service knows it. Raises UnknownRun."""
        found = self.get(_of_run(key)) if _is_id(key.run) else None
        if found is None:
            raise UnknownRun(key, f"service@{self._link.url}")
        run: Mapping[str, Any] = found
        return run

    def _read(self, status: int, text: bytes, good: Sequence[int]) -> Any:
        if status not in good:
            said = text[:200].decode(errors="replace")
            raise NotAService(self._link.url, f"it answers {status}: {said}")
        try:
            return json.loads(text)
        except ValueError as error:
            if status == 409:
                return None
            raise NotAService(self._link.url, f"it answers {status}, and not in JSON") from error


def _find_run(ask: _Asking, key: RunKey) -> RunRecord | None:
    run = ask.get(_of_run(key)) if _is_id(key.run) else None
    return None if run is None or not words.is_plaits(run) else _read_run(ask, run)


def _read_run(ask: _Asking, run: Mapping[str, Any]) -> RunRecord:
    key = TaskKey(run["flow_id"], str(run["run_number"]), PARAMETERS_STEP, "")
    return words.read_run(run, ask.get(f"{_of_task(key)}/metadata") or ())


def _list_runs(
    ask: _Asking,
    flow: str,
    tags: Sequence[str],
    status: str | None,
    before: str | None,
    limit: int,
) -> Any:
    """Give a page of runs, newest first; the service gives them all, and not how they ended."""
    end = None if before is None else get_number(before)
    there = [
        run
        for run in ask.get(f"/flows/{_quote(flow)}/runs") or ()
        if words.is_plaits(run)
        and (end is None or run["run_number"] < end)
        and set(tags) <= {*(run["tags"] or ()), *(run["system_tags"] or ())}
    ]
    there.sort(key=lambda run: int(run["run_number"]), reverse=True)

    def fitting() -> Iterator[RunRecord]:
        for run in there:
            record = _read_run(ask, run)
            if status in (None, record.status.value):
                yield record

    page, more = _cut(fitting(), limit)
    return {"runs": [wire.record_to_json(record) for record in page], "more": more}


def _list_tasks(ask: _Asking, key: RunKey) -> list[Any]:
    told = ask.get(f"{_of_run(key)}/metadata") if _is_id(key.run) else None
    return list(words.read_tasks(told or ()).values())


def _change_tags(
    ask: _Asking, key: RunKey, add: Sequence[str], remove: Sequence[str]
) -> Sequence[str]:
    """Change a run's tags; one that is in both stays. Raises UnknownRun, SystemTag."""
    run = ask.demand(key)
    refused = {*add, *remove} & set(run["system_tags"] or ())
    if refused:
        raise SystemTag(f"run '{key}'", refused)
    gone = sorted(set(remove) - set(add))
    body = {"tags_to_add": list(add), "tags_to_remove": gone}
    answer: Mapping[str, Any] = ask.make(f"{_of_run(key)}/tag/mutate", body, "PATCH")
    tags: Sequence[str] = answer["tags"]
    return tags


def _cut(found: Any, limit: int) -> tuple[list[Any], bool]:
    """Give the first *limit* of what is found, and whether there are more."""
    page: list[Any] = []
    for one in found:
        if len(page) == max(limit, 0):
            return page, True
        page.append(one)
    return page, False


def _is_id(*texts: str) -> bool:
    return all(parse_id(text) is not None for text in texts)


def _of_run(key: RunKey) -> str:
    return f"/flows/{_quote(key.flow)}/runs/{_quote(key.run)}"


def _of_task(key: TaskKey) -> str:
    """Give the path of a task; one without an id is what keeps the facts of its run."""
    name = words.name_task(key.task) if key.task else words.RUN_TASK
    return f"{_of_run(key.run_key)}/steps/{_quote(key.step)}/tasks/{name}"


def _quote(part: str) -> str:
    return quote(part, safe="")
