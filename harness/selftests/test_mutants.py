"""The gate `mutants` is shown failing, and what it says of bugs that nobody can plant or notice."""

from __future__ import annotations

import json
import os

import pytest

from plait_harness.command import main
from plait_harness.gates import Breach
from plait_harness.hunt import Hunt, Verdict
from plait_harness.mistakes import Mistake
from plait_harness.mutants import (
    check_bugs,
    check_mutants,
    find_cases,
    format_summary,
    format_verdict,
    run_mutants,
)
from plait_harness.planting import (
    Bug,
    BugDoesNotApply,
    Change,
    choose_bugs,
    find_engine_folder,
    load_bugs,
    plant,
)

ENGINE = find_engine_folder()

NOTICED = "BasicArtifact[start-end-dev-local-cli]"

LEAST = 40
"""How many bugs are promised."""


WITHOUT = {
    "tutorials": "flows to learn from, and no part of the engine",
    "s3": "it needs a server, which no context of every run starts; its own tests have one",
    "service": "it is a server, which no context of every run starts; its own tests do",
}
"""Folders of the engine in which no bug is planted, and why."""


def bug(find: str = "nothing", put: str = "", **facts) -> Bug:
    """Give a bug in the file that decides what runs next."""
    whole = {
        "name": "mine",
        "breaks": "It holds.",
        "subsystem": "runtime",
        "file": "runtime/state.py",
        "changes": (Change(find, put),),
        "killed_by": (NOTICED,),
    }
    return Bug(**{**whole, **facts})


def hunt(tmp_path, *bugs: Bug, bound: float = 0.0, engine: str = ENGINE) -> Hunt:
    """Give a hunt for bugs."""
    return Hunt(engine, str(tmp_path / "cases"), find_cases(bugs), bound, workers=2)


def write_bugs(tmp_path, text: str, name: str = "mine.toml") -> str:
    """Write a file of bugs, and give its folder."""
    folder = tmp_path / "bugs"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


SURVIVOR = f"""
[[bug]]
name = "harmless"
breaks = "Nothing."
file = "runtime/state.py"
killed_by = ["{NOTICED}"]

[[bug.change]]
find = '"a join was never reached"'
put = '"no join was reached"'
"""


def test_there_are_bugs_in_every_subsystem():
    """So many as are promised, and one at least in each folder of the engine."""
    bugs = load_bugs().values()
    folders = {
        name
        for name in os.listdir(os.path.join(ENGINE, "plait"))
        if os.path.isdir(os.path.join(ENGINE, "plait", name)) and name[0] not in "_."
    }

    without = folders - {each.file.split("/")[0] for each in bugs}
    assert without <= WITHOUT.keys(), "plant a bug in each"
    assert len(bugs) >= LEAST


def test_every_bug_applies_and_names_cases_that_are_there():
    """So that the gate does not find that out only when it runs."""
    bugs = list(load_bugs().values())
    check_bugs(bugs, ENGINE)

    assert {name for each in bugs for name in each.killed_by} <= find_cases(bugs).keys()


def test_every_bug_stands_in_the_file_of_its_subsystem():
    """So that a person finds it there."""
    misplaced = [
        each.name for each in load_bugs().values() if each.file.split("/")[0] != each.subsystem
    ]

    assert misplaced == []


def test_a_bug_is_planted_in_a_copy(tmp_path):
    """The engine stays as it is, and nothing compiled of the file is left that might be taken."""
    planted = bug("import annotations\n", "import annotations\n\nPLANTED = True\n")
    target = plant(planted, ENGINE, str(tmp_path / "copy"))

    with open(os.path.join(target, "plait", "runtime", "state.py"), encoding="utf-8") as file:
        assert "PLANTED" in file.read()
    with open(os.path.join(ENGINE, "plait", "runtime", "state.py"), encoding="utf-8") as file:
        assert "PLANTED" not in file.read()
    compiled = os.path.join(target, "plait", "runtime", "__pycache__")
    names = os.listdir(compiled) if os.path.isdir(compiled) else []
    assert [name for name in names if name.startswith("state.")] == []


