"""What the store of facts behind a service does beyond the suite that all stores share."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from serving import serving

from plait.base.errors import PlaitError
from plait.base.pathspec import RunKey, TaskKey
from plait.base.records import Failure, FailureKind
from plait.metadata import http_courier, wire
from plait.metadata.http import HTTPMetadata, open_service
from plait.metadata.http_errors import (
    BadServiceToken,
    BadServiceURL,
    BadServiceWait,
    FactsNotSent,
    NotAService,
    ServiceRefused,
    ServiceUnreachable,
)
from plait.metadata.protocol import (
    AttemptEnded,
    AttemptStarted,
    NewRun,
    RunBeat,
    RunEnded,
    Status,
    TaskCloned,
)
from plait.metadata.sqlite import SQLiteMetadata
from plait_harness.faults import Fault, FaultProxy, Plan, Rule

TASK = TaskKey("A", "1", "s", "1")


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[SQLiteMetadata]:
    """The store behind the service."""
    with closing(SQLiteMetadata(str(tmp_path / "facts.db"))) as store:
        yield store


def find_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def fail(kind: type[PlaitError], act: Callable[[], object]) -> str:
    """Give what the error says that *act* raises."""
    with pytest.raises(kind) as raised:
        act()
    return raised.value.format()


def test_facts_wait_for_a_service_that_is_away(behind: SQLiteMetadata) -> None:
    """A run goes on without the service, says so once, and tells everything when it is back."""
    port, said = find_port(), list[str]()
    with closing(HTTPMetadata(f"http://127.0.0.1:{port}", tell=said.append)) as store:
        with serving(behind, port=port):
            key = store.create_run(NewRun("A", 1.0))
        store.record([AttemptStarted(TASK, 0, 1.0)])
        store.record([RunBeat(key, 2.0)])
        store._courier.again_at = 0.0
        store.record([AttemptEnded(TASK, 0, 3.0, ok=True, final=True)])
        assert behind.find_task(TASK) is None
        with serving(behind, port=port):
            store.record([RunEnded(key, 4.0, Status.DONE)])

    task, run = behind.find_task(TASK), behind.find_run(key)
    assert task is not None
    assert run is not None
    assert (task.status, run.status, run.heartbeat) == (Status.DONE, Status.DONE, 2.0)
    assert ["goes on" in said[0], "is back" in said[1], len(said)] == [True, True, 2]


def test_an_end_that_cannot_be_told_is_an_error(
    behind: SQLiteMetadata, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the service is not back at a run's end, the message says that nothing is lost."""
    with serving(behind) as url:
        store = HTTPMetadata(url, end_seconds=0.3)
        key = store.create_run(NewRun("A", 1.0))
    said = fail(FactsNotSent, lambda: store.record([RunEnded(key, 2.0, Status.DONE)]))
    again = fail(FactsNotSent, lambda: store.record([RunEnded(key, 2.0, Status.FAILED)]))
    store.close()

    assert "1 facts wait" in said
    assert "2 facts wait" in again
    assert "plait status" in said
    assert capsys.readouterr().err.count("does not answer") == 1


def test_what_the_service_will_never_take_keeps_nothing_back(behind: SQLiteMetadata) -> None:
    """After facts that are refused, later ones are taken."""
    with serving(behind) as url, closing(HTTPMetadata(url)) as store:
        store.create_run(NewRun("A", 1.0))
        strange = AttemptStarted(TASK._replace(task="x"), 0, 1.0)
        assert "ends with what is no task's id" in fail(
            NotAService, lambda: store.record([strange])
        )
        store.record([AttemptStarted(TASK, 0, 1.0)])
        assert store.find_task(TASK) == behind.find_task(TASK)


