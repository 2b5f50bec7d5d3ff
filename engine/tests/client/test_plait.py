"""All flows of a store."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from plait.client.errors import ChildNotFound, PlaitNamespaceMismatch
from plait.client.flow import Flow
from plait.client.namespaces import namespace
from plait.client.plait import Plait
from plait.client.source import metadata

if TYPE_CHECKING:
    from conftest import World


def test_it_gives_the_flows_that_the_namespace_shows(world: World) -> None:
    """Sorted by name; those whose runs are all somebody else's are not there."""
    for flow, user in (("Churn", "ada"), ("Bids", "grace"), ("Audit", "ada"), ("Churn", "grace")):
        world.begin(flow, user=user)

    assert Plait().flows == [Flow("Audit"), Flow("Churn")]
    assert "Churn" in Plait()
    assert "Bids" not in Plait()
    namespace(None)
    assert [flow.id for flow in Plait()] == ["Audit", "Bids", "Churn"]


def test_a_flow_is_found_by_its_name(world: World) -> None:
    """What is missing is a KeyError with a hint, what is hidden says so."""
    world.begin("Churn")
    world.begin("Bids", user="grace")

    assert Plait()["Churn"] == Flow("Churn")
    with pytest.raises(KeyError) as missing:
        Plait()["Chrun"]
    assert isinstance(missing.value, ChildNotFound)
    assert "did you mean 'Churn'?" in str(missing.value)
    with pytest.raises(PlaitNamespaceMismatch):
        Plait()["Bids"]


def test_an_empty_store_has_no_flows(world: World) -> None:
    """Looking at a store in which nothing ran is no mistake."""
    assert Plait().flows == []
    assert "Churn" not in Plait()
    assert repr(Plait()) == "Plait()"
    assert world.metadata.iter_flows() == []


def test_a_pickled_one_leads_to_its_store(world: World, other: World) -> None:
    """Also if another store is the current one where it is unpickled."""
    world.begin("Here")
    other.begin("There")
    metadata("memory@other")
    pickled = pickle.dumps(Plait())
    metadata("memory")

    assert [flow.id for flow in pickle.loads(pickled)] == ["There"]
    assert [flow.id for flow in Plait()] == ["Here"]
