"""The first and the last step may have any name, and may be one."""

from __future__ import annotations

import pytest

from plait import FlowSpec, step
from plait.base.errors import InvalidFlow
from plait.flow.definition import read_definition
from plait.graph.draw import to_json
from plait.testing import run_flow, run_step


class Alone(FlowSpec):
    """One step."""

    @step(start=True, end=True)
    def work(self):
        """Do all of it."""
        self.x = 4


class Named(FlowSpec):
    """Steps of other names."""

    @step(start=True)
    def load(self):
        self.items = [1, 2]
        self.next(self.square, foreach="items")

    @step
    def square(self):
        self.y = self.input**2
        self.next(self.save_all)

    @step(end=False)
    def save_all(self, inputs):
        self.ys = [i.y for i in inputs]
        self.next(self.close)

    @step(end=True)
    def close(self):
        self.last = self.ys[-1]


class Longer(Named):
    """A flow that goes on where its base ended."""

    @step
    def close(self):
        self.next(self.end)

    @step
    def end(self):
        self.last = -1


class TwoLasts(Named):
    """A flow with a second last step."""

    @step(end=True)
    def finish(self):
        pass


def test_a_flow_of_one_step_runs_and_is_read():
    """The step's results are the run's."""
    run = run_flow(Alone)

    assert run.status == "done"
    assert [each.id for each in run] == ["work"]
    assert run.end_task.pathspec.endswith("/work/1")
    assert run.data.x == 4
    assert run_step(Alone.work).artifacts == {"x": 4}


def test_steps_of_any_name_may_be_first_and_last():
    """The graph says which, for programs that read it, and so do the results."""
    graph = read_definition(Named).graph

    assert (graph.start, graph.end) == ("load", "close")
    assert list(graph.nodes) == ["load", "square", "save_all", "close"]
    assert (to_json(graph)["start"], to_json(graph)["end"]) == ("load", "close")
    assert run_flow(Named).data.last == 4


def test_a_step_that_is_written_anew_is_marked_anew():
    """A mark belongs to the method, and not to its name."""
    graph = read_definition(Longer).graph

    assert (graph.start, graph.end) == ("load", "end")
    assert run_flow(Longer).data.last == -1


def test_two_last_steps_are_a_mistake():
    """Both are named."""
    with pytest.raises(InvalidFlow) as caught:
        read_definition(TwoLasts)

    slugs = {finding.slug: finding.what for finding in caught.value.findings}
    assert slugs["two-lasts"] == ("steps 'close' and 'finish' are both marked by @step(end=True)")
