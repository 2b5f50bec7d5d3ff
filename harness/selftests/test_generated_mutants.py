"""The gate `generated mutants` is shown failing, and what mutmut prints is read as it is meant."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

import pytest

from plait_harness.gates import Breach
from plait_harness.generated_mutants import (
    Verdict,
    check_score,
    choose_sample,
    format_verdicts,
    load_equivalents,
    main,
    try_mutants,
    write_report,
)
from plait_harness.mistakes import Mistake, UnknownName
from plait_harness.mutation import (
    TESTS,
    Difference,
    clean_output,
    function_of,
    lay_out,
    read_difference,
    read_verdicts,
    subject_of,
)
from plait_harness.planting import find_engine_folder

ENGINE = find_engine_folder()

NAMES = [f"plait.flow.merge.x__conflict__mutmut_{number}" for number in range(1, 9)]

RESULTS = """    plait.flow.inputs.xǁJoinInputǁ__dir____mutmut_11: survived
    plait.graph.read.x_show_path__mutmut_6: killed
    plait.runtime.state.xǁRunStateǁ_fail__mutmut_1: not checked
"""

SHOWN = """# plait.flow.merge.x__conflict__mutmut_3: survived
--- src/plait/flow/merge.py
+++ src/plait/flow/merge.py
@@ -13,7 +13,7 @@
     return Finding(
         slug=MergeArtifactsException.slug,
-        why="; ".join(shown[:4]) + more,
+        why="; ".join(shown[:5]) + more,
         where=where,
     )
"""

CHANGE = Difference(
    "plait.flow.merge._conflict",
    'why="; ".join(shown[:4]) + more,',
    'why="; ".join(shown[:5]) + more,',
)


class FakeMutmut:
    """Knows some mutants and what comes of each."""

    def __init__(self, survivors: Sequence[str]) -> None:
        self.survivors = survivors
        self.shown: list[str] = []

    def generate(self) -> list[str]:
        return NAMES

    def judge(self, names: Sequence[str]) -> Mapping[str, str]:
        return {name: "survived" if name in self.survivors else "killed" for name in names}

    def show(self, name: str) -> Difference:
        self.shown.append(name)
        return Difference(function_of(name), "was", name[-1])


def verdicts(**counts: int) -> list[Verdict]:
    """Give so many verdicts of each status."""
    return [
        Verdict(f"plait.flow.x_f__mutmut_{status}_{number}", "flow", status)
        for status, count in counts.items()
        for number in range(count)
    ]


def write_list(tmp_path, text: str) -> str:
    """Write a file of equivalents."""
    (tmp_path / "equivalent.toml").write_text(text, encoding="utf-8")
    return str(tmp_path / "equivalent.toml")


@pytest.mark.parametrize(
    ("counts", "passes"),
    [
        ({"killed": 17, "survived": 3}, True),
        ({"killed": 16, "survived": 4}, False),
        ({"killed": 16, "timeout": 1, "survived": 3}, True),
        ({"killed": 16, "no tests": 4}, False),
        ({}, False),
    ],
)
def test_too_few_that_are_noticed_fail(counts, passes):
    """What no test comes through, or what was not tried, is not noticed."""
    found = [breach.gate for breach in check_score(verdicts(**counts))]

    assert found == ([] if passes else ["generated mutants"])


def test_a_reason_raises_no_score_and_a_wrong_one_fails():
    """A list of excuses helps nobody; one that a test disproves is to go."""
    listed = Verdict("plait.flow.x_f__mutmut_1", "flow", "survived", CHANGE, "it is so")
    noticed = Verdict("plait.flow.x_f__mutmut_2", "flow", "killed", CHANGE, "it is so")

    (low,) = check_score([*verdicts(killed=5), listed])
    assert low.why.startswith("tests notice 83.33% of the mutants")
    assert list(check_score([*verdicts(killed=5), noticed])) == [
        Breach(
            "generated mutants", f"{noticed.name} is listed as equivalent, and a test notices it"
        )
    ]


def test_a_sample_hangs_on_the_seed_and_each_name_alone():
    """So that a mutant more or less changes hardly anything of it."""
    chosen = choose_sample(NAMES, 4, 1)

    assert choose_sample(NAMES[::-1], 4, 1) == chosen
    assert choose_sample(NAMES, 4, 2) != chosen
    assert sorted(choose_sample(NAMES, 0, 1)) == NAMES
    assert [n for n in choose_sample([*NAMES, "more"], 5, 1) if n != "more"][:4] == chosen


def test_survivors_are_shown_and_known_ones_have_their_reason():
    """Of others, only the function's own are looked at, for a reason that is wrong."""
    tool = FakeMutmut(NAMES[:2])
    known = {Difference("plait.flow.merge._conflict", "was", "1"): "it makes no difference"}
    found = {each.name: each for each in try_mutants(tool, known)}

    assert found[NAMES[0]].reason == "it makes no difference"
    assert found[NAMES[1]].reason == ""
    assert found[NAMES[1]].change == Difference("plait.flow.merge._conflict", "was", "2")
    assert not found[NAMES[1]].is_noticed
    assert len(tool.shown) == len(NAMES)
    again = FakeMutmut(NAMES[:2])
    try_mutants(again, {})
    assert sorted(again.shown) == NAMES[:2]


