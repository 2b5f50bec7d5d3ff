"""No flipped, missing or added byte is ever taken for a result: each is a named mistake."""

import struct
import tracemalloc
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plait.artifacts.codec import SMALL, WITH_BUFFERS
from plait.artifacts.errors import DamagedArtifact, DamagedAttempt, UnknownFormat
from plait.artifacts.store import ArtifactStore
from plait.base.errors import PlaitError
from plait.base.layout import seal_key
from plait.base.pathspec import AttemptKey
from plait.base.records import ArtifactRef, AttemptFacts, InputRef
from plait.storage.local import LocalStorage
from plait.storage.memory import MemoryStorage

_KEY = AttemptKey("F", "1", "start", "1", 0)
_SEAL = seal_key(_KEY)
_VALUES = {"number": 3, "text": "some text", "list": [1, None, {"a": 2.5}], "large": bytes(70_000)}


class Blob:
    """A value with a large buffer."""

    def __init__(self, data):
        self.data = bytes(data)

    def __reduce_ex__(self, protocol):
        from pickle import PickleBuffer

        return Blob, (PickleBuffer(self.data),)

    def __eq__(self, other):
        return self.data == other.data

    __hash__ = None


def _sealed(values):
    storage = MemoryStorage()
    store = ArtifactStore(storage, "F")
    facts = AttemptFacts(_KEY, ok=True, started=1.0, finished=2.0, parents=(InputRef("a", "1", 0),))
    store.seal(facts, {name: store.encode(name, value) for name, value in values.items()}, {})
    return storage, facts


def _replace(storage, key, data):
    storage.delete(key)
    storage.put(key, [data])


def _flipped(data, position, bits):
    return data[:position] + bytes([data[position] ^ bits]) + data[position + 1 :]


def _read_all(storage):
    """Read an attempt with everything in it, and give it, or the mistakes met, by name."""
    store = ArtifactStore(storage, "F")
    try:
        sealed = store.get(_KEY)
        assert store.find_facts(_KEY) == ArtifactStore(storage, "F").find_facts(_KEY)
    except PlaitError as error:
        return None, {"": error}
    values, errors = {}, {}
    for name, ref in sealed.artifacts.items():
        try:
            values[name] = store.load(ref, name=name)
        except PlaitError as error:
            errors[name] = error
    return values, errors


def _check_damage_is_seen(storage, file, wanted):
    values, errors = _read_all(storage)
    assert errors
    for error in errors.values():
        assert isinstance(error, DamagedAttempt | DamagedArtifact | UnknownFormat)
        assert file in str(error)
    for name, value in (values or {}).items():
        assert value == wanted[name]


def test_every_byte_of_a_seal():
    """Whichever byte of a seal changes, reading says so and names the file."""
    storage, _ = _sealed(_VALUES)
    data = storage.get(_SEAL)
    for position in range(len(data)):
        _replace(storage, _SEAL, _flipped(data, position, 1 << position % 8))
        _check_damage_is_seen(storage, f"memory/{_SEAL}", _VALUES)


def test_every_length_of_a_seal():
    """However many bytes a seal lost, or won, reading says so and names the file."""
    storage, _ = _sealed(_VALUES)
    data = storage.get(_SEAL)
    for changed in [*(data[:size] for size in range(len(data))), data + b"\0"]:
        _replace(storage, _SEAL, changed)
        _check_damage_is_seen(storage, f"memory/{_SEAL}", _VALUES)


@settings(max_examples=50)
@given(
    st.dictionaries(st.text(max_size=3), st.binary(max_size=9000), min_size=1, max_size=4),
    st.data(),
)
def test_any_damage_to_any_seal(values, data):
    """Seals of any size, whether one read gets all of them or not."""
    storage, _ = _sealed(values)
    seal = storage.get(_SEAL)
    position = data.draw(st.integers(0, len(seal) - 1))
    changed = data.draw(
        st.sampled_from([seal[:position], seal + seal[:position] + b"x"])
        | st.integers(1, 255).map(lambda bits: _flipped(seal, position, bits))
        | st.binary(min_size=1, max_size=9).map(
            lambda other: seal[:position] + other + seal[position:]
        )
    )
    _replace(storage, _SEAL, changed)

    _check_damage_is_seen(storage, _SEAL, values)


