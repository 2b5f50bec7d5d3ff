"""What plait does with a metadata service that speaks Metaflow's interface alone."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from foreign import Foreign
from serving import serving

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata import http_courier
from plait.metadata.conformance import CHECKS, Make
from plait.metadata.errors import SystemTag
from plait.metadata.http import HTTPMetadata
from plait.metadata.http_errors import FactsNotSent, NotAService
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    NewRun,
    RunBeat,
    RunEnded,
    Status,
)
from plait.metadata.sqlite import SQLiteMetadata
from plait_harness.faults import Fault, FaultProxy, Plan, Rule

TASK = TaskKey("A", "1", "s", "1")
RUN = TASK.run_key
DONE = Status.DONE
BY = {"user_name": "bob", "tags": ["theirs"], "system_tags": ["user:bob"]}


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[SQLiteMetadata]:
    """The store behind the service."""
    with closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store:
        yield store


@pytest.fixture
def url(behind: SQLiteMetadata) -> Iterator[str]:
    """Where the service is."""
    with serving(behind, own_interface=False) as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[HTTPMetadata]:
    """Plait's store of facts behind it."""
    with closing(HTTPMetadata(url)) as store:
        yield store


def ask(url: str, path: str, body: Any = None, method: str | None = None) -> Any:
    """Send a request as Metaflow's client does, and give the answer's JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def test_plaits_own_service_is_never_asked_what_it_is(behind: SQLiteMetadata) -> None:
    """Each thing that is done there is one request."""
    plan = Plan([])
    with (
        serving(behind) as url,
        FaultProxy(url, plan) as proxy,
        closing(HTTPMetadata(proxy.url)) as store,
    ):
        key = store.create_run(NewRun("A", 1.0))
        store.record([RunEnded(key, 2.0, DONE)])
        store.find_run(key)

    paths = ["POST /api/1/runs", "POST /api/1/facts", "GET /api/1/flows/A/runs/1"]
    assert plan.seen == paths


def test_a_service_is_asked_once_what_it_is(url: str) -> None:
    """A process learns by two requests that it is Metaflow's, and asks no more for plait's."""
    plan = Plan([])
    with FaultProxy(url, plan) as proxy, closing(HTTPMetadata(proxy.url)) as store:
        assert store.iter_flows() == []
        assert store.iter_flows() == []

    assert plan.seen == ["GET /api/1/flows", "GET /ping", "GET /flows", "GET /flows"]


def test_a_task_is_told_by_few_requests(url: str) -> None:
    """What is told of one task goes together, and what is there already is not made again."""
    plan = Plan([])
    with FaultProxy(url, plan) as proxy, closing(HTTPMetadata(proxy.url)) as store:
        store.create_run(NewRun("A", 1.0))
        plan.seen.clear()
        tasks = [TASK._replace(task=str(number)) for number in (1, 2)]
        store.record([AttemptStarted(task, 0, 1.0) for task in tasks])
        ends = [AttemptEnded(task, 0, 2.0, ok=False, final=False) for task in tasks]
        again = [AttemptStarted(task, 1, 3.0) for task in tasks]
        store.record([*ends, *again, RunBeat(RUN, 3.0), RunBeat(RUN, 4.0)])

    step = "POST /flows/A/runs/plait-1/steps/s"
    entries = [f"{step}/tasks/plait-{number}/metadata" for number in (1, 2)]
    assert plan.seen == [
        f"{step}/step",
        *(f"{step}/task", entries[0]),
        *(f"{step}/task", entries[1]),
        *entries,
        "POST /flows/A/runs/plait-1/heartbeat",
    ]


def test_another_version_of_plait_is_not_taken_for_metaflow(behind: SQLiteMetadata) -> None:
    """Facts are not kept in a second place where plait's own interface has only moved on."""

    def move_on(app: Callable[..., Any]) -> Callable[..., Any]:
        async def moved(scope: dict[str, Any], *rest: Any) -> None:
            path = scope["path"].replace("/api/1/", "/api/0/")
            await app({**scope, "path": path, "raw_path": path.encode()}, *rest)

        return moved

    with serving(behind, around=move_on) as url, closing(HTTPMetadata(url)) as store:
        with pytest.raises(NotAService, match="not a metadata service that this plait can use"):
            store.create_run(NewRun("A", 1.0))
        assert ask(url, "/flows") == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_foreign_service_holds_what_ours_does(
    check: Callable[[Make], None], tmp_path: Path
) -> None:
    """What differs between Metaflow's service and plait's with its interface changes nothing."""
    with ExitStack() as opened:
        count = 0

        def make() -> HTTPMetadata:
            nonlocal count
            count += 1
            behind = opened.enter_context(closing(SQLiteMetadata(str(tmp_path / f"{count}.db"))))
            url = opened.enter_context(serving(behind, own_interface=False, around=Foreign))
            return opened.enter_context(closing(HTTPMetadata(f"{url}{Foreign.prefix}/")))

        if check.__name__ in (
            "a_run_says_that_it_goes_on",  # it keeps when it heard of a run itself
            "facts_of_another_run_are_refused",  # it is told of runs by name alone
        ):
            with pytest.raises(AssertionError):
                check(make)
            return
        check(make)


