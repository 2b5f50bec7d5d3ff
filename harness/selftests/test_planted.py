"""Bugs planted in a copy of the engine are caught by the harness's own templates."""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest

import plait
from plait_harness.case import CaseRunner
from plait_harness.graphs import load_graph
from plait_harness.home import home_path
from plait_harness.starter import PreparedProcess
from plait_harness.templates import load_templates

ENGINE = os.path.dirname(os.path.dirname(os.path.abspath(plait.__file__)))


def _load_planted():
    path = os.path.join(os.path.dirname(__file__), "planted.py")
    spec = importlib.util.spec_from_file_location("planted", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["planted"] = module
    spec.loader.exec_module(module)
    return module


planted = _load_planted()


@pytest.fixture
def judge(tmp_path, base_env, make_case):
    """Give a function that runs cases with an engine, and gives what failed in each."""

    def run(engine: str, *cases: tuple[str, str, str]) -> list[dict[str, str]]:
        env = {**base_env, "PYTHONPATH": engine}
        (tmp_path / "cases").mkdir()
        found = []
        with PreparedProcess(env) as process:
            runner = CaseRunner(process, env, str(tmp_path / "cases"), env)
            for file, template, graph in cases:
                case = make_case(
                    load_templates(home_path(f"tests/{file}.py"))[template],
                    load_graph(home_path(f"graphs/{graph}.json")),
                )
                failed = runner.run(case).failed
                found.append({check.checker: check.message for check in failed})
        return found

    return run


def plant(name: str, tmp_path) -> str:
    """Give a copy of the engine with a bug in it."""
    (bug,) = [bug for bug in planted.BUGS if bug.name == name]
    return planted.plant(bug, ENGINE, str(tmp_path / "engine"))


def test_without_a_bug_nothing_is_caught(judge):
    """The same cases pass with the engine as it is."""
    assert judge(
        ENGINE,
        ("joins", "JoinInputs", "small-foreach"),
        ("joins", "JoinInputs", "two-way-branch"),
        ("logs", "Logs", "start-end"),
    ) == [{}, {}, {}]


def test_reversed_join_inputs_are_caught(judge, tmp_path):
    """By the template about joins, and by the model, on a foreach and on a branch."""
    engine = plant("join inputs are reversed", tmp_path)
    foreach, branch = judge(
        engine,
        ("joins", "JoinInputs", "small-foreach"),
        ("joins", "JoinInputs", "two-way-branch"),
    )

    assert set(foreach) == set(branch) == {"cli", "mli", "always"}
    assert "join: parents inner[2], inner[1], inner[0], expected inner[0]," in foreach["always"]
    assert "join: parents right, left, expected left, right" in branch["always"]


def test_a_lost_branch_is_caught(judge, tmp_path):
    """By the model, which knows of the tasks that were never run."""
    engine = plant("the second of two branches is lost", tmp_path)
    (found,) = judge(engine, ("artifacts", "BasicArtifact", "two-way-branch"))

    assert "tasks that were never run: right" in found["always"]


def test_a_dropped_log_line_is_caught(judge, tmp_path):
    """By the template about logs, through both interfaces."""
    engine = plant("the last line of a log is dropped", tmp_path)
    (found,) = judge(engine, ("logs", "Logs", "start-end"))

    assert set(found) == {"cli", "mli"}
    assert " of start/1: expected " in found["cli"]


def test_a_bug_that_does_not_apply_is_an_error(tmp_path):
    """An engine that has moved on does not silently become one without the bug."""
    bug = planted.Bug("gone", "plait/runtime/state.py", (("not to be found", ""),))

    with pytest.raises(planted.BugDoesNotApply, match=r"gone: .*state\.py has 0 of 'not to be"):
        planted.plant(bug, ENGINE, str(tmp_path / "engine"))


@pytest.mark.parametrize("bug", planted.BUGS, ids=lambda bug: bug.name)
def test_every_bug_applies(bug, tmp_path):
    """Each finds the text that it replaces."""
    planted.plant(bug, ENGINE, str(tmp_path / "engine"))