@settings(max_examples=50, deadline=None)
@given(st.booleans(), st.integers(0, 10**6), st.integers(1, 255), st.booleans())
def test_any_damage_to_a_large_value(buffers, position, bits, cut):
    """Neither a flipped byte nor a cut in a large value's file gets past its address."""
    value = Blob(b"x" * SMALL) if buffers else "x" * (SMALL + 1)
    storage, _ = _sealed({"x": value, "y": 1})
    [key] = storage.iter_keys("F/data")
    data = storage.get(key)
    position %= len(data)
    _replace(storage, key, data[:position] if cut else _flipped(data, position, bits))

    values, errors = _read_all(storage)

    assert values == {"y": 1}
    assert isinstance(errors["x"], DamagedArtifact)
    assert f"artifact 'x' is damaged in 'memory/{key}'" in str(errors["x"])


def test_the_path_of_a_damaged_file_is_named(tmp_path):
    """In a folder, the file named is one that can be looked at."""
    store = ArtifactStore(LocalStorage(str(tmp_path / "s"), str(tmp_path / "scratch")), "F")
    facts = AttemptFacts(_KEY, ok=True, started=1.0, finished=2.0)
    store.seal(facts, {"x": store.encode("x", bytes(2 * SMALL))}, {})
    ref = store.get(_KEY).artifacts["x"]
    file = tmp_path / "s" / store.storage_key(ref)
    file.write_bytes(b"short")

    with pytest.raises(DamagedArtifact) as caught:
        store.load(ref)
    assert caught.value.file == str(file)
    assert "an artifact is damaged" in str(caught.value)


@pytest.mark.parametrize(
    "lengths",
    [
        (2**32 - 1, 0, 0),
        (0, 2**32 - 1, 0),
        (0, 0, 2**64 - 1),
        (2**32 - 1, 2**32 - 1, 2**64 - 1),
    ],
)
@pytest.mark.parametrize("size", [0, 100, 16_384, 1 << 20])
def test_absurd_lengths_take_no_memory(lengths, size):
    """A seal that claims to hold exabytes is refused without an attempt to read them."""
    storage = MemoryStorage()
    head = struct.pack("<8sIIQ", b"PLAITA1\n", *lengths)
    storage.put(_SEAL, [head, sha256(head).digest(), bytes(size)])
    tracemalloc.start()
    with pytest.raises(DamagedAttempt, match="it should have") as caught:
        ArtifactStore(storage, "F").find(_KEY)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.findings[0].fix == (
        "restore that file from a copy; or remove it and resume the run, which runs that task again"
    )

    assert peak < 1 << 20


def test_a_payload_without_its_table(tmp_path):
    """Bytes that have their address, but not the form of their codec, are damage too."""
    storage = MemoryStorage()
    payload = b"no table here"
    address = sha256(payload).hexdigest()
    storage.put(f"F/data/{address[:2]}/{address}", [payload])
    ref = ArtifactRef(address, len(payload), "object", WITH_BUFFERS)

    with pytest.raises(DamagedArtifact, match="shorter than the table"):
        ArtifactStore(storage, "F").load(ref)


def test_a_seal_in_the_place_of_another():
    """A copied seal is not taken for the attempt in whose place it lies."""
    storage, _ = _sealed({"x": 1})
    other = _KEY._replace(attempt=1)
    storage.put(seal_key(other), [storage.get(_SEAL)])

    for read in (ArtifactStore(storage, "F").find, ArtifactStore(storage, "F").find_facts):
        with pytest.raises(DamagedAttempt, match=r"seal of F/1/start/1 \(attempt 0\)"):
            read(other)


def test_comparing_with_a_damaged_value():
    """A damaged value is not called changed or unchanged: loading it afresh says what it is."""
    storage, _ = _sealed({"x": "x" * 2 * SMALL})
    store = ArtifactStore(storage, "F")
    ref = store.get(_KEY).artifacts["x"]
    value = store.load(ref)
    key = store.storage_key(ref)
    _replace(storage, key, _flipped(storage.get(key), 1000, 1))

    with pytest.raises(DamagedArtifact):
        store.unchanged(ref, value, name="x")
