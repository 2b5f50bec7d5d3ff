"""Reading everything again finds each thing that is not as it was written, and names its file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from upkeep.house import House, large

from plait.base.layout import code_key, parse_code_key, seal_key
from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import ArtifactRef
from plait.metadata.protocol import NewRun, Status
from plait.storage.errors import StorageFailed
from plait.storage.local import LocalStorage
from plait.storage.protocol import MissingKey
from plait.upkeep.clean import clean
from plait.upkeep.plan import Policy
from plait.upkeep.verify import Progress, Tally, verify

WORK = AttemptKey("F", "1", "work", "1", 0)


def damage(house: House, key: str, content: bytes | None) -> None:
    """Write something else into a file, or remove it."""
    path = house.root / "store" / key
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def find(house: House) -> list[tuple[str, str]]:
    """Give what is found, with files below the store."""
    prefix = f"{house.root}/store/"
    return [(damage.file.removeprefix(prefix), damage.what) for damage in house.verify()]


@pytest.fixture
def filled(house) -> House:
    """A run with a value of each kind, and one that took over its values."""
    run = house.begin(parameters={"p": 1})
    key = house.task(run, "1", {"small": "text", "same": "text", "big": large("a")})
    house.print(key)
    house.end(run)
    other = house.begin(origin="1")
    house.task(other, "1", carried=house.refs(key), origin=key)
    house.end(other)
    return house


def test_a_whole_store_is_content(filled) -> None:
    """Nothing is found, everything was read, and progress says how far."""
    told: list[Progress] = []
    tally = Tally()

    assert list(verify(filled.stores, told.append, tally)) == []
    files = len(filled.files())
    assert told[-1] == Progress("F", files, files)
    assert (tally.files, tally.runs) == (files, 2)
    assert tally.size > 70_000


def test_an_empty_store_is_content(house) -> None:
    """There is nothing to be wrong."""
    assert house.verify() == []


def test_every_damaged_byte_of_a_seal_is_found(filled) -> None:
    """Be it in its head or in a value."""
    key = seal_key(WORK)
    whole = filled.stores.storage.get(key)
    for position in range(0, len(whole), 7):
        damage(filled, key, whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert {file for file, _ in find(filled)} == {key}
    damage(filled, key, whole[:-1])
    assert find(filled)[0][0] == key
    damage(filled, key, whole)
    assert find(filled) == []


def test_a_damaged_value_is_found(filled) -> None:
    """Its address is not that of its bytes."""
    (key,) = filled.keys("F/data")
    damage(filled, key, large("b"))

    ((file, what),) = find(filled)
    assert file == key
    assert what.startswith("does not hold the value of its name")


def test_a_missing_value_is_found_once(filled) -> None:
    """With an artifact that needs it."""
    (key,) = filled.keys("F/data")
    damage(filled, key, None)

    assert find(filled) == [
        (key, f"is missing: artifact 'big' of {seal_key(WORK)} refers to it")
    ]  # fmt: skip


def test_a_missing_seal_is_found(filled) -> None:
    """By the facts, and by who refers to a value in it."""
    damage(filled, seal_key(WORK), None)

    found = find(filled)
    assert {file for file, _ in found} == {seal_key(WORK)}
    assert found[-1][1] == f"is missing: {WORK} is recorded as done"
    assert any("refers to it" in what for _, what in found)


def test_a_reference_to_the_wrong_place_is_found(filled) -> None:
    """Something else lies where an artifact should be."""
    run = filled.begin()
    wrong = ArtifactRef("00" * 32, 3, "str", "pickle5", seal_key(WORK), 60)
    key = filled.task(run, "1", carried={"x": wrong})

    assert find(filled) == [
        (seal_key(key), f"looks for artifact 'x' where it is not, in {seal_key(WORK)}")
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"{}", b'{"flow": "F", "run": "2"}', b"[]"])
def test_a_damaged_run_file_is_found(filled, content) -> None:
    """It has to say which run's folder it claims."""
    damage(filled, "F/runs/1/run.json", content)

    assert [file for file, _ in find(filled)] == ["F/runs/1/run.json"]


