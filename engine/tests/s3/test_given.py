"""What users give `S3` is looked at before anything is asked of a server, and told by its name."""

from __future__ import annotations

import array
import enum
import io
import os

import pytest

from plait import S3, S3GetObject, S3PutObject
from plait.s3 import given
from plait.s3.errors import (
    S3BadFile,
    S3BadKey,
    S3BadLabel,
    S3BadURL,
    S3BadValue,
    S3InvalidRange,
)


@pytest.fixture
def nowhere(monkeypatch):
    """An `S3` of a server that is not there: any request fails otherwise than is expected."""
    monkeypatch.setenv("PLAIT_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with S3(s3root="s3://bucket/p") as opened:
        yield opened


@pytest.fixture
def s3(root):
    """An `S3` of a prefix."""
    with S3(s3root=str(root)) as opened:
        yield opened


class Name(str):
    """A text that shows itself otherwise."""

    def __str__(self):
        return "shown"

    def __format__(self, spec):
        return "formatted"

    def encode(self, *_):
        """Give other bytes than those of the text."""
        return b"encoded"


@pytest.mark.parametrize(
    ("offset", "length", "said"),
    [
        (-1, 1, "its offset is -1, and the least is 0"),
        (0, -1, "its length is -1, and the least is 1"),
        (0, 0, "its length is 0, and the least is 1"),
        (1.0, 1, "its offset is 1.0, of type float"),
        (0, 1.5, "its length is 1.5, of type float"),
        ("1", 1, "its offset is '1', of type str"),
        (True, 1, "its offset is True, of type bool"),
        (0, False, "its length is False, of type bool"),
        (None, 1, "its offset is None, of type NoneType"),
    ],
)
def test_what_is_no_range_is_refused(nowhere, offset, length, said):
    """By the object's URL, and what is wrong with it."""
    for keys in ([S3GetObject("a", offset, length)], ["b", S3GetObject("a", offset, length)]):
        with pytest.raises(S3InvalidRange, match=f"s3://bucket/p/a has no such range\\n.*{said}"):
            nowhere.get_many(keys)


def test_numbers_of_other_libraries_are_numbers(s3):
    """A range is often computed by one."""
    import numpy as np

    s3.put("a", b"0123456789")
    found = s3.get(S3GetObject("a", np.int64(2), np.uint8(3)))
    assert (found.blob, found.range_info) == (b"234", (10, 2, 3))


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/"])
def test_a_bucket_is_no_object(nowhere, tmp_path, url):
    """Reading its listing as one, or writing to it, is refused."""
    (tmp_path / "x").write_text("")
    with S3() as bare:
        for use in (
            lambda: bare.get(url),
            lambda: bare.get_many(["s3://bucket/a", url]),
            lambda: bare.get(S3GetObject(url, 0, 1)),
            lambda: bare.info(url),
            lambda: bare.put(url, "x"),
            lambda: bare.put_many([(url, "x")]),
            lambda: bare.put_files([(url, str(tmp_path / "x"))]),
        ):
            with pytest.raises(S3BadURL, match="no key in it"):
                use()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("a\0b", "character of code 0"),
        ("a\ud800", "surrogates not allowed"),
        ("\u00fc" * 512, "with its prefix it has 1,026 bytes in UTF-8"),
        ("x" * 2000, "S3 takes 1,024 at most"),
    ],
)
def test_what_no_server_takes_for_a_key_is_refused(nowhere, key, said):
    """As a key below a root and, but for what is no URL then, as a URL."""
    for use in (nowhere.get, nowhere.info, lambda key: nowhere.put(key, "")):
        with pytest.raises(S3BadKey, match=said):
            use(key)
    with S3() as bare, pytest.raises(S3BadURL if "\0" in key else S3BadKey):
        bare.get(f"s3://bucket/p/{key}")


def test_the_longest_key(s3, root):
    """1,024 bytes with the prefix, and no message shows the whole of a longer one."""
    key = "/".join(["d" * 200] * 6)[: 1024 - len(root.key) - 1]
    s3.put(key, "x")
    assert s3.get(key).text == "x"
    with pytest.raises(S3BadKey) as raised:
        s3.get(f"{key}x")
    assert len(str(raised.value)) < 400


def test_a_text_of_another_class_is_that_text(s3, root):
    """As a key and as a value, whatever it makes of itself."""
    assert s3.put(Name("a"), Name("value")) == f"{root}/a"
    assert s3.get("a").text == "value"
    kind = enum.Enum("Kind", {"A": "b"}, type=str)
    assert s3.put(kind.A, "x") == f"{root}/b"


@pytest.mark.parametrize(
    "value",
    [
        bytearray(b"0123"),
        memoryview(b"0123"),
        memoryview(b"0x1x2x3x")[::2],
        memoryview(array.array("H", [0x3130, 0x3332])),
        io.StringIO("0123"),
    ],
)
def test_bytes_of_any_kind_are_written(s3, value):
    """Views of any shape among them."""
    s3.put("a", value)
    assert s3.get("a").blob == b"0123"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "is of type NoneType"),
        (array.array("B", [1]), "is of type array"),
        ("a\ud800", "it is no text in UTF-8"),
    ],
)
def test_a_value_that_is_none_is_told_before_any_is_written(nowhere, value, said):
    """Also the last of many."""
    with pytest.raises(S3BadValue, match=said):
        nowhere.put_many([("a", "x"), ("b", value)])


