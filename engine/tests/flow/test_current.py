"""What `current` answers inside and outside of a task."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plait.base.pathspec import AttemptKey
from plait.flow.current import RunningTask, UnknownCurrent, current, set_current

ANSWERS = {
    "is_running_flow": True,
    "flow_name": "Hello",
    "run_id": "7",
    "step_name": "greet",
    "task_id": "3",
    "pathspec": "Hello/7/greet/3",
    "retry_count": 2,
    "origin_run_id": "5",
    "namespace": "user:ada",
    "username": "ada",
    "parameter_names": ["greeting"],
    "tags": frozenset({"nightly"}),
    "project_name": None,
}


@pytest.fixture(autouse=True)
def nothing_runs() -> Iterator[None]:
    """Leave `current` as it was found."""
    set_current(None)
    yield
    set_current(None)


def start_task() -> None:
    set_current(
        RunningTask(
            key=AttemptKey("Hello", "7", "greet", "3", 2),
            origin_run_id="5",
            namespace="user:ada",
            username="ada",
            parameter_names=("greeting",),
            tags=frozenset({"nightly"}),
        )
    )


def test_current_answers_in_a_task() -> None:
    """Every name has the task's value."""
    start_task()

    assert {name: getattr(current, name) for name in ANSWERS} == ANSWERS
    assert repr(current) == "<current: Hello/7/greet/3>"


def test_current_is_none_outside_of_a_task() -> None:
    """A library may ask anywhere; only `is_running_flow` is False instead of None."""
    answers = {name: getattr(current, name) for name in ANSWERS}

    assert answers == {**dict.fromkeys(ANSWERS), "is_running_flow": False}
    assert repr(current) == "<current: no flow is running>"


def test_current_can_be_asked_with_a_default() -> None:
    """`get` gives the default for what is unknown, and for what is None."""
    assert current.get("run_id", "none") == "none"

    start_task()

    assert current.get("run_id", "none") == "7"
    assert current.get("origin_run_id") == "5"
    assert current.get("card") is None
    assert current.get("project_name", "none") == "none"


def test_current_says_what_it_knows() -> None:
    """`in` is True for a name that has a value."""
    assert "run_id" not in current

    start_task()

    assert "run_id" in current
    assert "project_name" not in current
    assert "card" not in current
    assert 3 not in current


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """It is an AttributeError too, so that `hasattr` works."""
    with pytest.raises(UnknownCurrent, match="did you mean 'run_id'"):
        current.runid  # noqa: B018  # the access is the act
    assert not hasattr(current, "card")
    assert not hasattr(current, "_secret")
