"""URLs of S3 are read and written."""

import pytest

from plait.base.settings import BadSetting, resolve
from plait.s3.errors import S3BadURL
from plait.s3.location import Location, parse_folder, parse_location, parse_object


@pytest.mark.parametrize("text", ["s3://bucket", "s3://bucket/a", "s3://bucket/a/b c/", "s3://b.c"])
def test_a_url_comes_back_as_it_was(text):
    """What is read is written the same."""
    assert str(parse_location(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bucket/key",
        "s3://",
        "s3://Bucket/a",
        "s3://b/a",
        "s3://b?c/d",
        "s3://bucket/\0",
        7,
        None,
    ],
)
def test_what_is_no_url_is_refused(text):
    """Each mistake is told with the text itself."""
    for no_url in (text, 7, None):
        with pytest.raises(S3BadURL, match="is not a URL of S3"):
            parse_location(no_url)


def test_children_are_below():
    """A child of a bucket is a key, one of a prefix goes on with it."""
    assert Location("bucket").child("a") == Location("bucket", "a")
    assert Location("bucket", "a/").child("b") == Location("bucket", "a/b")


@pytest.mark.parametrize("text", ["s3://bucket", "s3://bucket/"])
def test_a_bucket_is_no_object(text):
    """It is said what is missing, and how to see what is there."""
    with pytest.raises(S3BadURL, match=r"it names a bucket, and no key in it\n.*s3://bucket/some"):
        parse_object(text)
    assert parse_object("s3://bucket/a") == Location("bucket", "a")


def test_a_folder_is_the_same_with_and_without_its_slash():
    """Also that of a whole bucket."""
    assert parse_folder("s3://bucket/a/b/") == parse_folder("s3://bucket/a/b")
    assert parse_folder("s3://bucket/") == Location("bucket")
    assert parse_folder("s3://bucket/.a/..b/c..") == Location("bucket", ".a/..b/c..")


FOLDERS = ["//", "//a", "/a//b", "/a//", "/.", "/a/../b", "/..", "/a/./", "/a\n", "/\x7f"]


@pytest.mark.parametrize("path", FOLDERS)
def test_a_folder_has_one_name(path):
    """What servers and proxies may take for another one is refused, as a URL and as a setting."""
    with pytest.raises(S3BadURL, match="a part of it is empty"):
        parse_folder(f"s3://bucket{path}")
    with pytest.raises(BadSetting, match="no part of the prefix that is empty"):
        resolve("datastore-sysroot-s3", {"PLAIT_DATASTORE_SYSROOT_S3": f"s3://bucket{path}"})