def test_a_removal_whose_answer_is_lost_is_known_to_be_one(behind: SQLiteMetadata) -> None:
    """The request is made again, and finds nothing then; that is what was wanted."""
    key = behind.create_run(NewRun("A", 1.0))
    behind.record([RunEnded(key, 2.0, Status.DONE)])
    plan = Plan([Rule(Fault.LOST, "^DELETE")])
    with (
        serving(behind) as url,
        FaultProxy(url, plan) as proxy,
        closing(HTTPMetadata(proxy.url)) as store,
    ):
        assert store.delete_run(key)
        assert not store.delete_run(key)
    assert behind.find_run(key) is None


def test_pages_are_put_together(behind: SQLiteMetadata, monkeypatch: pytest.MonkeyPatch) -> None:
    """More records than an answer holds are asked for page by page, and no more than wanted."""
    monkeypatch.setattr("plait.service.api.MAX_PAGE", 3)
    behind.create_run(NewRun("A", 1.0))
    tasks = [TASK._replace(task=str(n)) for n in range(8)]
    behind.record([AttemptStarted(task, 0, 1.0) for task in tasks])
    with serving(behind) as url, closing(HTTPMetadata(url)) as store:
        found = [
            [t.key.task for t in store.list_tasks(RunKey("A", "1"), "s", limit=n)] for n in (9, 5)
        ]

    assert found == [list("76543210"), list("76543")]


def test_a_child_makes_a_connection_of_its_own(behind: SQLiteMetadata) -> None:
    """A forked child and its parent both read on, each by itself."""
    with serving(behind) as url, closing(HTTPMetadata(url)) as store:
        behind.create_run(NewRun("A", 1.0))
        assert store.iter_flows() == ["A"]
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                os._exit(0 if list(store.iter_flows()) == ["A"] else 1)
            os._exit(2)
        assert store.iter_flows() == ["A"]
        assert os.waitpid(child, 0)[1] == 0


def test_a_token_that_is_wrong_is_said_and_not_shown(behind: SQLiteMetadata) -> None:
    """Without the right token nothing is read, and no message holds one."""
    with serving(behind, "right") as url:
        with closing(HTTPMetadata(url, " right\n")) as store:
            assert store.iter_flows() == []
        for token in (None, "wrong-one"):
            with closing(HTTPMetadata(url, token)) as store:
                said = fail(ServiceRefused, store.iter_flows)
                assert "wrong-one" not in said + store.place + repr(store)


def test_no_service_is_said_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that cannot begin says so after the seconds for which it is tried."""
    monkeypatch.setattr(http_courier, "TRY_SECONDS", 0.2)
    store = HTTPMetadata(f"http://127.0.0.1:{find_port()}")

    assert "refused" in fail(ServiceUnreachable, lambda: store.create_run(NewRun("A", 1.0)))


@pytest.mark.parametrize(
    "fault", [Fault.THROTTLED, Fault.ERROR, Fault.RESET, Fault.LOST, Fault.TRUNCATED, Fault.HANG]
)
def test_what_goes_wrong_on_the_way_is_asked_again(
    behind: SQLiteMetadata, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request goes wrong once, on a new connection or on a kept one: nothing is lost."""
    monkeypatch.setattr(http_courier, "FIRST_SECONDS", 0.2)
    monkeypatch.setattr(http_courier, "FACTS_SECONDS", 0.2)
    monkeypatch.setattr(http_courier, "TRY_SECONDS", 0.0)
    rules = [Rule(fault, line) for line in ("^POST .*/runs", "^POST .*/facts", "^PATCH", "^GET")]
    said = list[str]()
    with (
        serving(behind) as url,
        FaultProxy(url, Plan(rules)) as proxy,
        closing(HTTPMetadata(proxy.url, tell=said.append)) as store,
    ):
        key = store.create_run(NewRun("A", 1.0))
        store.record([AttemptStarted(TASK, 0, 1.0)])
        store._courier.again_at = 0.0
        store.record([AttemptEnded(TASK, 0, 2.0, ok=True, final=True)])
        tags = store.change_tags(key, add=frozenset({"x"}))
        task = store.find_task(TASK)

    assert (key.run, tags) == ("1", {"x"})
    assert task == behind.find_task(TASK)
    assert task is not None
    assert task.status is Status.DONE
    assert all(rule.times == 0 for rule in rules)


