"""Resumed runs, as real programs: what is taken over, what runs again, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import PATIENCE

from plait import Flow, Run, default_metadata, default_namespace, metadata, namespace

FLOW = """
import os
from plait import FlowSpec, Parameter, step

def mark(name):
    with open(name + ".ran", "a") as file:
        file.write("x")

class Res(FlowSpec):
    width = Parameter("width", default=6)
    LEVEL = 1

    @step
    def start(self):
        mark("start")
        self.items = list(range(self.width))
        self.next(self.square, foreach="items")

    @step
    def square(self):
        print("squaring", self.input)
        self.y = self.input ** 2
        mark(f"square{self.input}")
        self.next(self.join)

    @step
    def join(self, inputs):
        mark("join")
        if not os.path.exists("mended"):
            raise ValueError("not mended")
        self.total = sum(i.y for i in inputs)
        self.items = inputs[0].items
        self.next(self.end)

    @step
    def end(self):
        self.level = self.LEVEL
        self.LEVEL = 5

if __name__ == "__main__":
    Res()
"""


class Place:
    """A folder with a flow in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "flow.py"
        self.script.write_text(FLOW, encoding="utf-8")
        env = {k: v for k, v in os.environ.items() if not k.startswith("PLAIT_")}
        self.env = {**env, "PLAIT_USER": "t", "PLAIT_DATASTORE_ROOT": str(folder / ".plait")}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(self.script), *arguments],
            cwd=self.folder, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def call(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, said

    def ran(self) -> dict[str, int]:
        """Give how often each task ran, and forget."""
        marks = sorted(self.folder.glob("*.ran"))
        counts = {mark.stem: len(mark.read_text()) for mark in marks}
        for mark in marks:
            mark.unlink()
        return counts

    def mend(self, *, old: str = "", new: str = "") -> None:
        (self.folder / "mended").touch()
        self.script.write_text(FLOW.replace(old, new) if old else FLOW, encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a place in which the client reads."""
    made = Place(tmp_path)
    (tmp_path / ".plait").mkdir()
    metadata(f"local@{tmp_path}")
    namespace(None)
    yield made
    default_metadata()
    default_namespace()


def test_a_failed_join_is_resumed_without_running_what_finished(place: Place) -> None:
    """Only the join and what follows run; ids are new, and all results are there."""
    assert place.call("run")[0] == 1
    assert sum(place.ran().values()) == 8
    place.mend()
    code, said = place.call("resume")

    assert code == 0, said
    assert "step square: 6 tasks taken over" in said
    assert place.ran() == {"join": 1}
    run = Run("Res/2")
    assert (run.origin_run_id, run.successful, run.data.total) == ("1", True, 55)
    squares = list(run["square"])
    assert [task.data.y for task in squares] == [25, 16, 9, 4, 1, 0]
    assert [task.stdout for task in squares] == [f"squaring {n}\n" for n in (5, 4, 3, 2, 1, 0)]
    assert squares[0].origin_pathspec == "Res/1/square/7"


def test_a_resume_is_resumed(place: Place) -> None:
    """A clone of a clone reads like the first."""
    place.call("run")
    place.call("resume")
    place.ran()
    place.mend()

    assert place.call("resume")[0] == 0
    assert place.ran() == {"join": 1}
    assert Run("Res/3").data.total == 55
    assert next(iter(Run("Res/3")["square"])).stdout == "squaring 5\n"


def test_a_named_step_and_all_after_it_run_again(place: Place) -> None:
    """Even of a run that succeeded."""
    place.mend()
    place.call("run")
    place.ran()

    assert place.call("resume", "square", "--origin-run-id", "1")[0] == 0
    assert place.ran() == {**{f"square{n}": 1 for n in range(6)}, "join": 1}


def test_class_attributes_follow_the_code(place: Place) -> None:
    """What the code says now holds in taken-over tasks too; parameters are the origin's."""
    place.call("run", "--width", "3")
    place.mend(old="LEVEL = 1", new="LEVEL = 2; NEWER = 3")

    assert place.call("resume")[0] == 0
    run = Run("Res/2")
    assert (run.data.level, run.data.LEVEL, run.data.NEWER, run.data.width) == (2, 5, 3, 3)
    assert next(iter(run["square"])).data.LEVEL == 2


def test_a_parameter_that_is_newer_than_the_origin_has_its_default(place: Place) -> None:
    """It did not exist when the origin ran."""
    place.call("run")
    place.mend(old="    LEVEL = 1", new='    LEVEL = 1\n    extra = Parameter("extra", default=7)')

    assert place.call("resume")[0] == 0
    assert Run("Res/2").data.extra == 7


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (("--width", "3"), "parameter-in-resume"),
        (("squaer",), "unknown-resume-step"),
        (("--origin-run-id", "99"), "nothing-to-resume"),
    ],
)
def test_what_cannot_be_resumed_is_said(
    place: Place, arguments: tuple[str, ...], slug: str
) -> None:
    """Wrong usage exits with 2, and no run is made."""
    place.call("run")
    code, said = place.call("resume", *arguments)

    assert (code, f"error[{slug}]" in said) == (2, True), said
    assert len(list(Flow("Res"))) == 1


def test_without_any_run_there_is_nothing_to_resume(place: Place) -> None:
    """The message says where it looked."""
    code, said = place.call("resume")

    assert code == 2
    assert "error[nothing-to-resume]: flow 'Res' has no run" in said


def test_an_origin_with_a_step_that_is_gone_is_refused(place: Place) -> None:
    """Renaming a step that finished would lose its results."""
    place.call("run")
    place.mend(old="square(self)", new="cube(self)")
    place.script.write_text(
        place.script.read_text().replace("self.square,", "self.cube,"), encoding="utf-8"
    )
    code, said = place.call("resume")

    assert (code, "error[origin-changed]" in said) == (1, True), said
    assert "'square'" in said
