"""The gates, the tally, the table and the report: each gate is shown failing."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

from plait_harness.cover import Coverage
from plait_harness.gates import Breach, check_cases, check_fit, read_tally, write_tally
from plait_harness.lock import Lock
from plait_harness.matrix import Excluded, Matrix
from plait_harness.mistakes import Mistake
from plait_harness.options import OPTIONS, read_options
from plait_harness.overview import Overview, write_page
from plait_harness.plugin import _SESSION, CaseItem, pytest_collection_finish
from plait_harness.progress import Cell, Progress, format_table
from plait_harness.report import (
    CaseRow,
    forget_stale_cases,
    read_failed,
    summarize,
    tidy_case,
    write_rows,
)
from plait_harness.session import Session


def row(name="A", graph="g", outcome="passed", context="here", **facts) -> CaseRow:
    """Give a case and how it went."""
    whole = {
        "id": f"{name}[{graph}-{context}-cli]",
        "context": context,
        "executor": "cli",
        "graph": graph,
        "template": name,
        "outcome": outcome,
        "seconds": 0.5,
        "exit_code": 0,
        "folder": f"cases/{name}.{graph}.{context}.cli",
        "checks": [
            {"checker": "cli", "outcome": outcome, "message": f"<{outcome}>", "seconds": 0.1}
        ],
        "phases": {"run": 0.25},
    }
    return CaseRow(**{**whole, **facts})


def test_no_case_is_a_failure():
    """A run that ran nothing has proved nothing."""
    assert list(check_cases({}, Matrix(()), {}, ())) == [Breach("cases", "no case ran")]


def test_fewer_cases_than_the_tally_kept_is_a_failure():
    """For contexts that ran in full; others can't be compared."""
    tally = {"here": 10, "there": 5}
    full = Matrix((), full=frozenset({"here"}))

    assert list(check_cases({"here": 9, "there": 1}, full, tally, ())) == [
        Breach("cases", "here: 9 cases ran, the tally kept is 10")
    ]
    assert list(check_cases({"here": 11, "there": 1}, full, tally, ())) == []
    assert list(check_cases({"there": 1}, Matrix(()), tally, ())) == []


def test_a_context_that_was_asked_for_has_to_run():
    """One that merely could not is reported; one that was named is missed."""
    matrix = Matrix((), not_run={"old": "there is no interpreter 'python9.9'"})

    assert list(check_cases({"here": 1}, matrix, {}, ())) == []
    assert list(check_cases({"here": 1}, matrix, {}, ("OLD",))) == [
        Breach("cases", "old was asked for and can't run: there is no interpreter 'python9.9'")
    ]


def test_what_fits_nothing_is_a_failure():
    """Templates and graphs that are alone do nothing, which nobody would notice."""
    matrix = Matrix((), lonely=("template 'Mine' fits no graph; on g: because",))

    assert list(check_fit(matrix)) == [
        Breach("fit", "template 'Mine' fits no graph; on g: because")
    ]


def test_the_tally_keeps_what_ran_in_full(tmp_path):
    """What did not run in full stays as it was."""
    path = str(tmp_path / "tally.json")
    assert read_tally(path) == {}
    write_tally({"here": 3, "there": 4}, frozenset({"here", "there"}), path)

    assert write_tally({"here": 5, "there": 1}, frozenset({"here"}), path) == {
        "here": 5,
        "there": 4,
    }
    assert read_tally(path) == {"here": 5, "there": 4}


def test_the_table_is_by_graph_and_context():
    """Failures stand out; what did not run has a dash; the last line is the sum."""
    rows = [
        row(graph="small"),
        row("B", graph="small", outcome="failed"),
        row(graph="wide", context="there-it-is"),
    ]

    assert format_table(summarize(rows)) == [
        "graph       here  there-it-is",
        "small       1 !1            -",
        "wide           -            1",
        "all         1 !1            1",
    ]


def test_progress_is_one_line_on_a_terminal_and_a_few_elsewhere(capsys):
    """It says done, failed, left and rate."""
    import sys

    cell = Cell("here", "g", 1, 0, 0.5)
    assert cell.passed == 1
    for is_terminal in (True, False):
        progress = Progress(sys.stdout, is_terminal=is_terminal)
        progress.total = 2
        progress.count(failed=False)
        progress.count(failed=True)
        progress.close()
        assert progress.line(60.0) == "2 done, 1 failed, 0 left, 2 cases a minute"
    printed = capsys.readouterr().out
    assert printed.startswith("\r2 done, 1 failed, 0 left, ")
    assert printed.count("\n") == 2


def test_the_report_has_rows_for_programs(tmp_path):
    """Each line is a case; those that failed are found again."""
    rows = [row(), row("B", outcome="failed"), row("C", outcome="error")]
    write_rows(str(tmp_path), rows)

    with open(tmp_path / "cases.jsonl", encoding="utf-8") as file:
        assert [json.loads(line)["id"] for line in file] == [each.id for each in rows]
    assert read_failed(str(tmp_path)) == ["B[g-here-cli]", "C[g-here-cli]"]
    assert read_failed(str(tmp_path / "nowhere")) == []


