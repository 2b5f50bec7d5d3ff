"""URLs of S3 are read and written."""

import pytest

from plait.s3.errors import S3BadURL
from plait.s3.location import Location, parse_location


@pytest.mark.parametrize("text", ["s3://bucket", "s3://bucket/a", "s3://bucket/a/b c/", "s3://b.c"])
def test_a_url_comes_back_as_it_was(text):
    """What is read is written the same."""
    assert str(parse_location(text)) == text


@pytest.mark.parametrize(
    "text", ["", "bucket/key", "s3://", "s3://Bucket/a", "s3://b/a", "s3://b?c/d", "s3://bucket/\0"]
)
def test_what_is_no_url_is_refused(text):
    """Each mistake is told with the text itself."""
    with pytest.raises(S3BadURL, match="is not a URL of S3"):
        parse_location(text)


def test_children_are_below():
    """A child of a bucket is a key, one of a prefix goes on with it."""
    assert Location("bucket").child("a") == Location("bucket", "a")
    assert Location("bucket", "a/").child("b") == Location("bucket", "a/b")
