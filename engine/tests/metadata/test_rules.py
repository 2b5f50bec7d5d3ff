"""The rules for tags and ids, in full; how facts add up is told by the suite of checks."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.metadata.errors import BadTag
from plait.metadata.rules import check_tags, get_number, parse_id

# Letters and the marks that compose with them, symbols, a space, and what lies beyond 16 bits.
ALPHABET = (
    "aeoAEO\u0301\u0308\u0327\u00e9\u00df\u1e9b\u212b\u65e5\uac00\u1100\u1161:=%'\" \U0001f600"
)


@given(st.frozensets(st.text(ALPHABET, min_size=1).filter(str.strip)))
def test_printable_tags_are_kept_composed(tags: frozenset[str]) -> None:
    """Any printable text is a tag, kept in its composed form, and checked again it is the same."""
    kept = check_tags(tags)

    assert kept == {unicodedata.normalize("NFC", tag) for tag in tags}
    assert check_tags(kept) == kept


def test_every_bad_tag_is_named() -> None:
    """All mistakes are told at once, each with its own reason and the tag as far as it fits."""
    with pytest.raises(BadTag) as caught:
        check_tags(["fine", "", "\t", "x" * 501, "a\nb", "\x7f", 7])  # type: ignore[list-item]  # a mistake

    assert [(finding.what, finding.why) for finding in caught.value.findings] == [
        ("'' cannot be a tag", "it is empty"),
        (r"'\t' cannot be a tag", "it is blank"),
        (r"'\x7f' cannot be a tag", r"it holds the character '\x7f'"),
        (r"'a\nb' cannot be a tag", r"it holds the character '\n'"),
        ("'" + "x" * 56 + "... cannot be a tag", "it has 501 characters; 500 are the most"),
        ("7 cannot be a tag", "it is of type int, not text"),
    ]
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("7", 7), ("9" * 18, 10**18 - 1)]
    + [(text, None) for text in ("", "00", "07", "-1", "1_0", "1\n", "٣", "²", "9" * 19)],
)
def test_only_the_usual_way_to_write_a_number_is_an_id(text: str, number: int | None) -> None:
    """An id is a number in its one usual form, no larger than a database holds."""
    assert parse_id(text) == number


def test_an_id_that_is_none_is_a_bug_where_one_is_due() -> None:
    """Where only ids may come, anything else is a bug, and named."""
    assert get_number("12") == 12
    with pytest.raises(AssertionError, match="'x' is not an id"):
        get_number("x")
