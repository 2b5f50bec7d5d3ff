"""The page of a run: what it shows, what it leaves out, and that it is nothing but text."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import Any

import pytest
from client.conftest import World
from report.flows import EVIL, TurnFlow, WildFlow

from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.records import Failure, FailureKind
from plait.client.opened_run import OpenedRun
from plait.client.source import Connection
from plait.metadata.protocol import AttemptEnded, AttemptStarted, Fact, RunEnded, Status
from plait.report.errors import ReportExtraMissing
from plait.report.flow_page import make_flow_page
from plait.report.pages import render_page, write_page
from plait.report.records import Limits, RunSeen
from plait.report.run_page import make_run_page, read_run
from plait.testing import run_flow


@pytest.fixture(scope="module")
def good() -> OpenedRun:
    """A run that is done."""
    return run_flow(WildFlow, tags=[EVIL])._opened


@pytest.fixture(scope="module")
def bad() -> OpenedRun:
    """A run one task of which failed."""
    return run_flow(WildFlow, bad=1)._opened


def see(run: OpenedRun, *, unpickle: bool = False, **limits: int) -> RunSeen:
    """Read what the page of a run shows."""
    return read_run(run, unpickle=unpickle, limits=Limits(**limits), now=run.record.created + 60)


def open_world(world: World, key: RunKey) -> OpenedRun:
    """Open a run that was made by hand."""
    record = world.metadata.find_run(key)
    assert record is not None
    return OpenedRun(Connection(lambda _spec: world, None), record)


def test_a_run_that_is_done(good: OpenedRun) -> None:
    """Its steps with their counts, states and tasks; its parameters, tags and circumstances."""
    seen = see(good)

    assert (seen.status, seen.total, seen.counts, seen.failure) == ("done", 6, "6 done", None)
    assert [(s.name, s.state, s.counts) for s in seen.steps] == [
        ("start", "done", "1 done"), ("work", "done", "3 done"), ("join", "done", "1 done"),
        ("end", "done", "1 done"),
    ]  # fmt: skip
    assert [(v.name, v.type) for v in seen.parameters] == [
        ("bad", "int"), ("label", "str"), ("width", "int"),
    ]  # fmt: skip
    assert seen.tags == [EVIL]
    assert "python" in dict(seen.facts)
    assert [task.index for task in seen.steps[1].tasks] == [0, 1, 2]
    assert [len(task.cards) for step in seen.steps for task in step.tasks] == [1, 1, 1, 1, 0, 0]


def test_values_are_read_only_if_they_are_plain_and_small(good: OpenedRun) -> None:
    """Others only for who trusts the store, and large ones never."""
    (task,) = see(good).steps[0].tasks
    values = {v.name: v.text for v in task.artifacts}
    trusted = {v.name: v.text for v in see(good, unpickle=True).steps[0].tasks[0].artifacts}

    assert values["items"] == "[0, 1, 2]"
    assert values["stranger"] == ""
    assert values["large"] == ""
    assert trusted["stranger"].startswith("Stranger<script>")
    assert trusted["large"] == ""


def test_nothing_of_a_run_is_more_than_text(good: OpenedRun, bad: OpenedRun) -> None:
    """Names, values, docstrings, tags, logs, tracebacks and cards: all are escaped."""
    for run in (good, bad):
        page = make_run_page(run, unpickle=True)
        outside = re.sub(r'srcdoc="[^"]*"', "", page)

        assert "<script" not in page
        assert not re.search(r"<img\b", outside)
        assert "Stranger&lt;script&gt;" in page
        assert page.count("sandbox=&#34;&#34;") + page.count('sandbox=""') >= 1
        assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_the_first_failure_is_on_top(bad: OpenedRun) -> None:
    """With its task, its place and the user's traceback."""
    seen = see(bad)
    page = make_run_page(bad)

    assert seen.failure is not None
    assert seen.failure.summary.startswith("ValueError: <script>")
    assert seen.failure.task.startswith(f"WildFlow/{bad.key.run}/work/")
    assert f'id="{seen.failure.anchor}"' in page
    assert "raise ValueError" in seen.failure.traceback
    assert "/plait/" not in seen.failure.traceback.replace("/engine/tests/", "")
    assert page.index("First failure") < page.index('id="graph"')
    failed = next(task for task in seen.steps[1].tasks if task.state == "failed")
    assert [(a.number, a.state) for a in failed.attempts] == [(0, "failed"), (1, "failed")]
    assert [s.state for s in seen.steps] == ["done", "failed", "not begun", "not begun"]


def test_a_failure_that_was_caught_is_told_as_such() -> None:
    """The task is done, and what it was is there."""
    seen = see(run_flow(WildFlow, width=2)._opened)
    (join,) = seen.steps[2].tasks

    assert seen.status == "done"
    assert [(a.state, a.summary) for a in join.attempts] == [("caught", "KeyError: 'passed over'")]