@pytest.mark.parametrize(
    ("stale", "said"),
    [
        (bug("not to be found"), r"mine.*runtime/state\.py any more\n.*does 0 times:\n.*not to be"),
        (bug("import"), r"it is to stand there once, and does \d+ times"),
        (bug(file="runtime/gone.py"), r"runtime/gone\.py any more\n.*there is no such file"),
    ],
    ids=["nowhere", "often", "no file"],
)
def test_a_bug_that_does_not_apply_is_an_error(tmp_path, stale, said):
    """An engine that has moved on does not silently become one without the bug."""
    with pytest.raises(BugDoesNotApply, match=said):
        plant(stale, ENGINE, str(tmp_path / "copy"))
    with pytest.raises(Mistake, match=said):
        check_bugs([stale], ENGINE)
    assert not (tmp_path / "copy").exists()


def test_a_case_that_is_not_there_is_an_error():
    """Whoever renames a template learns which bugs name it."""
    unknown = bug(killed_by=("BasicArtefact[start-end-dev-local-cli]",))

    with pytest.raises(Mistake, match=r"mine: BasicArtefact.*did you mean 'BasicArtifact\[start"):
        find_cases([unknown])


def test_a_bug_that_no_case_notices_fails_the_gate(tmp_path, capsys):
    """It is named, and the exit code says so; the report has it for programs, too."""
    folder = write_bugs(tmp_path, SURVIVOR)
    report = tmp_path / "report"

    assert run_mutants(["all"], str(report), bound=0, folder=folder) == 1
    printed = capsys.readouterr()
    assert "0 of 1 seeded bugs killed" in printed.out
    assert printed.err == "gate mutants: harmless: survived, after 1 cases\n"
    rows = (report / "mutants" / "mutants.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["outcome"] for row in rows] == ["survived"]
    assert "gate mutants: harmless" in (report / "mutants" / "mutants.txt").read_text()


def test_a_hunt_that_is_ended_reports_what_it_found(tmp_path, capsys, monkeypatch):
    """As a run of cases does: with how many bugs were not tried, and no success."""
    folder = write_bugs(tmp_path, SURVIVOR)
    write_bugs(tmp_path, SURVIVOR.replace("harmless", "another"), "other.toml")

    def hunt_all(_, bugs):
        yield Verdict(bugs[0].name, "mine", "killed", "A[g-c-cli]", "cli", "no", 1.0, 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(Hunt, "hunt_all", hunt_all)
    report = tmp_path / "report"

    assert run_mutants(["all"], str(report), bound=0, folder=folder) == 130
    told = "unfinished: 1 of 2 seeded bugs were not tried to the end"
    assert told in capsys.readouterr().out
    rows = (report / "mutants" / "mutants.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["bug"] for row in rows] == ["harmless"]
    assert told in (report / "mutants" / "mutants.txt").read_text()


def test_a_hunt_waits_for_no_more_than_a_case(tmp_path):
    """Once it is ended, the bugs that are being tried are left."""
    seeded = load_bugs()["second-branch-lost"]
    ended = hunt(tmp_path, seeded)
    ended.stopped.set()

    assert ended.hunt(seeded).ran == 0


def test_a_bug_that_another_case_notices_fails_the_gate(tmp_path):
    """Since the next one who looks at the case that it names would learn nothing from it."""
    reversed_join = load_bugs()["second-branch-lost"]
    unnoticed = bug(changes=reversed_join.changes)
    (verdict,) = hunt(tmp_path, unnoticed, bound=60).hunt_all([unnoticed])

    assert verdict.outcome == "killed by another"
    assert verdict.case != NOTICED
    assert verdict.ran > 1
    assert list(check_mutants([verdict])) == [
        Breach("mutants", f"mine: none of its cases notices it, but {verdict.case}: name that")
    ]


def test_an_engine_that_does_not_start_fails_the_gate(tmp_path):
    """Any case would notice that: it says nothing about them."""
    broken = bug("import annotations\n", "import annotations\n\n1 / 0\n")
    (verdict,) = hunt(tmp_path, broken).hunt_all([broken])

    assert (verdict.outcome, verdict.message) == (
        "does not start",
        "ZeroDivisionError: division by zero",
    )
    (breach,) = check_mutants([verdict])
    assert breach.why == "mine: does not start, after 0 cases: ZeroDivisionError: division by zero"


def test_cases_that_fail_without_a_bug_are_told(tmp_path):
    """They would notice anything."""
    lost = load_bugs()["carried-artifacts-dropped"]
    engine = plant(lost, ENGINE, str(tmp_path / "copy"))
    broken = hunt(tmp_path, lost, engine=engine).find_broken(lost.killed_by)

    assert list(broken) == list(lost.killed_by)
    assert "expected \"an artifact 'data' of" in broken[lost.killed_by[0]]


def test_no_bug_is_a_failure():
    """A run that planted nothing has proved nothing."""
    assert list(check_mutants([])) == [Breach("mutants", "no bug was planted")]


def test_bugs_that_are_killed_are_listed_with_who_killed_them():
    """In a line each, and counted by subsystem."""
    verdict = Verdict("mine", "runtime", "killed", "A[g-c-cli]", "cli", "x" * 120, 1.25, 1)

    assert list(check_mutants([verdict])) == []
    assert format_verdict(verdict) == (
        f"killed     1.2 s  runtime    mine  A[g-c-cli]  cli: {'x' * 100}..."
    )
    assert format_summary([verdict, Verdict("b", "flow", "survived")], 9.6) == [
        "flow 0/1, runtime 1/1",
        "1 of 2 seeded bugs killed, in 10 s",
    ]


def test_bugs_are_chosen_by_name_or_subsystem():
    """In any case of letters; an unknown name lists those nearest to it."""
    bugs = {each.name: each for each in (bug(name="a"), bug(name="b", subsystem="flow"))}

    assert [each.name for each in choose_bugs(bugs, ["Flow", "A"])] == ["b", "a"]
    assert [each.name for each in choose_bugs(bugs, ["all"])] == ["a", "b"]
    with pytest.raises(Mistake, match="there is no seeded bug 'flou'\n  did you mean 'flow'"):
        choose_bugs(bugs, ["flou"])


def test_a_wrong_file_of_bugs_names_the_bug(tmp_path):
    """With what is wrong about it."""
    wrong = SURVIVOR.replace("breaks =", "brakes =")

    with pytest.raises(Mistake, match="not a valid file of seeded bugs\n  bug 'harmless': "):
        load_bugs(write_bugs(tmp_path, wrong))
    with pytest.raises(Mistake, match=r"mine\.toml is not TOML"):
        load_bugs(write_bugs(tmp_path, "bug = [[["))


def test_two_bugs_can_not_have_one_name(tmp_path):
    """Also in two files."""
    write_bugs(tmp_path, SURVIVOR)

    with pytest.raises(Mistake, match="bug 'harmless' is there twice\n  mine\n  other"):
        load_bugs(write_bugs(tmp_path, SURVIVOR, "other.toml"))


def test_the_command_plants_bugs(tmp_path, capsys):
    """And says which case killed each."""
    report = str(tmp_path / "report")
    arguments = ["--mutants", "join-inputs-reversed", "--report", report, "--num-parallel", "1"]

    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "runtime    join-inputs-reversed  JoinInputs[small-foreach-dev-local-cli]" in said
    assert "1 of 1 seeded bugs killed" in said
    assert main(["--mutants", "join-input-reversed", "--report", report]) == 2
    assert "did you mean 'join-inputs-reversed'" in capsys.readouterr().err
