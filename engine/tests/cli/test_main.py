"""The program that a flow is: its commands, its options, and what it says about mistakes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from plait.base.version import VERSION


def test_without_a_command_it_validates_and_says_how_to_go_on(project):
    """The flow is checked, and the commands that come next are shown."""
    said = project.call()

    assert said.code == 0
    assert said.out.splitlines() == [
        "TrialFlow is valid: 4 steps.",
        "",
        "  python trial.py show        its steps and where each goes",
        "  python trial.py run         run it",
        "  python trial.py run --help  its parameters",
        "  python trial.py --help      everything else",
    ]


def test_check_says_that_a_flow_is_valid(project):
    """A valid flow is one line."""
    said = project.call("check")

    assert (said.code, said.out, said.err) == (0, "TrialFlow is valid: 4 steps.\n", "")


def test_check_lists_every_mistake(project):
    """All mistakes of a flow are printed, each with its line, and the exit code says so."""
    source = project.script.read_text()
    source = source.replace("self.next(self.end)", "self.next(self.ned)")
    project.script.write_text(source.replace("@step\n    def end(self):", "def end(self):"))

    said = project.call("check")

    assert said.code == 1
    assert said.out == ""
    assert said.err.count("error[") >= 2
    assert "trial.py:" in said.err
    assert "Traceback" not in said.err


def test_show_prints_steps_docstrings_and_transitions(project):
    """Each step is shown with what it says of itself and where it goes."""
    said = project.call("show")

    assert said.code == 0
    for words in ("start", "Begin.", "work", "items", "join", "Put it together.", "end"):
        assert words in said.out


def test_output_dot_is_a_graph(project):
    """The graph comes in the language of Graphviz."""
    said = project.call("output-dot")

    assert said.out.startswith('digraph "TrialFlow" {')
    assert '"start" -> "work"' in said.out


def test_output_raw_is_json(project):
    """The graph comes as JSON."""
    import json

    said = project.call("output-raw")

    assert "start" in json.dumps(json.loads(said.out))


def test_help_is_grouped_and_has_examples(project):
    """The program's help shows the docstring, commands by heading, options and examples."""
    said = project.call("--help")

    assert said.code == 0
    assert "Try the command line." in said.out
    for heading in ("Run:", "Read results:", "Look at the flow:", "Options, before the command:"):
        assert f"\n{heading}\n" in said.out
    assert "\n  # run it, every step up to three times more\n" in said.out
    assert "step " not in said.out.split("Options")[0].split("Look at the flow:")[1]


def test_a_flow_without_docstring_has_help_too(project):
    """Where the class says nothing of itself, its name stands in."""
    source = project.script.read_text().replace('    """Try the command line."""\n', "")
    project.script.write_text(source)

    assert "The flow TrialFlow." in project.call("help").out


def test_help_of_a_command_is_the_same_both_ways(project):
    """`help run` and `run --help` say the same."""
    assert project.call("help", "run").out == project.call("run", "--help").out


def test_help_of_run_shows_the_parameters(project):
    """Parameters are options of `run`, with type, default and what they are for."""
    said = project.call("run", "--help")

    assert "\nParameters of TrialFlow:\n" in said.out
    assert "How many. A whole number.  [default: 3]" in said.out
    assert "--user_title, --user-title VALUE" in said.out


