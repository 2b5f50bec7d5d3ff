"""Sealed attempts read without the engine: what is damaged is found."""

from __future__ import annotations

import os

import pytest

from plait_harness.seals import DamagedSeal, read_run

TEMPLATE = '''
class Mine(FlowTest):
    """It."""

    @steps(0, ["start"])
    def first(self):
        self.small = [1, 2]
        self.large = b"large" * 50_000

    @steps(1, ["join"])
    def meet(self):
        self.merge_artifacts(inputs, include=["small", "large"])

    @steps(2, ["all"])
    def rest(self):
        self.own = self.index

    def check_results(self, flow, checker):
        pass
'''


@pytest.fixture
def store(run_case, make_template, make_graph, shapes):
    """The store of a small run that went well."""
    result = run_case(make_template(TEMPLATE), make_graph(shapes["foreach"]))
    assert not result.failed, result.failed
    return os.path.join(result.folder, ".plait", "store")


def damage(path: str, place: int) -> None:
    """Change one byte of a file."""
    with open(path, "r+b") as file:
        file.seek(place, os.SEEK_END if place < 0 else os.SEEK_SET)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def test_every_attempt_is_read(store):
    """Steps, parents, frames and artifacts are as the run made them."""
    sealed = [each for each in read_run(store, "MineFlow", "1") if each.step != "_parameters"]

    assert [(each.step, each.ok, each.frames) for each in sealed] == [
        ("end", True, ()),
        ("inner", True, ((0, 3),)),
        ("inner", True, ((1, 3),)),
        ("inner", True, ((2, 3),)),
        ("join", True, ()),
        ("start", True, ()),
    ]
    join = next(each for each in sealed if each.step == "join")
    assert [step for step, _ in join.parents] == ["inner", "inner", "inner"]
    assert {"small", "large"} <= join.artifacts


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (0, "does not begin as a sealed attempt"),
        (20, "facts and index don't match their sum"),
        (70, "facts and index don't match their sum"),
        (-1, "is not in .* as its address says"),
    ],
)
def test_a_changed_byte_is_found(store, place, said):
    """Wherever it is: in the head, in the facts, or in a value."""
    damage(os.path.join(store, "MineFlow", "runs", "1", "start", "1.0.attempt"), place)

    with pytest.raises(DamagedSeal, match=said):
        read_run(store, "MineFlow", "1")


def test_a_cut_file_is_found(store):
    """A seal that lost its end is not whole."""
    path = os.path.join(store, "MineFlow", "runs", "1", "end", "6.0.attempt")
    os.truncate(path, os.path.getsize(path) - 1)

    with pytest.raises(DamagedSeal, match="not what its lengths add up to"):
        read_run(store, "MineFlow", "1")


def test_a_damaged_or_lost_large_value_is_found(store):
    """Large values are in files of their own."""
    folder = os.path.join(store, "MineFlow", "data")
    (file,) = (os.path.join(path, name) for path, _, names in os.walk(folder) for name in names)
    damage(file, 100)
    with pytest.raises(DamagedSeal, match=r"artifact 'large' of .* as its address says"):
        read_run(store, "MineFlow", "1")

    os.unlink(file)
    with pytest.raises(DamagedSeal, match="can't be read: No such file"):
        read_run(store, "MineFlow", "1")


def test_an_attempt_under_another_ones_name_is_found(store):
    """A seal says whose it is."""
    folder = os.path.join(store, "MineFlow", "runs", "1", "end")
    os.rename(os.path.join(folder, "6.0.attempt"), os.path.join(folder, "8.0.attempt"))

    with pytest.raises(DamagedSeal, match=r"8\.0\.attempt says that it is"):
        read_run(store, "MineFlow", "1")
