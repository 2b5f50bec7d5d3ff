"""The store of facts behind a service: what `--metadata service` and `metadata("http://...")` use.

A run must not end because the service is being restarted. So facts are kept in a queue, in order,
and sent as soon as they can be; they may arrive twice, which changes nothing. Only where an answer
is needed, the service has to be there: to begin a run, and to read.

The service may be plait's own or Metaflow's. It is taken for plait's until it says that it has
nothing where plait's interface begins; so plait's own is never asked what it is.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NoReturn, TypeVar

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata.errors import SystemTag
from plait.metadata.http_courier import Courier
from plait.metadata.http_errors import BadServiceURL, BadServiceWait
from plait.metadata.http_interface import Interface
from plait.metadata.http_link import Link, check_url
from plait.metadata.http_own import NotOurs, OwnInterface
from plait.metadata.protocol import (
    Fact,
    NewRun,
    RunEnded,
    RunRecord,
    Status,
    StepRecord,
    TaskRecord,
)
from plait.metadata.rules import Requests, check_tags

T = TypeVar("T")

END_SECONDS = 60.0
"""How long a run's end is tried to be told."""


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
        self._courier = Courier(Link(self._url, token), tell or _tell, end_seconds)
        self._interface: Interface = OwnInterface(self._courier)
        self._requests = Requests()

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
        new = replace(run, user_tags=user_tags, system_tags=system_tags)
        key = self._do(lambda to: to.create_run(new, above=above))
        self._requests.keep(key, new.request)
        return key

    def record(
        self, facts: Sequence[Fact], *, requests: Mapping[RunKey, str] | None = None
    ) -> None:
        """Record what happened as soon as the service takes it, see `MetadataStore`.

        Raises:
            FactsNotSent: A run has ended, and the service could not be told in time.
        """
        for key, word in (requests or {}).items():
            self._requests.keep(key, word)  # for facts may have to wait
        ends = any(isinstance(fact, RunEnded) for fact in facts)
        self._courier.tell(facts, self._plan, self._tell, wait=ends)

    def change_tags(
        self,
        key: RunKey,
        *,
        add: frozenset[str] = frozenset(),
        remove: frozenset[str] = frozenset(),
    ) -> frozenset[str]:
        """Change a run's user tags at once and give the new ones, see `MetadataStore`."""
        add, remove = check_tags(add), check_tags(remove)
        return self._do(lambda to: to.change_tags(key, add=add, remove=remove))

    def delete_run(self, key: RunKey) -> bool:
        """Remove a run that has ended, see `MetadataStore`."""
        return self._do(lambda to: to.delete_run(key))

    def iter_flows(self) -> Sequence[str]:
        """Give the names of all flows that have runs, sorted."""
        return self._do(lambda to: to.iter_flows())

    def find_run(self, key: RunKey) -> RunRecord | None:
        """Give a run, or None."""
        return self._do(lambda to: to.find_run(key))

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
        return self._do(
            lambda to: to.list_runs(flow, tags=wanted, status=status, before=before, limit=limit)
        )

    def list_steps(self, key: RunKey) -> Sequence[StepRecord]:
        """Give the steps that have tasks, newest first."""
        return self._do(lambda to: to.list_steps(key))

    def find_task(self, key: TaskKey) -> TaskRecord | None:
        """Give a task, or None."""
        return self._do(lambda to: to.find_task(key))

    def list_tasks(
        self, key: RunKey, step: str, *, before: str | None = None, limit: int = 5000
    ) -> Sequence[TaskRecord]:
        """Give tasks of a step, newest first, see `MetadataStore`."""
        return self._do(lambda to: to.list_tasks(key, step, before=before, limit=limit))

    def find_damage(self) -> Sequence[str]:
        """Give what is found wrong with what the service keeps."""
        return self._do(lambda to: to.find_damage())

    def close(self) -> None:
        """Send what waits, if the service takes it, and let go of the connection."""
        self._courier.close(self._plan, self._tell)

    def _plan(self, facts: Sequence[Fact]) -> list[list[Fact]]:
        return self._do(lambda to: to.plan(facts))

    def _tell(self, facts: Sequence[Fact]) -> None:
        self._do(lambda to: to.tell(facts, self._requests.find(facts)))

    def _do(self, act: Callable[[Interface], T]) -> T:
        """Do something by the service's interface; by another one from now on, if it has that."""
        try:
            return act(self._interface)
        except NotOurs:
            from plait.metadata.metaflow_interface import MetaflowInterface, is_metaflow

            if not is_metaflow(self._courier):
                raise
            self._interface = MetaflowInterface(self._courier)
        return act(self._interface)


def open_service(url: str | None, token: str | None, wait: str | None) -> HTTPMetadata:
    """Open the store behind the service that settings name; asks nothing yet.

    Raises:
        BadServiceURL: No URL is set, or it is none.
        BadServiceToken: No header can hold the token.
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


def _tell(sentence: str) -> None:
    print(f"plait: {sentence}", file=sys.stderr, flush=True)
