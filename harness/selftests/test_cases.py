"""Cases: what a wrong expectation, a leftover or a wrong end come to, and what a person reads."""

from __future__ import annotations

import os
import re

import pytest

from plait_harness.failure import describe_failure
from plait_harness.leftovers import OWN_FOLDER

BODIES = """
    @steps(0, ["start"])
    def first(self):
        {first}

    @steps(1, ["join"])
    def meet(self):
        self.xs = [i.x for i in inputs]

    @steps(2, ["all"])
    def rest(self):
        self.x = self.index

    def check_results(self, flow, checker):
        {check}
"""


@pytest.fixture
def run(run_case, make_template, make_graph, shapes):
    """Give a function that runs a template on the foreach over three elements."""

    def go(first="pass", check="pass", attributes="", **context):
        head = f'class Mine(FlowTest):\n    """It."""\n    {attributes}\n'
        template = make_template(head + BODIES.format(first=first, check=check))
        return run_case(template, make_graph(shapes["foreach"]), **context)

    return go


def said(result) -> dict[str, str]:
    """Give what each failed check said."""
    return {check.checker: check.message for check in result.failed}


def test_a_right_case_passes(run):
    """Both judges and what always holds are satisfied; its phases are timed."""
    result = run(check='checker.assert_artifact("join", "xs", [0, 1, 2])')

    assert [(each.checker, each.outcome) for each in result.checks] == [
        ("cli", "passed"),
        ("mli", "passed"),
        ("always", "passed"),
    ]
    assert list(result.phases) == ["render", "run", "check cli", "check mli", "check always"]
    assert result.seconds > 0


def test_a_wrong_expectation_fails_with_all_that_a_person_needs(run):
    """The message has the assertion, the paths, the lines, the output, and how to repeat it."""
    result = run(check='checker.assert_artifact("join", "xs", [2, 1, 0])')
    message = describe_failure(result, "python harness/run_tests.py --debug ...")

    assert list(said(result)) == ["cli", "mli"]
    flow = os.path.join(result.folder, "flow.py")
    assert message.startswith(
        "Mine[shape-here-cli] failed\n\n"
        "cli: artifact 'xs' of join/5: expected [2, 1, 0], got [0, 1, 2]\n"
    )
    assert re.search(r'  > +\d+ \|         checker.assert_artifact\("join", "xs", \[2', message)
    assert f"\nflow: {flow}\n" in message
    assert re.search(r"  > +\d+ \|     def join\(self, inputs\):\n", message)
    assert "output of the flow (exit code 0):\n" in message
    assert "MineFlow run 1 is done" in message
    assert message.endswith("\n\nrepeat it with:\n  python harness/run_tests.py --debug ...")


def test_a_flow_that_fails_is_shown_at_the_line_where_it_did(run):
    """The lines are those that the flow's own output names."""
    result = run(first='raise ValueError("planted")')
    message = describe_failure(result, "x")

    assert "always: the run ended with exit code 1, expected 0\n" in message
    assert re.search(r'  > +\d+ \|         raise ValueError\("planted"\)\n', message)
    assert "ValueError: planted" in message


def test_a_flow_that_should_fail_has_to(run):
    """SHOULD_FAIL is the exit code that is expected; with 2 there is no run."""
    fails = run(first='raise ValueError("planted")', attributes="SHOULD_FAIL = True")
    passes = run(attributes="SHOULD_FAIL = True")
    misused = run(
        attributes='SHOULD_FAIL = 2; RUN_OPTIONS = ("--no-such-option",)',
        check="assert_equals(None, checker.run_id)",
    )

    assert not fails.failed
    assert said(passes) == {"always": "the run ended with exit code 0, expected 1"}
    assert not misused.failed, misused.failed


def test_a_check_that_breaks_is_shown_with_its_traceback(run):
    """An error in a check is a failure of the check, with the line of it."""
    result = run(check="print(checker.no_such_method)")

    assert "no attribute 'no_such_method'" in said(result)["cli"]
    assert re.search(r"  > +\d+ \|         print\(checker.no_such", describe_failure(result, "x"))


def test_a_check_that_does_not_end_is_killed(run):
    """Its judge has no verdict, and says so."""
    result = run(check="import time; time.sleep(60)", timeout=1.0)

    assert said(result)["cli"].startswith("no verdict within 1 s; it ended with -9")


def test_a_check_that_dies_has_no_verdict(run):
    """What it printed is shown."""
    result = run(check="import os; print('last words', flush=True); os._exit(9)")

    assert said(result)["mli"] == "no verdict; it ended with 9, saying:\nlast words\n"


def test_a_run_that_does_not_end_is_killed(run):
    """It is told how long it was waited for."""
    result = run(first="import time; time.sleep(60)", timeout=1.0)

    assert said(result)["always"].startswith("the run did not end within 1 s, and was killed")


def test_what_no_checker_can_judge_fails(run):
    """A case that everybody declines to judge has not been judged."""
    declined = run(check='raise NotOffered("not mine")')
    one = run(check='if checker.name == "cli": raise NotOffered("not mine")')

    assert [check.outcome for check in declined.checks] == ["not offered", "not offered", "failed"]
    assert said(declined) == {"always": "no checker of the context could judge it"}
    assert [check.outcome for check in one.checks] == ["not offered", "passed", "passed"]