def test_a_loop_is_drawn_back() -> None:
    """And its tasks are all of one step."""
    seen = see(run_flow(TurnFlow)._opened)

    assert [(s.name, s.total) for s in seen.steps] == [("start", 1), ("turn", 2), ("end", 1)]
    assert [c.label for c in seen.picture.curves if c.back] == ["again"]


def test_logs_are_tails(good: OpenedRun) -> None:
    """Of so many bytes, and of so many in all."""
    whole = [task.log for task in see(good).steps[1].tasks]
    tails = [task.log for task in see(good, log_size=60).steps[1].tasks]
    few = [task.log for task in see(good, log_total=10).steps[1].tasks]

    assert [stream for stream, _ in whole[0].parts] == ["stdout", "stderr"]
    assert not whole[0].is_cut
    assert tails[0].is_cut
    assert few[-1].is_cut
    assert not few[-1].parts
    assert see(good, log_total=0).steps[1].tasks[0].log.is_cut


def test_cards_have_a_limit(good: OpenedRun) -> None:
    """What is beyond it says how to see it."""
    seen = see(good, card_total=10)

    assert [card.page for card in seen.steps[0].tasks[0].cards] == [""]
    assert "card view" in make_run_page(good, limits=Limits(card_total=10))


def test_artifacts_have_a_limit(good: OpenedRun) -> None:
    """The page says how many there are."""
    (task,) = see(good, artifacts=2).steps[0].tasks

    assert len(task.artifacts) == 2
    assert task.artifacts_left == 3
    assert "3 more artifacts" in make_run_page(good, limits=Limits(artifacts=2))


def test_a_long_traceback_is_cut(bad: OpenedRun) -> None:
    """At its beginning; its end is what tells."""
    failure = see(bad, traceback=50).failure

    assert failure is not None
    assert failure.traceback.startswith("...")
    assert failure.traceback.endswith("at 1\n")


def test_ten_thousand_tasks_stay_a_page(world: World) -> None:
    """That a browser opens: some are shown, with the one that failed, and it says so."""
    key = world.begin(parameters={"alpha": 1})
    kind = Failure(FailureKind.EXCEPTION, "ValueError: 7777")
    facts: list[Fact] = []
    for number in range(1, 10_001):
        task, failed = TaskKey(*key, "work", str(number)), number == 7777
        facts += [
            AttemptStarted(task, 0, world.later(), number - 1),
            AttemptEnded(task, 0, world.now, not failed, True, kind if failed else None),
        ]
    world.metadata.record(facts)
    world.seal(AttemptKey(*key, "work", "7777", 0), {"x": 1}, ok=False, failure=kind)
    world.end(key, Status.FAILED)
    run = open_world(world, key)
    page = make_run_page(run)

    assert len(page) < 1_000_000
    assert "400 of 10,000 tasks of work are shown" in page
    assert "task-work-7777" in page
    assert "1 failed, 9,999 done" in page
    assert see(run).failure is not None


def test_the_first_failure_is_always_shown(world: World) -> None:
    """Even where there is room for one task only."""
    key = world.begin()
    for number in range(1, 9):
        kind = Failure(FailureKind.EXCEPTION, f"ValueError: {number}")
        world.task(key, "work", str(number), {}, ok=False, failure=kind)
    failed = TaskKey(*key, "work", "8")
    world.metadata.record([RunEnded(key, world.later(), Status.FAILED, kind, failed)])
    seen = see(open_world(world, key), tasks=1)

    assert [task.id for task in seen.steps[0].tasks] == ["8"]
    assert seen.steps[0].left_out == 7


def test_a_run_that_goes_on_is_shown_as_it_is(world: World) -> None:
    """With what runs and what waits; the page says when that was."""
    steps: dict[str, Any] = {
        name: {"kind": "linear", "next": [], "join": False, "cases": [], "decorators": []}
        for name in ("start", "work", "end")
    }
    key = world.begin(facts={"graph": {"steps": steps}})
    world.task(key, "start")
    path = world.launch(key, "work", "2")
    world.print(path, ("stdout", b"half"))
    run = open_world(world, key)
    seen = see(run)

    assert seen.status == "running"
    assert [s.state for s in seen.steps] == ["done", "running", "waiting"]
    (task,) = seen.steps[1].tasks
    assert [(a.number, a.state) for a in task.attempts] == [(0, "running")]
    assert task.log.parts == [("stdout", "half\n")]
    assert "This run goes on" in make_run_page(run, clock=lambda: world.now)


def test_a_second_attempt_that_runs_begins_where_the_first_ended(world: World) -> None:
    """As far as is known."""
    key = world.begin()
    kind = Failure(FailureKind.EXCEPTION, "ValueError: x")
    world.task(key, "work", "1", {}, final=False, ok=False, failure=kind)
    world.metadata.record([AttemptStarted(TaskKey(*key, "work", "1"), 1, world.later())])
    (task,) = see(open_world(world, key)).steps[0].tasks

    assert [(a.number, a.state) for a in task.attempts] == [(0, "failed"), (1, "running")]
    assert task.attempts[1].began >= task.attempts[0].began + task.attempts[0].seconds


