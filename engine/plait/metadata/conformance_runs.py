"""What every store of facts must do with runs and their tags; see `conformance`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from plait.base.errors import PlaitError
from plait.base.pathspec import RunKey, TaskKey
from plait.metadata.errors import BadTag, SystemTag, UnknownRun
from plait.metadata.protocol import (
    AttemptStarted,
    MetadataStore,
    NewRun,
    RunEnded,
    RunRecord,
    Status,
)

Make = Callable[[], MetadataStore]
E = TypeVar("E", bound=PlaitError)


def a_run_is_kept_as_given(make: Make) -> None:
    """A new run comes back with all that was said of it, as JSON gives it back."""
    store = make()
    facts = {"argv": ["a", "\udcff"], "graph": {"start": {"line": 3}}, "none": None, "pair": (1, 2)}
    tags = frozenset({"größe: 3", "n i g h t l y"})
    key = store.create_run(NewRun("A", 12.5, tags, frozenset({"user:ada"}), "7", facts))
    run = store.find_run(key)
    assert run == RunRecord(
        key=key,
        created=12.5,
        status=Status.RUNNING,
        finished=None,
        user_tags=tags,
        system_tags=frozenset({"user:ada"}),
        origin_run="7",
        facts={**facts, "pair": [1, 2]},
        failure=None,
        failed_task=None,
    )


def what_is_not_there_is_none(make: Make) -> None:
    """Nothing is found in an empty store, nor by an id that is none."""
    store = make()
    strange = ("0", "2", "01", "+1", " 1", "1 ", "1.0", "x", "", "\u0661", "9" * 30, "\udcff")
    for filled in (False, True):
        if filled:
            task = TaskKey("A", "1", "s", "1")
            store.create_run(NewRun("A", 1.0))
            store.record([AttemptStarted(task, 0, 1.0)])
        for text in strange:
            assert store.find_run(RunKey("A", text)) is None
            assert store.find_task(TaskKey("A", "1", "s", text)) is None
            assert store.find_task(TaskKey("A", text, "s", "1")) is None
            assert store.find_task(TaskKey("A", "1", text, "1")) is None
            assert list(store.list_steps(RunKey("A", text))) == []
            assert list(store.list_tasks(RunKey("A", text), "s")) == []
            assert list(store.list_runs(text)) == []
        assert store.find_run(RunKey("B", "1")) is None
        assert list(store.iter_flows()) == (["A"] if filled else [])


def flows_are_sorted(make: Make) -> None:
    """Flows are listed once each, by name."""
    store = make()
    for flow in ("b", "B", "Ä", "A", "b"):
        store.create_run(NewRun(flow, 1.0))
    assert list(store.iter_flows()) == ["A", "B", "b", "Ä"]


def runs_are_newest_first(make: Make) -> None:
    """Runs are listed by id as a number, the highest first, whatever their times are."""
    store = make()
    for second in range(11, 0, -1):
        store.create_run(NewRun("A", float(second)))
    store.create_run(NewRun("B", 1.0))
    runs = store.list_runs("A")
    assert [run.key.run for run in runs] == [str(n) for n in range(11, 0, -1)]
    assert runs[0] == store.find_run(RunKey("A", "11"))


def runs_are_paged(make: Make) -> None:
    """Pages of runs follow on one another, with and without a filter."""
    store = make()
    for number in range(1, 13):
        store.create_run(NewRun("A", 1.0, frozenset({"even"} if number % 2 == 0 else ())))

    def page(before: str | None, limit: int, *tags: str) -> list[str]:
        runs = store.list_runs("A", before=before, limit=limit, tags=frozenset(tags))
        return [run.key.run for run in runs]

    assert page(None, 3) == ["12", "11", "10"]
    assert page("10", 3) == ["9", "8", "7"]
    assert page("2", 3) == ["1"]
    assert page("1", 3) == []
    assert page("99", 1) == ["12"]
    assert page(None, 0) == []
    assert page(None, 2, "even") == ["12", "10"]
    assert page("10", 9, "even") == ["8", "6", "4", "2"]


def tags_filter_together(make: Make) -> None:
    """A run is given if it has all tags asked for, of the user's and of the system's."""
    store = make()
    mine = frozenset({"user:ada"})
    for tags in ("x", "xy", "y", ""):
        store.create_run(NewRun("A", 1.0, frozenset(tags), mine))
    store.create_run(NewRun("A", 1.0, frozenset("xy"), frozenset({"user:bob"})))

    def find(*tags: str) -> str:
        return "".join(run.key.run for run in store.list_runs("A", tags=frozenset(tags)))

    assert find("x") == "521"
    assert find("x", "y") == "52"
    assert find("x", "y", "user:ada") == "2"
    assert find("user:ada") == "4321"
    assert find("x", "nobody's") == ""
    assert find("X") == ""


def many_tags_filter(make: Make) -> None:
    """A run may have some hundred tags, and be asked for by all of them."""
    store = make()
    tags = frozenset(f"tag {n}" for n in range(300))
    key = store.create_run(NewRun("A", 1.0, tags))
    store.create_run(NewRun("A", 1.0, tags - {"tag 0"}))
    assert [run.key for run in store.list_runs("A", tags=tags)] == [key]


def status_filters(make: Make) -> None:
    """Runs can be asked for by their status, alone and with tags."""
    store = make()
    ends = (Status.DONE, Status.FAILED, None, Status.DONE, Status.INTERRUPTED)
    for number, status in enumerate(ends, 1):
        key = store.create_run(NewRun("A", 1.0, frozenset({"low"} if number < 3 else ())))
        if status is not None:
            store.record([RunEnded(key, 2.0, status)])

    def find(status: Status, *tags: str) -> str:
        runs = store.list_runs("A", status=status, tags=frozenset(tags))
        return "".join(run.key.run for run in runs)

    assert find(Status.DONE) == "41"
    assert find(Status.RUNNING) == "3"
    assert find(Status.FAILED) == "2"
    assert find(Status.INTERRUPTED) == "5"
    assert find(Status.DONE, "low") == "1"


def tags_change_at_once(make: Make) -> None:
    """Tags are added and removed in one step; one that is in both is there afterwards."""
    store = make()
    key = store.create_run(NewRun("A", 1.0, frozenset({"a", "b", "c"}), frozenset({"user:ada"})))
    new = store.change_tags(key, add=frozenset({"c", "d"}), remove=frozenset({"b", "c", "never"}))
    assert new == {"a", "c", "d"}
    run = store.find_run(key)
    assert run is not None
    assert (run.user_tags, run.system_tags) == (new, frozenset({"user:ada"}))
    assert store.change_tags(key) == new
    for tag, count in (("a", 1), ("b", 0), ("c", 1), ("d", 1), ("user:ada", 1)):
        assert len(store.list_runs("A", tags=frozenset({tag}))) == count


def tags_that_look_the_same_are_the_same(make: Make) -> None:
    """Tags are kept composed (NFC), so that both ways to write an umlaut find the run."""
    store = make()
    composed, apart = "gr\u00f6\u00dfe", "gro\u0308\u00dfe"
    key = store.create_run(NewRun("A", 1.0, frozenset({apart})))
    for tag in (composed, apart):
        assert [run.user_tags for run in store.list_runs("A", tags=frozenset({tag}))] == [
            {composed}
        ]
    assert store.change_tags(key, add=frozenset({apart})) == {composed}
    assert store.change_tags(key, remove=frozenset({apart})) == frozenset()


def bad_tags_are_refused(make: Make) -> None:
    """What cannot be a tag is refused, everything at once, and nothing has changed."""
    store = make()
    key = store.create_run(NewRun("A", 1.0, frozenset({"a"})))
    good = frozenset({"x" * 500, "a b", "\u65e5\u672c", "it's", "50%_"})
    assert store.change_tags(key, add=good) == good | {"a"}
    bad = frozenset({"", " ", "x" * 501, "a\nb", "a\0", "a\x85", "\u2028", "\udcff"})
    error = raises(BadTag, lambda: store.change_tags(key, add=bad | {"fine"}))
    assert len(error.findings) == len(bad)
    raises(BadTag, lambda: store.change_tags(key, remove=bad))
    raises(BadTag, lambda: store.list_runs("A", tags=bad))
    raises(BadTag, lambda: store.create_run(NewRun("A", 1.0, bad)))
    raises(BadTag, lambda: store.create_run(NewRun("A", 1.0, frozenset(), bad)))
    assert [run.user_tags for run in store.list_runs("A")] == [good | {"a"}]


def system_tags_stay(make: Make) -> None:
    """A system tag can neither be added nor removed by a user, and nothing has changed."""
    store = make()
    system = frozenset({"user:ada", "date:2030-01-01"})
    key = store.create_run(NewRun("A", 1.0, frozenset({"a"}), system))
    one = frozenset({"user:ada"})
    raises(SystemTag, lambda: store.change_tags(key, add=one, remove=frozenset({"a"})))
    raises(SystemTag, lambda: store.change_tags(key, add=frozenset({"b"}), remove=one))
    raises(SystemTag, lambda: store.create_run(NewRun("A", 1.0, one, system)))
    (run,) = store.list_runs("A")
    assert (run.user_tags, run.system_tags) == (frozenset({"a"}), system)


def an_unknown_run_is_said(make: Make) -> None:
    """Writing about a run that is not there raises, with nothing of the batch recorded."""
    store = make()
    nowhere = RunKey("A", "1")
    started = AttemptStarted(TaskKey("A", "1", "s", "1"), 0, 1.0)
    for _ in range(2):
        raises(UnknownRun, lambda: store.change_tags(nowhere, add=frozenset({"a"})))
        raises(UnknownRun, lambda: store.record([started]))
        raises(UnknownRun, lambda: store.record([RunEnded(nowhere, 1.0, Status.DONE)]))
        assert list(store.iter_flows()) in ([], ["B"])
        store.create_run(NewRun("B", 1.0))
    known = AttemptStarted(TaskKey("B", "1", "s", "1"), 0, 1.0)
    raises(UnknownRun, lambda: store.record([known, started]))
    assert store.find_task(known.key) is None
    raises(UnknownRun, lambda: store.change_tags(RunKey("B", "01"), add=frozenset({"a"})))


def a_healthy_store_has_no_damage(make: Make) -> None:
    """Nothing is found wrong with a store that only its own methods wrote to."""
    store = make()
    assert list(store.find_damage()) == []
    store.create_run(NewRun("A", 1.0, frozenset({"a"})))
    assert list(store.find_damage()) == []


def what_was_given_cannot_change_it(make: Make) -> None:
    """Neither the values that went in nor those that came out are the store's own."""
    store = make()
    facts = {"list": [1]}
    key = store.create_run(NewRun("A", 1.0, facts=facts))
    facts["list"].append(2)
    run = store.find_run(key)
    assert run is not None
    run.facts["list"].append(3)
    again = store.find_run(key)
    assert again is not None
    assert again.facts == {"list": [1]}


def closing_is_not_the_end(make: Make) -> None:
    """A store can be closed at any time and be used again."""
    store = make()
    store.close()
    key = store.create_run(NewRun("A", 1.0))
    store.close()
    store.close()
    assert store.find_run(key) is not None
    assert store.place


RUN_CHECKS: tuple[Callable[[Make], None], ...] = (
    a_run_is_kept_as_given,
    what_is_not_there_is_none,
    flows_are_sorted,
    runs_are_newest_first,
    runs_are_paged,
    tags_filter_together,
    many_tags_filter,
    status_filters,
    tags_change_at_once,
    tags_that_look_the_same_are_the_same,
    bad_tags_are_refused,
    system_tags_stay,
    an_unknown_run_is_said,
    a_healthy_store_has_no_damage,
    what_was_given_cannot_change_it,
    closing_is_not_the_end,
)
"""Every check, in an order to read them in."""


def raises(kind: type[E], act: Callable[[], object]) -> E:
    """Give the error that *act* raises, which must be of that kind."""
    try:
        act()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")
