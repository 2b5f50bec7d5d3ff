"""Records go through JSON and come back the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.base.pathspec import AttemptKey, RunKey, parse_pathspec
from plait.base.pathspec import BadPathspec as Bad
from plait.base.records import (
    AttemptFacts,
    Failure,
    FailureKind,
    Frame,
    InputRef,
    TaskOrder,
    Transition,
    TransitionKind,
)

text = st.text(max_size=5)
numbers = st.integers(0, 9)
keys = st.builds(AttemptKey, text, text, text, text, numbers)
refs = st.lists(st.builds(InputRef, text, text, numbers), max_size=3).map(tuple)
frames = st.lists(st.builds(Frame, text, text, numbers, numbers, st.none() | text), max_size=3).map(
    tuple
)
failures = st.none() | st.builds(
    Failure, st.sampled_from(FailureKind), text, text, st.none() | numbers, st.none() | numbers
)
transitions = st.none() | st.builds(
    Transition, st.sampled_from(TransitionKind), st.lists(text).map(tuple), text, numbers
)
facts = st.builds(
    AttemptFacts,
    key=keys,
    ok=st.booleans(),
    started=st.floats(0, 1e9),
    finished=st.floats(0, 1e9),
    parents=refs,
    frames=frames,
    transition=transitions,
    failure=failures,
    handled=failures,
    origin=st.none() | keys,
    system=st.none() | st.just({"pid": 1}),
)
orders = st.builds(
    TaskOrder,
    key=keys,
    inputs=refs,
    parents=refs,
    frames=frames,
    retries=numbers,
    fallback=st.booleans(),
    origin_run=st.none() | text,
)


@given(facts)
def test_facts_come_back_the_same(record: AttemptFacts) -> None:
    """`from_json` is the inverse of `to_json`, through real JSON."""
    assert AttemptFacts.from_json(json.loads(json.dumps(record.to_json()))) == record


@given(orders)
def test_orders_come_back_the_same(record: TaskOrder) -> None:
    """`from_json` is the inverse of `to_json`, through real JSON."""
    assert TaskOrder.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_keys_read_as_people_write_them() -> None:
    """Each key knows those above it."""
    key = AttemptKey("F", "1", "train", "3", 2)

    assert str(key) == "F/1/train/3 (attempt 2)"
    assert str(key.task_key) == "F/1/train/3"
    assert key.task_key.run_key == RunKey("F", "1")
    assert str(RunKey("F", "1")) == "F/1"


def test_pathspecs_are_taken_apart() -> None:
    """The right number of parts comes back."""
    assert parse_pathspec("1/train/3", parts=(2, 3), form="run/step[/task]") == ("1", "train", "3")


@pytest.mark.parametrize("spec", ["1", "1/2/3/4", "1//3", "/1/2", "1/../3", "./1", ""])
def test_what_is_no_pathspec_is_refused(spec: str) -> None:
    """Too few, too many, empty parts, and those that could leave a folder."""
    with pytest.raises(Bad, match="run/step") as raised:
        parse_pathspec(spec, parts=(2, 3), form="run/step[/task]")
    found: Any = raised.value
    assert found.exit_code == 2
