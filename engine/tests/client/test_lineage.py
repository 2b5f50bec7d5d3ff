"""What came before and after a task or a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plait.base.pathspec import RunKey
from plait.base.records import Frame, InputRef, Transition, TransitionKind
from plait.client import lineage
from plait.client.run import Run
from plait.client.step import Step
from plait.client.task import Task

if TYPE_CHECKING:
    from conftest import World


def node(
    following: list[str], parents: list[str], *, joins: str = "", joined_by: str = ""
) -> dict[str, Any]:
    """Give what a run's graph says of a step, as far as it is read here."""
    return {
        "next": following,
        "parents": parents,
        "join": bool(joins),
        "joins": joins or None,
        "joined_by": joined_by or None,
    }


GRAPH = {
    "steps": {
        "start": node(["a", "b"], [], joined_by="join"),
        "a": node(["join"], ["start"]),
        "b": node(["each"], ["start"], joined_by="collect"),
        "each": node(["more"], ["b"]),
        "more": node(["collect"], ["each"]),
        "collect": node(["join"], ["more"], joins="b"),
        "join": node(["end"], ["a", "collect"], joins="start"),
        "end": node([], ["join"]),
    }
}

LINEAR, BRANCH, FOREACH = TransitionKind.LINEAR, TransitionKind.BRANCH, TransitionKind.FOREACH


def inputs(*refs: str) -> tuple[InputRef, ...]:
    """Give the inputs `step/task`."""
    return tuple(InputRef(*ref.split("/"), 0) for ref in refs)


@pytest.fixture
def run(world: World) -> Run:
    """Give a run of two branches, in one of which a foreach of two steps runs over 3 elements."""
    key = world.begin(facts={"graph": GRAPH})
    branch = [Frame("start", "1", n, 2) for n in range(2)]
    world.task(key, "start", "1", transition=Transition(BRANCH, ("a", "b")))
    go = Transition(LINEAR, ("join",))
    world.task(key, "a", "2", parents=inputs("start/1"), frames=branch[:1], transition=go)
    split = Transition(FOREACH, ("each",), "items", 3)
    world.task(key, "b", "3", parents=inputs("start/1"), frames=branch[1:], transition=split)
    # The second elements' tasks are begun the other way round.
    for index, (each, more) in enumerate([("4", "9"), ("5", "8"), ("6", "7")]):
        frames = (branch[1], Frame("b", "3", index, 3, "items"))
        go = Transition(LINEAR, ("more",))
        world.task(key, "each", each, parents=inputs("b/3"), frames=frames, transition=go)
        go, before = Transition(LINEAR, ("collect",)), inputs(f"each/{each}")
        world.task(key, "more", more, parents=before, frames=frames, transition=go)
    go, before = Transition(LINEAR, ("join",)), inputs("more/9", "more/8", "more/7")
    world.task(key, "collect", "10", parents=before, frames=branch[1:], transition=go)
    go, before = Transition(LINEAR, ("end",)), inputs("a/2", "collect/10")
    world.task(key, "join", "11", parents=before, transition=go)
    world.task(key, "end", "12", parents=inputs("join/11"))
    return Run(world.end(key))


def names(tasks: list[Task]) -> list[str]:
    """Give tasks as `step/task`."""
    return ["/".join(task.path_components[2:]) for task in tasks]


def test_the_tasks_before_a_task(run: Run) -> None:
    """For a join in the order of its inputs."""
    before = {names([task])[0]: names(task.parent_tasks) for step in run for task in step}

    assert before == {
        "start/1": [],
        "a/2": ["start/1"],
        "b/3": ["start/1"],
        "each/4": ["b/3"],
        "each/5": ["b/3"],
        "each/6": ["b/3"],
        "more/9": ["each/4"],
        "more/8": ["each/5"],
        "more/7": ["each/6"],
        "collect/10": ["more/9", "more/8", "more/7"],
        "join/11": ["a/2", "collect/10"],
        "end/12": ["join/11"],
    }