def test_version_names_plait_and_python(project):
    """The version is one line."""
    assert project.call("version").out.startswith(f"plait {VERSION} (Python 3.")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["rum"],
            (
                "error[unknown-command]: there is no command 'rum'\n"
                "  why: did you mean 'run' or 'resume'?"
            ),
        ),
        (["help", "rum"], "error[unknown-command]: there is no command 'rum'"),
        (["--quite"], "error[unknown-option]: 'trial.py' has no option '--quite'"),
        (
            ["run", "--cuont", "2"],
            (
                "error[unknown-option]: 'run' has no option '--cuont'\n"
                "  why: did you mean '--count'?\n"
                "  fix: 'python trial.py run --help' lists its options"
            ),
        ),
        (
            ["run", "--quiet"],
            (
                "  why: it is an option of the program\n"
                "  fix: write it before the command: python trial.py --quiet ... run"
            ),
        ),
        (
            ["--max-workers", "2", "run"],
            (
                "  why: it is an option of 'run'\n"
                "  fix: write it after the command: python trial.py run --max-workers ..."
            ),
        ),
        (["--workers", "forrk"], "error[bad-option]: --workers: 'forrk' is not one of "),
        (["run", "--max-workers", "0"], "error[bad-option]: --max-workers: 0 is not in the range"),
        (["run", "--max-workers"], "error[bad-option]: --max-workers: option "),
        (["logs", "1/a", "--attempt", "x"], "error[bad-option]: --attempt: 'x' is not a valid"),
        (
            ["dump"],
            (
                "error[missing-argument]: run[/step[/task]] is missing\n"
                "  fix: write it as: python trial.py dump [OPTIONS] run[/step[/task]]"
            ),
        ),
        (["step", "work"], "error[missing-argument]: --order is missing\n  fix: write it as: "),
        (
            ["run", "alpha", "0.2"],
            "error[unexpected-argument]: 'run' does not know what to do with 'alpha' and '0.2'",
        ),
        (["--with", "retyr", "check"], "error[unknown-decorator]: there is no decorator 'retyr'"),
        (["run", "--count", "many"], "error["),
    ],
)
def test_wrong_usage_is_told_as_what_why_and_fix(project, arguments, error):
    """Every mistake on the command line names itself and what to write, and ends with 2."""
    said = project.call(*arguments)

    assert error in said.err
    assert said.code == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    assert not project.store.exists()


def test_an_environment_variable_sets_an_option(project, monkeypatch):
    """PLAIT_<OPTION> sets an option of the program, PLAIT_<COMMAND>_<OPTION> one of a command."""
    monkeypatch.setenv("PLAIT_WITH", "retry:times=1")
    assert project.call("check").code == 0

    monkeypatch.setenv("PLAIT_RUN_MAX_NUM_SPLITS", "2")
    monkeypatch.setenv("PLAIT_WORKERS", "inline")
    said = project.call("run")
    assert "into 3 tasks, more than 2" in said.err


def test_a_bad_environment_variable_is_named(project, monkeypatch):
    """A value that came from the environment is not blamed on the command line."""
    monkeypatch.setenv("PLAIT_RUN_MAX_WORKERS", "many")

    said = project.call("run")

    assert said.code == 2
    assert "why: the value comes from the environment variable PLAIT_RUN_MAX_WORKERS" in said.err


def test_a_variable_with_an_open_quote_is_an_error(project, monkeypatch):
    """Many values in one variable are split as a shell would split them."""
    monkeypatch.setenv("PLAIT_WITH", "'retry")

    said = project.call("check")

    assert said.code == 2
    assert "No closing quotation" in said.err


def test_nothing_of_the_environment_asks_for_help(project, monkeypatch):
    """A parameter's variable that looks like the help option is not taken for it."""
    monkeypatch.setenv("PLAIT_HELP", "1")

    assert project.call("check").out == "TrialFlow is valid: 4 steps.\n"


def test_a_closed_pipe_is_quiet(project):
    """`show | head` prints no error."""
    command = f"{sys.executable} trial.py show | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=project.folder, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_run_without_standard_streams(project, closed):
    """A run that is started with a stream closed goes well all the same."""
    command = f"{sys.executable} trial.py run --count 1 {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=project.folder, check=False)

    assert done.returncode == 0
    assert project.call("logs", "1/work/2", "--stdout").out == "out 0\n"


