"""The store of facts behind a service: what `--metadata service` and `metadata("http://...")` use.

A run must not end because the service is being restarted. So facts are kept in a queue, in order,
and sent as soon as they can be; they may arrive twice, which changes nothing. Only where an answer
is needed, the service has to be there: to begin a run, and to read.
"""

from __future__ import annotations

import math
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import quote

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata import wire
from plait.metadata.errors import SystemTag, UnknownRun
from plait.metadata.http_errors import (
    BadServiceURL,
    BadServiceWait,
    FactsNotSent,
    NotAService,
    ServiceUnreachable,
)
from plait.metadata.http_link import ANSWER_SECONDS, Link, check_url
from plait.metadata.metaflow_link import ONCE, MetaflowLink, find_metaflow
from plait.metadata.protocol import (
    Fact,
    NewRun,
    RunEnded,
    RunRecord,
    Status,
    StepRecord,
    TaskRecord,
)
from plait.metadata.rules import check_tags, get_number

TRY_SECONDS = 4.0
"""How long something is tried that needs an answer, and at least `TRIES` times."""

TRIES = 4
"""How often: a silence takes longer than all the time that there is, and may be by chance."""

FIRST_SECONDS = 2.0
"""How long the first answer may take; each further one twice as long, up to what is usual."""

DAMAGE_SECONDS = 600.0
"""How long it may take to read everything."""

END_SECONDS = 60.0
"""How long a run's end is tried to be told."""

_FACTS_SECONDS = 3.0
_LONGEST_PAUSE = 30.0
_BATCH = 500


