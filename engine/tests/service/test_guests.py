"""The interface of Metaflow's metadata service, by the requests that its clients send."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from serving import serving

from plait.metadata.guests import Entry, Guests, NoSuchGuest
from plait.metadata.postgres import PostgresMetadata
from plait.metadata.sql import SQLMetadata
from plait.metadata.sqlite import SQLiteMetadata
from plait.service import guest_api
from plait.service.app import ROUTES
from plait.service.openapi import describe

Ask = Callable[..., tuple[int, Any]]
BY = {"user_name": "ada", "tags": ["nightly"], "system_tags": ["user:ada"]}
RUN = "/flows/Hello/runs/1"
START = f"{RUN}/steps/start"
TASK = f"{START}/tasks/2"


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SQLMetadata]:
    """An empty store of one kind."""
    if request.param == "sqlite":
        opened: SQLMetadata = SQLiteMetadata(str(tmp_path / "facts.db"))
    else:
        opened = PostgresMetadata(request.getfixturevalue("new_database")())
    with closing(opened):
        yield opened


@pytest.fixture
def ask(store: SQLMetadata) -> Iterator[Ask]:
    """Sends a request to a service with the store, and gives the status and the answer's JSON."""
    with ExitStack() as opened:
        url = opened.enter_context(serving(store))
        connection = opened.enter_context(closing(HTTPConnection(urlsplit(url).netloc)))

        def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            data = None if body is None else json.dumps(body)
            kind = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, data, kind)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        yield ask


@pytest.fixture
def made(ask: Ask) -> Ask:
    """The same, where a flow has a run with one task."""
    for path in ("/flows/Hello", "/flows/Hello/run", f"{START}/step", f"{START}/task"):
        assert ask("POST", path, BY)[0] == 200
    return ask


def without_times(answer: Any) -> Any:
    """Give an answer without what differs from one time to the next."""
    if isinstance(answer, list):
        return [without_times(one) for one in answer]
    return {name: value for name, value in answer.items() if name != "ts_epoch"}


def test_what_is_made_can_be_found(made: Ask) -> None:
    """Flow, run, step and task say what they are, who made them, and when."""
    run = {"flow_id": "Hello", "run_number": 1, "run_id": None, **BY}
    step = {**run, "step_name": "start"}
    task = {**step, "task_id": 2, "task_name": None, "last_heartbeat_ts": None}
    expected = {
        "/flows": [{"flow_id": "Hello", **BY}],
        "/flows/Hello": {"flow_id": "Hello", **BY},
        "/flows/Hello/runs": [{**run, "last_heartbeat_ts": None}],
        RUN: {**run, "last_heartbeat_ts": None},
        f"{RUN}/steps": [step],
        START: step,
        f"{START}/tasks": [task],
        TASK: task,
    }

    found = {path: made("GET", path) for path in expected}

    assert {path: (200, without_times(answer)) for path, (_, answer) in found.items()} == {
        path: (200, answer) for path, answer in expected.items()
    }
    assert all(isinstance(found[path][1]["ts_epoch"], int) for path in (RUN, START, TASK))


def test_what_is_made_twice_is_made_once(made: Ask) -> None:
    """An answer may get lost, so to make a flow, a step or what has a name again is no mistake."""
    steps = [made("POST", f"{START}/step", BY)[1] for _ in range(2)]
    runs = [made("POST", "/flows/Hello/run", {"run_number": "argo-x", **BY}) for _ in range(2)]
    path = "/flows/Hello/runs/argo-x/steps/start"
    made("POST", f"{path}/step", BY)
    tasks = [made("POST", f"{path}/task", {"task_id": "t-1", **BY}) for _ in range(2)]

    assert made("POST", "/flows/Hello", {})[1]["user_name"] == "ada"
    assert steps[0] == steps[1]
    assert runs[0] == runs[1]
    assert tasks[0] == tasks[1]
    assert (runs[0][1]["run_number"], runs[0][1]["run_id"]) == (2, "argo-x")
    assert (tasks[0][1]["task_id"], tasks[0][1]["task_name"]) == (2, "t-1")
    assert made("GET", f"{path}/tasks/t-1") == made(
        "GET", "/flows/Hello/runs/2/steps/start/tasks/2"
    )
    numbers = [made("POST", "/flows/Hello/run", BY)[1]["run_number"] for _ in range(2)]
    assert numbers == [3, 4]
    assert [run["run_number"] for run in made("GET", "/flows/Hello/runs")[1]] == [4, 3, 2, 1]