def test_the_tasks_after_a_task(run: Run) -> None:
    """In the order of its `self.next`; they are the other side of those before."""
    after = {names([task])[0]: names(task.child_tasks) for step in run for task in step}

    assert after == {
        "start/1": ["a/2", "b/3"],
        "a/2": ["join/11"],
        "b/3": ["each/4", "each/5", "each/6"],
        "each/4": ["more/9"],
        "each/5": ["more/8"],
        "each/6": ["more/7"],
        "more/9": ["collect/10"],
        "more/8": ["collect/10"],
        "more/7": ["collect/10"],
        "collect/10": ["join/11"],
        "join/11": ["end/12"],
        "end/12": [],
    }


def test_the_steps_around_a_step(run: Run) -> None:
    """In the order of the graph."""
    around = {
        step.id: ([s.id for s in step.parent_steps], [s.id for s in step.child_steps])
        for step in run
    }

    assert around == {
        "start": ([], ["a", "b"]),
        "a": (["start"], ["join"]),
        "b": (["start"], ["each"]),
        "each": (["b"], ["more"]),
        "more": (["each"], ["collect"]),
        "collect": (["more"], ["join"]),
        "join": (["a", "collect"], ["end"]),
        "end": (["join"], []),
    }


def test_many_parents_are_listed_not_asked_for_one_by_one(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A join of ten thousand must not take ten thousand questions."""
    monkeypatch.setattr(lineage, "FEW", 2)
    task = run["collect"]["10"]
    world.metadata.questions.clear()

    assert names(task.parent_tasks) == ["more/9", "more/8", "more/7"]
    assert world.metadata.questions == ["list_tasks"]


def test_tasks_of_one_index_in_two_foreaches_are_kept_apart(world: World) -> None:
    """The innermost position alone does not say whose child a task is."""
    key = world.begin(facts={"graph": {"steps": {"s": node(["t"], []), "t": node([], ["s"])}}})
    for outer in range(2):
        frames = (Frame("a", "1", outer, 2, "rows"), Frame("b", str(outer), 0, 1, "columns"))
        go = Transition(LINEAR, ("t",))
        world.task(key, "s", f"{outer + 2}", frames=frames, transition=go)
        world.task(key, "t", f"{outer + 4}", frames=frames, parents=inputs(f"s/{outer + 2}"))
    world.end(key)

    assert [names(task.child_tasks) for task in Step(f"{key}/s")] == [["t/5"], ["t/4"]]


def test_a_foreach_over_nothing_goes_to_its_join(world: World) -> None:
    """Tasks and steps alike."""
    graph = {
        "steps": {
            "start": node(["each"], [], joined_by="join"),
            "each": node(["join"], ["start"]),
            "join": node(["end"], ["each"], joins="start"),
        }
    }
    key = world.begin(facts={"graph": graph})
    nothing = Transition(FOREACH, ("each",), "items", 0)
    world.task(key, "start", "1", transition=nothing)
    world.task(key, "join", "2", parents=inputs("start/1"))
    world.end(key)

    assert names(Task(f"{key}/start/1").child_tasks) == ["join/2"]
    assert names(Task(f"{key}/join/2").parent_tasks) == ["start/1"]
    assert Step(f"{key}/start").child_steps == [Step(f"{key}/join")]
    assert Step(f"{key}/join").parent_steps == [Step(f"{key}/start")]


def test_a_child_that_still_runs_is_not_known_yet(world: World) -> None:
    """What it reads from is written down when it seals."""
    key = world.begin()
    start = world.task(key, "start", "1", transition=Transition(LINEAR, ("s",)))
    world.launch(key, "s", "2")
    before = Task(start).child_tasks

    world.task(key, "s", "2", parents=inputs("start/1"))

    assert before == []
    assert names(Task(start).child_tasks) == ["s/2"]


def test_a_run_that_tells_no_graph_has_no_steps_around_a_step(world: World) -> None:
    """Nothing is guessed."""
    key = world.begin()
    world.task(key, "s", "1")

    assert (Step(f"{key}/s").parent_steps, Step(f"{key}/s").child_steps) == ([], [])


def test_parents_that_were_removed_are_left_out(world: World) -> None:
    """The others stay in their order."""
    key: RunKey = world.begin()
    world.task(key, "s", "1")
    world.task(key, "s", "3")
    join = world.task(key, "join", "4", parents=inputs("s/1", "s/2", "s/3"))
    world.end(key)

    assert names(Task(join).parent_tasks) == ["s/1", "s/3"]
