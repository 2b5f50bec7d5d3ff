"""A disk that gets full while a run goes on: the run has failed, and what was finished is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from plait import FlowSpec, step
from plait.base.pathspec import RunKey
from plait.base.settings import StoreChoice
from plait.flow.definition import read_definition
from plait.metadata.errors import UnavailableMetadata
from plait.metadata.protocol import Fact, Status
from plait.metadata.sqlite import SQLiteMetadata
from plait.runtime.options import RunOptions
from plait.runtime.reporter import SilentReporter
from plait.storage.errors import StorageFull
from plait.storage.local import LocalStorage
from plait.storage.reserve import Reserve
from plait.upkeep.verify import verify
from plait.wiring.runs import resume_flow, run_flow
from plait.wiring.stores import open_stores


class Row(FlowSpec):
    """Three steps in a row, each with something to say."""

    @step
    def start(self):
        """Go on."""
        self.x = 1
        print("start")
        self.next(self.middle)

    @step
    def middle(self):
        """Go on."""
        self.x += 1
        print("middle")
        self.next(self.end)

    @step
    def end(self):
        """Stop."""
        print("end")


def run_inline(folder: Path) -> None:
    """Run the flow in this process, with its store in *folder*."""
    choice = StoreChoice(str(folder))
    run_flow(read_definition(Row), {}, RunOptions(workers="inline"), choice, SilentReporter())


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A disk that is full from the output of `middle` on, but for what a run gives back."""
    room = {"left": True}
    append, record, release = LocalStorage.append, SQLiteMetadata.record, Reserve.release

    def append_or_not(self: LocalStorage, key: str, data: bytes) -> None:
        if "/middle/" in key:
            room["left"] = False
            raise StorageFull(key, "No space left on device")
        append(self, key, data)

    def record_or_not(self: SQLiteMetadata, facts: Sequence[Fact]) -> None:
        if not room["left"]:
            raise UnavailableMetadata("metadata.db", "database or disk is full")
        record(self, facts)

    def give_back(self: Reserve) -> None:
        room["left"] = True
        release(self)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "append", append_or_not)
        patch.setattr(SQLiteMetadata, "record", record_or_not)
        patch.setattr(Reserve, "release", give_back)
        yield patch


def test_a_run_on_a_full_disk_has_failed(tmp_path: Path, full: pytest.MonkeyPatch) -> None:
    """It is recorded as that, with what its tasks sealed; it is resumed when there is room."""
    definition, choice = read_definition(Row), StoreChoice(str(tmp_path))
    options = RunOptions(workers="inline")

    with pytest.raises(StorageFull, match="middle"):
        run_flow(definition, {}, options, choice, SilentReporter())

    stores = open_stores(choice)
    run = stores.metadata.find_run(RunKey("Row", "1"))
    assert run is not None
    assert run.status is Status.FAILED
    assert run.failure is not None
    assert run.failure.summary.startswith("StorageFull: there is no room to write")
    tasks = {
        step.step: [task.status for task in stores.metadata.list_tasks(run.key, step.step)]
        for step in stores.metadata.list_steps(run.key)
    }
    assert tasks == {"start": [Status.DONE], "middle": [Status.DONE]}
    assert list(verify(stores)) == []
    stores.close()
    full.undo()
    outcome = resume_flow(definition, {}, options, choice, SilentReporter())
    assert outcome.status is Status.DONE


def test_without_any_room_the_first_error_says_so(tmp_path: Path, full: pytest.MonkeyPatch) -> None:
    """Where not even the end can be recorded, what went wrong first is told, and that."""
    full.setattr(Reserve, "release", lambda _: None)

    with pytest.raises(StorageFull, match="middle") as error:
        run_inline(tmp_path)

    assert "could not be recorded" in error.value.__notes__[0]


def test_a_run_whose_values_cannot_be_reached_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its facts say so, with the reason, though what its last tasks did can't be looked for."""
    append, iter_keys = LocalStorage.append, LocalStorage.iter_keys
    gone: list[str] = []

    def append_or_not(self: LocalStorage, key: str, data: bytes) -> None:
        if "/middle/" in key:
            gone.append(key)
            raise StorageFull(key, "the server is away")
        append(self, key, data)

    def list_or_not(self: LocalStorage, prefix: str) -> Iterator[str]:
        if gone:
            raise StorageFull(prefix, "the server is away")
        return iter_keys(self, prefix)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "append", append_or_not)
        patch.setattr(LocalStorage, "iter_keys", list_or_not)
        with pytest.raises(StorageFull, match="middle") as error:
            run_inline(tmp_path)

    assert "could not be read" in error.value.__notes__[0]
    run = open_stores(StoreChoice(str(tmp_path))).metadata.find_run(RunKey("Row", "1"))
    assert run is not None
    assert (run.status, run.failure is not None) == (Status.FAILED, True)
