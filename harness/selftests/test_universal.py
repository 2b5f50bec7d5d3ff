"""What holds of every case: differences between model, seals and judges are found and told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plait_harness.model import predict
from plait_harness.seals import SealedTask
from plait_harness.universal import check_seen, check_structure, check_unsealed


@pytest.fixture
def prediction(shapes):
    """What the model says of a foreach over three elements."""
    return predict({"name": "g", "shows": "", "graph": shapes["foreach"]})


def seal(step, task, parents=(), frames=(), attempt=0, ok=True):
    """Give a sealed attempt."""
    return SealedTask(step, task, attempt, ok, tuple(parents), tuple(frames), frozenset({"x"}))


def right():
    """Give the sealed attempts of a right run: its parameters, and six tasks."""
    inner = [seal("inner", str(2 + i), [("start", "1")], [(i, 3)]) for i in range(3)]
    return [
        seal("_parameters", "0"),
        seal("start", "1"),
        *inner,
        seal("join", "5", [("inner", "2"), ("inner", "3"), ("inner", "4")]),
        seal("end", "6", [("join", "5")]),
    ]


def see(sealed, *, structure=True):
    """Give what a judge shows of sealed attempts; one that shows no structure shows values only."""
    seen: dict[str, list[dict[str, object]]] = {}
    for each in sealed:
        if not each.step.startswith("_"):
            seen.setdefault(each.step, []).append(
                {
                    "task": each.task,
                    "values": {"x": "abc"},
                    "attempt": each.attempt if structure else None,
                    "origin": each.origin if structure else None,
                    "index": each.frames[-1][0] if each.frames and structure else None,
                    "parents": ["/".join(p) for p in each.parents] if structure else None,
                }
            )
    return seen


def changed(sealed, step, task, **facts):
    """Give the attempts with one of them changed."""
    return [replace(s, **facts) if (s.step, s.task) == (step, task) else s for s in sealed]


def test_a_right_run_has_no_differences(prediction):
    """Neither in its seals, nor in what two judges show."""
    judges = {"mli": see(right()), "cli": see(right(), structure=False)}

    assert check_structure(prediction, right(), complete=True) == []
    assert check_seen(prediction, right(), judges) == []


def test_join_order_is_part_of_the_structure(prediction):
    """Inputs of a join in another order are a difference."""
    turned = [("inner", "4"), ("inner", "3"), ("inner", "2")]

    assert check_structure(
        prediction, changed(right(), "join", "5", parents=tuple(turned)), complete=True
    ) == [
        "join: parents inner[2], inner[1], inner[0], expected inner[0], inner[1], inner[2]",
    ]


def test_an_id_is_one_tasks_alone(prediction):
    """In a whole run, and not only in a step: by the files, and by each interface."""
    again = [replace(each, task="4") if each.step == "join" else each for each in right()]
    again = changed(again, "end", "6", parents=(("join", "4"),))
    twice = see(right())
    twice["inner"].append(twice["inner"][0])

    assert check_structure(prediction, again, complete=True) == [
        "ids that several tasks have: 4 (inner, join)"
    ]
    assert check_seen(prediction, again, {"cli": see(again), "mli": see(again)}) == [
        "cli shows ids that several tasks have: 4 (inner, join)",
        "mli shows ids that several tasks have: 4 (inner, join)",
    ]
    assert check_seen(prediction, right(), {"mli": twice}) == [
        "mli shows ids that several tasks have: 2 (inner, inner)"
    ]
    assert check_unsealed(prediction, {"cli": see(again, structure=False)}) == [
        "cli shows ids that several tasks have: 4 (inner, join)"
    ]
    retried = [*changed(right(), "join", "5", ok=False), seal("join", "5", attempt=1)]
    assert not any("ids" in each for each in check_structure(prediction, retried, complete=False))


def test_stacks_are_part_of_the_structure(prediction):
    """A wrong width is a difference."""
    assert check_structure(
        prediction, changed(right(), "inner", "3", frames=((1, 4),)), complete=True
    ) == ["inner[1]: foreach stack [(1, 4)], expected [(1, 3)]"]


def test_missing_and_unknown_tasks_are_told(prediction):
    """A run that failed may lack tasks; one that came to its end may not."""
    less = [each for each in right() if each.task != "4"]
    odd = [*right(), seal("elsewhere", "9")]

    assert "tasks that were never run: inner[2]" in check_structure(prediction, less, complete=True)
    assert check_structure(prediction, right()[:3], complete=False) == []
    assert check_structure(prediction, odd, complete=True) == [
        "tasks that the graph has no place for: elsewhere"
    ]


def test_one_place_has_one_task(prediction):
    """Two tasks for the same element are told at once."""
    twice = [*right(), seal("inner", "7", [("start", "1")], [(1, 3)])]

    assert check_structure(prediction, twice, complete=True) == ["more than one task is inner[1]"]


@pytest.mark.parametrize(
    ("attempts", "said"),
    [
        ([(0, False), (2, True)], "end/6: attempts [0, 2] have a gap"),
        ([(1, True)], "end/6: attempts [1] have a gap"),
        ([(0, True), (1, True)], "end/6: attempts [0, 1] all succeeded"),
        ([(0, True), (1, False)], "end/6: attempt 0 succeeded, and yet another was made"),
        ([(0, False)], "end/6: the run came to its end, but no attempt succeeded"),
    ],
)
def test_attempts_have_no_gap_and_the_last_is_the_one_that_counts(prediction, attempts, said):
    """Exactly one attempt succeeds, the last one, and none is missing before it."""
    ends = [seal("end", "6", [("join", "5")], attempt=n, ok=ok) for n, ok in attempts]

    assert said in check_structure(prediction, [*right()[:-1], *ends], complete=True)


def test_what_a_judge_does_not_show_is_told(prediction):
    """A task lost by an interface, a wrong attempt, index or parent: each is a difference."""
    seen = see(right())
    seen["inner"][0]["attempt"] = 3
    seen["inner"][1]["index"] = 2
    seen["end"][0]["parents"] = ["start/1"]
    seen["join"][0]["origin"] = "F/1/join/5"
    del seen["inner"][2]

    assert check_seen(prediction, right(), {"mli": seen}) == [
        "mli shows of inner the tasks 2, 3, sealed are 2, 3, 4",
        "mli shows inner[0] with attempt 3, sealed last is 0",
        "mli shows inner[1] with index 2, expected 1",
        "mli shows join with origin F/1/join/5, sealed is None",
        "mli shows end with parents start, expected join",
    ]


def test_judges_have_to_agree(prediction):
    """Different values, and values that only one shows, are differences."""
    mli, cli = see(right()), see(right(), structure=False)
    cli["join"][0]["values"] = {"x": "abd", "y": "only here"}

    assert check_seen(prediction, right(), {"mli": mli, "cli": cli}) == [
        "mli and cli read different values of join/5: x, y"
    ]
