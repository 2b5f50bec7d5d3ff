"""The page on the store's format is exact: its reader reads a store, its example is one."""

import re
from pathlib import Path

import numpy as np
import pytest

from plait.artifacts.store import ArtifactStore
from plait.base.pathspec import AttemptKey
from plait.base.records import AttemptFacts, InputRef, Transition, TransitionKind
from plait.storage.local import LocalStorage

_PAGE = (Path(__file__).parents[3] / "docs" / "store-format.md").read_text()
_START = AttemptKey("Hello", "3", "start", "1", 0)
_END = AttemptKey("Hello", "3", "end", "2", 0)


@pytest.fixture
def reader():
    """What the page's reader defines."""
    source = next(
        b for b in re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL) if "def read" in b
    )
    names = {}
    exec(source, names)
    return names


def _seal(folder, values):
    """Write the example of the page, with *values* more made by `start`."""
    storage = LocalStorage(f"{folder}/store", f"{folder}/scratch")
    store = ArtifactStore(storage, "Hello")
    encoded = {name: store.encode(name, value) for name, value in values.items()}
    leaves = Transition(TransitionKind.LINEAR, ("end",))
    store.seal(AttemptFacts(_START, True, 100.0, 100.25, transition=leaves), encoded, {})
    carried = dict(store.get(_START).artifacts)
    del carried["n"]
    facts = AttemptFacts(_END, True, 101.0, 101.5, parents=(InputRef("start", "1", 0),))
    store.seal(facts, {"n": store.encode("n", 2)}, carried)
    return facts


def test_the_example(tmp_path):
    """The bytes shown are those that plait writes."""
    _seal(tmp_path, {"names": ["ada"], "n": 1})
    data = (tmp_path / "store/Hello/runs/3/end/2.0.attempt").read_bytes()

    shown = re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} {1,2}){1,16}) ", _PAGE, re.MULTILINE)

    assert bytes.fromhex("".join(shown)) == data


def test_the_reader(tmp_path, reader):
    """The page's program, which knows nothing of plait, reads what plait wrote."""
    values = {
        "names": ["ada"],
        "n": 1,
        "text": "é" * 50_000,
        "array": np.arange(100_000.0).reshape(100, -1),
        "arrays": [np.arange(9_000), {"x": np.zeros((3, 70_001), "u1")}],
    }
    facts = _seal(tmp_path, values)
    store = tmp_path / "store"

    read, artifacts = reader["read_attempt"](store, "Hello/runs/3/end/2.0.attempt")
    found = {name: reader["read_value"](store, row) for name, row in artifacts.items()}

    assert read == facts.to_json()
    np.testing.assert_equal(found, values | {"n": 2})
    assert {name: row[3] for name, row in artifacts.items()} == {
        "names": "pickle5",
        "n": "pickle5",
        "text": "pickle5",
        "array": "pickle5+buffers",
        "arrays": "pickle5+buffers",
    }


def test_the_reader_sees_damage(tmp_path, reader):
    """It checks what the page says can be checked."""
    _seal(tmp_path, {"names": ["ada"], "n": 1})
    store = tmp_path / "store"
    file = store / "Hello/runs/3/end/2.0.attempt"
    data = file.read_bytes()
    file.write_bytes(data[:100] + b"!" + data[101:])
    with pytest.raises(ValueError, match="damaged"):
        reader["read_attempt"](store, "Hello/runs/3/end/2.0.attempt")
    file.write_bytes(data[:-1] + b"!")
    _, artifacts = reader["read_attempt"](store, "Hello/runs/3/end/2.0.attempt")
    with pytest.raises(ValueError, match="damaged"):
        reader["read_value"](store, artifacts["n"])