def test_files_left_behind_are_told(run):
    """In the case's folder, in the home folder, among temporary files, and beside the folder."""
    planted = (
        'import os, tempfile; open("stray", "w"); open(os.path.expanduser("~/mine"), "w"); '
        'open("../outside", "w"); tempfile.mkstemp(prefix="left")'
    )
    result = run(first=planted)

    lines = said(result)["always"].splitlines()
    assert lines[:2] == [
        "a file was left in the case's folder: stray",
        "a file was left in home: mine",
    ]
    assert lines[2].startswith("a file was left in tmp: left")
    assert lines[3:] == ["something was left outside of the case's folder: outside"]


def test_files_that_a_template_leaves_on_purpose_are_not(run):
    """LEAVES and REQUIRED_FILES say what may be there."""
    result = run(
        first='open("stray", "w").write(open("given/one.txt").read())',
        attributes='LEAVES = ["stray"]; REQUIRED_FILES = {"given/one.txt": "gr\\u00fcn"}',
    )

    assert not result.failed


def test_a_process_left_behind_is_told(run):
    """Although it left the run's session, and its folder: here by the run's own process."""
    result = run(
        attributes="HEADER = \"import os, sys, time\\nif 'run' in sys.argv and os.fork() == 0:"
        "\\n    os.setsid(); os.chdir('/'); time.sleep(50); os._exit(0)\""
    )

    assert said(result)["always"].startswith("the run left a process behind: ")


def test_a_context_gives_options_environment_and_a_command(run):
    """They come before what the template gives; `{nonce}` is a word of the case's own."""
    result = run(
        first="import os; self.seen = [os.environ[n] for n in ('A', 'B', 'N')]; "
        "self.t = open('t').read()",
        attributes='ENV = {"B": "template"}; LEAVES = ["t"]; RUN_OPTIONS = ("--tag", "theirs")',
        check='checker.assert_artifact("start", "t", "ready\\n"); seen = checker.artifact_dict('
        '"start", "seen")["1"]; assert_equals(["context", "template"], seen[:2]); '
        'assert_equals(True, seen[2].startswith("n-Mine.shape.here.cli-"))',
        env={"A": "context", "B": "context", "N": "n-{nonce}"},
        run_options=("--tag", "mine"),
        top_options=("--quiet",),
        pre_command=("sh", "-c", "echo ready > t"),
    )

    assert not result.failed, result.failed


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            ("sh", "-c", "echo no cluster here >&2; exit 3"),
            "ended with exit code 3: sh -c 'echo no cluster here >&2; exit 3'\n  no cluster here",
        ),
        (
            ("no-such-program", "x"),
            "can't be started: No such file or directory: no-such-program x",
        ),
        (("sleep", "600"), "did not end within 0.2 s: sleep 600"),
    ],
)
def test_a_command_that_fails_before_the_flow_is_told(run, command, told):
    """As the one thing that went wrong: the flow is not begun, and nobody judges it."""
    result = run(pre_command=command, timeout=0.2 if command[0] == "sleep" else 60.0)

    assert said(result) == {"always": f"pre_command of context 'here' {told}"}
    assert [check.checker for check in result.checks] == ["always"]
    message = describe_failure(result, "again")
    assert f"always: pre_command of context 'here' {told}\n" in message
    assert "Traceback" not in message
    assert "output of the flow" not in message


def test_a_fresh_context_starts_new_interpreters(run):
    """The same results, without the prepared process; `python -O` takes assertions away."""
    fresh = run(start="fresh", check='checker.assert_artifact("join", "xs", [0, 1, 2])')
    optimized = run(first="assert False", python_options=("-O",))

    assert not fresh.failed, fresh.failed
    assert not optimized.failed, optimized.failed


def test_judges_get_the_tags_and_logs_of_the_run(run):
    """Both interfaces give one log; the client gives and changes tags."""
    result = run(
        first='import sys; print("out\\nline"); print("err", file=sys.stderr)',
        attributes='RUN_OPTIONS = ("--tag", "one tag")',
        check='checker.assert_log("start", "stdout", "out\\nline\\n"); '
        'checker.assert_log("start", "stderr", "err\\n"); '
        'checker.add_tag("two"); checker.replace_tag("two", "three"); checker.remove_tag("x"); '
        'assert_equals({"one tag", "three"}, set(checker.get_user_tags())); '
        'assert_equals(True, any(t.startswith("user:") for t in checker.get_system_tags()))',
    )

    assert [check.outcome for check in result.checks] == ["passed", "passed", "passed"]


def test_a_store_above_the_report_is_not_taken_for_the_cases_own(run, tmp_path):
    """Each case keeps its results in its own folder, whatever lies above."""
    (tmp_path / ".plait").mkdir()

    result = run(check='checker.assert_artifact("join", "xs", [0, 1, 2])')
    assert not result.failed, result.failed
    assert os.listdir(tmp_path / ".plait") == []
    assert os.path.isdir(os.path.join(result.folder, ".plait", "store"))
    assert os.path.isdir(os.path.join(result.folder, OWN_FOLDER))
