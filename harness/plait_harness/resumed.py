"""What a resumed run must have taken over from those before it, by the model's own rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from plait_harness.model import Prediction, TaskId
from plait_harness.outcomes import plan_clones
from plait_harness.seals import SealedTask
from plait_harness.universal import list_some, name_tasks

Clones = Mapping[tuple[str, str], str]
"""The tasks that a run took over: step and task id -> pathspec of the task whose code ran."""


def trace_clones(
    prediction: Prediction,
    flow: str,
    runs: Sequence[tuple[str, Sequence[SealedTask]]],
    rerun: Collection[str] = (),
) -> Clones:
    """Predict what the last of some runs took over, each of which resumed the one before it.

    Args:
        prediction: What the model says of the graph.
        flow: The flow's name.
        runs: The id of each run, and its sealed attempts.
        rerun: The steps that were asked to run again, each time.
    """
    clones: dict[tuple[str, str], str] = {}
    ran: dict[TaskId, str] = {}
    finished: set[TaskId] = set()
    for run, sealed in runs:
        names = name_tasks(sealed)
        taken = set(plan_clones(prediction, finished, rerun=rerun))
        clones = {key: ran[name] for key, name in names.items() if name in taken}
        ran = {
            name: clones.get(key, f"{flow}/{run}/{key[0]}/{key[1]}") for key, name in names.items()
        }
        finished = {
            names[seal.step, seal.task]
            for seal in sealed
            if seal.ok and (seal.step, seal.task) in names
        }
    return clones


def check_clones(
    sealed: Sequence[SealedTask],
    clones: Clones,
    before: Sequence[SealedTask],
    *,
    changing: Collection[str] = (),
) -> list[str]:
    """Compare what a resumed run sealed with what it must have taken over.

    Args:
        sealed: Its sealed attempts.
        clones: What the model says that it took over.
        before: The sealed attempts of the run that it resumed.
        changing: Names of artifacts that follow the code, and not the run before.

    Returns:
        A sentence for each difference.
    """
    return [
        *_check_origins(sealed, clones),
        *_check_values(sealed, clones, before, frozenset(changing)),
    ]


def _check_origins(sealed: Sequence[SealedTask], clones: Clones) -> Iterator[str]:
    wrong: dict[str, list[str]] = {"ran again": [], "was taken over": [], "has another origin": []}
    for seal in sealed:
        expected = clones.get((seal.step, seal.task))
        if seal.origin == expected:
            continue
        kind = "has another origin"
        if seal.origin is None or expected is None:
            kind = "ran again" if seal.origin is None else "was taken over"
        wrong[kind].append(f"{seal.step}/{seal.task} ({seal.origin}, expected {expected})")
    for kind, tasks in wrong.items():
        if tasks:
            yield f"of the tasks of the resumed run {kind}: {list_some(tasks)}"


def _check_values(
    sealed: Sequence[SealedTask],
    clones: Clones,
    before: Sequence[SealedTask],
    changing: frozenset[str],
) -> Iterator[str]:
    names, old_names = name_tasks(sealed), name_tasks(before)
    left = {old_names[s.step, s.task]: s for s in before if s.ok and not s.step.startswith("_")}
    for seal in sealed:
        origin = left.get(names.get((seal.step, seal.task), TaskId("")))
        if (seal.step, seal.task) not in clones or origin is None:
            continue
        differing = {
            name
            for name in (seal.addresses.keys() | origin.addresses.keys()) - changing
            if seal.addresses.get(name) != origin.addresses.get(name)
        }
        if differing:
            yield (
                f"{seal.step}/{seal.task} was taken over with other values of "
                f"{list_some(sorted(differing))}"
            )
