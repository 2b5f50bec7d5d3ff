"""The command of the harness, as a person types it."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from plait_harness.command import main
from plait_harness.home import HOME

ROOT = os.path.dirname(HOME)

PLANTED = '''
from plait_harness import FlowTest, steps


class Planted(FlowTest):
    """Expects what is not so, on one of two graphs."""

    @steps(0, ["all"])
    def every(self):
        self.x = 1

    def check_results(self, flow, checker):
        checker.assert_artifact("end", "x", 2 if len(flow.nodes) > 2 else 1)
'''

GRAPHS = {
    "two": {"start": {"linear": "end"}, "end": {}},
    "three": {"start": {"linear": "a"}, "a": {"linear": "end"}, "end": {}},
}


@pytest.fixture
def theirs(tmp_path):
    """Somebody's own graphs and a test that fails on one of them."""
    (tmp_path / "graphs").mkdir()
    (tmp_path / "tests").mkdir()
    for name, nodes in GRAPHS.items():
        graph = {"name": name, "shows": "It.", "graph": nodes}
        (tmp_path / "graphs" / f"{name}.json").write_text(json.dumps(graph))
    (tmp_path / "tests" / "planted.py").write_text(PLANTED)
    return tmp_path


def run(*arguments: str, cwd: str = ROOT) -> tuple[int, str]:
    """Run the command in a process of its own, and give its exit code and output."""
    done = subprocess.run(
        [sys.executable, os.path.join(HOME, "run_tests.py"), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        # There pytest says each failure a second time, whole, at the end.
        env={name: value for name, value in os.environ.items() if name != "CI"},
    )
    return done.returncode, done.stdout + done.stderr


def test_a_failure_is_told_repeated_and_rerun(theirs):
    """From the first run to the command that it prints, and to --rerun-failed."""
    report = str(theirs / "report")
    shutil.copy(os.path.join(HOME, "checkers", "mli.py"), theirs / "theirs.py")
    own = ["--graphs", "graphs/", "--tests", "tests/"]
    first = ["--contexts", "dev-local", *own, "--checkers", "./theirs.py,builtin"]
    code, said = run(*first, "--report", report, "--num-parallel", "2", cwd=str(theirs))

    assert code == 1, said
    assert "artifact 'x' of end/3: expected 2, got 1" in said
    flow = os.path.join(report, "cases", "Planted.three.dev-local.cli", "flow.py")
    assert f"flow: {flow}" in said
    assert os.path.exists(flow)
    assert re.search(r"three +0 !1\ntwo +1\nall +1 !1\n", said)
    assert "1 failed, 1 passed in" in said
    for name in ("index.html", "junit.xml", "cases.jsonl"):
        assert os.path.exists(os.path.join(report, name)), name

    (command,) = [line.strip() for line in said.splitlines() if " --debug " in line]
    page = (theirs / "report" / "index.html").read_text(encoding="utf-8")
    assert f"<code>{html.escape(command)}</code>" in page
    elsewhere = theirs / "else where"
    elsewhere.mkdir()
    pasted = subprocess.run(
        f"{command} --report {theirs}/debug",
        shell=True,
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    again = pasted.stdout + pasted.stderr
    assert pasted.returncode == 1, again
    assert "artifact 'x' of end/3: expected 2, got 1" in again
    assert "1 failed in" in again
    kept = theirs / "debug" / "cases" / "Planted.three.dev-local.cli" / ".plait" / "store"
    assert kept.is_dir()

    (theirs / "tests" / "planted.py").write_text(PLANTED.replace("2 if len", "1 if len"))
    code, mended = run(
        *("--contexts", "dev-local", *own, "--report", report, "--rerun-failed"),
        *("--num-parallel", "1"),
        cwd=str(theirs),
    )
    assert code == 0, mended
    assert "1 passed in" in mended
    nothing = ["--contexts", "dev-local", *own, "--report", report, "--rerun-failed"]
    code, nothing = run(*nothing, cwd=str(theirs))
    assert (code, nothing) == (2, f"error: nothing failed in {report}: no case to rerun\n")


def test_one_case_is_repeated_by_its_name_in_pytest_too(tmp_path):
    """`pytest harness/contexts.json::Template[graph-context-executor]` runs it."""
    case = f"{HOME}/contexts.json::BasicArtifact[start-end-dev-local-cli]"
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", case, "-q", "-p", "no:cacheprovider"),
            f"--report={tmp_path / 'report'}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed in" in done.stdout


def test_no_case_is_a_failure(capsys):
    """A selection of nothing ends with an exit code that is not 0, and says why."""
    code = main(["--contexts", "dev-local", "--graphs", "linear", "--tests", "JoinInputs"])

    said = capsys.readouterr().err.splitlines()
    assert code == 1
    assert said[0] == "gate cases: no case ran"
    assert said[1].startswith("gate fit: template 'JoinInputs' fits no graph; on linear: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tests", "BasicArtefact"], "error: there is no test 'BasicArtefact'\n  did you mean '"),
        (["--executors", "apy"], "error: there is no executor 'apy'\n  did you mean 'api'?\n"),
        (["--rerun-failed", "--report", "nowhere"], "error: nothing failed in nowhere: no case"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(arguments, said, capsys):
    """The exit code is that for wrong usage."""
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("arguments", [["--list"], ["--debug", "--tests=BasicArtifact"]])
def test_who_reads_no_further_is_no_error(arguments, theirs):
    """As `| head`, which closes what it reads from: no traceback, and what a shell says of that."""
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [
            *(sys.executable, os.path.join(HOME, "run_tests.py")),
            *("--contexts=dev-local", "--graphs=start-end", *arguments),
        ],
        cwd=theirs,
        stdin=subprocess.DEVNULL,
        stdout=writes,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writes)

    assert done.returncode == 141
    said = done.stderr.splitlines()
    assert [line for line in said if not line.startswith("1 done, 0 failed")] == []


def test_output_that_cannot_be_written_is_said():
    """In a line, as where it goes to a file of a full disk."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, os.path.join(HOME, "run_tests.py"), "--contexts=dev-local", "--list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cases.jsonl", "report is not whole: No space left on device"),
        ("index.html", "report is not whole: No space left on device"),
        ("junit.xml", "junit.xml: No space left on device"),
    ],
)
def test_a_full_disk_is_told(name, told, theirs):
    """Where the report has no room: the table is there all the same, and the run fails."""
    (theirs / "report").mkdir()
    (theirs / "report" / name).symlink_to("/dev/full")
    code, said = run(
        *("--contexts", "dev-local", "--graphs", "graphs/two.json", "--tests", "tests/"),
        *("--checkers", "storage", "--debug"),
        cwd=str(theirs),
    )

    assert code == 1, said
    assert f"gate report: {told}\n" in said
    assert re.search(r"^two +1$", said, re.MULTILINE)
    assert "1 passed in" in said
    assert "Traceback" not in said


def test_a_report_that_is_not_whole_is_not_rerun(theirs, capsys):
    """What failed is not known from it."""
    (theirs / "cases.jsonl").write_text('{"id": "A[g')

    assert main(["--rerun-failed", "--report", str(theirs)]) == 2
    path = theirs / "cases.jsonl"
    expected = f"error: {path} is not whole\n  run without --rerun-failed once\n"
    assert capsys.readouterr().err == expected


def test_a_case_that_cannot_run_says_why(theirs):
    """Without what is inside the harness, where that is no bug of it."""
    contexts = theirs / "mine.json"
    contexts.write_text(
        json.dumps(
            {"contexts": [{"name": "mine", "shows": "It.", "pre_command": ["no-such-thing"]}]}
        )
    )
    code, said = run(
        *("--contexts", "mine.json", "--graphs", "graphs/two.json", "--tests", "tests/", "--debug"),
        cwd=str(theirs),
    )

    assert code == 1
    assert "always: pre_command of context 'mine' can't be started: No such file or di" in said
    assert "Traceback" not in said


def test_a_report_that_cannot_be_written_is_said(tmp_path, capsys):
    """Before anything runs."""
    (tmp_path / "file").touch()
    wanted = ["--contexts", "dev-local", "--graphs", "linear", "--tests", "BasicArtifact"]
    assert main([*wanted, "--report", f"{tmp_path}/file/report"]) == 2
    assert "file/report: nothing can be written there\n  Not a directory" in capsys.readouterr().err
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "cases").touch()
    assert main([*wanted, "--report", f"{tmp_path}/report"]) == 2
    assert "report/cases: nothing can be written there\n  File exists" in capsys.readouterr().err


def test_all_that_is_wrong_is_said_at_once(capsys):
    """Names of every kind and numbers, and nothing is run."""
    wrong = [*("--contexts", "nope", "--graphs", "lienar", "--tests", "Foo", "--cover", "9")]
    wrong += ["--repeat", "0", "--shrink-seconds", "-1", "--num-parallel=-2"]

    assert main(wrong) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "error: 8 mistakes"
    told = [line.strip() for line in said[1:] if not line.startswith("    ")]
    assert told == [
        "there is no context 'nope'",
        "there is no graph 'lienar'",
        "there is no test 'Foo'",
        "--cover 9 is not a number from 1 to 4",
        "--repeat 0 is too little",
        "--shrink-seconds -1 is too little",
        "--num-parallel -2 is too little",
        "--shrink-seconds does nothing without --generate",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--contexts", ""], ["--contexts names nothing"]),
        (["--graphs=,", "--tests", " "], ["--graphs names nothing", "--tests names nothing"]),
        (["--mutants", ""], ["--mutants names nothing"]),
        (
            [
                "--mutants",
                "runtime",
                "--contexts",
                "dev-local",
                "--generate=3",
                "--list",
                "-k",
                "x",
            ],
            [
                "--contexts means nothing beside --mutants",
                "--generate means nothing beside --mutants",
                "--list means nothing beside --mutants",
                "-k x means nothing beside --mutants",
            ],
        ),
        (
            ["--mutants", "runtme,join-input-reversed", "--update-kept"],
            [
                "there is no seeded bug 'runtme'",
                "there is no seeded bug 'join-input-reversed'",
                "--mutants means nothing beside --update-kept",
                "--update-kept means nothing beside --mutants",
            ],
        ),
        (
            ["--update-tally", "--graphs", "linear", "--contexts", "dev-local", "--rerun-failed"],
            [
                "--update-tally counts whole contexts, and --graphs leaves some of one",
                "--update-tally counts whole contexts, and --rerun-failed leaves some of one",
            ],
        ),
        (
            ["--update-floors", "--coverage-with", "x", "--shrink-seconds", "3"],
            [
                "--update-floors does nothing without --coverage",
                "--coverage-with does nothing without --coverage",
                "--shrink-seconds does nothing without --generate",
                "--coverage-with x: there is no such file",
            ],
        ),
        (
            ["--list", "--rerun-failed", "--lsit"],
            [
                "--rerun-failed means nothing beside --list, which runs no case",
                "--lsit means nothing beside --list, which runs no case",
            ],
        ),
        (
            ["--debug", "--num-parallel", "2"],
            ["--num-parallel means nothing beside --debug, which runs in order"],
        ),
        (
            ["--graphs", "lienar,start-edn,linear", "--executors", "apy,http"],
            [
                "there is no graph 'lienar'",
                "there is no graph 'start-edn'",
                "there is no executor 'apy'",
                "there is no executor 'http'",
            ],
        ),
    ],
)
def test_no_option_is_passed_over(arguments, told, capsys):
    """What would be as if it had not been given is a mistake, all are told, and nothing runs."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    said = printed.err.removeprefix("error: ").splitlines()
    if said[0] == f"{len(told)} mistakes":
        said = [line.removeprefix("  ") for line in said[1:]]
    assert [line for line in said if not line.startswith("  ")] == told
    assert printed.out == ""


def test_pytests_own_command_passes_over_nothing_either():
    """There it is a wrong usage of pytest's."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", HOME, "--contexts=", "--update-floors"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: 2 mistakes\n  --contexts names nothing\n" in done.stderr


def test_what_goes_together_is_taken(capsys):
    """How a run would go does not matter to a list of it."""
    wanted = ["--contexts", "dev-local", "--graphs", "linear", "--tests", "BasicArtifact"]

    assert main([*wanted, "--list", "--num-parallel=2", "--report=x", "--coverage"]) == 0
    assert "BasicArtifact[linear-dev-local-cli]\n" in capsys.readouterr().out


@pytest.mark.parametrize("number", ["0", "-1"])
def test_no_graphs_cannot_be_generated(number, capsys):
    """It would be a run of nothing that passes, were no case that ran no failure."""
    assert main([f"--generate={number}"]) == 2
    assert f"--generate {number} is not a number of graphs" in capsys.readouterr().err


def test_a_graph_that_is_none_is_named_with_file_and_node(tmp_path, capsys):
    """Before anything runs."""
    path = tmp_path / "odd.json"
    nodes = {"start": {"linear": "nowhere"}, "end": {}}
    path.write_text(json.dumps({"name": "odd", "shows": "It.", "graph": nodes}))

    assert main(["--graphs", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"error: {path} is not a valid graph\n"
        "  node 'start': goes to 'nowhere', which is not in the graph\n"
    )


def test_the_matrix_is_listed_with_what_does_not_fit(capsys):
    """Nothing runs; why something is left out is said."""
    code = main(
        ["--list", "--contexts=dev-local", "--tests=JoinInputs", "--graphs=linear,", "--seed=3"]
    )

    said = capsys.readouterr().out
    assert code == 1
    assert "\n0 cases\n" in said
    assert "not generated: JoinInputs on linear in dev-local: 'step_join' is required" in said
    assert "gate fit: template 'JoinInputs' fits no graph" in said
    assert main(["--list", "--contexts", "dev-local", "--graphs", "start-end"]) == 0
    assert "BasicArtifact[start-end-dev-local-cli]\n" in capsys.readouterr().out


def test_what_is_not_its_own_goes_to_pytest(tmp_path):
    """Any option of pytest works."""
    code, said = run(
        *("--contexts", "dev-local", "--graphs", "start-end", "--tests", "BasicArtifact"),
        *("--report", str(tmp_path / "report"), "--collect-only"),
    )

    assert code == 0
    assert "BasicArtifact[start-end-dev-local-cli]" in said


def test_a_flaky_case_is_named(theirs):
    """Each turn has a folder of its own; one that ends otherwise fails the run."""
    flaky = PLANTED.replace(
        "2 if len(flow.nodes) > 2 else 1",
        "2 if '-2' in checker.run.folder.rpartition('/')[2] else 1",
    )
    (theirs / "tests" / "planted.py").write_text(flaky)
    report = theirs / "report"
    code, said = run(
        *("--contexts", "dev-local", "--graphs", str(theirs / "graphs" / "two.json")),
        *("--tests", str(theirs / "tests"), "--checkers", "storage"),
        *("--report", str(report), "--repeat", "3", "--num-parallel", "1"),
    )

    assert code == 1, said
    suspect = "Planted[two-dev-local-cli] ended 1x failed, 2x passed"
    assert f"gate flaky: {suspect}" in said
    page = (report / "index.html").read_text(encoding="utf-8")
    assert suspect in page
    assert "Planted[two-dev-local-cli]: 1 of 3 failed" in page
    with open(report / "cases.jsonl", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert [(row["turn"], row["outcome"]) for row in rows] == [
        (0, "passed"),
        (1, "failed"),
        (2, "passed"),
    ]
    assert "tally dev-local: 1 cases" in said
