"""What the decorators do, tested as plait's own are: in this process, on steps and on flows."""

from __future__ import annotations

import pytest
from plait_stopwatch import stopwatch, team

from plait import FlowSpec, Parameter, current, step
from plait.base.errors import InvalidFlow
from plait.testing import run_flow, run_step


@team(name="fraud")
class Timed(FlowSpec):
    """A flow with a step that may fail."""

    fails = Parameter("fails", default=False)

    @stopwatch(var="took", warn_after=0)
    @step
    def start(self):
        """Be timed."""
        self.team = current.get("team")
        if self.fails:
            raise ValueError("as asked")
        self.next(self.end)

    @step
    def end(self):
        """Be timed only by --with."""


def test_a_step_is_timed(capsys):
    """The seconds are an artifact, and the log says that it was slow."""
    result = run_step(Timed.start, decorators=True)

    assert 0 < result["took"] < 10
    assert "step start was slow" in capsys.readouterr().out


def test_a_step_that_fails_is_timed_too():
    """And still fails."""
    result = run_step(Timed.start, parameters={"fails": True}, decorators=True, raises=False)

    assert result.failure is not None
    assert result["took"] > 0


def test_a_whole_flow_gets_them_by_name():
    """By code and by --with; a run belongs to its team."""
    run = run_flow(Timed, with_=["stopwatch:var=all"])

    assert run.successful
    assert run.data.took > 0
    assert run["end"].task.data.all > 0
    assert run.data.team == "fraud"
    assert "team:fraud" in run.system_tags


def test_mistakes_are_findings():
    """A name that is taken, and a value that is no time."""

    class Wrong(FlowSpec):
        took = Parameter("took")

        @stopwatch(var="took")
        @step
        def start(self):
            self.next(self.end)

        @stopwatch(warn_after="soon")
        @step
        def end(self):
            pass

    with pytest.raises(InvalidFlow) as caught:
        run_flow(Wrong)
    slugs = [finding.slug for finding in caught.value.findings]
    assert sorted(slugs) == ["bad-decorator", "stopwatch-var-taken"]
