"""Coming from Metaflow: what the page promises of a flow whose import line is changed."""

from __future__ import annotations

import builtins
import importlib.util
import re
from pathlib import Path

import plait
from plait.testing import run_flow

PAGE = Path(__file__).parents[3] / "docs" / "compatibility.md"

FLOW = '''
import random

from metaflow import (
    Flow, FlowSpec, IncludeFile, JSONType, Parameter, Run, catch, current, environment, namespace,
    resources, retry, step, timeout,
)


class TrainFlow(FlowSpec):
    """A flow of every kind of split, of parameter and of decorator."""

    rate = Parameter("rate", default=0.5, help="How fast.", show_default=True)
    verbose = Parameter("verbose", default=False, type=bool)
    layers = Parameter("layers", default="[8, 4]", type=JSONType)
    columns = Parameter("columns", default="a,b", separator=",")
    owner = Parameter("owner", default=lambda context: context.flow_name.lower())
    notes = IncludeFile("notes", is_text=True, default="notes.txt")
    limit = 3

    @step
    def start(self):
        self.rounds = 0
        self.seed = random.random()
        self.next(self.features, self.labels)

    @resources(cpu=1, memory=100)
    @step
    def features(self):
        self.names = list(self.columns)
        self.next(self.feature, foreach="names")

    @catch(var="failure", print_exception=False)
    @retry(times=1, minutes_between_retries=0)
    @step
    def feature(self):
        self.column = self.input
        self.place = (self.index, self.foreach_stack())
        if self.input == "b":
            raise ValueError("b is bad")
        self.next(self.join_features)

    @step
    def join_features(self, inputs):
        self.good = [i.column for i in inputs if not i.failure]
        self.tries = current.retry_count
        self.merge_artifacts(inputs, include=["rounds", "seed"])
        self.next(self.join)

    @environment(vars={"LEVEL": "high"})
    @timeout(minutes=1)
    @step
    def labels(self):
        import os

        self.level = os.environ["LEVEL"]
        self.next(self.join)

    @step
    def join(self, inputs):
        self.both = (inputs.join_features.good, inputs.labels.level, inputs[1].level)
        self.merge_artifacts(inputs, exclude=["tries"])
        self.next(self.train)

    @step
    def train(self):
        self.rounds += 1
        self.verdict = "again" if self.rounds < self.limit else "done"
        self.next({"again": self.train, "done": self.end}, condition="verdict")

    @step
    def end(self):
        me = Run(f"{current.flow_name}/{current.run_id}")
        self.seen = (me.pathspec == Flow(current.flow_name)[current.run_id].pathspec, me.finished)
        print("trained", self.rounds, "rounds")


if __name__ == "__main__":
    TrainFlow()
'''


def test_a_flow_runs_after_its_import_line_is_changed(tmp_path, monkeypatch) -> None:
    """Branches, foreaches, a loop, joins; parameters of each type; decorators; a client's look."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("as it was", encoding="utf-8")
    path = tmp_path / "train.py"
    path.write_text(FLOW.replace("from metaflow import", "from plait import"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("train", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    run = run_flow(module.TrainFlow, rate=0.25)

    assert run.successful, run["start"].task.exception
    data = run.data
    assert (data.rate, data.verbose, data.layers, data.columns, data.owner, data.notes) == (
        *(0.25, False, [8, 4], ["a", "b"]),
        *("trainflow", "as it was"),
    )
    assert data.both == (["a"], "high", "high")
    assert (data.rounds, data.verdict, data.seen) == (3, "done", (True, False))
    assert run["end"].task.stdout == "trained 3 rounds\n"
    assert [task.data.place[0] for task in run["feature"]] == [1, 0]


def test_what_is_said_not_to_be_there_is_not() -> None:
    """A row goes from the page when what it is about is delivered."""
    table = PAGE.read_text(encoding="utf-8").partition("## What there is not")[2]
    rows = re.findall(r"^\| (.*?) \| not (?:yet|there)", table, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`@?(\w+)`", row)}
    there = sorted(name for name in names if hasattr(plait, name) and not hasattr(builtins, name))

    assert len(names) > 10
    assert there == [], "remove these from docs/compatibility.md, or say what differs"
