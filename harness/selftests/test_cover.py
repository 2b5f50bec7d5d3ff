"""Covering arrays: few cases, every combination that the matrix has, the same every time."""

from __future__ import annotations

import json

import pytest

from plait_harness.contexts import parse_contexts
from plait_harness.cover import combinations_of, measure_cover, values_of
from plait_harness.gates import Breach, check_cover
from plait_harness.matrix import Selection, build_matrix
from plait_harness.mistakes import Mistake

CONTEXTS = ("dev-local", "local-options", "local-api")


def cover(strength: int | None, seed: int | None = None, **chosen):
    """Build a matrix of three contexts, of which a cover is drawn."""
    return build_matrix(Selection(contexts=CONTEXTS, cover=strength, seed=seed, **chosen))


def test_a_quarter_of_the_matrix_has_all_pairs():
    """Whatever pair of values some case has, one of the few has it, too."""
    matrix = cover(2)
    covered = measure_cover(matrix.whole, [case.id for case in matrix.cases], 2)

    assert matrix.whole == cover(None).cases
    assert len(matrix.cases) <= len(matrix.whole) / 4
    assert covered.reached == covered.allowed > 2000
    assert covered.describe().startswith(
        f"cover: {covered.allowed} of {covered.allowed} pairs that are allowed (100%), "
    )
    assert not matrix.full


def test_no_case_of_a_cover_is_needless():
    """Each has a combination that no other of them has."""
    cases = cover(1).cases
    for case in cases:
        others = {each for other in cases if other != case for each in combinations_of(other, 1)}
        assert not others.issuperset(combinations_of(case, 1))


def test_the_seed_alone_says_which_cases():
    """No seed is seed 0; another one draws others, and as an option also orders them."""
    chosen = [
        {case.id for case in cover(2, seed, tests=("BasicArtifact", "Lineage")).cases}
        for seed in (None, 0, 1)
    ]

    assert chosen[0] == chosen[1] != chosen[2]


def test_what_a_context_varies_is_an_axis():
    """A context with several values of an option is one context, and the option another axis."""
    case = next(
        case
        for case in cover(None).cases
        if case.context.name == "local-options-spawn-many" and case.executor == "api"
    )

    assert values_of(case)[:4] == (
        ("context", "local-options"),
        ("workers", "spawn"),
        ("at-once", "many"),
        ("executor", "api"),
    )
    assert case.context.top_options == ("--workers", "spawn")
    assert case.context.run_options[-2:] == ("--max-workers", "16")


def test_what_did_not_run_is_not_covered():
    """Coverage is counted from what ran, and a cover that did not run as a whole is a failure."""
    matrix = cover(2, graphs=("start-end",), tests=("BasicArtifact",))
    covered = measure_cover(matrix.whole, [matrix.cases[0].id], 2)

    assert covered.ran == 1
    assert 0 < covered.reached < covered.allowed
    assert list(check_cover(covered)) == [
        Breach("cover", f"{covered.allowed - covered.reached} combinations did not run")
    ]
    assert "(100%)" not in covered.describe().partition(", counted")[0]


@pytest.mark.parametrize("strength", [0, 5, -1])
def test_a_strength_that_there_is_not_is_an_error(strength):
    """Values, pairs, threes and fours are what can be covered."""
    with pytest.raises(Mistake, match=f"--cover {strength} is not a number from 1 to 4"):
        cover(strength)


def test_every_context_is_all_of_them():
    """`--contexts all` takes also those that are disabled."""
    whole = build_matrix(Selection(contexts=("all",), graphs=("start-end",), cover=1))
    seen = {case.context.name for case in whole.whole}

    assert {"dev-local", "noisy-locale", "local-options-fork-one"} <= seen


def test_a_setting_leaves_templates_out():
    """With its reason, beside those that the context leaves out."""
    contexts = parse_contexts(
        {
            "contexts": [
                {
                    "name": "mine",
                    "shows": "It.",
                    "disabled_tests": {"Slow": "it is"},
                    "vary": {"at-once": {"one": {"disabled_tests": {"Meet": "two"}}, "many": {}}},
                }
            ]
        }
    )

    assert contexts["mine-one"].disabled_tests == {"Slow": "it is", "Meet": "two"}
    assert contexts["mine-many"].disabled_tests == {"Slow": "it is"}


def test_settings_must_not_have_the_name_of_a_context(tmp_path):
    """Each setting is a context that can be named."""
    path = tmp_path / "mine.json"
    entries = [
        {"name": "mine", "shows": "It.", "vary": {"workers": {"fork": {}, "spawn": {}}}},
        {"name": "mine-fork", "shows": "It."},
    ]
    path.write_text(json.dumps({"contexts": entries}))

    with pytest.raises(Mistake, match="context 'mine-fork' is there twice"):
        build_matrix(Selection(contexts=(str(path),)))
