"""Values and attempts of a flow: stored once, sealed whole, passed on by reference, read back."""

import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plait.artifacts.codec import SMALL
from plait.artifacts.errors import (
    MissingArtifact,
    MissingAttempt,
    UnknownFormat,
    UnpicklableArtifact,
    UnreadableArtifact,
)
from plait.artifacts.store import ArtifactStore
from plait.base.pathspec import AttemptKey
from plait.base.records import ArtifactRef, AttemptFacts
from plait.storage.errors import StorageFull
from plait.storage.local import LocalStorage
from plait.storage.memory import MemoryStorage


class _Counting(MemoryStorage):
    """A storage that notes which keys are read."""

    def __init__(self):
        super().__init__()
        self.reads = []

    def get_range(self, key, offset, length):
        self.reads.append(key)
        return super().get_range(key, offset, length)

    def view(self, key):
        self.reads.append(key)
        return super().view(key)


class _Full(MemoryStorage):
    def put(self, key, parts):
        raise StorageFull(key, "No space left on device")


@pytest.fixture
def storage():
    """A storage in memory that counts reads."""
    return _Counting()


@pytest.fixture
def store(storage):
    """A store over it."""
    return ArtifactStore(storage, "F")


def _key(task=1, attempt=0, step="start"):
    return AttemptKey("F", "1", step, str(task), attempt)


def _facts(key):
    return AttemptFacts(key, ok=True, started=1.0, finished=2.0)


def _seal(store, values, carried=(), key=None):
    key = key or _key()
    encoded = {name: store.encode(name, value) for name, value in values.items()}
    assert store.seal(_facts(key), encoded, dict(carried))
    return key


def test_an_attempt_is_read_back(store, storage):
    """Facts and values, small and large, come back in another process's store."""
    values = {"x": 3, "text": "é" * SMALL, "list": [1, {"a": None}], "none": None}
    key = _seal(store, values)

    sealed = ArtifactStore(storage, "F").get(key)

    assert sealed.facts == _facts(key)
    assert {name: store.load(ref) for name, ref in sealed.artifacts.items()} == values
    assert {name: ref.type for name, ref in sealed.artifacts.items()} == {
        "x": "int",
        "text": "str",
        "list": "list",
        "none": "NoneType",
    }


def test_what_lies_in_the_storage(store, storage):
    """An attempt is one file; a large value has one of its own by its address, once a flow."""
    large = bytes(SMALL + 1)
    _seal(store, {"a": large, "b": large, "c": 1})
    _seal(store, {"again": large}, key=_key(2))

    [ref] = store.get(_key(2)).artifacts.values()

    data = f"F/data/{ref.address[:2]}/{ref.address}"
    seals = ["F/runs/1/start/1.0.attempt", "F/runs/1/start/2.0.attempt"]
    assert list(storage.iter_keys("F")) == [data, *seals]
    assert store.storage_key(ref) == data


def test_an_attempt_is_sealed_once(store):
    """Whoever seals second is told so and changes nothing."""
    key = _seal(store, {"x": 1})

    assert not store.seal(_facts(key), {"x": store.encode("x", 2)}, {})

    assert store.load(store.get(key).artifacts["x"]) == 1


def test_artifacts_are_passed_on_by_reference(store, storage):
    """A task that hands a value on neither reads nor writes it; it stays where it was made."""
    first = _seal(store, {"small": "s", "large": bytes(2 * SMALL)})
    carried = store.get(first).artifacts
    before = len(storage.reads)
    second = _seal(store, {"own": 1}, carried, key=_key(2))
    third = _seal(store, {}, store.get(second).artifacts, key=_key(3))

    artifacts = ArtifactStore(storage, "F").get(third).artifacts

    assert artifacts["small"] == carried["small"]
    assert artifacts["large"] == carried["large"]
    assert artifacts["own"].home == "F/runs/1/start/2.0.attempt"
    assert storage.reads[before:] == [
        "F/runs/1/start/2.0.attempt",
        "F/runs/1/start/3.0.attempt",
    ]
    assert store.load(artifacts["small"]) == "s"


