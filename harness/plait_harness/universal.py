"""What must hold of every case, whatever its template says: pure comparison of what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from plait_harness.model import Prediction, TaskId
from plait_harness.seals import SealedTask

Seen = Mapping[str, Sequence[Mapping[str, Any]]]
"""What a judge saw: for each step its tasks, as `checking` describes them."""

_SHOWN = 5


def check_structure(
    prediction: Prediction, sealed: Sequence[SealedTask], *, complete: bool
) -> list[str]:
    """Compare the sealed attempts of a run with what the model predicts.

    Args:
        prediction: What the model says of the graph.
        sealed: Every sealed attempt.
        complete: Whether the run came to its end; one that failed may lack tasks.

    Returns:
        A sentence for each difference.
    """
    problems = list(_check_attempts(sealed, complete=complete))
    # Each once, however often it was tried.
    shared = _find_shared_ids(dict.fromkeys((seal.step, seal.task) for seal in sealed))
    if shared:
        problems.append(f"ids that several tasks have: {list_some(shared)}")
    names = name_tasks(sealed)
    predicted = {task.id: task for task in prediction.tasks}
    twice = _find_extra(names.values(), predicted)
    if twice:
        # What follows goes by these names.
        return [*problems, f"more than one task is {list_some(map(str, twice))}"]
    unknown = sorted(str(name) for name in names.values() if name not in predicted)
    if unknown:
        problems.append(f"tasks that the graph has no place for: {list_some(unknown)}")
    missing = [str(name) for name in predicted if name not in set(names.values())]
    if missing and complete:
        problems.append(f"tasks that were never run: {list_some(missing)}")
    for seal in _last_attempts(sealed):
        name = names[seal.step, seal.task]
        if name not in predicted:
            continue
        expected = predicted[name]
        stack = [(frame.index, frame.num_splits) for frame in expected.stack]
        if stack != list(seal.frames):
            problems.append(f"{name}: foreach stack {list(seal.frames)}, expected {stack}")
        parents = [str(names.get(parent, parent)) for parent in seal.parents]
        wanted = [str(parent) for parent in expected.parents]
        if parents != wanted:
            problems.append(f"{name}: parents {list_some(parents)}, expected {list_some(wanted)}")
    return problems


def check_seen(
    prediction: Prediction,
    sealed: Sequence[SealedTask],
    judges: Mapping[str, Seen],
    *,
    complete: bool = True,
) -> list[str]:
    """Compare what each judge saw with the seals, with the model, and with what the others saw.

    Args:
        prediction: What the model says of the graph.
        sealed: Every sealed attempt.
        judges: What each judge saw, by its name.
        complete: Whether every task that was begun has sealed something: not in a killed run.

    Returns:
        A sentence for each difference.
    """
    problems: list[str] = []
    names = name_tasks(sealed)
    origins = {(seal.step, seal.task): seal.origin for seal in sealed}
    last = {(seal.step, seal.task): seal.attempt for seal in _last_attempts(sealed)}
    predicted = {task.id: task for task in prediction.tasks}
    for judge, seen in judges.items():
        problems += _check_ids_seen(judge, seen)
        for step, tasks in seen.items():
            # What was killed at work is known by its start, and has sealed nothing to compare.
            ids = {task["task"] for task in tasks if complete or (step, task["task"]) in last}
            kept = {task for its_step, task in last if its_step == step}
            if ids != kept:
                problems.append(
                    f"{judge} shows of {step} the tasks {list_some(sorted(ids))}, "
                    f"sealed are {list_some(sorted(kept))}"
                )
            for task in tasks:
                key = (step, task["task"])
                if key in names and names[key] in predicted:
                    expected = predicted[names[key]]
                    found = _check_shown(task, expected.index, last[key])
                    found += _check_parents(task, expected.parents, names)
                    found += _check_origin(task, origins[key])
                    problems += [f"{judge} shows {names[key]} with {each}" for each in found]
    return problems + list(_check_agreement(judges))


def check_unsealed(prediction: Prediction, judges: Mapping[str, Seen]) -> list[str]:
    """Compare what each judge saw with the model, where the store can't be looked into.

    Args:
        prediction: What the model says of the graph; the run came to its end.
        judges: What each judge saw, by its name.

    Returns:
        A sentence for each difference.
    """
    problems: list[str] = []
    for judge, seen in judges.items():
        problems += _check_ids_seen(judge, seen)
        for step, tasks in seen.items():
            expected = [task.index for task in prediction.of(step)]
            if len(tasks) != len(expected):
                problems.append(f"{judge} shows {len(tasks)} tasks of {step}, not {len(expected)}")
            shown = [task["index"] for task in tasks]
            if any(index is not None for index in shown) and Counter(shown) != Counter(expected):
                problems.append(f"{judge} shows tasks of {step} at {shown}, expected {expected}")
    return problems + list(_check_agreement(judges))


def name_tasks(sealed: Sequence[SealedTask]) -> dict[tuple[str, str], TaskId]:
    """Name each task as the model does, by its step, its place in every open foreach, its turn."""
    places = {
        (seal.step, seal.task): TaskId(seal.step, tuple(index for index, _ in seal.frames))
        for seal in sealed
        if not seal.step.startswith("_")
    }
    names: dict[tuple[str, str], TaskId] = {}
    turns: Counter[TaskId] = Counter()
    # Only a loop brings a flow to one place again, so there the ids are in the order of the turns.
    for key in sorted(places, key=lambda key: (len(key[1]), key[1])):
        names[key] = places[key]._replace(turn=turns[places[key]])
        turns[places[key]] += 1
    return names


def _check_ids_seen(judge: str, seen: Seen) -> Iterator[str]:
    shared = _find_shared_ids((step, task["task"]) for step in seen for task in seen[step])
    if shared:
        yield f"{judge} shows ids that several tasks have: {list_some(shared)}"


def _find_shared_ids(tasks: Iterable[tuple[str, str]]) -> list[str]:
    """Give each id that is not one task's alone, with the steps of those that have it."""
    steps: dict[str, list[str]] = {}
    for step, task in tasks:
        steps.setdefault(task, []).append(step)
    return [f"{task} ({', '.join(own)})" for task, own in steps.items() if len(own) > 1]


