"""Bugs planted in a copy of the engine are caught by the harness's own templates."""

from __future__ import annotations

import pytest

from plait_harness.case import CaseRunner
from plait_harness.graphs import load_graph
from plait_harness.home import home_path
from plait_harness.planting import find_engine_folder, load_bugs, plant
from plait_harness.starter import PreparedProcess
from plait_harness.templates import load_templates

ENGINE = find_engine_folder()


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


def plant_in(tmp_path, name: str) -> str:
    """Give a copy of the engine with a bug in it."""
    return plant(load_bugs()[name], ENGINE, str(tmp_path / "engine"))


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
    engine = plant_in(tmp_path, "join-inputs-reversed")
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
    engine = plant_in(tmp_path, "second-branch-lost")
    (found,) = judge(engine, ("artifacts", "BasicArtifact", "two-way-branch"))

    assert "tasks that were never run: right" in found["always"]


def test_a_dropped_log_line_is_caught(judge, tmp_path):
    """By the template about logs, through both interfaces."""
    engine = plant_in(tmp_path, "last-log-line-dropped")
    (found,) = judge(engine, ("logs", "Logs", "start-end"))

    assert set(found) == {"cli", "mli"}
    assert " of start/1: expected " in found["cli"]
