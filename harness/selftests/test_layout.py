"""Files of a store: what does not belong there, or is not what its name says, is found."""

from __future__ import annotations

import os
import tarfile

import pytest

from plait_harness.layout import check_layout
from plait_harness.seals import SealReader

ADDRESS = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"  # of b"foo"


@pytest.fixture
def put(tmp_path):
    """Give a function that puts a file into a store, and says what is wrong there then."""

    def put_file(key: str, data: bytes = b"") -> list[str]:
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return list(check_layout(SealReader(str(tmp_path))))

    return put_file


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("F/runs/1/run.json", b"{}"),
        ("F/runs/1/start/1.0.attempt", b""),
        ("F/runs/1/start/1.0.log", b""),
        (f"F/data/2c/{ADDRESS}", b"foo"),
    ],
)
def test_what_belongs_there_is_no_matter(put, key, data):
    """Also a value that no seal refers to."""
    assert put(key, data) == []


@pytest.mark.parametrize(
    "key",
    [
        "F/runs/1/start/1.attempt",
        "F/runs/1/start/1.0.attempt.tmp",
        "F/data/2c/short",
        f"F/data/00/{ADDRESS}",
        "F/other",
    ],
)
def test_what_does_not_belong_there_is_found(put, key):
    """By its name alone."""
    assert put(key) == [f"a file that is not of the format is in the store: {key}"]


def test_a_value_under_another_ones_address_is_found(put):
    """Also one that no seal refers to."""
    (said,) = put(f"F/data/2c/{ADDRESS}", b"bar")

    assert said.startswith(f"F/data/2c/{ADDRESS} in the store holds what has another address, fcde")


def test_a_package_is_named_by_its_first_member(put, tmp_path):
    """It is INFO; another package under the name, or none at all, is found."""
    info = tmp_path.parent / "INFO"
    info.write_bytes(b"foo")
    packed = tmp_path.parent / "it.tgz"
    with tarfile.open(packed, "w:gz") as package:
        package.add(info, "INFO")
    with tarfile.open(tmp_path.parent / "other.tgz", "w:gz") as package:
        package.add(info, "OTHER")
    key = f"F/code/2c/{ADDRESS}.tgz"

    assert put(key, packed.read_bytes()) == []
    other = (tmp_path.parent / "other.tgz").read_bytes()
    assert put(key, other) == [f"{key} in the store can't be read: its first member is not INFO"]
    (said,) = put(key, b"no archive")
    assert said.startswith(f"{key} in the store can't be read: ")
    os.unlink(tmp_path / key)