def test_a_token_is_said_as_both_want_it(behind: SQLiteMetadata) -> None:
    """Plait's service and a gateway before Metaflow's look for it in different headers."""
    made: list[Foreign] = []

    def stand_before(app: Callable[..., Any]) -> Foreign:
        made.append(Foreign(app))
        return made[0]

    with (
        serving(behind, "secret", own_interface=False, around=stand_before) as url,
        closing(HTTPMetadata(url + Foreign.prefix, "secret")) as store,
    ):
        store.iter_flows()

    assert {(h["authorization"], h["x-api-key"]) for h in made[0].headers} == {
        ("Bearer secret", "secret")
    }


def test_runs_that_plait_did_not_write_are_left_out(url: str, store: HTTPMetadata) -> None:
    """Metaflow's own runs, also ones with names, and flows that have no others, are not there."""
    for flow in ("A", "B"):
        ask(url, f"/flows/{flow}", BY)
        for name in ({}, {"run_number": "argo-x"}, {"run_number": "plait-x"}):
            run = ask(url, f"/flows/{flow}/run", {**BY, **name})["run_number"]
            ask(url, f"/flows/{flow}/runs/{run}/steps/start/step", BY)
            ask(url, f"/flows/{flow}/runs/{run}/steps/start/task", BY)
    key = store.create_run(NewRun("A", 1.0))

    assert key == RUN
    assert store.iter_flows() == ["A"]
    assert [run.key for run in store.list_runs("A")] == [RUN]
    assert store.find_run(RunKey("A", "2")) is None
    assert store.find_run(RunKey("B", "1")) is None
    assert list(store.list_steps(RunKey("B", "1"))) == []
    assert store.list_runs("B") == []
    assert store.find_damage() == []


def test_what_others_see_of_a_run(url: str, store: HTTPMetadata) -> None:
    """Its tags, steps and tasks by names that tell their ids, and which attempt a fact is of."""
    tags = frozenset({"nightly"}), frozenset({"user:ada"})
    store.create_run(NewRun("A", 1.0, *tags))
    store.record([AttemptStarted(TASK, 2, 1.0)])
    run = ask(url, "/flows/A/runs/plait-1")
    (entry,) = ask(url, "/flows/A/runs/plait-1/steps/s/tasks/plait-1/metadata")

    assert (run["run_id"], run["tags"]) == ("plait-1", ["nightly"])
    assert [tag for tag in run["system_tags"] if not tag.startswith("plait:")] == ["user:ada"]
    steps = ask(url, "/flows/A/runs/plait-1/steps")
    assert [step["step_name"] for step in steps] == ["s", "_parameters"]
    tasks = ask(url, "/flows/A/runs/plait-1/steps/s/tasks")
    assert [task["task_name"] for task in tasks] == ["plait-1"]
    assert (entry["field_name"], entry["type"]) == ("plait-attempt-started", "plait")
    assert entry["tags"] == ["attempt_id:2"]


def test_a_heartbeat_is_when_the_service_heard_of_it(store: HTTPMetadata) -> None:
    """A run says that it goes on by the request that Metaflow's say it by."""
    store.create_run(NewRun("A", 1.0))
    store.record([RunBeat(RUN, 5.0)])
    run = store.find_run(RUN)

    assert run is not None
    assert run.heartbeat is not None
    assert run.heartbeat > 1e9


def test_a_removed_run_is_only_marked(url: str, store: HTTPMetadata) -> None:
    """The service keeps it, with a tag that says so and that no user can set or take away."""
    store.create_run(NewRun("A", 1.0))
    store.record([RunEnded(RUN, 2.0, DONE)])
    with pytest.raises(SystemTag):
        store.change_tags(RUN, add=frozenset({"plait:removed"}))
    assert store.delete_run(RUN)

    assert store.find_run(RUN) is None
    assert store.iter_flows() == []
    assert ask(url, "/flows/A/runs/plait-1")["tags"] == ["plait:removed"]


