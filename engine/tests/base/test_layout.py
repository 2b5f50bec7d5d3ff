"""Keys are spelled one way, and the keys of sealed attempts can be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.base.layout import (
    code_key,
    code_prefix,
    data_key,
    log_key,
    parse_code_key,
    parse_seal_key,
    run_file_key,
    run_prefix,
    seal_key,
)
from plait.base.pathspec import AttemptKey, RunKey

_SEGMENT = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1)


def test_the_keys_of_an_attempt():
    """A sealed attempt and its log lie beside each other, in the folder of their step."""
    key = AttemptKey("HelloFlow", "3", "start", "1", 0)

    assert seal_key(key) == "HelloFlow/runs/3/start/1.0.attempt"
    assert log_key(key) == "HelloFlow/runs/3/start/1.0.log"


def test_the_keys_of_a_run():
    """A run's own files and its steps' folders lie in one folder."""
    key = RunKey("HelloFlow", "3")

    assert run_file_key(key, "run.json") == "HelloFlow/runs/3/run.json"
    assert run_prefix(key) == "HelloFlow/runs/3"
    assert run_prefix(key, "start") == "HelloFlow/runs/3/start"


def test_the_key_of_a_large_value():
    """Large values are spread over folders by the first two digits of their address."""
    assert data_key("HelloFlow", "ab12") == "HelloFlow/data/ab/ab12"


@given(_SEGMENT, _SEGMENT, _SEGMENT, _SEGMENT, st.integers(0, 10**20))
def test_seal_keys_are_read_back(flow, run, step, task, attempt):
    """Whatever the names are, dots included, a key that was formatted parses to the same."""
    key = AttemptKey(flow, run, step, task, attempt)

    assert parse_seal_key(seal_key(key)) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "F/runs/3/start/1.0.log",
        "F/runs/3/run.json",
        "F/data/ab/1.0.attempt",
        "F/data/3/start/1.0.attempt",
        "F/runs/3/start/deeper/1.0.attempt",
        "F/runs/3/start/.attempt",
        "F/runs/3/start/1.attempt",
        "F/runs/3/start/1..attempt",
        "F/runs/3/start/.0.attempt",
        "F/runs/3/start/1.x.attempt",
        "F/runs/3/start/1.-1.attempt",
        "F/runs/3/start/1.00.attempt",
        "F/runs/3/start/1.²attempt",
        "F/runs/3/start/1.٣.attempt",
    ],
)
def test_other_keys_are_no_sealed_attempts(key):
    """What is not exactly a seal's key is none, such as logs and foreign files."""
    assert parse_seal_key(key) is None


def test_the_key_of_a_code_package():
    """Code packages lie as large values do, and their keys can be read back; no other key can."""
    address = "ab" + "0" * 62
    key = code_key("HelloFlow", address)

    assert key == f"HelloFlow/code/ab/{address}.tgz"
    assert key.startswith(code_prefix("HelloFlow") + "/")
    assert parse_code_key(key) == address
    for other in (f"F/data/ab/{address}", f"F/code/cd/{address}.tgz", "F/code/ab.tgz", key[:-4]):
        assert parse_code_key(other) is None