def test_some_may_be_asked_for_by_name():
    """One that there is not is a mistake."""
    assert [each.name for each in try_mutants(FakeMutmut([]), {}, only=NAMES[:1])] == NAMES[:1]
    with pytest.raises(UnknownName, match="there is no mutant 'x'"):
        try_mutants(FakeMutmut([]), {}, only=["x"])


def test_the_report_tells_of_each_survivor_and_of_each_subject(tmp_path):
    """As text, with what it changes, and as rows for programs."""
    survivor = Verdict(NAMES[2], "flow", "survived", CHANGE)
    known = Verdict(NAMES[3], "flow", "survived", CHANGE, "it is so")
    found = [known, survivor, Verdict("plait.graph.x_f__mutmut_1", "graph", "timeout")]
    lines = format_verdicts(found)
    write_report(str(tmp_path), found, lines)

    assert lines == [
        f"survived  {NAMES[2]}",
        '    - why="; ".join(shown[:4]) + more,',
        '    + why="; ".join(shown[:5]) + more,',
        "",
        f"equivalent  {NAMES[3]}",
        '    - why="; ".join(shown[:4]) + more,',
        '    + why="; ".join(shown[:5]) + more,',
        "    because it is so",
        "",
        "flow              0 of     2 noticed, 1 survived, 1 equivalent",
        "graph             1 of     1 noticed, 0 survived, 0 equivalent",
        "1 of 3 generated mutants noticed: 33.33%, and 1 are known to be equivalent",
    ]
    assert (tmp_path / "mutants.txt").read_text(encoding="utf-8").splitlines() == lines
    rows = (tmp_path / "mutants.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(rows[1])["change"]["function"] == "plait.flow.merge._conflict"


def test_what_mutmut_prints_is_read():
    """Verdicts by name, and a change without what stands around it."""
    assert read_verdicts(RESULTS) == {
        "plait.flow.inputs.xǁJoinInputǁ__dir____mutmut_11": "survived",
        "plait.graph.read.x_show_path__mutmut_6": "killed",
        "plait.runtime.state.xǁRunStateǁ_fail__mutmut_1": "not checked",
    }
    assert read_difference(NAMES[2], SHOWN) == CHANGE
    assert clean_output("\r⠋ busy\r⠙ busy\r    done\nend\n".encode()) == "    done\nend\n"


@pytest.mark.parametrize(
    ("name", "function", "subject"),
    [
        (NAMES[0], "plait.flow.merge._conflict", "flow"),
        ("plait.graph.read.x_show_path__mutmut_6", "plait.graph.read.show_path", "graph"),
        ("plait.graph.validate.x_validate__mutmut_16", "plait.graph.validate.validate", "graph"),
        (
            "plait.runtime.state.xǁRunStateǁ_fail__mutmut_1",
            "plait.runtime.state.RunState._fail",
            "runtime.state",
        ),
        (
            "plait.artifacts.errors.xǁDamagedǁ__init____mutmut_11",
            "plait.artifacts.errors.Damaged.__init__",
            "artifacts",
        ),
    ],
)
def test_a_mutants_name_says_its_function(name, function, subject):
    """Which is how it is listed, for its number moves."""
    assert (function_of(name), subject_of(name)) == (function, subject)


def test_what_is_listed_is_still_in_the_engine():
    """With reasons; a stale one would excuse something else one day."""
    assert all(load_equivalents(ENGINE).values())


LISTED = """
[[equivalent]]
function = "plait.{function}"
was = "gone = 1"
becomes = ["gone = 2"]
reason = "it makes no difference at all"
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[equivalent]\n", "is not TOML"),
        ("[[equivalent]]\nfunction = 'plait.f'\n", "is not a valid file of equivalent mutants"),
        (
            LISTED.format(function="flow.merge._conflict"),
            "plait.flow.merge._conflict\n  - gone = 1",
        ),
        (LISTED.format(function="nowhere.f"), "the engine is not as the equivalent mutants expect"),
    ],
)
def test_a_list_that_is_wrong_is_a_mistake(tmp_path, text, said):
    """Before anything is tried."""
    with pytest.raises(Mistake) as caught:
        load_equivalents(ENGINE, write_list(tmp_path, text))
    assert said in str(caught.value)


def test_the_copy_has_what_mutmut_needs(tmp_path, monkeypatch):
    """Every file and test that it is told of is there."""
    import tomllib

    def link(source: str, target: str, **_: object) -> None:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(source, target)

    # The copy itself would take longer than all other tests here.
    monkeypatch.setattr("plait_harness.mutation.shutil.copytree", link)
    lay_out(str(tmp_path))
    told = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "mutmut"
    ]

    assert told["pytest_add_cli_args_test_selection"] == list(TESTS)
    assert all((tmp_path / test).exists() for test in TESTS)
    assert all(list(tmp_path.glob(pattern)) for pattern in told["only_mutate"])
    assert all((tmp_path / name).exists() for name in told["also_copy"])


def test_without_the_tests_there_is_nothing_to_judge_by(tmp_path, monkeypatch, capsys):
    """An installed plait has none."""
    monkeypatch.setattr("plait_harness.mutation.find_engine_folder", lambda: str(tmp_path / "site"))

    assert main(["--report", str(tmp_path / "report"), "--num-parallel", "1"]) == 2
    assert "there is no engine/plait beside the engine" in capsys.readouterr().err