class HTTPMetadata:
    """A `MetadataStore` behind the service at *url*.

    One connection a process, made at its first use; a forked child makes its own.

    Args:
        url: `http://host:port`, or `https://...`.
        token: What the service wants to hear, if anything.
        tell: Given a sentence when the service is away or slow, and when it is back.
        end_seconds: How long a run's end is tried to be told.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        tell: Callable[[str], None] | None = None,
        end_seconds: float = END_SECONDS,
    ) -> None:
        self._url = check_url(url)
        self._link: Link | MetaflowLink = Link(self._url, token)
        self._say = tell or _tell
        self._end_seconds = end_seconds
        self._queue: list[Fact] = []
        self._again_at = 0.0
        self._pause = 0.0
        self._told = False
        self._gave_up = False
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._reason = ""

    def __reduce__(self) -> NoReturn:
        """Refuse to become a value: its token would be kept with it."""
        raise TypeError("what speaks to a metadata service cannot be pickled; keep its URL")

    @property
    def place(self) -> str:
        """Where this is, for messages, and what `metadata(...)` takes."""
        return f"service@{self._url}"

    def create_run(self, run: NewRun, *, above: int = 0) -> RunKey:
        """Record a new run and give its key, see `MetadataStore`."""
        user_tags, system_tags = check_tags(run.user_tags), check_tags(run.system_tags)
        if user_tags & system_tags:
            raise SystemTag(f"the new run of '{run.flow}'", user_tags & system_tags)
        data = wire.new_run_to_json(run)
        # An answer may get lost on its way; then the run is asked for again, by this word.
        data["request"] = run.request or f"{ONCE}{os.urandom(16).hex()}"
        answer = self._ask("POST", "/runs", {"run": data, "above": above})
        return RunKey(*answer["key"])

    def record(self, facts: Sequence[Fact]) -> None:
        """Record what happened as soon as the service takes it, see `MetadataStore`.

        Raises:
            FactsNotSent: A run has ended, and the service could not be told in time.
        """
        with self._guard():
            self._queue.extend(facts)
            ends = any(isinstance(fact, RunEnded) for fact in facts)
            if ends:
                self._drain()
            elif self._queue and time.monotonic() >= self._again_at:
                self._try_to_send()

    def change_tags(
        self,
        key: RunKey,
        *,
        add: frozenset[str] = frozenset(),
        remove: frozenset[str] = frozenset(),
    ) -> frozenset[str]:
        """Change a run's user tags at once and give the new ones, see `MetadataStore`."""
        body = {"add": sorted(check_tags(add)), "remove": sorted(check_tags(remove))}
        path = _path("flows", key.flow, "runs", key.run, "tags")
        if path is None:
            raise UnknownRun(key, self.place)
        return frozenset(self._ask("PATCH", path, body, run=key)["tags"])

    def delete_run(self, key: RunKey) -> bool:
        """Remove a run that has ended, see `MetadataStore`."""
        path = _path("flows", key.flow, "runs", key.run)
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
        found = self._find(_path("flows", key.flow, "runs", key.run))
        return None if found is None else wire.run_from_json(found["run"])

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
        wanted = sorted(check_tags(tags))
        if _path(flow) is None:
            return []
        body = {"flow": flow, "tags": wanted, "status": None if status is None else status.value}

        def ask(before: str | None, limit: int) -> Any:
            return self._ask("POST", "/runs/find", {**body, "before": before, "limit": limit})

        return [wire.run_from_json(data) for data in _pages(ask, "runs", before, limit)]

    def list_steps(self, key: RunKey) -> Sequence[StepRecord]:
        """Give the steps that have tasks, newest first."""
        found = self._find(_path("flows", key.flow, "runs", key.run, "steps"))
        return [] if found is None else [wire.step_from_json(data) for data in found["steps"]]

    def find_task(self, key: TaskKey) -> TaskRecord | None:
        """Give a task, or None."""
        found = self._find(
            _path("flows", key.flow, "runs", key.run, "steps", key.step, "tasks", key.task)
        )
        return None if found is None else wire.task_from_json(found["task"])

    def list_tasks(
        self, key: RunKey, step: str, *, before: str | None = None, limit: int = 5000
    ) -> Sequence[TaskRecord]:
        """Give tasks of a step, newest first, see `MetadataStore`."""
        path = _path("flows", key.flow, "runs", key.run, "steps", step, "tasks")
        if path is None:
            return []

        def ask(before: str | None, limit: int) -> Any:
            start = "" if before is None else f"&before={before}"
            return self._ask("GET", f"{path}?limit={limit}{start}")

        return [wire.task_from_json(data) for data in _pages(ask, "tasks", before, limit)]

    def find_damage(self) -> Sequence[str]:
        """Give what the service finds wrong with its database."""
        sentences: list[str] = self._ask("GET", "/damage", seconds=DAMAGE_SECONDS)["sentences"]
        return sentences

    def close(self) -> None:
        """Send what waits, if the service takes it, and let go of the connection."""
        with self._guard():
            if self._queue and not self._gave_up:
                self._try_to_send()
            self._link.close()

    # Facts

    def _drain(self) -> None:
        """Send all that waits. Raises FactsNotSent."""
        end = time.monotonic() + (0.0 if self._gave_up else self._end_seconds)
        while not self._try_to_send():
            left = end - time.monotonic()
            if left <= 0:
                self._gave_up = True
                raise FactsNotSent(self._url, len(self._queue), self._end_seconds, self._reason)
            time.sleep(min(left, random.uniform(0.2, 1.0)))  # noqa: S311  # spreads runs in time

    def _try_to_send(self) -> bool:
        """Send what waits, a batch after the other; say whether all of it is gone."""
        while self._queue:
            batch = self._queue[:_BATCH]
            try:
                self._request(
                    "POST",
                    "/facts",
                    {"facts": [wire.fact_to_json(fact) for fact in batch]},
                    seconds=_FACTS_SECONDS,
                )
            except ServiceUnreachable as error:
                self._put_off(error)
                return False
            except BaseException:
                # It will not be taken later either, and must not keep other facts back.
                del self._queue[: len(batch)]
                raise
            del self._queue[: len(batch)]
        if self._told:
            self._told = False
            self._say(f"the metadata service at {self._url} is back and knows everything")
        self._pause = 0.0
        return True

    def _put_off(self, error: ServiceUnreachable) -> None:
        self._reason = error.findings[0].why
        self._pause = min(max(2 * self._pause, 0.5), _LONGEST_PAUSE)
        # Others that lost the service at the same moment come back at others.
        self._again_at = time.monotonic() + self._pause * random.uniform(0.5, 1.0)  # noqa: S311  # spreads runs in time
        if not self._told:
            self._told = True
            self._say(
                f"the metadata service at {self._url} does not answer ({self._reason}); the run "
                "goes on, and what it has to say waits"
            )

    # Requests

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
        """Give the answer to a request, which is tried for some seconds.

        Args:
            method: The request's.
            path: Where, within the interface.
            body: Its JSON values.
            run: The run whose tags it changes.
            missing: Whether None may be the answer, where there is nothing.
            seconds: How long each answer may take; a little at first, if nothing is said.
        """
        end = time.monotonic() + TRY_SECONDS
        pause = 0.05
        tries = 0
        while True:
            limit = min(FIRST_SECONDS * 2**tries, ANSWER_SECONDS) if seconds is None else seconds
            tries += 1
            try:
                with self._guard():
                    return self._request(
                        method, path, body, run=run, missing=missing, seconds=limit
                    )
            except ServiceUnreachable:
                if time.monotonic() + pause > end and tries >= TRIES:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # spreads clients in time
            pause = min(2 * pause, 1.0)

    def _request(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        """Make one request, in the language that the service speaks."""
        try:
            return self._link.request(method, path, body, **how)
        except NotAService:
            if isinstance(self._link, MetaflowLink) or self._link.knows_us:
                raise
            other = find_metaflow(self._link)
            if other is None:
                raise
            self._link = other
            return other.request(method, path, body, **how)

    def _guard(self) -> threading.RLock:
        """Give the lock of this process; in a forked child, drop what is its parent's first."""
        if os.getpid() != self._pid:
            self._pid = os.getpid()
            self._lock = threading.RLock()
            # The socket is shared with the parent: closing our copy of it sends nothing.
            self._link.close()
            self._queue = []
        return self._lock


def open_service(url: str | None, token: str | None, wait: str | None) -> HTTPMetadata:
    """Open the store behind the service that settings name; asks nothing yet.

    Raises:
        BadServiceURL: No URL is set, or it is none.
        BadServiceWait: How long to wait is no number.
    """
    if not url:
        raise BadServiceURL("", "PLAIT_SERVICE_URL is not set")
    try:
        seconds = float(wait or END_SECONDS)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise BadServiceWait(str(wait))
    return HTTPMetadata(url, token, end_seconds=seconds)


def _path(*parts: str) -> str | None:
    """Give the path of *parts*; None where one of them is a name that nothing has."""
    for part in parts:
        try:
            wire.read_name(part, "")
        except wire.BadRecord:
            return None
    return "".join(f"/{quote(part, safe='')}" for part in parts)


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


def _tell(sentence: str) -> None:
    print(f"plait: {sentence}", file=sys.stderr, flush=True)