def _check_attempts(sealed: Sequence[SealedTask], *, complete: bool) -> Iterator[str]:
    attempts: dict[tuple[str, str], list[SealedTask]] = {}
    for seal in sealed:
        attempts.setdefault((seal.step, seal.task), []).append(seal)
    for (step, task), seals in attempts.items():
        numbers = sorted(seal.attempt for seal in seals)
        if numbers != list(range(len(numbers))):
            yield f"{step}/{task}: attempts {numbers} have a gap"
        good = sorted(seal.attempt for seal in seals if seal.ok)
        if len(good) > 1:
            yield f"{step}/{task}: attempts {good} all succeeded"
        if good and good != numbers[-1:]:
            yield f"{step}/{task}: attempt {good[0]} succeeded, and yet another was made"
        if complete and not good:
            yield f"{step}/{task}: the run came to its end, but no attempt succeeded"


def _last_attempts(sealed: Sequence[SealedTask]) -> list[SealedTask]:
    last: dict[tuple[str, str], SealedTask] = {}
    for seal in sorted(sealed, key=lambda each: each.attempt):
        if not seal.step.startswith("_"):
            last[seal.step, seal.task] = seal
    return list(last.values())


def _check_shown(task: Mapping[str, Any], index: int | None, attempt: int) -> list[str]:
    problems = []
    if task["attempt"] is not None and task["attempt"] != attempt:
        problems.append(f"attempt {task['attempt']}, sealed last is {attempt}")
    # An interface that shows positions shows them where there are some.
    if task["parents"] is not None and task["index"] != index:
        problems.append(f"index {task['index']}, expected {index}")
    return problems


def _check_parents(
    task: Mapping[str, Any],
    expected: Sequence[TaskId],
    names: Mapping[tuple[str, str], TaskId],
) -> list[str]:
    if task["parents"] is None:
        return []
    shown = []
    for parent in task["parents"]:
        step, _, its_task = parent.partition("/")
        shown.append(str(names.get((step, its_task), parent)))
    wanted = [str(each) for each in expected]
    if shown == wanted:
        return []
    return [f"parents {list_some(shown)}, expected {list_some(wanted)}"]


def _check_origin(task: Mapping[str, Any], origin: str | None) -> list[str]:
    # An interface that shows what came before a task shows what it was taken over from, too.
    if task["parents"] is None or task["origin"] == origin:
        return []
    return [f"origin {task['origin']}, sealed is {origin}"]


def _check_agreement(judges: Mapping[str, Seen]) -> Iterator[str]:
    first, *others = judges or [""]
    for other in others:
        for step in judges[first]:
            ones = {task["task"]: task["values"] for task in judges[first][step]}
            twos = {task["task"]: task["values"] for task in judges[other].get(step, ())}
            for task in ones.keys() & twos.keys():
                differing = {
                    name
                    for name in ones[task].keys() | twos[task].keys()
                    if ones[task].get(name) != twos[task].get(name)
                }
                if differing:
                    yield (
                        f"{first} and {other} read different values of {step}/{task}: "
                        f"{list_some(sorted(differing))}"
                    )


def _find_extra(names: Iterable[TaskId], predicted: Container[TaskId]) -> list[TaskId]:
    """Give the places that more tasks were at than the model says."""
    places = (name._replace(turn=0) for name in names if name.turn and name not in predicted)
    return [*dict.fromkeys(place for place in places if place in predicted)]


def list_some(parts: Iterable[str]) -> str:
    """Give the first of some words for a message, and how many there are."""
    listed = list(parts)
    if not listed:
        return "none"
    more = f", ... ({len(listed)})" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
