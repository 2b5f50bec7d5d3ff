"""A flow and its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plait.base.pathspec import BadPathspec
from plait.client import flow as flow_module
from plait.client.errors import PlaitNamespaceMismatch, PlaitNotFound
from plait.client.flow import Flow
from plait.client.namespaces import namespace
from plait.client.plait import Plait
from plait.client.run import Run
from plait.client.times import local_time
from plait.metadata.protocol import NewRun, Status

if TYPE_CHECKING:
    from conftest import World


def test_its_runs_come_newest_first(world: World) -> None:
    """Those of the namespace; all of them with the namespace None."""
    for user in ("ada", "grace", "ada"):
        world.begin(user=user)

    assert list(Flow("HelloFlow")) == [Run("HelloFlow/3"), Run("HelloFlow/1")]
    namespace(None)
    assert [run.id for run in Flow("HelloFlow")] == ["3", "2", "1"]


def test_runs_can_be_asked_for_by_tags(world: World) -> None:
    """All of them have to be there; the user's and plait's own serve alike."""
    for tags in ([], ["nightly"], ["nightly", "gr\u00f6\u00dfe 3"], ["gr\u00f6\u00dfe 3"]):
        world.begin(tags=tags)
    flow = Flow("HelloFlow")

    def ids(*tags: str) -> list[str]:
        return [run.id for run in flow.runs(*tags)]

    assert ids("nightly") == ["3", "2"]
    assert ids("nightly", "gro\u0308\u00dfe 3") == ["3"]
    assert ids("runtime:dev") == ["4", "3", "2", "1"]
    assert ids("nightly", "user:grace") == []


def test_a_run_is_found_by_its_id(world: World) -> None:
    """As text; a hidden one is not `in` it, and fetching it says that it is hidden."""
    world.begin()
    world.begin(user="grace")
    flow = Flow("HelloFlow")

    assert flow["1"] == Run("HelloFlow/1")
    assert [number in flow for number in ("1", "2", "3", 1)] == [True, False, False, False]
    with pytest.raises(PlaitNamespaceMismatch):
        flow["2"]
    with pytest.raises(KeyError, match="has no run '3'"):
        flow["3"]
    with pytest.raises(KeyError) as as_number:
        flow[1]  # type: ignore[index]  # the mistake in question
    assert as_number.value.findings[0].fix == "write it with quotes: Flow('HelloFlow')[\"1\"]"


def test_the_latest_runs_are_those_of_the_namespace(world: World) -> None:
    """The latest successful one is the latest that is done."""
    flow_runs = [
        world.end(world.begin(), Status.DONE),
        world.end(world.begin(), Status.FAILED),
        world.end(world.begin(user="grace"), Status.DONE),
    ]
    flow = Flow("HelloFlow")

    assert flow.latest_run == Run(flow_runs[1])
    assert flow.latest_successful_run == Run(flow_runs[0])
    namespace("user:nobody")
    assert (flow.latest_run, flow.latest_successful_run) == (None, None)
    assert list(flow) == []


def test_a_flow_without_runs_is_not_there(world: World) -> None:
    """The error suggests a name that is, and says where it looked."""
    world.begin("HelloFlow")

    with pytest.raises(PlaitNotFound) as missing:
        Flow("HeloFlow")
    assert str(missing.value).splitlines()[:3] == [
        "error[not-found]: there is no flow 'HeloFlow'",
        "  why: looked in memory",
        "       did you mean 'HelloFlow'?",
    ]


def test_a_flow_of_others_is_hidden(world: World) -> None:
    """The error names the namespace to go to."""
    world.begin(user="grace")

    with pytest.raises(PlaitNamespaceMismatch) as hidden:
        Flow("HelloFlow")
    assert "namespace('user:grace')" in hidden.value.findings[0].fix
    namespace("user:grace")
    flow = Flow("HelloFlow")
    assert flow.is_in_namespace()
    namespace("user:ada")
    assert not flow.is_in_namespace()


def test_a_pathspec_of_another_form_is_refused(world: World) -> None:
    """It says which form it should have."""
    world.begin()

    with pytest.raises(BadPathspec, match="of the form Flow"):
        Flow("HelloFlow/1")
    with pytest.raises(BadPathspec):
        Flow("")


def test_it_has_what_all_objects_have(world: World) -> None:
    """Where a flow has no fact of its own, it is its runs that have it."""
    first = world.begin()
    world.begin()
    flow = Flow("HelloFlow")

    assert (flow.id, flow.pathspec, flow.path_components) == (
        "HelloFlow",
        "HelloFlow",
        ["HelloFlow"],
    )
    assert repr(flow) == "Flow('HelloFlow')"
    assert flow.tags == flow.user_tags == flow.system_tags == frozenset()
    assert flow.finished_at is None
    created = world.metadata.find_run(first)
    assert created is not None
    assert flow.created_at == local_time(created.created)
    assert isinstance(flow.parent, Plait)
    assert flow.parent.flows == [flow]


def test_its_first_run_need_not_have_the_id_1(world: World) -> None:
    """Ids may begin higher, beside values that are older than the facts."""
    tags = frozenset({"user:ada"})
    for created in (100.0, 200.0):
        world.metadata.create_run(NewRun("Late", created, system_tags=tags), above=40)

    assert [run.id for run in Flow("Late")] == ["42", "41"]
    assert Flow("Late").created_at == local_time(100.0)


def test_runs_are_listed_by_the_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One question a page, and none before anybody looks."""
    monkeypatch.setattr(flow_module, "PAGE", 2)
    for _ in range(5):
        world.begin()
    flow = Flow("HelloFlow")
    world.metadata.questions.clear()

    runs = flow.runs()

    assert world.metadata.questions == []
    assert [run.id for run in runs] == ["5", "4", "3", "2", "1"]
    assert world.metadata.questions == ["list_runs"] * 3
