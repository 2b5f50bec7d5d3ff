"""What `run`, `resume` and `init` record of a run: each takes the same options, and heeds them."""

from __future__ import annotations

import json

import pytest

from plait import get_metadata
from plait.base.pathspec import RunKey
from plait.wiring.stores import open_source

SOURCE = '''
import os

from plait import FlowSpec, Parameter, current, step


class TrialFlow(FlowSpec):
    """Print a lot, fan out, and fail if it is told to."""

    width = Parameter("width", default=3)
    fails = Parameter("fails", default=False)

    @step
    def start(self):
        if self.fails and current.origin_run_id is None:
            raise ValueError("as it was told")
        print(current.namespace, "x" * 3000)
        print("level", os.environ.get("LEVEL"))
        self.items = range(self.width)
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
'''


@pytest.fixture
def trial(project):
    """A project whose run 1 failed in its first step."""
    project.script.write_text(SOURCE)
    assert project.call("--workers=inline", "run", "--fails").code == 1
    return project


def find_run(project, run: str):
    """Give what is recorded of a run."""
    stores = open_source(f"local@{project.store}")
    try:
        return stores.metadata.find_run(RunKey("TrialFlow", run))
    finally:
        stores.close()


@pytest.mark.parametrize("command", ["run", "resume"])
def test_a_run_is_in_the_namespace_and_has_the_tags_that_it_was_given(trial, command):
    """Steps see the namespace, the client finds the tags, a file has the id."""
    file = trial.folder / "id"
    options = ["--namespace", "team:a", "--tag", "nightly", "--run-id-file", str(file)]

    assert trial.call("--workers=inline", command, *options).code == 0
    assert file.read_text().strip() == "2"
    assert find_run(trial, "2").user_tags == {"nightly"}
    assert trial.call("logs", "2/start").out.startswith("[2/start/1] team:a xxx")


@pytest.mark.parametrize("command", ["run", "resume"])
def test_a_run_keeps_its_limits(trial, command):
    """A log that is too long is cut, and a foreach that is too wide stops the run."""
    options = ["--max-workers", "2", "--max-num-splits", "2", "--max-log-size", "0.001"]
    said = trial.call("--workers=inline", command, *options)

    assert said.code == 1
    assert "error[too-many-splits]: step 'start' fans out over 'items' into 3 tasks" in said.err
    assert "its limit of 1000 bytes (--max-log-size)" in trial.call("logs", "2/start").out


@pytest.mark.parametrize("command", ["run", "resume"])
def test_a_run_has_decorators_for_all_steps(trial, command):
    """Those that this run was given."""
    options = ["--with", 'environment:vars={"LEVEL": "high"}']

    assert trial.call("--workers=inline", command, *options).code == 0
    assert "level high" in trial.call("logs", "2/start").out


@pytest.mark.parametrize("command", ["run", "resume", "init"])
def test_a_program_is_told_of_the_run_that_it_started(trial, command):
    """The file has the flow, the id and the store, whole as soon as it is there."""
    file = trial.folder / "told.json"

    assert trial.call("--workers=inline", command, "--announce-file", str(file)).code == 0
    told = json.loads(file.read_text())
    assert (told["flow"], told["run"]) == ("TrialFlow", "2")
    assert str(trial.store) in told["metadata"]


@pytest.mark.parametrize("command", ["run", "init"])
def test_a_program_hands_parameters_over_in_a_file(trial, command):
    """They win over what else is given, and have their types from JSON."""
    file = trial.folder / "parameters.json"
    file.write_text('{"width": 2}')
    options = ["--parameters-file", str(file), "--width", "5"]

    assert trial.call("--workers=inline", command, *options).code == 0
    stores = open_source(f"local@{trial.store}")
    try:
        record = stores.artifacts("TrialFlow")
        (key,) = [key for key in record.iter_attempts("2") if key.step == "_parameters"]
        assert record.load(record.get(key).artifacts["width"], name="width") == 2
    finally:
        stores.close()


def test_resume_takes_no_parameters_from_a_file_either(trial):
    """A resumed run has those of its origin."""
    file = trial.folder / "parameters.json"
    file.write_text('{"width": 2}')
    said = trial.call("--workers=inline", "resume", "--parameters-file", str(file))

    assert said.code == 2
    assert said.err.startswith("error[parameter-in-resume]: ")


def test_a_run_is_recorded_in_a_namespace(trial):
    """`init` takes the options of `run` that say what is recorded."""
    file = trial.folder / "id"
    options = ["--namespace", "team:a", "--tag", "nightly", "--run-id-file", str(file)]

    assert trial.call("init", *options).out == "2\n"
    assert file.read_text().strip() == "2"
    assert find_run(trial, "2").user_tags == {"nightly"}


def test_a_variable_makes_a_run_quiet(trial, monkeypatch):
    """As the option does: only what tasks print is left."""
    monkeypatch.setenv("PLAIT_WORKERS", "inline")
    monkeypatch.setenv("PLAIT_QUIET", "1")

    assert "TrialFlow run 2" not in trial.call("run").out


@pytest.mark.parametrize(
    "variable", ["PLAIT_DATASTORE", "PLAIT_METADATA", "PLAIT_EVENT_LOGGER", "PLAIT_MONITOR"]
)
def test_a_variable_asks_for_what_there_is_not(trial, monkeypatch, variable):
    """It is named, or what it asked for."""
    monkeypatch.setenv(variable, "attic")
    said = trial.call("run")

    assert said.code == 2
    assert "attic" in said.err or variable in said.err
    assert "\n  fix: " in said.err


READER = '''
from plait import Flow, FlowSpec, Run, current, get_metadata, step


class TrialFlow(FlowSpec):
    """Read in a step what an earlier run, or this one, has left."""

    @step
    def start(self):
        self.me = Run(f"{current.flow_name}/{current.run_id}").id
        self.runs = [run.id for run in Flow(current.flow_name)]
        self.place = get_metadata()
        self.next(self.end)

    @step
    def end(self):
        print(self.me, self.runs, self.place)
'''


@pytest.mark.parametrize("workers", ["inline", "fork"])
def test_a_step_reads_from_the_store_of_its_own_run(project, workers):
    """Wherever that is: the client in a step need not be told; this process reads on as before."""
    project.script.write_text(READER)
    before = get_metadata()

    assert project.call(f"--workers={workers}", "run").code == 0
    (line,) = project.call("logs", "1/end/2", "--stdout").out.splitlines()
    assert line.startswith(f"1 ['1'] local@{project.store}")
    assert get_metadata() == before


def test_a_spawned_step_does_too(project, tmp_path):
    """Its process is told where the run is kept."""
    project.script.write_text(f"{READER}\nif __name__ == '__main__':\n    TrialFlow()\n")
    store = tmp_path / "elsewhere"
    said = project.start(f"--datastore-root={store}", "--workers=spawn", "run")

    assert said.code == 0, said.err
    assert f"1 ['1'] local@{store}" in said.out
