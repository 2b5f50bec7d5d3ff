"""What the machine has, and what is said of steps that need more."""

from __future__ import annotations

import os
import sys

import pytest

from plait.hooks.step import AttemptPlan, Needs
from plait.runtime import machine
from plait.runtime.machine import describe_excess, find_capacity


def needs(cpu: float = 1, memory: float = 1, gpu: int = 0) -> AttemptPlan:
    """Give the plan of a step that needs so much."""
    return AttemptPlan(needs=Needs(cpu, memory, gpu))


def test_nothing_is_looked_for_if_nobody_asks() -> None:
    """A flow without needs pays nothing."""
    assert find_capacity({"start": AttemptPlan()}) is None
    assert list(describe_excess({"start": AttemptPlan()}, None)) == []


def test_there_are_cores_and_memory() -> None:
    """Those that this process may use."""
    found = find_capacity({"start": AttemptPlan(), "end": needs()})

    assert found is not None
    assert 1 <= found.cpu <= (os.cpu_count() or 1)
    assert found.memory > 100


def test_a_container_may_have_less(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its limit says, unless that says that there is none."""
    limit = f"{tmp_path}/memory.max"
    monkeypatch.setattr(machine, "_CONTAINER_MEMORY", limit)
    plans = {"end": needs()}
    whole = find_capacity(plans)
    for text, expected in (("64000000\n", 64.0), ("max\n", whole and whole.memory)):
        with open(limit, "w") as file:
            file.write(text)
        found = find_capacity(plans)
        assert found is not None
        assert found.memory == expected


def test_where_memory_cannot_be_counted_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a system that does not say what it has."""

    def refuse(_name: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "sysconf", refuse)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    found = find_capacity({"end": needs()})

    assert found is not None
    assert (found.cpu, found.memory) == (os.cpu_count() or 1, sys.maxsize)


def test_graphics_cards_are_those_that_the_system_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it lists none, or nothing at all, nobody waits for one."""

    def refuse(_folder: str) -> list[str]:
        raise FileNotFoundError

    cards = []
    listings = (lambda _: ["null", "nvidia0", "nvidia1", "nvidiactl"], lambda _: [], refuse)
    for listing in listings:
        monkeypatch.setattr(os, "listdir", listing)
        found = find_capacity({"end": needs()})
        cards.append(found and found.gpu)

    assert cards == [2, sys.maxsize, sys.maxsize]


def test_a_step_that_needs_more_is_told_of() -> None:
    """With what it asks for and what there is, and how it runs all the same."""
    plans = {"start": needs(), "train": needs(64, 100_000, 1), "end": AttemptPlan()}
    (note,) = describe_excess(plans, Needs(2, 8000, 1))

    assert note == (
        "step 'train' asks for 64 cores (this machine has 2) and 100000 MB (this machine has "
        "8000): its tasks run one at a time, each with all that there is"
    )