def test_the_report_has_a_page_for_people(tmp_path):
    """Each cell leads to its case's flow, output and timing; a gap says why; gates are on top."""
    write_page(
        str(tmp_path),
        Overview(
            rows=[
                row(),
                row("B", outcome="failed", command='run "B" again'),
                row("B", seconds=3.0, turn=1),
            ],
            unfinished="unfinished: 1 of 4 cases did not run",
            excluded=[Excluded("here", "B", "h", "because & so")],
            breaches=[Breach("cases", "too few")],
            covered=Coverage(strength=2, allowed=10, reached=9, matrix=8, ran=2),
            seconds=30.0,
            workers=2,
            measured=True,
        ),
    )

    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for part in (
        "2 passed, 1 failed, 30 s",
        "3 cases a minute per core, 2 at once",
        "9 of 10 pairs that are allowed (90%), counted from the 2 cases that ran, of 8 in",
        "B[g-here-cli] ended 1x failed, 1x passed",
        '<a href="coverage.html">',
        "gate cases: too few",
        "B[g-here-cli]: 1 of 2 failed",
        'title="B[g-here-cli]">1/2</a>',
        '<a class="breach" href="#B[g-here-cli]">',
        "<code>run &#34;B&#34; again</code>",
        "turn 2, passed:",
        "unfinished: 1 of 4 cases did not run",
        'href="cases/A.g.here.cli/flow.py"',
        'href="cases/A.g.here.cli/_case/run.out"',
        "run 0.250 s",
        "cli: failed: &lt;failed&gt;",
        '<td class="failed"',
    ):
        assert part in page


def make_case_folder(tmp_path, name: str) -> str:
    """Make what a case leaves."""
    own = tmp_path / "cases" / name / "_case"
    for folder in (own / "home", own / "tmp", tmp_path / "cases" / name / ".plait" / "store"):
        folder.mkdir(parents=True)
    for file in ("run.out", "cli.json"):
        (own / file).write_text("")
    return str(tmp_path / "cases" / name)


def test_a_case_that_passed_is_made_small(tmp_path):
    """Its store and the harness's notes go; its flow and output stay."""
    folder = make_case_folder(tmp_path, "A.g.here.cli")
    tidy_case(folder)

    assert os.listdir(folder) == ["_case"]
    assert os.listdir(os.path.join(folder, "_case")) == ["run.out"]


def test_folders_of_cases_that_are_no_more_go(tmp_path):
    """What the harness did not make stays."""
    make_case_folder(tmp_path, "A.g.here.cli")
    make_case_folder(tmp_path, "Old.g.here.cli")
    (tmp_path / "cases" / "mine").mkdir()
    forget_stale_cases(str(tmp_path), [row()])

    assert sorted(os.listdir(tmp_path / "cases")) == ["A.g.here.cli", "mine"]


def test_two_runs_can_not_write_to_one_report(tmp_path):
    """The second one is told; once the first has ended, another can."""
    folder = str(tmp_path / "report")
    first = Lock(folder)
    with pytest.raises(Mistake, match=r"another run of the harness is writing to .*report"):
        Lock(folder)
    first.release()

    Lock(folder).release()


def options(tmp_path, **given):
    """Give options, with a report in a folder of the test's."""
    defaults = {option.dest: option.declaration()["default"] for option in OPTIONS}
    defaults["harness_report"] = str(tmp_path / "report")
    defaults.update({f"harness_{name}": value for name, value in given.items()})
    return read_options(defaults.__getitem__)


def test_a_report_in_use_ends_pytest_with_one_sentence(tmp_path, request):
    """It is wrong usage, and not an error of pytest's insides."""
    session = Session(options(tmp_path), lambda: Matrix(()))
    held = Lock(session.options.report)
    stash = pytest.Stash()
    stash[_SESSION] = session
    config = SimpleNamespace(stash=stash)
    item = CaseItem.from_parent(request.node.parent, name="a case", case=None)

    with pytest.raises(pytest.exit.Exception, match="another run of the harness") as ended:
        pytest_collection_finish(SimpleNamespace(config=config, items=[item]))
    held.release()

    assert ended.value.returncode == pytest.ExitCode.USAGE_ERROR


def test_a_session_of_other_tests_writes_nothing(tmp_path):
    """Where no cases were asked for, there is no gate and no report."""
    session = Session(options(tmp_path), lambda: Matrix(()))
    session.prepare()

    assert session.finish(wanted=False) == ([], [])
    session.close()
    assert not (tmp_path / "report").exists()


def test_a_session_gathers_judges_and_reports(tmp_path):
    """Rows become a table, a tally, a report; what is breached is said."""
    matrix = Matrix((), not_run={"old": "it is not here"}, lonely=("graph 'h' fits no template",))
    session = Session(options(tmp_path), lambda: matrix)
    session.expect(2)
    session.add(vars_of(row()))
    session.add(vars_of(row("B", outcome="failed")))
    breaches, lines = session.finish(wanted=True)
    session.close()

    assert breaches == [Breach("fit", "graph 'h' fits no template")]
    said = [line for line in lines if line.startswith(("tally", "not run", "report", "gate"))]
    assert said == [
        "tally here: 2 cases (some of it; none kept); checks: 1 failed, 1 passed",
        "not run: old: it is not here",
        f"report: {tmp_path / 'report' / 'index.html'}",
        "gate fit: graph 'h' fits no template",
    ]
    assert "a case's time: run 50%, the rest 50%" in lines
    assert "slowest: A[g-here-cli] 0.5 s, B[g-here-cli] 0.5 s" in lines
    assert (tmp_path / "report" / "index.html").exists()
    assert read_failed(str(tmp_path / "report")) == ["B[g-here-cli]"]


def test_a_tally_that_is_not_written_is_told(tmp_path):
    """As where pytest's `-k` left some of a context."""
    session = Session(options(tmp_path, update_tally=True), lambda: Matrix(()))
    session.expect(1)
    session.add(vars_of(row()))
    _, lines = session.finish(wanted=True)
    session.close()

    assert "tally: nothing was written down, since no context of plait's ran whole" in lines


def vars_of(each: CaseRow) -> dict:
    """Give a row as it travels from a worker."""
    import dataclasses

    return dataclasses.asdict(each)