def test_two_who_begin_at_once_get_two_numbers(url: str) -> None:
    """Whoever finds its number taken takes the next one."""
    with closing(HTTPMetadata(url)) as one, closing(HTTPMetadata(url)) as other:
        keys = [store.create_run(NewRun("A", 1.0)) for store in (one, other, one, one, other)]

    assert [key.run for key in keys] == ["1", "2", "3", "4", "5"]


def test_a_run_whose_beginning_was_cut_off_is_not_there(url: str, store: HTTPMetadata) -> None:
    """It has a number, which is not given again, and nobody ever got to know of it."""
    ask(url, "/flows/A", BY)
    ask(url, "/flows/A/run", {**BY, "run_number": "plait-7"})

    assert store.find_run(RunKey("A", "7")) is None
    assert store.iter_flows() == []
    assert store.create_run(NewRun("A", 1.0)) == RunKey("A", "8")


def test_what_is_damaged_is_named(url: str, store: HTTPMetadata) -> None:
    """An entry of plait's that is none is told by its run, and never taken for a fact."""
    store.create_run(NewRun("A", 1.0))
    entry = {"field_name": "plait-run-ended", "type": "plait", "value": '{"kind": "run-ended"}'}
    path = "/flows/A/runs/plait-1/steps/_parameters/tasks/plait-0/metadata"
    ask(url, path, [{**BY, **entry}])

    (sentence,) = store.find_damage()
    assert sentence == "run 'A/1': of /flows/A/runs/plait-1, fact lacks 'at'"
    with pytest.raises(NotAService, match="not a metadata service"):
        store.find_run(RUN)


def test_facts_wait_for_it_too(behind: SQLiteMetadata) -> None:
    """A run goes on without the service, says so once, and tells everything when it is back."""
    said = list[str]()
    with serving(behind, own_interface=False) as url:
        store = HTTPMetadata(url, tell=said.append, end_seconds=0.1)
        key = store.create_run(NewRun("A", 1.0))
    store.record([AttemptStarted(TASK, 0, 1.0)])
    with pytest.raises(FactsNotSent, match="could not be told"):
        store.record([AttemptEnded(TASK, 0, 3.0, ok=True, final=True), RunEnded(key, 4.0, DONE)])
    with serving(behind, port=int(url.rpartition(":")[2]), own_interface=False):
        store.record([RunEnded(key, 5.0, DONE)])
        task, run = store.find_task(TASK), store.find_run(key)
    store.close()

    assert task is not None
    assert run is not None
    assert (task.status, run.status, run.finished) == (DONE, DONE, 5.0)
    assert ["goes on" in said[0], "is back" in said[1], len(said)] == [True, True, 2]


@pytest.mark.parametrize(
    "fault", [Fault.THROTTLED, Fault.ERROR, Fault.RESET, Fault.LOST, Fault.TRUNCATED, Fault.HANG]
)
def test_what_goes_wrong_on_the_way_is_asked_again(
    url: str, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of request goes wrong once: nothing is lost, and nothing is there twice."""
    monkeypatch.setattr(http_courier, "FIRST_SECONDS", 0.2)
    monkeypatch.setattr(http_courier, "FACTS_SECONDS", 0.2)
    monkeypatch.setattr(http_courier, "TRY_SECONDS", 0.0)
    lines = (
        *("/api/1", "/ping", "^GET .*/runs$", "/flows/A$", "/run$"),
        *(f"{step}/{what}$" for step in ("_parameters", "s") for what in ("step", "task")),
        *(f"^POST .*/{step}/.*/metadata" for step in ("_parameters", "s")),
        *("^PATCH", "^GET .*/metadata"),
    )
    rules = [Rule(fault, line) for line in lines]
    with FaultProxy(url, Plan(rules)) as proxy, closing(HTTPMetadata(proxy.url)) as store:
        key = store.create_run(NewRun("A", 1.0))
        store.record([AttemptStarted(TASK, 0, 1.0)])
        store.record([AttemptEnded(TASK, 0, 2.0, ok=True, final=True), RunEnded(key, 3.0, DONE)])
        tags = store.change_tags(key, add=frozenset({"x"}))
        task, runs = store.find_task(TASK), store.list_runs("A")

    assert (key.run, tags) == ("1", {"x"})
    assert task is not None
    assert (task.status, task.attempts) == (DONE, 1)
    assert [(run.key, run.status) for run in runs] == [(key, DONE)]
    assert all(rule.times == 0 for rule in rules)
