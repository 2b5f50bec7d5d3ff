"""The plan of cleaning removes what nobody needs, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plait.artifacts.store import SealedAttempt
from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import ArtifactRef, AttemptFacts
from plait.metadata.protocol import RunRecord, Status
from plait.upkeep.plan import Policy, find_needed, find_references, plan_removals, plan_sweep

DAY = 86400.0
NOW = 100 * DAY
ENDS = st.sampled_from([Status.DONE, Status.FAILED, Status.LOST, Status.INTERRUPTED])
NONE: frozenset[str] = frozenset()


def record(run: int, status: Status, origin: str | None = None, age: float = 1.0) -> RunRecord:
    """Give a run that ended *age* days ago."""
    finished = None if status is Status.RUNNING else NOW - age * DAY
    key = RunKey("F", str(run))
    return RunRecord(key, NOW - age * DAY, status, finished, NONE, NONE, origin, {}, None, None)


@st.composite
def histories(draw: st.DrawFn) -> list[RunRecord]:
    """Runs, newest first; some resume an earlier one, some go on."""
    count = draw(st.integers(0, 8))
    runs = []
    for number in range(1, count + 1):
        status = draw(ENDS | st.just(Status.RUNNING))
        origin = draw(st.none() | st.integers(1, max(number - 1, 1)).map(str))
        runs.append(record(number, status, origin, draw(st.integers(0, 40))))
    return runs[::-1]


POLICIES = st.builds(
    Policy,
    keep_runs=st.none() | st.integers(0, 5),
    older_than=st.none() | st.integers(0, 40).map(lambda days: days * DAY),
)


@given(histories(), POLICIES)
def test_what_is_removed_is_asked_for_and_not_needed(runs, policy) -> None:
    """Each removed run is over, is none of the newest, is old enough; no run going on resumes it.
    Each that stays has a reason to."""
    removed = {key.run for key in plan_removals(runs, policy, NOW)}

    needed = find_needed(runs)
    for position, run in enumerate(runs):
        wanted = policy.removes_runs and position >= (policy.keep_runs or 0)
        if policy.older_than is not None:
            wanted = wanted and NOW - (run.finished or run.created) > policy.older_than
        assert (run.key.run in removed) == (wanted and run.key.run not in needed)
    for run in runs:
        if run.status is Status.RUNNING:
            assert run.key.run not in removed
            assert run.origin_run not in removed


def test_a_chain_of_resumes_is_needed_whole() -> None:
    """A run that goes on needs what it resumes, and what that resumed; not its siblings."""
    runs = [
        record(5, Status.RUNNING, "3"),
        record(4, Status.DONE, "1"),
        record(3, Status.FAILED, "2"),
        record(2, Status.FAILED, "gone"),
        record(1, Status.DONE),
    ]

    assert find_needed(runs) == {"5", "3", "2"}
    assert plan_removals(runs, Policy(keep_runs=0), NOW) == [RunKey("F", "4"), RunKey("F", "1")]


def test_nothing_asked_for_is_nothing_removed() -> None:
    """Without a policy, every run stays, however old."""
    assert plan_removals([record(1, Status.DONE, age=1000)], Policy(), NOW) == []


@given(
    files=st.dictionaries(st.integers(1, 6).map(str), st.sets(st.integers(0, 3)), max_size=6),
    data=st.sets(st.integers(0, 9)),
    known=st.sets(st.integers(1, 6).map(str)),
    idle=st.booleans(),
    choose=st.randoms(use_true_random=False),
)
def test_a_sweep_takes_all_that_nobody_refers_to(files, data, known, idle, choose) -> None:
    """What stays of the files is of a known run or referred to; of values, referred to."""
    keys = {run: [f"F/runs/{run}/s/{n}.0.attempt" for n in sorted(numbers)]
            for run, numbers in files.items()}  # fmt: skip
    values = [f"F/data/{n}{n}/{n}{n}cc" for n in sorted(data)]
    everything = [key for each in keys.values() for key in each] + values
    referred = {key for key in everything if choose.random() < 0.4}

    sweep = plan_sweep(keys, values, known=known, referred=referred, idle=idle)
    gone = {*sweep.run_files, *sweep.data}
    assert not gone & referred
    assert not {key for run in known for key in keys.get(run, ())} & gone
    free = {key for key in values if key not in referred}
    assert (set(sweep.data), set(sweep.waiting)) == ((free, set()) if idle else (set(), free))
    unknown = {key for run in keys if run not in known for key in keys[run]}
    assert set(sweep.run_files) == unknown - referred


def test_what_is_no_value_is_left_alone() -> None:
    """A file in the folder of values that plait did not put there is none of its business."""
    strange = ["F/data/readme", "F/data/aa/bbcc", "F/data/aa/aacc/x"]

    sweep = plan_sweep({}, [*strange, "F/data/aa/aacc"], known=(), referred=(), idle=True)
    assert sweep.data == ("F/data/aa/aacc",)


def test_an_attempt_refers_to_values_seals_and_the_log_of_its_origin() -> None:
    """Large values by address, small ones by the seal that holds them."""
    origin = AttemptKey("F", "1", "s", "2", 1)
    facts = AttemptFacts(AttemptKey("F", "2", "s", "2", 0), True, 1.0, 2.0, origin=origin)
    sealed = SealedAttempt(
        facts,
        {
            "big": ArtifactRef("aabb", 99999, "bytes", "pickle5"),
            "small": ArtifactRef("ccdd", 5, "int", "pickle5", "F/runs/1/s/2.1.attempt", 40),
        },
    )

    assert find_references(sealed, "F") == {
        "F/data/aa/aabb",
        "F/runs/1/s/2.1.attempt",
        "F/runs/1/s/2.1.log",
    }