def test_find_and_get_of_what_is_not_sealed(store):
    """`find` gives None, `get` names the task and where its seal would be."""
    assert store.find(_key()) is None
    assert store.find_facts(_key()) is None
    with pytest.raises(MissingAttempt, match=r"F/1/start/1 \(attempt 0\)(.|\n)*memory/F/runs"):
        store.get(_key())


def test_facts_alone(store, storage):
    """Facts are had by one read, and are remembered only if the whole attempt was read."""
    key = _seal(store, {f"name{n}": n for n in range(10)})
    storage.reads.clear()

    assert store.find_facts(key) == _facts(key)
    assert store.find_facts(key) == _facts(key)
    assert len(storage.reads) == 2
    store.get(key)
    assert store.find_facts(key) == _facts(key)
    assert len(storage.reads) == 3


def test_one_read_gets_a_small_attempt(store, storage):
    """Reading an attempt and all its small values costs one read."""
    key = _seal(store, {f"name{n}": [n] for n in range(20)})
    reader = ArtifactStore(storage, "F")
    storage.reads.clear()

    values = [reader.load(ref) for ref in reader.get(key).artifacts.values()]

    assert sorted(values) == [[n] for n in range(20)]
    assert len(storage.reads) == 1


def test_an_attempt_of_many_artifacts(store, storage):
    """An index longer than the first read is read on."""
    values = {f"artifact_number_{n}": n for n in range(500)}
    key = _seal(store, values)

    artifacts = ArtifactStore(storage, "F").get(key).artifacts

    assert {name: store.load(ref) for name, ref in artifacts.items()} == values


def test_an_attempt_of_exactly_one_read(storage):
    """A file as long as the first read is told from a longer one."""
    for filler in range(15_000, 16_384):
        store = ArtifactStore(MemoryStorage(), "F")
        key = _seal(store, {"x": bytes(filler)})
        assert len(ArtifactStore(store._storage, "F").load(store.get(key).artifacts["x"])) == filler


def test_the_cache_is_bounded(store, storage):
    """Only the last few hundred attempts are kept; all of them stay readable."""
    keys = [_seal(store, {"n": n}, key=_key(n)) for n in range(300)]
    for key in keys:
        store.get(key)
    storage.reads.clear()

    store.get(keys[-1])
    assert storage.reads == []
    refs = [store.get(key).artifacts["n"] for key in keys]
    assert len(storage.reads) > 250
    assert [store.load(ref) for ref in refs] == list(range(300))


def test_the_last_used_stay_in_the_cache(store, storage):
    """What is used again and again is not forgotten for what is read once."""
    keys = [_seal(store, {"n": n}, key=_key(n)) for n in range(300)]
    for key in keys:
        store.get(key)
        store.get(keys[0])
    storage.reads.clear()

    store.get(keys[0])
    assert storage.reads == []


def test_iter_attempts(store, storage):
    """All attempts of a run or step are found; other files are none."""
    keys = [_key(1), _key(1, 1), _key(10), _key(2), _key(3, step="end")]
    for key in keys:
        _seal(store, {}, key=key)
    _seal(store, {}, key=AttemptKey("F", "2", "start", "1", 0))
    storage.put("F/runs/1/run.json", [b"{}"])
    storage.put("F/runs/1/start/1.0.log", [b"x"])

    assert sorted(store.iter_attempts("1")) == sorted(keys)
    assert list(store.iter_attempts("1", "end")) == [_key(3, step="end")]
    assert list(store.iter_attempts("none")) == []


