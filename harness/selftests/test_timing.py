"""What a report says of time, and of cases that do not always end alike."""

from __future__ import annotations

from plait_harness.gates import Breach, check_flaky
from plait_harness.report import CaseRow
from plait_harness.timing import (
    Part,
    Suspect,
    describe_timing,
    find_slowest,
    find_suspects,
    rate_per_core,
    sum_parts,
)


def row(name: str, seconds: float = 1.0, outcome: str = "passed", turn: int = 0) -> CaseRow:
    """Give a case of which half the time is the run, a quarter a judge."""
    return CaseRow(
        id=name,
        context="here",
        executor="cli",
        graph="g",
        template=name,
        outcome=outcome,
        seconds=seconds,
        exit_code=0,
        folder="",
        checks=(),
        phases={"check mli": seconds / 4, "run": seconds / 2},
        turn=turn,
    )


def test_the_parts_of_cases_are_summed_up():
    """The longest first; what no part has is told, too."""
    assert sum_parts([row("A", 1.0), row("B", 3.0)]) == [
        Part("run", 2.0, 0.5),
        Part("check mli", 1.0, 0.25),
        Part("the rest", 1.0, 0.25),
    ]
    assert sum_parts([]) == [Part("the rest", 0.0, 0.0)]


def test_the_slowest_come_first():
    """And no more than ten of them."""
    rows = [row(str(number), float(number)) for number in range(20)]

    assert [each.id for each in find_slowest(rows)] == [str(n) for n in range(19, 9, -1)]


def test_the_rate_is_of_one_core():
    """Two workers that do 60 cases in half a minute do 60 a minute each."""
    assert rate_per_core(60, 30.0, 2) == 60.0
    assert rate_per_core(0, 0.0, 2) == 0.0
    lines = list(describe_timing([row("A"), row("B", 3.0)], 2.0, 2))
    assert lines == [
        "speed: 30 cases a minute per core, 2 at once, 2 s in all",
        "a case's time: run 50%, check mli 25%, the rest 25%",
        "slowest: B 3.0 s, A 1.0 s",
    ]


def test_a_case_that_does_not_always_end_alike_fails_the_run():
    """One that always fails is no suspect: it is a failure."""
    rows = [
        *[row("A", turn=turn) for turn in range(3)],
        *[row("B", outcome="failed", turn=turn) for turn in range(3)],
        *[row("C", outcome=each, turn=n) for n, each in enumerate(("passed", "failed", "passed"))],
    ]
    suspects = find_suspects(rows)

    assert suspects == [Suspect("C", {"failed": 1, "passed": 2})]
    assert list(check_flaky(suspects)) == [Breach("flaky", "C ended 1x failed, 2x passed")]
