"""The file of a sealed attempt: what is formatted parses to the same, and nothing else parses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plait.artifacts.seal import (
    HEADER_SIZE,
    BadSeal,
    Encoded,
    OtherSeal,
    check_head,
    format_seal,
    parse_facts,
    parse_header,
    parse_index,
)
from plait.base.layout import seal_key
from plait.base.pathspec import AttemptKey
from plait.base.records import (
    ArtifactRef,
    AttemptFacts,
    Failure,
    FailureKind,
    Frame,
    InputRef,
    Transition,
    TransitionKind,
)

_KEY = AttemptKey("F", "1", "start", "2", 0)
_ADDRESS = "ab" * 32
_NAMES = st.text(max_size=8)
_LARGE = st.builds(Encoded, st.just(_ADDRESS), st.integers(0, 1 << 60), _NAMES, _NAMES, st.none())
_SMALL = st.binary(max_size=40).map(
    lambda data: Encoded((data.hex() * 64 + "0" * 64)[:64], len(data), "bytes", "pickle5", data)
)
_REFS = st.builds(
    ArtifactRef,
    st.just(_ADDRESS),
    st.integers(0, 1 << 60),
    _NAMES,
    _NAMES,
    st.sampled_from(["F/runs/1/a/1.0.attempt", "F/runs/1/b/3.1.attempt"]),
    st.integers(0, 1 << 60),
) | st.builds(ArtifactRef, st.just(_ADDRESS), st.integers(0), _NAMES, _NAMES)


def _facts(**more):
    return AttemptFacts(_KEY, ok=True, started=1.0, finished=2.5, **more)


def _parsed(data, key=_KEY):
    header = parse_header(data)
    check_head(data, header)
    return parse_facts(data, header, key), parse_index(data, header, seal_key(key))


@settings(max_examples=50)
@given(st.dictionaries(_NAMES, _SMALL | _LARGE), st.dictionaries(_NAMES, _REFS))
def test_what_is_formatted_is_parsed(values, carried):
    """Every artifact is found again, small values at their place in the file."""
    data = b"".join(format_seal(_facts(), values, carried))

    facts, index = _parsed(data)

    assert facts == _facts()
    assert set(index) == {*values, *carried}
    for name, ref in index.items():
        made = values.get(name)
        if made is None:
            assert ref == carried[name]
            continue
        assert (ref.address, ref.size) == (made.address, made.size)
        assert (ref.type, ref.codec) == (made.type, made.codec)
        if made.payload is None:
            assert (ref.home, ref.offset) == ("", 0)
        else:
            assert ref.home == seal_key(_KEY)
            assert data[ref.offset : ref.offset + ref.size] == made.payload
    assert parse_header(data).file_size == len(data)


def test_all_facts_are_kept():
    """Everything that an attempt can say of itself comes back, whatever the text."""
    failure = Failure(FailureKind.SIGNAL, "killed by SIGSEGV", traceback="\udcff é\n", signal=11)
    facts = _facts(
        parents=(InputRef("a", "1", 0), InputRef("b", "2", 1)),
        frames=(Frame("a", "1", 3, 10, "items"), Frame("b", "2", 0, 2)),
        transition=Transition(TransitionKind.FOREACH, ("c",), "items", 0),
        failure=failure,
        handled=failure,
        origin=AttemptKey("F", "0", "start", "1", 0),
        system={"host": "日本", "pid": 1},
    )

    assert _parsed(b"".join(format_seal(facts, {}, {}))) == (facts, {})


def test_equal_values_are_kept_once():
    """Two artifacts with one address share their bytes."""
    value = Encoded(_ADDRESS, 1000, "bytes", "pickle5", bytes(1000))

    data = b"".join(format_seal(_facts(), {"a": value, "b": value}, {}))
    _, index = _parsed(data)

    assert index["a"] == index["b"]
    assert len(data) < 2000


def test_what_is_made_counts_more_than_what_is_carried():
    """Of one name in both, the new value is the artifact."""
    made = Encoded(_ADDRESS, 1, "int", "pickle5", b"x")
    carried = ArtifactRef("cd" * 32, 5, "str", "pickle5", "F/runs/1/a/1.0.attempt", 3)

    _, index = _parsed(b"".join(format_seal(_facts(), {"x": made}, {"x": carried})))

    assert index["x"].address == _ADDRESS


@given(st.binary(max_size=100))
def test_other_bytes_are_no_seal(data):
    """What does not begin as a seal is refused, and so is what is too short for one."""
    with pytest.raises(BadSeal):
        parse_header(data)
    if len(data) < HEADER_SIZE - 8:
        with pytest.raises(BadSeal, match="cut off"):
            parse_header(b"PLAITA1\n" + data)


def test_another_version_is_told_from_damage():
    """A seal of a later format is not called damaged."""
    with pytest.raises(OtherSeal, match="PLAITA2"):
        parse_header(b"PLAITA2\n" + bytes(100))


def test_unexpected_facts_and_index_are_another_version():
    """Undamaged JSON that this version does not understand is not called damaged."""
    from hashlib import sha256
    from struct import pack

    def sealed(facts, index):
        lengths = pack("<8sIIQ", b"PLAITA1\n", len(facts), len(index), 0)
        return lengths + sha256(lengths + facts + index).digest() + facts + index

    with pytest.raises(OtherSeal, match="facts with KeyError"):
        _parsed(sealed(b"{}", b"{}"))
    good = b"".join(format_seal(_facts(), {}, {}))
    facts = good[HEADER_SIZE : HEADER_SIZE + parse_header(good).facts]
    with pytest.raises(OtherSeal, match="an index with"):
        _parsed(sealed(facts, b'{"homes":[],"types":[],"codecs":[],"artifacts":{"x":[1]}}'))


def test_a_seal_under_another_key_is_refused():
    """A file that was copied to another attempt's place is not taken for its seal."""
    data = b"".join(format_seal(_facts(), {}, {}))

    with pytest.raises(BadSeal, match=r"seal of F/1/start/2 \(attempt 0\)"):
        _parsed(data, AttemptKey("F", "1", "start", "2", 1))