def test_large_arrays_take_no_copy(tmp_path):
    """A large array is written from where it lies and read by a private map of its file."""
    storage = LocalStorage(str(tmp_path / "store"), str(tmp_path / "scratch"))
    store = ArtifactStore(storage, "F")
    array = np.arange(4 << 20, dtype=np.float64)
    tracemalloc.start()
    key = _seal(store, {"x": array})
    loaded = store.load(store.get(key).artifacts["x"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1 << 20
    assert np.array_equal(loaded, array)
    assert loaded.ctypes.data % 64 == 0
    loaded[:] = 0
    assert np.array_equal(store.load(store.get(key).artifacts["x"]), array)
    assert list((tmp_path / "scratch").iterdir()) == []


# Values that can't be stored or read


def test_an_unpicklable_value_is_named(store, storage):
    """The mistake names the artifact, its type and the way to the element, and leaves nothing."""
    value = {"data": [bytes(SMALL)] * 40, "callbacks": [1, threading.Lock()]}

    with pytest.raises(UnpicklableArtifact) as caught:
        store.encode("config", value)

    assert caught.value.culprit.path == "config['callbacks'][1]"
    assert (
        "artifact 'config' of type dict can't be stored: config['callbacks'][1], of type "
        in str(caught.value)
    )
    assert "TypeError: cannot pickle '_thread.lock' object" in str(caught.value)
    assert list(storage.iter_keys("F")) == []
    with pytest.raises(UnpicklableArtifact, match="lock can't be stored: it can't be pickled"):
        store.encode("lock", threading.Lock())


def test_what_is_not_the_values_fault_is_not_called_so():
    """A full disk while a value is written stays a full disk, and so does a lack of memory."""

    class Huge:
        def __reduce__(self):
            raise MemoryError

    store = ArtifactStore(_Full(), "F")
    with pytest.raises(StorageFull):
        store.encode("x", bytes(2 * SMALL))
    with pytest.raises(MemoryError):
        store.encode("x", Huge())


class Moody:
    """A value that raises, when it is unpickled, whatever it is told to."""

    def __init__(self, error):
        self.error = error

    def __setstate__(self, state):
        raise state["error"]


@pytest.mark.parametrize("error", [ValueError("no"), RecursionError("deep"), KeyError("k")])
def test_a_value_that_fails_to_unpickle(store, error):
    """An error of the value's own class is a named mistake that says that nothing is damaged."""
    ref = store.get(_seal(store, {"x": Moody(error)})).artifacts["x"]

    with pytest.raises(UnreadableArtifact, match=r"artifact 'x' of type .*Moody") as caught:
        store.load(ref, name="x")
    assert caught.value.findings[0].fix == (
        "read it with the code and the package versions that wrote it; the pickle itself is "
        "undamaged"
    )
    assert isinstance(caught.value.__cause__, type(error))


def test_too_little_memory_to_unpickle(store):
    """A lack of memory is not the value's fault."""
    ref = store.get(_seal(store, {"x": Moody(MemoryError())})).artifacts["x"]

    with pytest.raises(MemoryError):
        store.load(ref)


_SCRIPT = """
import sys
from plait.artifacts.store import ArtifactStore
from plait.base.pathspec import AttemptKey
from plait.base.records import AttemptFacts
from plait.storage.local import LocalStorage

class Point:
    def __init__(self, x): self.x = x

store = ArtifactStore(LocalStorage(sys.argv[1] + "/store", sys.argv[1] + "/scratch"), "F")
key = AttemptKey("F", "1", "start", "1", 0)
store.seal(AttemptFacts(key, True, 1.0, 2.0), {"p": store.encode("p", [Point(3)])}, {})
print(store.load(store.get(key).artifacts["p"])[0].x)
"""


def test_a_class_of_the_script(tmp_path):
    """A class defined in a script works there; elsewhere the mistake names it and the cure."""
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    done = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "3\n"
    storage = LocalStorage(str(tmp_path / "store"), str(tmp_path / "scratch"))
    store = ArtifactStore(storage, "F")

    with pytest.raises(UnreadableArtifact) as caught:
        store.load(store.get(_key()).artifacts["p"], name="p")

    assert "artifact 'p' of type list cannot be read in this process" in str(caught.value)
    assert "'Point'" in str(caught.value)
    assert "move it to a module that both import" in str(caught.value)


def test_a_module_that_is_not_there(store, monkeypatch):
    """If the module of a value's class is missing, the mistake names it and says to install it."""
    from types import ModuleType

    module = ModuleType("a_module_of_theirs")
    exec("class Thing: pass", module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    ref = store.get(_seal(store, {"x": module.Thing()})).artifacts["x"]
    monkeypatch.delitem(sys.modules, module.__name__)

    with pytest.raises(
        UnreadableArtifact, match=r"an artifact of type a_module(.|\n)*install"
    ) as e:
        store.load(ref)
    assert "No module named 'a_module_of_theirs'" in str(e.value)


def test_a_value_of_an_unknown_codec(store):
    """A value that a later version encoded is not called damaged."""
    ref = store.get(_seal(store, {"x": 1})).artifacts["x"]
    later = ArtifactRef(ref.address, ref.size, ref.type, "zstd", ref.home, ref.offset)

    with pytest.raises(UnknownFormat, match="codec 'zstd'"):
        store.load(later)


def test_a_value_that_is_gone(store, storage):
    """If the file of a value is removed, the mistake names the artifact and the file."""
    artifacts = store.get(_seal(store, {"small": 1, "large": bytes(2 * SMALL)})).artifacts
    store = ArtifactStore(storage, "F")
    for name, ref in artifacts.items():
        storage.delete(store.storage_key(ref))
        with pytest.raises(MissingArtifact, match=f"'{name}' is gone: .*memory/F/"):
            store.load(ref, name=name)
    with pytest.raises(MissingArtifact, match="an artifact is gone") as caught:
        store.load(artifacts["small"])
    assert caught.value.findings[0].why == (
        "a sealed attempt refers to it, so it was there when that was written"
    )


# Whether a value changed


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(_VALUES, _VALUES)
def test_unchanged_is_equality(before, after):
    """A loaded value is unchanged; another one is unchanged only if it is equal."""
    store = ArtifactStore(MemoryStorage(), "F")
    ref = store.get(_seal(store, {"x": before})).artifacts["x"]

    assert store.unchanged(ref, store.load(ref))
    assert store.unchanged(ref, store.encode("x", store.load(ref)))
    if store.unchanged(ref, after) or store.unchanged(ref, store.encode("x", after)):
        assert after == before


def _mutate_list(value):
    value["list"].append(1)


def _mutate_array(value):
    value["array"][-1] = 7


def _mutate_text(value):
    value["text"] = "b" + value["text"][1:]


def _replace_array(value):
    value["array"] = value["array"][:-1]


def _remove_array(value):
    del value["array"]


@pytest.mark.parametrize(
    "mutate", [_mutate_list, _mutate_array, _mutate_text, _replace_array, _remove_array]
)
def test_a_mutated_large_value_is_changed(store, storage, mutate):
    """A change anywhere in a large value is seen, and nothing is written in looking."""
    value = {"array": np.arange(1 << 20), "text": "a" * 3 * SMALL, "list": list(range(9))}
    ref = store.get(_seal(store, {"x": value})).artifacts["x"]
    loaded = store.load(ref)
    keys = list(storage.iter_keys("F"))

    assert store.unchanged(ref, loaded)
    mutate(loaded)
    assert not store.unchanged(ref, loaded)
    assert list(storage.iter_keys("F")) == keys


class Record:
    """A value with attributes; unpickling makes their names one object with all equal names."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


@pytest.mark.parametrize("size", [1, 2 * SMALL])
def test_a_value_that_pickles_otherwise_once_loaded(store, size):
    """A value is unchanged also if two equal strings in it were one object before it was loaded."""
    value = Record(name=1, other={"name": bytes(size)})
    ref = store.get(_seal(store, {"x": value})).artifacts["x"]
    loaded = store.load(ref)

    assert store.encode("x", loaded).address != ref.address
    assert store.unchanged(ref, loaded)
    assert store.unchanged(ref, store.encode("x", loaded))
    loaded.name = "other"
    assert not store.unchanged(ref, loaded)
    assert not store.unchanged(ref, store.encode("x", loaded))


def test_a_value_that_no_longer_pickles(store):
    """If what was put into a loaded value can't be pickled, that is said."""
    ref = store.get(_seal(store, {"x": [1]})).artifacts["x"]

    with pytest.raises(UnpicklableArtifact, match=r"artifact 'x'.*x\[1\]"):
        store.unchanged(ref, [1, threading.Lock()], name="x")
