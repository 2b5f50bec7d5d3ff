"""What may be a key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.storage.errors import BadKey
from plait.storage.keys import check_key, is_key


@pytest.mark.parametrize("key", ["a", "a/b/c", "...", "a/..b", ".a/b.", "é 日/🧶", "a\nb", "a/b\n"])
def test_keys(key):
    """Segments of any characters but the few that mean something to file systems are keys."""
    assert is_key(key)
    check_key(key)


@pytest.mark.parametrize(
    "key",
    ["", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/..", "a/./b", "a\\b", "a\0", "\ud800"],
)
def test_no_keys(key):
    """What could lead out of a root, or has no form in UTF-8, is no key."""
    assert not is_key(key)
    with pytest.raises(BadKey, match="can't be the name"):
        check_key(key)


@given(st.text("./\\\0ab\n", max_size=8))
def test_no_key_leads_out(text):
    """A key has as many segments as slashes say, each with a name of its own."""
    segments = text.split("/")
    ill = any(s in ("", ".", "..") or "\\" in s or "\0" in s for s in segments)

    assert is_key(text) is not ill