def test_artifacts_are_those_of_the_last_attempt(made: Ask) -> None:
    """An attempt's artifacts replace the ones before; each attempt's can be asked for."""

    def tell(attempt: int, **shas: str) -> tuple[int, Any]:
        body = [
            {"name": name, "attempt_id": attempt, "sha": sha, "ds_type": "local", "tags": ["old"]}
            for name, sha in shas.items()
        ]
        return made("POST", f"{TASK}/artifact", body)

    def shas(path: str) -> dict[str, str]:
        return {one["name"]: one["sha"] for one in made("GET", path)[1]}

    assert tell(0, x="1", y="2") == (200, {"artifacts_created": 2})
    tell(1, x="3")
    tell(1, x="4")

    assert made("GET", f"{TASK}/artifacts/x")[1] == {
        "name": "x", "attempt_id": 1, "flow_id": "Hello", "run_number": 1, "run_id": None,
        "step_name": "start", "task_id": 2, "task_name": None, "location": None,
        "ds_type": "local", "sha": "4", "type": None, "content_type": None, "user_name": None,
        "tags": ["nightly"], "system_tags": ["user:ada"],
        "ts_epoch": made("GET", f"{TASK}/artifacts")[1][0]["ts_epoch"],
    }  # fmt: skip
    for path in (TASK, START, RUN):
        assert shas(f"{path}/artifacts") == {"x": "4"}
    assert shas(f"{TASK}/attempt/0/artifacts") == {"x": "1", "y": "2"}
    assert made("GET", f"{TASK}/attempt/0/artifacts/y")[1]["sha"] == "2"
    assert made("GET", f"{TASK}/artifacts/y")[0] == 404
    assert made("GET", f"{TASK}/attempt/first/artifacts")[0] == 404


def test_what_is_told_of_tasks_is_kept_in_order(made: Ask) -> None:
    """Metadata comes back as it was told, for a task and for a whole run."""
    body = [
        {"field_name": "attempt", "type": "attempt", "value": "0", "tags": ["attempt_id:0"]},
        {"field_name": "foreach-stack", "value": ["names=ada"], "tags": ["attempt_id:1"]},
    ]

    assert made("POST", f"{TASK}/metadata", body) == (200, {"metadata_created": 2})
    made("POST", f"{TASK}/metadata", [{"field_name": "attempt", "value": 1}])
    assert made("POST", f"{TASK}/metadata", []) == (200, {"metadata_created": 0})

    found = made("GET", f"{TASK}/metadata")[1]
    assert [(one["field_name"], one["value"], one["tags"]) for one in found] == [
        ("attempt", "0", ["attempt_id:0"]),
        ("foreach-stack", ["names=ada"], ["attempt_id:1"]),
        ("attempt", 1, []),
    ]
    assert len({one["id"] for one in found}) == 3
    assert made("GET", f"{RUN}/metadata")[1] == found


def test_tasks_are_found_by_what_was_told_of_them(made: Ask) -> None:
    """By the name of the metadata, by a beginning of its value, by both."""
    second = made("POST", f"{START}/task", BY)[1]["task_id"]
    for task, value in ((2, "greet:1"), (second, "greet:12,in:3")):
        body = [{"field_name": "path", "value": value}]
        made("POST", f"{START}/tasks/{task}/metadata", body)

    def fitting(**query: str) -> list[int]:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        paths = made("GET", f"{START}/filtered_tasks?{asked}")[1]
        return [int(path.rpartition("/")[2]) for path in paths]

    assert fitting() == fitting(metadata_field_name="path") == [2, second]
    assert fitting(metadata_field_name="else") == []
    assert fitting(pattern="greet:1") == [2, second]
    assert fitting(pattern="%5Egreet:1$") == [2]
    assert fitting(pattern="greet:.*,in:.*", metadata_field_name="path") == [second]
    assert fitting(pattern=".*3$") == fitting(pattern="greet.*:3") == [second]
    assert fitting(pattern="greet%5C:12") == [second]
    assert fitting(pattern="reet") == []
    assert made("GET", f"{START}/filtered_tasks?metadata_field_name=a%0F")[0] == 422
    for unfit in ("(a%2B)%2B$", "a" * 1001, "%5Cd"):
        assert made("GET", f"{START}/filtered_tasks?pattern={unfit}")[0] == 422


def test_tags_of_a_run_are_those_of_all_in_it(made: Ask) -> None:
    """Tags are changed at once, system tags never; steps and tasks have their run's."""
    body = {"tags_to_add": ["b", "a"], "tags_to_remove": ["nightly", "none"]}

    assert made("PATCH", f"{RUN}/tag/mutate", body) == (200, {"tags": ["a", "b"]})

    for path in (RUN, START, TASK):
        assert made("GET", path)[1]["tags"] == ["a", "b"]
    for wrong in ({"tags_to_add": ["user:ada"]}, {"tags_to_remove": ["user:ada"]}):
        status, answer = made("PATCH", f"{RUN}/tag/mutate", wrong)
        assert (status, answer["error"]["slug"]) == (422, "system-tag")


