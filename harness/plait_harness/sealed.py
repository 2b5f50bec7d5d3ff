"""What the runs of a case left in its store, read from the files and held against the model."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from plait_harness.model import Prediction
from plait_harness.resumed import Clones, check_clones, trace_clones
from plait_harness.seals import DamagedSeal, SealedTask, SealReader
from plait_harness.universal import Seen, check_seen, check_structure


@dataclass(frozen=True, slots=True)
class SealedRuns:
    """What the runs of a case sealed.

    Args:
        runs: The id of each run and its sealed attempts; each run was resumed by the next.
        clones: What the last one took over, as the model says.
        reader: What read them, and so has checked what they refer to.
    """

    runs: Sequence[tuple[str, Sequence[SealedTask]]]
    clones: Clones
    reader: SealReader


def read_sealed_runs(
    store: str, flow: str, runs: Sequence[str], prediction: Prediction, rerun: Collection[str]
) -> SealedRuns | DamagedSeal | None:
    """Read what runs sealed.

    Args:
        store: The folder that holds the values of all flows: `.plait/store`.
        flow: The flow's name.
        runs: The ids of the runs, of which each resumed the one before it.
        prediction: What the model says of the graph.
        rerun: The steps that each resumed run was asked to run again.

    Returns:
        What they sealed; or what is damaged; None where the files of the store are not for reading
        here, or there is no run.
    """
    if not runs or not os.path.isdir(store):
        return None
    reader = SealReader(store)
    try:
        sealed = [(run, reader.read_run(flow, run)) for run in runs]
    except DamagedSeal as damage:
        return damage
    return SealedRuns(sealed, trace_clones(prediction, flow, sealed, rerun), reader)


def check_sealed_runs(
    left: SealedRuns,
    prediction: Prediction,
    seen: Mapping[str, Seen],
    *,
    complete: bool,
    changing: Collection[str],
    killed: bool = False,
) -> list[str]:
    """Compare what the runs of a case sealed with the model, and with what the judges saw.

    Args:
        left: What they sealed.
        prediction: What the model says of the graph.
        seen: What each judge saw of the last run, by its name.
        complete: Whether the last run came to its end; those before it did not.
        changing: Names of artifacts that follow the code, and not the run that was resumed.
        killed: Whether the last run's process was killed, with tasks at work.

    Returns:
        A sentence for each difference.
    """
    *before, (last, sealed) = left.runs
    if last in [run for run, _ in before]:
        return [f"the resumed run has the id of one before it, {last}"]
    problems = [
        f"run {number}, which was resumed: {problem}"
        for number, (_, attempts) in enumerate(before, start=1)
        for problem in check_structure(prediction, attempts, complete=False)
    ]
    resumed = before[-1][1] if before else ()
    return [
        *problems,
        *check_structure(prediction, sealed, complete=complete),
        *check_clones(sealed, left.clones, resumed, changing=changing),
        *check_seen(prediction, sealed, seen, complete=not killed),
    ]