def test_a_run_without_a_graph_or_task_is_a_page(world: World) -> None:
    """As one made by other means may be."""
    key = world.begin()
    world.end(key)
    run = open_world(world, key)

    assert see(run).counts == "no task"
    assert "no task" in make_run_page(run)


def test_what_was_taken_over_says_from_where(world: World) -> None:
    """A clone has a state of its own, and its origin's log."""
    old = world.begin()
    path = world.task(old, "work")
    world.print(path, ("stdout", b"first"))
    new = world.begin(origin=old.run)
    world.task(new, "work", origin=AttemptKey(*old, "work", "1", 0))
    world.end(new)
    seen = see(open_world(world, new))
    (task,) = seen.steps[0].tasks

    assert seen.origin == str(old)
    assert (seen.steps[0].state, task.state, task.origin) == ("cloned", "cloned", path)
    assert task.log.parts == [("stdout", "first\n")]
    assert "taken over from" in make_run_page(open_world(world, new))


def test_damage_is_told_and_the_rest_is_shown(world: World) -> None:
    """A task whose results are gone does not take the page along."""
    key = world.begin()
    world.task(key, "work", "1", {"x": 1})
    world.task(key, "work", "2", {"x": 2})
    world.end(key)
    world.storage.delete(f"HelloFlow/runs/{key.run}/work/1.0.attempt")
    world.stores.clear()
    run = open_world(world, key)
    first, second = see(run).steps[0].tasks

    assert "are not there" in first.notes[0]
    assert second.artifacts[0].text == "2"
    assert "are not there" in make_run_page(run)


def test_parameters_that_are_elsewhere_are_told(world: World) -> None:
    """The page does not say that the run had none."""
    key = world.begin(parameters={"alpha": 1})
    world.task(key, "work", "1", {"x": 1})
    world.end(key)
    world.storage.delete(f"HelloFlow/runs/{key.run}/_parameters/0.0.attempt")
    world.stores.clear()
    run = open_world(world, key)

    assert "are not there" in see(run).without_parameters
    assert f"{key}/_parameters/0 (attempt 0) are not there" in make_run_page(run)


def test_a_value_that_cannot_be_read_says_why(good: OpenedRun, monkeypatch: Any) -> None:
    """Where all are to be read."""
    monkeypatch.delattr("report.flows.Stranger")
    (task,) = see(good, unpickle=True).steps[0].tasks
    texts = {value.name: value.text for value in task.artifacts}

    assert texts["stranger"].startswith("cannot be read: ")


def test_without_jinja_the_page_says_what_to_install(
    good: OpenedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is written."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ReportExtraMissing, match=r"pip install 'plait\[report\]'"):
        make_run_page(good)
    with pytest.raises(ReportExtraMissing):
        render_page("flow.html.j2", {})


def test_the_page_of_a_flow() -> None:
    """Its graph, docstrings, decorators, transitions and source; all of it text."""
    from plait.flow.definition import read_definition

    page = make_flow_page(read_definition(WildFlow))
    turn = make_flow_page(read_definition(TurnFlow))

    assert "<script" not in page
    assert not re.search(r"<img\b", page)
    assert "Begin with &lt;img" in page
    assert "@retry(times=1, minutes_between_retries=0)" in page
    assert "@catch(var=&#39;caught&#39;)" in page
    assert "once for each of <code>items</code>" in page
    assert "def work(self):" in page
    assert "How &lt;b&gt;many&lt;/b&gt;." in page
    assert 'href="#step-join"' in page
    assert "if mode is again" in turn


def test_a_flow_without_source_has_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the source; a step of very many lines is cut."""
    from plait.flow.definition import read_definition

    definition = read_definition(TurnFlow)
    monkeypatch.setattr("inspect.getsourcelines", _refuse)
    assert "<summary>source" not in make_flow_page(definition)
    monkeypatch.setattr("inspect.getsourcelines", lambda _: (["x = 1\n"] * 450, 1))
    assert "50 more lines" in make_flow_page(definition)


def _refuse(_: object) -> Any:
    raise OSError("no source")


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Any) -> None:
    """In place of what was there; half a character is written as its escape."""
    file = tmp_path / "page.html"
    file.write_text("old")
    assert write_page("new \ud800", str(file)) == str(file)
    assert file.read_text() == "new \\ud800"
    with pytest.raises(FileNotFoundError) as raised:
        write_page("x", str(tmp_path / "none" / "page.html"))

    assert raised.value.filename.endswith("page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(IsADirectoryError):
        write_page("x", str(tmp_path))
    assert not list(tmp_path.parent.glob("*.part"))
    assert replace(Limits(), tasks=1).tasks == 1