def test_heartbeats_are_kept(made: Ask) -> None:
    """Runs and tasks say that they go on, without saying that they say it in JSON."""
    for path in (RUN, TASK):
        assert made("POST", f"{path}/heartbeat") == (200, {"wait_time_in_seconds": 10})
        answer = made("GET", path)[1]
        assert 0 <= answer["last_heartbeat_ts"] - answer["ts_epoch"] // 1000 < 1000


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/flows/None", None, 404),
        ("GET", "/flows/None/runs", None, 404),
        ("GET", "/flows/Hello/runs/7", None, 404),
        ("GET", "/flows/Hello/runs/none/metadata", None, 404),
        ("GET", "/flows/Hello%00/runs", None, 404),
        ("GET", f"{RUN}/steps/none/tasks", None, 404),
        ("GET", f"{START}/tasks/99/artifacts", None, 404),
        ("POST", "/flows/None/run", {}, 404),
        ("POST", "/flows/Hello/runs/7/steps/a/step", {}, 404),
        ("POST", f"{RUN}/steps/none/task", {}, 404),
        ("POST", f"{START}/tasks/99/metadata", [{"field_name": "x"}], 404),
        ("POST", f"{START}/tasks/99/heartbeat", None, 404),
        ("PATCH", "/flows/Hello/runs/7/tag/mutate", {}, 404),
        ("POST", "/flows/Hello", [], 422),
        ("POST", "/flows/Hello", {"tags": [" "]}, 422),
        ("POST", "/flows/Hello", {"user_name": 1}, 422),
        ("POST", "/flows/Hello", {"user_name": "x" * 100_001}, 422),
        ("POST", "/flows/Hello/run", {"run_number": "12"}, 422),
        ("POST", "/flows/Hello/run", {"run_number": "a/b"}, 422),
        ("POST", f"{TASK}/metadata", {}, 422),
        ("POST", f"{TASK}/metadata", [{"value": "x"}], 422),
        ("POST", f"{TASK}/metadata", [{"field_name": "x"}] * 5001, 413),
        ("POST", f"{TASK}/artifact", [1], 422),
        ("POST", f"{TASK}/artifact", [{"name": "x", "attempt_id": -1}], 422),
        ("PATCH", f"{RUN}/tag/mutate", {"tags_to_add": "a"}, 422),
        ("PATCH", f"{RUN}/tag/mutate", {"tags": []}, 422),
    ],
)  # fmt: skip
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_cannot_be_is_4xx(made: Ask, method: str, path: str, body: Any, status: int) -> None:
    """A request that is wrong changes nothing, and says what is wrong."""
    before = made("GET", f"{RUN}/metadata"), made("GET", "/flows/Hello/runs")

    found, answer = made(method, path, body)

    assert found == status
    assert answer["error"]["why"]
    assert (made("GET", f"{RUN}/metadata"), made("GET", "/flows/Hello/runs")) == before


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_nothing_is_called_by_what_is_no_text(store: SQLMetadata) -> None:
    """A name that a database cannot hold is one that nothing has."""
    guests = Guests(store.database)

    with pytest.raises(NoSuchGuest):
        guests.get(("a\0",))


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_guests_and_own_runs_do_not_see_each_other(made: Ask, store: SQLMetadata) -> None:
    """A flow of a guest is none of plait's."""
    assert list(store.iter_flows()) == []
    assert made("GET", "/api/1/flows") == (200, {"flows": []})


def test_times_are_the_stores(store: SQLMetadata) -> None:
    """What a client's clock says does not count."""
    guests = Guests(store.database, now=iter(range(1, 9)).__next__)
    facts = {"user_name": None, "tags": [], "system_tags": []}

    flow = guests.add(("A",), facts)
    run = guests.add_numbered(("A",), None, facts)
    step = guests.add((*run.path, "s"), facts)
    task = guests.add_numbered(step.path, None, facts)
    guests.tell(task.path, "metadata", [Entry("x", 0, {})])
    guests.beat(task.path)

    made = [flow.created, run.created, step.created, task.created]
    assert made == [1, 2, 3, 4]
    assert [entry.created for entry in guests.told(task.path, "metadata")] == [5]
    assert guests.get(task.path).heartbeat == 6


def test_every_route_is_described() -> None:
    """The description of the interface names what is answered, and nothing else."""
    paths = describe("1", secured=True)["paths"]

    described = {(method.upper(), path) for path, found in paths.items() for method in found}

    answered = {
        (method, path) for method, path, _ in (*ROUTES, *guest_api.ROUTES, *guest_api.BEATS)
    }
    assert described - answered == {("GET", path) for path in ("/healthz", "/ping", "/version")}
    assert answered <= described
