"""What a join carries on from its branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from plait.base.errors import PlaitError, shown_path
from plait.flow.inputs import JoinInputs
from plait.flow.merge import (
    BadMerge,
    MergeArtifactsException,
    MergeOutsideJoin,
    MissingInMergeArtifactsException,
)
from plait.flow.parameters import Parameter
from plait.flow.scope import collect
from plait.flow.spec import FlowSpec
from plait.flow.step import step

HERE = shown_path(__file__)


class Two(FlowSpec):
    rate = Parameter("rate", default=0.5)
    sizes: ClassVar[list[int]] = [1]
    title = "t"

    @step
    def start(self) -> None:
        self.common = [1, 2]
        self.changed = 0
        self.next(self.a, self.b)

    @step
    def a(self) -> None:
        self.same = {"k": 1}
        self.changed = 1
        self.only_a = "a"
        self._private = 1
        self.title = "new"
        self.next(self.join)

    @step
    def b(self) -> None:
        self.same = {"k": 1}
        self.changed = 2
        self._private = 2
        self.title = "new"
        self.next(self.join)

    @step
    def join(self, inputs: Any) -> None:
        self.next(self.end)

    @step
    def end(self) -> None: ...


class Join:
    """A join of `Two` in the middle of its step."""

    def __init__(self, run: Any) -> None:
        self.run = run
        start = run.run_step("start")
        self.parts = [run.run_step(name, start) for name in ("a", "b")]
        self.order = run.order("join", *self.parts)
        self.flow = run.bind(self.order)
        self.inputs = JoinInputs(self.flow._plait)

    def merge(self, **chosen: Any) -> None:
        self.flow.merge_artifacts(self.inputs, **chosen)

    def finish(self) -> dict[str, Any]:
        self.flow.next(self.flow.end)
        self.sealed = self.run.finish(self.flow, self.order)
        values: dict[str, Any] = self.run.values(self.sealed)
        return values


@pytest.fixture
def join(bench: Callable[..., Any]) -> Join:
    """A join of `Two`."""
    return Join(bench(Two))


BEFORE = {"rate": 0.5, "sizes": [1], "title": "t"}


def test_a_join_that_merges_nothing_carries_nothing(join: Join) -> None:
    """Only parameters and class attributes are there."""
    assert join.finish() == BEFORE


def test_what_is_equal_or_in_one_branch_is_carried(join: Join) -> None:
    """A class attribute that both changed to the same too."""
    join.merge(exclude=["changed", "_private"])

    assert join.flow.common == [1, 2]
    assert join.flow.title == "new"
    assert join.finish() == {
        "rate": 0.5,
        "sizes": [1],
        "title": "new",
        "common": [1, 2],
        "same": {"k": 1},
        "only_a": "a",
    }


def test_merging_reads_no_value(join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is carried is the reference that the first branch with it has."""
    monkeypatch.setattr(join.run.store, "load", lambda ref, **more: pytest.fail("a value was read"))
    join.merge(exclude=["changed", "_private"])
    collected = collect_after_next(join)

    assert collected.values == {}
    assert collected.carried["same"] == join.parts[0].artifacts["same"]


def collect_after_next(join: Join) -> Any:
    join.flow.next(join.flow.end)
    return collect(join.flow)


def test_a_conflict_names_every_artifact_and_merges_nothing(join: Join) -> None:
    """With who holds what, and both ways out."""
    with pytest.raises(MergeArtifactsException) as caught:
        join.merge()

    private, changed = caught.value.findings
    assert changed.slug == "ambiguous-artifact"
    assert changed.what == "step 'join' cannot merge artifact 'changed'"
    addresses = [part.artifacts["changed"].address[:8] for part in join.parts]
    assert changed.why == f"branch 'a' holds {addresses[0]}; branch 'b' holds {addresses[1]}"
    assert changed.fix == (
        "set self.changed in 'join' before merge_artifacts(inputs), or pass exclude=['changed']"
    )
    assert (changed.where and changed.where.file) == HERE
    assert private.what == "step 'join' cannot merge artifact '_private'"
    assert join.finish() == BEFORE


def test_what_is_set_here_is_kept(join: Join) -> None:
    """It resolves the conflict."""
    join.flow.changed = 3
    join.flow._private = 3
    join.flow.only_a = "mine"
    join.merge()

    values = join.finish()
    assert (values["changed"], values["_private"], values["only_a"]) == (3, 3, "mine")


def test_a_class_attribute_counts_as_set_here_only_if_it_was_changed(join: Join) -> None:
    """Reading it is not setting it."""
    assert join.flow.title == "t"
    assert join.flow.sizes == [1]
    join.flow.sizes.append(9)
    join.merge(exclude=["changed", "_private"])

    assert join.flow.title == "new"
    assert join.finish()["sizes"] == [1, 9]


def test_include_names_all_that_is_merged(join: Join) -> None:
    """Conflicts in others don't matter; what is set here or a parameter is left alone."""
    join.flow.mine = 1
    join.merge(include=["common", "mine", "rate"])

    assert join.finish() == {**BEFORE, "common": [1, 2], "mine": 1}


