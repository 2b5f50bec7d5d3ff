"""The state machine of runs: any order of runs, failures, kills, resumes, tags and cleaning.

`PLAIT_HARNESS_LIVES=1000` runs so many examples, of fresh choices, instead of a few fixed ones.
"""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import plait
import plait_harness.lives as lives_module
from plait_harness.grammar import Size, shapes
from plait_harness.lives import Disagreement, Doing, Lives
from plait_harness.model import TaskId
from plait_harness.planting import load_bugs, plant
from plait_harness.shapes import Branch, Foreach, Loop
from plait_harness.starter import PreparedProcess

ENGINE = os.path.dirname(os.path.dirname(os.path.abspath(plait.__file__)))


MANY = int(os.environ.get("PLAIT_HARNESS_LIVES", "0"))
SMALL = Size(tasks=10, depth=2, length=2, width=3)
TAGS = st.sampled_from(["nightly", "größe", "42"])


@pytest.fixture(scope="module")
def both(base_env):
    """Give two prepared processes."""
    with PreparedProcess(base_env) as one, PreparedProcess(base_env) as other:
        yield one, other


@pytest.fixture
def live(both, base_env, tmp_path):
    """Give a function that makes the runs of a shape."""

    def make(shape):
        folder = tmp_path / "lives"
        folder.mkdir()
        return Lives(shape, str(folder), both, base_env)

    return make


class LivesMachine(RuleBasedStateMachine):
    """The runs of one flow, in any order of what may happen to them."""

    root = ""
    starters = ()
    env = None
    lives = None

    @initialize(shape=shapes(SMALL))
    def begin(self, shape):
        self.folder = tempfile.mkdtemp(dir=self.root)
        self.lives = Lives(shape, self.folder, self.starters, self.env)

    @rule(data=st.data())
    def start(self, data):
        self.lives.do(self.draw(data))

    @rule(data=st.data())
    def start_and_kill(self, data):
        self.lives.do(self.draw(data, kill_at=data.draw(st.integers(1, 80), "kill at")))

    @precondition(lambda self: self.lives.runs)
    @rule(data=st.data())
    def resume(self, data):
        kill_at = data.draw(st.sampled_from([0, 0, 5, 12, 20, 33, 60]), "kill at")
        self.lives.do(self.draw(data, resumes=True, kill_at=kill_at))

    @precondition(lambda self: self.lives.runs)
    @rule(data=st.data())
    def start_and_resume_at_once(self, data):
        self.lives.do_both(self.draw(data), self.draw(data, resumes=True))

    @precondition(lambda self: self.lives.runs)
    @rule(data=st.data(), tag=TAGS)
    def tag(self, data, tag):
        self.lives.tag(self.draw_run(data), tag)

    @precondition(lambda self: self.lives.runs)
    @rule(keep=st.sampled_from([None, 1, 2]))
    def clean(self, keep):
        self.lives.clean(keep)

    def draw_run(self, data):
        runs = sorted(self.lives.runs, key=int)
        return self.lives.runs[data.draw(st.sampled_from(runs[::-1]), "run")]

    def draw(self, data, *, resumes=False, kill_at=0):
        tasks = [task.id for task in self.lives.prediction.tasks]
        steps = sorted({task.step for task in tasks})
        fates = data.draw(
            st.dictionaries(st.sampled_from(tasks), st.integers(1, 2), max_size=2), "fates"
        )
        return Doing(
            fates,
            origin=self.draw_run(data) if resumes else None,
            step=data.draw(st.none() | st.sampled_from(steps), "step") if resumes else None,
            kill_at=kill_at,
            tag=data.draw(TAGS, "tag"),
            workers=data.draw(st.sampled_from(["inline", "inline", "fork"]), "workers"),
        )

    def teardown(self):
        if self.lives is not None:
            self.lives.check()
            shutil.rmtree(self.folder)


def test_runs_live_as_the_model_says(both, base_env, tmp_path):
    """Whatever happens to the runs of any flow in any order, model and engine agree."""
    facts = {"root": str(tmp_path), "starters": both, "env": base_env}
    run_state_machine_as_test(
        type("LivesMachineHere", (LivesMachine,), facts),
        settings=settings(
            max_examples=MANY or 4,
            stateful_step_count=12 if MANY else 6,
            derandomize=not MANY,
            database=None,
            deadline=None,
            print_blob=bool(MANY),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_failed_run_is_resumed_and_resumed_again(live):
    """What finished is not run again; the third run has all that both before it finished."""
    lives = live((Foreach(3), Loop(2)))
    inner = TaskId("a", (1,))
    after = TaskId("end")

    first = lives.do(Doing({inner: 2}))
    assert inner not in first.finished
    second = lives.do(Doing({after: 2}, origin=first))
    assert {inner} <= second.finished
    third = lives.do(Doing({}, origin=second))
    assert third.finished == {task.id for task in lives.prediction.tasks}
    fourth = lives.do(Doing({inner: 1}, origin=third, step="a"))
    assert fourth.finished == third.finished


def test_a_killed_run_is_resumed_after_its_origin_is_gone(live):
    """Killed at any event it can be gone on with, and what it took over outlives its origin."""
    lives = live((Branch(((), ())),))
    killed = [lives.do(Doing({}, kill_at=at)) for at in (8, 14, 18, 400)]

    last = killed[-1]
    assert last.finished == {task.id for task in lives.prediction.tasks}
    for run in filter(None, killed):
        last = lives.do(Doing({}, origin=run))
    lives.tag(last, "kept")
    lives.clean()
    lives.lost_count = 0
    lives.clean(keep=1)
    assert list(lives.runs) == [last.id]
    lives.do(Doing({}, origin=last, step="end"))
    lives.check()


def test_a_planted_bug_of_resume_is_found(tmp_path, base_env):
    """A step that was to run again, and is taken over, is a disagreement."""
    bug = load_bugs()["resume-ignores-its-step"]
    env = {**base_env, "PYTHONPATH": plant(bug, ENGINE, str(tmp_path / "engine"))}
    (tmp_path / "lives").mkdir()
    with PreparedProcess(env) as process:
        lives = Lives((Foreach(2),), str(tmp_path / "lives"), (process, process), env)
        first = lives.do(Doing({}))
        with pytest.raises(Disagreement, match="tasks run by 2: expected"):
            lives.do(Doing({}, origin=first, step="a"))


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("plan_clones", lambda *_, **__: (), "tasks run by"),
        ("predict_outcome", None, "that can't finish"),
    ],
)
def test_a_disagreement_is_told(live, monkeypatch, name, wrong, said):
    """A model that is wrong, as an engine would be, is found at once."""
    lives = live((Foreach(2),))
    first = lives.do(Doing({TaskId("a", (1,)): 2}))
    right = getattr(lives_module, name)
    monkeypatch.setattr(
        lives_module, name, wrong or (lambda model, _failing: right(model, {TaskId("start")}))
    )

    with pytest.raises(Disagreement, match=said):
        lives.do(Doing({}, origin=first))