def test_an_ascii_terminal_shows_escapes(project):
    """Characters that the terminal cannot show end neither help nor a run."""
    source = project.script.read_text().replace("Try the command line.", "Try caf\u00e9.")
    project.script.write_text(source)
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}

    assert "Try caf\\xe9." in project.start("--help", **plain).out
    said = project.start("run", "--count", "1", **plain)
    assert said.code == 0
    assert "caf\\xe9 [0]" in said.out


def test_an_error_in_the_users_module_is_the_users_own(project):
    """What fails while the script is imported is shown as Python shows it."""
    project.script.write_text("import trouble_that_is_not_there\n")

    said = project.start("show")

    assert said.code == 1
    assert said.err.startswith("Traceback (most recent call last):")
    assert "error[" not in said.err


def test_a_closed_stdout_is_no_hindrance(project):
    """A flow's module may close it, as a program that has become a service does."""
    source = project.script.read_text()
    project.script.write_text("import sys\nsys.stdout.close()\n" + source)

    said = project.start("run", "--count", "0")

    assert (said.code, said.err) == (0, "")


def test_spawned_tasks_have_the_switches_of_the_interpreter(project):
    """With python -O, asserts are off in tasks too, however they start."""
    source = project.script.read_text()
    project.script.write_text(
        source.replace('print("caf', 'print(f"debug {__debug__}")\n        print("caf')
    )
    done = subprocess.run(
        [sys.executable, "-O", "trial.py", "--workers", "spawn", "--quiet", "run", "--count", "0"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "debug False" in done.stdout, done.stderr


def test_a_program_from_a_pipe_cannot_have_its_tasks_spawned(project):
    """That is said before anything runs."""
    done = subprocess.run(
        [sys.executable, "-", "--workers", "spawn", "run"],
        cwd=project.folder,
        input="from trial import TrialFlow\nTrialFlow()\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error[cannot-spawn]: ")


def test_a_module_is_started_again_as_one(project):
    """Tasks of `python -m trial` are spawned with -m as well."""
    done = subprocess.run(
        [sys.executable, "-m", "trial", "--workers", "spawn", "run", "--count", "0"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_run_tells_its_sidecars(project):
    """Sidecars are named before the command or by the environment; an unknown one stops the run."""
    events, numbers = project.folder / "events.jsonl", project.folder / "numbers.jsonl"
    said = project.call("--event-logger", f"debug:{events}", "--monitor", f"debug:{numbers}", "run")
    unknown = project.call("--monitor", "debgu", "run")

    assert said.code == 0
    assert len(events.read_text().splitlines()) == 14
    assert numbers.read_text().count("plait.tasks.done") == 6
    assert "missed" not in said.out
    assert (unknown.code, unknown.out) == (2, "")
    assert unknown.err.startswith("error[unknown-sidecar]: there is no monitor 'debgu'")


def test_without_lint_a_flow_runs_with_mistakes_that_it_can_run_with(project):
    """A step that nothing leads to does not run; what a run needs is checked all the same."""
    source = project.script.read_text()
    lost = "    @step\n    def lost(self):\n        self.next(self.end)\n\n    @step\n    def end("
    project.script.write_text(source.replace("    @step\n    def end(", lost))
    refused = project.call("run")
    ran = project.start("--no-lint", "--workers", "spawn", "run", "--count", "1")
    by_environment = project.start("check", PLAIT_LINT="0")
    after_all = project.start("--lint", "check", PLAIT_LINT="0")
    project.script.write_text(source.replace("self.next(self.end)", "self.next(self.ned)"))
    broken = project.call("--no-lint", "run")

    assert (refused.code, refused.err.count("error[")) == (1, 1)
    assert "error[unreachable-step]" in refused.err
    assert (ran.code, ran.err) == (0, "")
    assert by_environment.out == "TrialFlow is valid: 4 steps.\n"
    assert "error[unreachable-step]" in after_all.err
    assert broken.code == 1
    assert "error[unknown-target]" in broken.err