def test_a_conflict_in_include_is_a_conflict(join: Join) -> None:
    """Naming it does not say which value is meant."""
    with pytest.raises(MergeArtifactsException) as caught:
        join.merge(include=["common", "changed"])

    assert [found.what for found in caught.value.findings] == [
        "step 'join' cannot merge artifact 'changed'"
    ]


def test_missing_names_in_include_are_all_named(join: Join) -> None:
    """With the nearest ones; nothing is merged."""
    with pytest.raises(MissingInMergeArtifactsException) as caught:
        join.merge(include=["common", "commn", "zzz"])

    first, second = caught.value.findings
    assert first.what == "step 'join' cannot merge artifact 'commn': no input has it"
    assert first.why == "did you mean 'common'?"
    assert second.what == "step 'join' cannot merge artifact 'zzz': no input has it"
    assert join.finish() == BEFORE


def test_a_second_merge_keeps_what_the_first_did(join: Join) -> None:
    """And something merged can be deleted or replaced."""
    join.merge(include=["common", "only_a", "same"])
    join.merge(exclude=["changed", "_private"])
    join.flow.merge_artifacts(join.inputs[:1], exclude=["_private"])
    del join.flow.only_a
    join.flow.same["k"] = 2

    values = join.finish()
    assert "only_a" not in values
    assert values["same"] == {"k": 2}
    assert values["changed"] == 1


def test_some_of_the_inputs_may_be_merged(join: Join) -> None:
    """Such as those that did not fail."""
    join.flow.merge_artifacts([i for i in join.inputs if hasattr(i, "only_a")])

    assert join.finish() == {
        **BEFORE,
        "title": "new",
        "common": [1, 2],
        "same": {"k": 1},
        "changed": 1,
        "only_a": "a",
        "_private": 1,
    }


@pytest.mark.parametrize(
    ("chosen", "what"),
    [
        ({"include": ["a"], "exclude": ["b"]}, "both include and exclude"),
        ({"include": "common"}, "include='common', which is text"),
        ({"exclude": "common"}, "exclude='common', which is text"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    join: Join, chosen: dict[str, Any], what: str
) -> None:
    """With the line to write."""
    with pytest.raises(BadMerge, match=what):
        join.merge(**chosen)


def test_only_inputs_can_be_merged(join: Join) -> None:
    """Not the join's own object, for one."""
    with pytest.raises(BadMerge, match=r"write self.merge_artifacts\(inputs\)"):
        join.flow.merge_artifacts([join.flow])


def test_outside_of_a_join_there_is_nothing_to_merge(join: Join) -> None:
    """The message says what a join is."""
    flow = join.run.bind(join.run.order("start"))

    with pytest.raises(MergeOutsideJoin, match="step 'start' cannot merge artifacts") as caught:
        flow.merge_artifacts(join.inputs)
    assert isinstance(caught.value, PlaitError)


class Wide(FlowSpec):
    """A foreach whose tasks differ in one artifact, and agree in two by value."""

    @step
    def start(self) -> None:
        self.items = list(range(6))
        self.next(self.work, foreach="items")

    @step
    def work(self) -> None:
        self.parity = self.index % 2
        self.own = self.index
        text = "".join(["a", "b"])
        # Equal values, of which one holds the same object twice, so that their pickles differ.
        self.pair = [text, text] if self.index % 2 else [text, "".join(["a", "b"])]
        self.next(self.join)

    @step
    def join(self, inputs: Any) -> None:
        self.next(self.end)

    @step
    def end(self) -> None: ...


@pytest.fixture
def wide(bench: Callable[..., Any]) -> Any:
    """A flow object in the join of `Wide`, with its inputs."""
    run = bench(Wide)
    kept: list[Any] = []

    def keep(order: Any) -> Any:
        if order.key.step == "join":
            flow = run.bind(order)
            kept.append((flow, JoinInputs(flow._plait)))
        return type(run).run_task(run, order)

    run.run_task = keep
    run.run()
    return kept[0]


def test_a_conflict_between_elements_names_tasks(wide: Any) -> None:
    """Some of them: there may be thousands."""
    flow, inputs = wide
    with pytest.raises(MergeArtifactsException) as caught:
        flow.merge_artifacts(inputs, exclude=["pair"])

    own, parity = caught.value.findings
    assert parity.why.startswith("task work/2 holds ")
    assert "; task work/3 holds " in parity.why
    assert own.why.endswith("; and 2 other values")
    assert own.why.count(" holds ") == 4


def test_what_plait_keeps_for_itself_is_not_merged(wide: Any) -> None:
    """The elements end with their foreach."""
    flow, inputs = wide
    flow.merge_artifacts(inputs, exclude=["pair", "parity", "own"])

    assert set(flow._plait.inherited) == {"items"}


def test_a_value_that_cannot_be_read_is_a_conflict(
    wide: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can say that it is equal."""
    flow, inputs = wide

    def refuse(ref: Any, **more: Any) -> object:
        raise PlaitError("not readable")

    monkeypatch.setattr(flow._plait.store, "load", refuse)
    with pytest.raises(MergeArtifactsException, match="artifact 'own'"):
        flow.merge_artifacts(inputs, include=["own"])