def test_a_service_that_is_silent_is_said_after_some_tries(
    behind: SQLiteMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that never comes is waited for a few times, and not again and again."""
    monkeypatch.setattr(http_courier, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(http_courier, "TRY_SECONDS", 0.0)
    plan = Plan([Rule(Fault.HANG, times=None)])
    with serving(behind) as url, FaultProxy(url, plan) as proxy:
        store = HTTPMetadata(proxy.url)
        assert "timed out" in fail(ServiceUnreachable, store.iter_flows)

    assert len(plan.seen) == http_courier.TRIES


def test_settings_name_the_service() -> None:
    """What is set is checked before anything is asked."""
    with closing(open_service("http://[::1]:80/", None, "3")) as store:
        assert store.place == "service@http://[::1]:80"
    assert "PLAIT_SERVICE_URL is not set" in fail(
        BadServiceURL, lambda: open_service(None, None, None)
    )
    for url in ("ftp://x", "http://", "http://x:y", "http://a:s3cret@x"):
        assert "s3cret" not in fail(BadServiceURL, lambda url=url: open_service(url, None, None))
    for token in ("s3c\nret", "s3c€ret", "s3c\0ret", "\udcff"):
        said = fail(BadServiceToken, lambda token=token: open_service("http://x", token, None))
        assert "s3c" not in said
    for wait in ("long", "-1", "nan", "inf"):
        fail(BadServiceWait, lambda wait=wait: open_service("http://x", None, wait))


FAILURE = Failure(FailureKind.EXCEPTION, "ValueError: x", "\udcff")
FACTS = [
    AttemptStarted(TASK, 0, 1.0, 3),
    AttemptEnded(TASK, 0, 1.0, ok=False, final=True, failure=FAILURE),
    TaskCloned(TASK, 0, 1.0, TASK._replace(run="2")),
    RunBeat(TASK.run_key, 1.0),
    RunEnded(TASK.run_key, 1.0, Status.FAILED, FAILURE, TASK),
]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_facts_come_back_as_they_were(fact: wire.Fact) -> None:
    """A fact is the same after its way through JSON."""
    assert wire.fact_from_json(wire.fact_to_json(fact)) == fact


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "x"}, {"at": "1"}, {"at": True}, {"at": 1e300}, {"attempt": -1}, {"attempt": 1.5},
        {"attempt": 2**40}, {"attempt": True}, {"key": ["A"]}, {"key": "A"},
        {"key": ["A", "1", "s", "01"]},
        {"key": ["A/B", "1", "s", "1"]}, {"key": ["A", "1", "s" * 501, "1"]}, {"more": 1},
        {"ok": 1}, {"failure": {}}, {"failure": {**FAILURE.to_json(), "summary": 3}},
        {"failure": {**FAILURE.to_json(), "signal": True}},
    ],
)  # fmt: skip
def test_what_is_no_fact_is_refused(change: dict[str, object]) -> None:
    """Every member is checked: one that does not fit makes it none."""
    good = wire.fact_to_json(AttemptEnded(TASK, 0, 1.0, ok=True, final=True))

    with pytest.raises(wire.BadRecord):
        wire.fact_from_json({**good, **change})


@pytest.mark.parametrize(
    "data",
    [[], {}, {"flow": "A"}, {"flow": "A", "created": 1, "user_tags": "x"},
     {"flow": "A", "created": 1, "facts": 3}, {"flow": "A\0", "created": 1}],
)  # fmt: skip
def test_what_is_no_run_is_refused(data: object) -> None:
    """A run that lacks something, or has it in another form, is none."""
    with pytest.raises(wire.BadRecord):
        wire.new_run_from_json(data)
