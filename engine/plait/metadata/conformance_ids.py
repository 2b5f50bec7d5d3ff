"""What every store of facts must do about the ids of runs; see `conformance`."""

from __future__ import annotations

from collections.abc import Callable

from plait.base.pathspec import RunKey
from plait.metadata.conformance_runs import raises
from plait.metadata.errors import UnknownRun
from plait.metadata.protocol import MetadataStore, NewRun, RunBeat, RunEnded, Status

Make = Callable[[], MetadataStore]


def ids_count_up_per_flow(make: Make) -> None:
    """Ids of each flow's runs count up from 1."""
    store = make()
    keys = [store.create_run(NewRun(flow, 1.0)) for flow in ("A", "B", "A", "A", "B")]
    assert keys == [RunKey(*p) for p in ("A1", "B1", "A2", "A3", "B2")]


def ids_begin_above_what_is_taken(make: Make) -> None:
    """An id is greater than the one that it is to be above, and ids go on from there."""
    store = make()
    store.create_run(NewRun("A", 1.0))
    assert store.create_run(NewRun("A", 1.0), above=41).run == "42"
    assert store.create_run(NewRun("A", 1.0), above=7).run == "43"


def a_request_makes_one_run(make: Make) -> None:
    """To ask for a run again gives the first one, also when it has changed; words are a flow's."""
    store = make()
    asked = NewRun("A", 1.0, frozenset({"a"}), request="x")
    key = store.create_run(asked)
    store.change_tags(key, add=frozenset({"b"}))
    store.record([RunEnded(key, 2.0, Status.DONE)])
    before = store.find_run(key)
    assert store.create_run(asked, above=9) == key
    assert store.find_run(key) == before
    made = [NewRun("A", 1.0, request="y"), NewRun("B", 1.0, request="x"), NewRun("A", 1.0)]
    assert [store.create_run(run) for run in made] == [RunKey(*p) for p in ("A2", "B1", "A3")]
    assert store.delete_run(key)
    assert store.create_run(asked) == RunKey("A", "4")


def facts_of_another_run_are_refused(make: Make) -> None:
    """A run is known by the word that it was asked for by, too, where whoever records says it."""
    store = make()
    key = store.create_run(NewRun("A", 1.0, request="x"))
    plain = store.create_run(NewRun("A", 1.0))
    beat, other = RunBeat(key, 5.0), RunBeat(plain, 5.0)
    raises(UnknownRun, lambda: store.record([other, beat], requests={key: "y"}))
    raises(UnknownRun, lambda: store.record([beat], requests={RunKey("B", "1"): "x", key: "y"}))
    for run in (key, plain):
        record = store.find_run(run)
        assert record is not None
        assert record.heartbeat is None
    store.record([other, beat], requests={key: "x"})
    store.record([other, beat])
    found = store.find_run(key)
    assert found is not None
    assert found.heartbeat == beat.at


ID_CHECKS: tuple[Callable[[Make], None], ...] = (
    ids_count_up_per_flow,
    ids_begin_above_what_is_taken,
    a_request_makes_one_run,
    facts_of_another_run_are_refused,
)