def test_strangers_and_other_formats_are_named(filled) -> None:
    """A file among the values that is none, and a seal of another version."""
    damage(filled, "F/data/readme", b"?")
    damage(filled, seal_key(WORK._replace(task="9")), b"PLAITA9\n" + b"?" * 100)

    format_, stranger = [what for _, what in find(filled)]
    assert format_.startswith("is in a format that this plait does not know: ")
    assert stranger == "is no value's file"


def test_damaged_facts_are_found(filled) -> None:
    """The values are still read without them."""
    filled.stores.close()
    for file in filled.root.glob("metadata.db-*"):
        file.unlink()
    database = filled.root / "metadata.db"
    database.write_bytes(b"SQLite format 3\0" + b"?" * 5000)
    (key,) = filled.keys("F/data")
    damage(filled, key, b"")

    found = find(filled)
    assert found[0][0] == str(database)
    assert key in [file for file, _ in found]


def test_a_run_that_goes_on_is_content(house) -> None:
    """Nothing is missing of what is not there yet."""
    house.begin()
    house.stores.metadata.create_run(NewRun("F", 1.0))
    failed = house.begin()
    house.end(failed, status=Status.FAILED)

    assert house.verify() == []
    assert house.stores.metadata.find_run(RunKey("F", "2")) is not None


class Vanishing(LocalStorage):
    """A storage from which things are removed right after they were listed."""

    def iter_keys(self, prefix: str) -> Iterator[str]:
        yield from super().iter_keys(prefix)
        if prefix.endswith("/data"):
            yield f"{prefix}/ab/ab{'0' * 62}"
        if prefix.endswith("/runs"):
            yield f"{prefix}/1/gone/7.0.attempt"


def test_what_is_removed_meanwhile_is_no_damage(filled) -> None:
    """Cleaning may go on at the same time."""
    storage = Vanishing(f"{filled.root}/store", f"{filled.root}/scratch/x")
    stores = replace(filled.stores, storage=storage)

    assert list(verify(stores)) == []
    assert [each.files for each in clean(stores, Policy(), dry_run=False)] == [()]


@pytest.fixture
def coded(house, tmp_path) -> tuple[House, str]:
    """A run that kept its code, and the key of that."""
    address = house.keep_code(tmp_path, "one")
    house.end(house.begin(facts={"code": address}))
    return house, code_key("F", address)


def test_whole_code_is_content(coded) -> None:
    """It is read and counted."""
    house, _ = coded
    tally = Tally()

    assert list(verify(house.stores, tally=tally)) == []
    assert tally.files == len(house.files())


@pytest.mark.parametrize(
    ("content", "said"), [(b"x", "is damaged: "), (None, "is missing: run F/1 ran with that code")]
)
def test_damaged_code_is_found(coded, content, said) -> None:
    """Code that is not as it was written, or is gone."""
    house, key = coded
    damage(house, key, content)
    ((file, what),) = find(house)

    assert file == key
    assert what.startswith(said)


def test_missing_code_is_told_once_and_not_of_a_removed_run(coded, monkeypatch) -> None:
    """Two runs of one code are one damage; a run that is removed meanwhile needs none."""
    house, key = coded
    house.end(house.begin(facts={"code": parse_code_key(key)}))
    damage(house, key, None)
    assert len(find(house)) == 1

    monkeypatch.setattr(house.stores.metadata, "find_run", lambda _key: None)
    assert find(house) == []


def test_another_file_among_code_is_named(coded) -> None:
    """Nobody knows what it should hold."""
    house, _ = coded
    house.stores.storage.put("F/code/ab/cd.txt", [b"x"])
    assert find(house) == [("F/code/ab/cd.txt", "is no code package's file")]


def test_code_that_cannot_be_read_is_named(coded, monkeypatch) -> None:
    """With what the store says; and what is removed while it is read is no damage."""
    house, key = coded

    def refuse(self: LocalStorage, wanted: str) -> bytes:
        if wanted == key:
            raise error
        return real(self, wanted)

    real = LocalStorage.get
    monkeypatch.setattr(LocalStorage, "get", refuse)
    error: Exception = StorageFailed(key, "read", "Input/output error")
    ((file, what),) = find(house)
    assert (file, "read" in what) == (key, True)
    error = MissingKey(key, "here")
    assert find(house) == []
