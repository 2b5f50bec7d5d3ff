"""Facts behind a service that speaks only Metaflow's interface, beyond what all stores do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from serving import serving, serving_metaflow

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata.errors import RunNumberTaken
from plait.metadata.guests import Entry, Guests
from plait.metadata.http import HTTPMetadata
from plait.metadata.http_errors import NotAService
from plait.metadata.metaflow_facts import MARK
from plait.metadata.protocol import AttemptStarted, NewRun, RunBeat, RunEnded, Status
from plait.metadata.sqlite import SQLiteMetadata
from plait_harness.faults import Fault, FaultProxy, Plan, Rule

FLOW = """
import os

from plait import FlowSpec, step


class GuestFlow(FlowSpec):
    @step
    def start(self):
        self.items = [1, 2, 3]
        self.next(self.each, foreach="items")

    @step
    def each(self):
        self.double = 2 * self.input
        if self.input == 2 and not os.path.exists("mended"):
            raise ValueError("not yet")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.all = [i.double for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    GuestFlow()
"""

READER = """
import json, os
from plait import Flow, metadata, namespace
metadata(os.environ["PLAIT_SERVICE_URL"])
namespace(None)
runs = list(Flow("GuestFlow"))
run = runs[0]
run.add_tag("seen")
print(json.dumps({
    "runs": [[one.id, one.status, one.origin_run_id] for one in runs],
    "all": run.data.all,
    "steps": {step.id: len(list(step)) for step in run},
    "tags": sorted(run.user_tags),
    "parents": [task.id for task in run["join"].task.parent_tasks],
}))
"""

NOBODY = {"user_name": None, "tags": [], "system_tags": []}


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[SQLiteMetadata]:
    """The database of the service."""
    with closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store:
        yield store


@pytest.fixture
def url(behind: SQLiteMetadata) -> Iterator[str]:
    """The service."""
    with serving_metaflow(behind) as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[HTTPMetadata]:
    """What a run uses."""
    with closing(HTTPMetadata(url)) as store:
        yield store


def test_a_flow_runs_is_resumed_and_read(url: str, tmp_path: Path) -> None:
    """As with plait's own service: nothing but the URL says which one it is."""
    script = tmp_path / "guest.py"
    script.write_text(FLOW)
    env = {**os.environ, "PLAIT_SERVICE_URL": url, "PLAIT_METADATA": "service"}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *words]
        return subprocess.run(
            command, cwd=tmp_path, env=env, text=True, capture_output=True, check=False
        )

    assert call("guest.py", "run", "--tag", "nightly").returncode == 1
    (tmp_path / "mended").touch()
    resumed = call("guest.py", "resume")
    assert resumed.returncode == 0, resumed.stderr
    read = call("-c", READER)
    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout) == {
        "runs": [["2", "done", "1"], ["1", "failed", None]],
        "all": [2, 4, 6],
        "steps": {"end": 1, "join": 1, "each": 3, "start": 1},
        "tags": ["seen"],
        "parents": ["2", "3", "4"],
    }
    assert not (tmp_path / ".plait" / "metadata.db").exists()


def test_its_clients_see_runs_steps_and_tasks(behind: SQLiteMetadata, store: HTTPMetadata) -> None:
    """They are there by the names that plait gives them, with tags; ours are marked."""
    key = store.create_run(NewRun("A", 1.0, frozenset({"x"}), frozenset({"user:ada"})))
    store.record([AttemptStarted(TaskKey(*key, "train", "7"), 0, 2.0)])
    guests = Guests(behind.database)

    (run,) = guests.children(("A",))
    assert run.facts["tags"] == ["x"]
    assert {"user:ada", MARK} < set(run.facts["system_tags"])
    assert [step.path[2] for step in guests.children(("A", "1"))] == ["train", "_parameters"]
    assert [task.name for task in guests.children(("A", "1", "train"))] == ["plait-7"]
    assert behind.find_run(key) is None


def test_runs_of_others_are_left_out(behind: SQLiteMetadata, store: HTTPMetadata) -> None:
    """What Metaflow's own clients began has its values elsewhere, and is kept otherwise."""
    guests = Guests(behind.database)
    guests.add(("A",), NOBODY)
    guests.add_numbered(("A",), None, {**NOBODY, "system_tags": ["runtime:dev"]})
    key = store.create_run(NewRun("A", 1.0))

    assert [run.key for run in store.list_runs("A")] == [key] == [RunKey("A", "2")]
    assert store.find_run(RunKey("A", "1")) is None
    assert store.iter_flows() == ["A"]


def test_an_id_that_values_have_is_refused(store: HTTPMetadata) -> None:
    """That service numbers runs by itself; the run that got the number is no run that goes on."""
    with pytest.raises(RunNumberTaken, match="gave it the id 1"):
        store.create_run(NewRun("A", 1.0), above=41)
    (run,) = store.list_runs("A")
    assert run.status is Status.INTERRUPTED


def test_nothing_is_removed(store: HTTPMetadata) -> None:
    """That service has no word for it."""
    key = store.create_run(NewRun("A", 1.0))
    store.record([RunEnded(key, 2.0, Status.DONE)])

    assert not store.delete_run(key)
    assert store.find_run(key) is not None


def test_a_heartbeat_has_the_time_of_the_service(store: HTTPMetadata) -> None:
    """Whatever the run's clock says."""
    key = store.create_run(NewRun("A", 1.0))
    before = store.find_run(key)
    store.record([RunBeat(key, 5.0)])
    after = store.find_run(key)

    assert before is not None
    assert before.heartbeat is None
    assert after is not None
    assert after.heartbeat is not None
    assert abs(after.heartbeat - time.time()) < 60


@pytest.mark.parametrize("word", [None, "mine"])
def test_a_run_whose_answer_is_lost_is_found_again(url: str, word: str | None) -> None:
    """One run is begun, whose facts are whole."""
    rule = Rule(Fault.LOST, "^POST /flows/A/run$")
    with FaultProxy(url, Plan([rule])) as proxy, closing(HTTPMetadata(proxy.url)) as store:
        key = store.create_run(NewRun("A", 1.5, facts={"a": 1}, request=word))
        if word is not None:
            assert store.create_run(NewRun("A", 1.5, facts={"a": 1}, request=word)) == key
        (run,) = store.list_runs("A")

    assert rule.times == 0
    assert (run.key, run.created, run.facts, run.system_tags) == (key, 1.5, {"a": 1}, frozenset())


def test_what_is_not_as_we_wrote_it_is_told(behind: SQLiteMetadata, store: HTTPMetadata) -> None:
    """Nobody else writes such entries; where somebody did, nothing is guessed."""
    key = store.create_run(NewRun("A", 1.0))
    entry = Entry("plait-fact", 0, {"value": "{", "type": "plait-fact", "user_name": None})
    task = Guests(behind.database).children(("A", key.run, "_parameters"))[0]
    told = {**entry.facts, "tags": [], "system_tags": []}
    Guests(behind.database).tell(task.path, "metadata", [Entry(entry.name, 0, told)])

    with pytest.raises(NotAService, match="what plait wrote there has changed"):
        store.find_run(key)


def test_plaits_own_service_is_asked_nothing_more(behind: SQLiteMetadata) -> None:
    """Which of the two it is, is told by its first answer."""
    with (
        serving(behind) as url,
        FaultProxy(url) as proxy,
        closing(HTTPMetadata(proxy.url)) as store,
    ):
        store.create_run(NewRun("A", 1.0))
        assert proxy.plan.seen == ["POST /api/1/runs"]
