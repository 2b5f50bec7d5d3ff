"""Configs on the command line: given before the command, kept by runs, taken by resume."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from plait.client.run import Run
from plait.client.source import default_metadata, metadata

from .conftest import Project

FLOW = '''
"""A flow whose parameter and retries depend on a config."""

from plait import Config, FlowSpec, Parameter, retry, step


class TunedFlow(FlowSpec):
    cfg = Config("cfg", required=True)
    depth = Parameter("depth", default=cfg.depth)
    deep = Parameter("deep", default=False)

    @retry(times=cfg.times, minutes_between_retries=0)
    @step
    def start(self):
        self.seen = self.cfg.depth
        self.next(self.end)

    @step
    def end(self):
        print("depth", self.depth, self.cfg.depth)
        if self.cfg.get("fails") and self.origin is None:
            raise ValueError("as the config says")

    @property
    def origin(self):
        from plait import current

        return current.origin_run_id


if __name__ == "__main__":
    TunedFlow()
'''


@pytest.fixture
def tuned(tmp_path: Path) -> Iterator[Project]:
    """A project with a flow that needs a config."""
    yield Project(tmp_path, FLOW, "TunedFlow")
    default_metadata()


def value(**more: object) -> list[str]:
    """Give the options for a config."""
    return ["--config-value", "cfg", json.dumps({"depth": 3, "times": 0, **more})]


def test_a_run_keeps_its_config_and_resume_takes_it(tuned: Project) -> None:
    """Without being given it, and whatever the environment says by then."""
    assert tuned.call(*value(fails=True), "--workers", "inline", "run").code == 1

    resumed = tuned.call("--workers", "inline", "resume")

    assert (resumed.code, "depth 3 3" in resumed.out) == (0, True)
    metadata(f"local@{tuned.store}")
    assert Run("TunedFlow/2").data.cfg == {"depth": 3, "times": 0, "fails": True}
    assert Run("TunedFlow/2").origin_run_id == "1"


def test_resume_refuses_configs_and_knows_parameters_by_name_alone(tuned: Project) -> None:
    """Both are the origin's; neither is needed to say so."""
    by_config = tuned.call(*value(), "resume")
    by_parameter = tuned.call("resume", "--depth", "3")
    by_flag = tuned.call("resume", "--deep", "--origin-run-id", "1")

    assert [said.code for said in (by_config, by_parameter, by_flag)] == [2, 2, 2]
    assert "error[config-in-resume]" in by_config.err
    assert "error[nothing-to-resume]" in tuned.call("resume").err
    assert tuned.call("--help").code == 0


def test_what_needs_the_flow_needs_its_configs(tuned: Project) -> None:
    """`check`, `show` and the help of `run`; an error says how to give one."""
    for command in (["check"], ["show"], ["run", "--help"], []):
        said = tuned.call(*command)
        assert (said.code, "error[missing-config]" in said.err) == (2, True)
    assert "[default: 3]" in tuned.call(*value(), "run", "--help").out


def test_a_flow_without_configs_takes_none(project: Project) -> None:
    """A name that is not there is a mistake, even where there is none to mean."""
    said = project.call("--config", "cfg", "a.json", "check")

    assert said.code == 2
    assert "why: it has no configs at all" in said.err


def test_an_option_without_its_value_is_told(tuned: Project) -> None:
    """It takes a name and a path."""
    said = tuned.call("--config", "cfg")

    assert (said.code, "Traceback" in said.err) == (2, False)
    assert "error[bad-option]" in said.err


def test_a_spawned_task_has_the_config_of_its_run(tuned: Project) -> None:
    """It reads it from the run, and not from where the run had it."""
    Path(tuned.folder, "cfg.json").write_text('{"depth": 4, "times": 0}', encoding="utf-8")

    said = tuned.start("--workers", "spawn", "--config", "cfg", "cfg.json", "run")

    assert (said.code, "depth 4 4" in said.out) == (0, True)


def test_a_config_that_is_newer_than_the_run_has_its_default(tuned: Project) -> None:
    """The run to resume cannot have one."""
    assert tuned.call(*value(fails=True), "--workers", "inline", "run").code == 1
    newer = FLOW.replace(
        "    depth = Parameter",
        '    new = Config("new", default_value={"a": 1})\n    depth = Parameter',
        1,
    )
    tuned.script.write_text(newer, encoding="utf-8")

    assert tuned.call("--workers", "inline", "resume").code == 0
    metadata(f"local@{tuned.store}")
    assert Run("TunedFlow/2").data.new == {"a": 1}


def test_spin_has_the_config_of_the_run_that_its_task_is_of(tuned: Project) -> None:
    """Which needs not be given again."""
    assert tuned.call(*value(), "--workers", "inline", "run").code == 0

    said = tuned.call("spin", "start")

    assert (said.code, "3" in said.out) == (0, True), said