def test_a_file_that_cannot_be_read_is_told(nowhere, tmp_path):
    """One open for writing, one that is closed, one that gives no bytes."""
    with open(tmp_path / "x", "w") as file, pytest.raises(S3BadValue, match="reading it fails"):
        nowhere.put("a", file)
    with pytest.raises(S3BadValue, match="closed file"):
        nowhere.put("a", file)
    with pytest.raises(S3BadValue, match="is of type NoneType"):
        nowhere.put("a", type("Empty", (), {"read": lambda _: None})())


def test_what_is_too_large_for_one_request_is_told(nowhere, monkeypatch):
    """With the way that such a value goes."""
    monkeypatch.setattr(given, "_LARGEST_PUT", 3)
    with pytest.raises(S3BadValue, match="put_files"):
        nowhere.put("a", b"0123")


@pytest.mark.parametrize("kind", ["a\nb", "a\r\nX: y", "", " ", "\u00fc", "a\0", 7, "text/x "])
def test_a_kind_is_one_plain_line(nowhere, kind):
    """As it travels in a line of its own."""
    with pytest.raises(S3BadLabel, match="the content_type of 'a'"):
        nowhere.put("a", "x", content_type=kind)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"a": object()}, "JSON does not know it: Object of type object"),
        ({("a",): 1}, "JSON does not know it"),
        ([("a", 1)], "it is of type list, and no dict"),
        ({"a": "x" * 2000}, "as JSON it has 2009 bytes, and S3 takes 1998"),
    ],
)
def test_metadata_that_cannot_be_kept_is_told(nowhere, metadata, said):
    """Before anything is written."""
    with pytest.raises(S3BadLabel, match=said):
        nowhere.put_many([("b", "x"), S3PutObject("a", "x", metadata=metadata)])


def test_metadata_may_hold_any_text(s3):
    """Lines, and as much as S3 takes."""
    metadata = {"line\r\nX: y": "\ud800\0", "long": "x" * 1900}
    s3.put("a", "x", metadata=metadata)
    assert s3.get("a").metadata == s3.info("a").metadata == metadata


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.mkdir(), "it is a folder"),
        (lambda path: None, "No such file"),
        (os.mkfifo, "it is no ordinary file"),
        (lambda path: path.symlink_to(path), "Too many levels"),
    ],
)
def test_a_file_that_is_none_is_told_before_any_is_written(nowhere, tmp_path, make, said):
    """By its path and its key, and without waiting for what a pipe never brings."""
    (tmp_path / "good").write_text("x")
    make(tmp_path / "bad")
    with pytest.raises(S3BadFile, match=rf"bad' can't be written to 'b'\n.*{said}"):
        nowhere.put_files([("a", str(tmp_path / "good")), ("b", str(tmp_path / "bad"))])


@pytest.mark.parametrize("path", [7, "a\0b"])
def test_a_path_that_is_none_is_told(nowhere, path):
    """Numbers would be taken for open files."""
    with pytest.raises(S3BadFile, match=f"{path!r}".replace("\\", "\\\\")):
        nowhere.put_files([("a", path)])


def test_a_file_that_may_not_be_read_is_told(nowhere, tmp_path, monkeypatch):
    """As the system says it."""
    (tmp_path / "a").write_text("")

    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", forbidden)
    with pytest.raises(S3BadFile, match="Permission denied"):
        nowhere.put_files([("a", str(tmp_path / "a"))])


def test_a_file_that_goes_away_is_told(s3, tmp_path, monkeypatch):
    """Between the look at it and its turn."""
    from plait.s3 import tool

    (tmp_path / "a").write_text("x")
    look = tool.check_item

    def look_and_remove(item):
        labels = look(item)
        (tmp_path / "a").unlink()
        return labels

    monkeypatch.setattr(tool, "check_item", look_and_remove)
    with pytest.raises(S3BadFile, match="No such file"):
        s3.put_files([("k", tmp_path / "a")])


def test_paths_may_be_of_any_kind(s3, tmp_path):
    """Those of `pathlib` and bytes, as of all that opens files."""
    (tmp_path / "a").write_text("x")
    s3.put_files([("a", tmp_path / "a"), ("b", os.fsencode(tmp_path / "a"))])
    assert [found.text for found in s3.get_many(["a", "b"])] == ["x", "x"]


@pytest.mark.parametrize("items", ["ab", [("a", "b", "c")], ["ab"], {"a": "b"}, [7]])
def test_what_are_no_pairs_is_told(nowhere, items):
    """A text of two letters is no pair of them."""
    for use, second in ((nowhere.put_many, "value"), (nowhere.put_files, "path")):
        with pytest.raises(S3BadKey, match=f"pairs of a key and a {second} are expected"):
            use(items)


@pytest.mark.parametrize("keys", ["abc", b"abc", S3GetObject("a", 0, 1)])
def test_one_key_is_no_list(nowhere, keys):
    """It would be read part by part."""
    with pytest.raises(S3BadKey, match="a list of keys is expected, and this is one"):
        nowhere.get_many(keys)
