"""`logs --follow`: a log is shown while it is written, and to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from plait.base.pathspec import AttemptKey, RunKey, TaskKey
from plait.base.records import AttemptFacts
from plait.base.settings import StoreChoice
from plait.cli.following import follow
from plait.cli.reading import NoSuchStep, NoSuchTask
from plait.client.source import Connection
from plait.logs.lines import LogLine
from plait.metadata.protocol import AttemptEnded, AttemptStarted, NewRun, RunEnded, Status
from plait.wiring.stores import open_stores


class Going:
    """A run that goes on as long as its story has more to tell; a pause tells the next part."""

    def __init__(self, project, *story: Callable[[Going], None]) -> None:
        self.session = project.session()
        self.stores = open_stores(StoreChoice(str(project.store)))
        facts = {"graph": {"steps": {"start": {}, "work": {}}}}
        self.key = self.stores.metadata.create_run(NewRun("TrialFlow", 1.0, facts=facts))
        self.story = list(story)
        self.shown: list[tuple[str, str]] = []

    def pause(self) -> None:
        self.story.pop(0)(self)

    def begin(self, task: str, attempt: int = 0) -> None:
        key = TaskKey(*self.key, "work", task)
        self.stores.metadata.record([AttemptStarted(key, attempt, 2.0)])

    def print(self, task: str, text: str, attempt: int = 0) -> None:
        key = AttemptKey(*self.key, "work", task, attempt)
        self.stores.logs.append(key, [LogLine(3.0, "stdout", text.encode(), True)])

    def end(self, task: str, attempt: int = 0, *, ok: bool = True) -> None:
        key = TaskKey(*self.key, "work", task)
        self.stores.metadata.record([AttemptEnded(key, attempt, 4.0, ok=ok, final=ok)])

    def seal(self, task: str) -> None:
        key = AttemptKey(*self.key, "work", task, 0)
        facts = AttemptFacts(key, ok=True, started=2.0, finished=3.0)
        self.stores.artifacts("TrialFlow").seal(facts, {}, {})

    def over(self) -> None:
        self.stores.metadata.record([RunEnded(self.key, 5.0, Status.DONE)])

    def follow(self, pathspec: str, attempt: int | None = None) -> list[tuple[str, str]]:
        connection = Connection(lambda _: self.stores, None)

        def show(name: str, lines: list[LogLine]) -> None:
            self.shown.extend((name, line.text.decode()) for line in lines)

        follow(self.session, connection, pathspec, show, attempt=attempt, pause=self.pause)
        self.stores.close()
        return self.shown


@pytest.fixture
def going(project) -> Iterator[Callable[..., Going]]:
    return lambda *story: Going(project, *story)


def test_a_task_is_followed_to_its_end(going) -> None:
    """What it printed comes at once, what it prints as it comes, the last lines after its seal."""
    run = going(
        lambda run: run.print("1", "second"),
        lambda run: run.seal("1"),
        lambda run: (run.print("1", "last"), run.end("1")),
    )
    run.begin("1")
    run.print("1", "first")

    shown = run.follow("1/work/1")
    assert shown == [("1/work/1", "first"), ("1/work/1", "second"), ("1/work/1", "last")]
    assert run.story == []


def test_a_retry_is_followed_too(going) -> None:
    """The attempt that runs is shown, then the ones that follow it."""
    run = going(
        lambda run: run.end("1", 1, ok=False),
        lambda run: run.begin("1", 2),
        lambda run: run.print("1", "third", 2),
        lambda run: run.end("1", 2),
    )
    run.begin("1", 0)
    run.print("1", "first")
    run.begin("1", 1)
    run.print("1", "second", 1)

    assert [text for _, text in run.follow("1/work/1")] == ["second", "third"]


def test_one_attempt_is_followed_to_its_own_end(going) -> None:
    """`--attempt` shows that one, and ends with it."""
    run = going(lambda run: run.print("1", "more"), lambda run: run.end("1", 0, ok=False))
    run.begin("1")
    run.print("1", "first")

    assert [text for _, text in run.follow("1/work/1", 0)] == ["first", "more"]


def test_a_step_is_followed_until_the_run_ends(going) -> None:
    """A step that has not begun is waited for; each of its tasks is followed."""
    run = going(
        lambda run: run.begin("1"),
        lambda run: (run.begin("2"), run.print("2", "b")),
        lambda run: (run.print("1", "a"), run.end("1"), run.end("2")),
        lambda run: run.over(),
    )

    assert run.follow("1/work") == [("1/work/2", "b"), ("1/work/1", "a")]


def test_what_is_not_there_is_not_waited_for(going) -> None:
    """A step that the flow has not, a task that has not begun, a run that is over: an error."""
    run = going()
    with pytest.raises(NoSuchStep):
        run.follow("1/wrok")
    run.begin("1")
    with pytest.raises(NoSuchTask):
        run.follow("1/work/9")
    run.over()
    with pytest.raises(NoSuchStep):
        run.follow("1/start")


def test_a_log_that_is_whole_is_printed_as_without_following(past) -> None:
    """Of a run that has ended, `--follow` shows the same."""
    for pathspec in ("1/work", "1/work/2", "2/work"):
        plain = past.call("logs", pathspec)
        assert past.call("logs", pathspec, "--follow").out == plain.out
        assert plain.out


def test_a_lost_run_is_over(going) -> None:
    """A run whose process is gone has nothing more to say."""
    run = going()
    assert run.key == RunKey("TrialFlow", "1")
    run.key = run.stores.metadata.create_run(
        NewRun("TrialFlow", 1.0, facts={"process": {"host": "elsewhere"}})
    )
    run.begin("1")
    run.print("1", "only")

    assert run.follow("2/work") == [("2/work/1", "only")]
