"""What users give `S3`, looked at before anything is asked of a server."""

from __future__ import annotations

import operator
import os
import re
import stat
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from plait.s3.errors import S3BadFile, S3BadKey, S3BadLabel, S3BadValue, S3InvalidRange
from plait.s3.objects import WRITER, Labels
from plait.s3.results import METADATA, S3GetObject, S3PutObject, encode_metadata

Item = TypeVar("Item")

Key = str | S3GetObject
"""What is to be read: a key, or a range of an object."""

_PAIR = 2
_LARGEST_PUT = 5 << 30
"""The most bytes of one request."""
_METADATA_ROOM = 2048 - len(METADATA) - len(WRITER) - 24
"""Of the bytes that S3 has for metadata, those that a user's may take."""
_CONTENT_TYPE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?\Z")


def list_keys(keys: Iterable[Item]) -> list[Item]:
    """Give keys as a list. Raises S3BadKey where one is given in place of several."""
    if isinstance(keys, str | bytes | S3GetObject):
        said = "one text" if isinstance(keys, str) else f"one {type(keys).__name__}"
        raise S3BadKey(
            keys, f"a list of keys is expected, and this is {said}", "put it into a list: [key]"
        )
    return list(keys)


def list_items(given: Iterable[Any], *, files: bool = False) -> list[S3PutObject]:
    """Give what is to be written as a list.

    Args:
        given: Pairs of a key and a value, or an `S3PutObject` each.
        files: Whether the second of a pair is a file's path.

    Raises:
        S3BadKey: One of them is no pair.
        S3BadValue: An open file is given twice: it can be read once.
    """
    items: list[S3PutObject] = []
    open_files: dict[int, S3PutObject] = {}
    for pair in given:
        if isinstance(pair, S3PutObject):
            items.append(pair)
            continue
        if not isinstance(pair, tuple | list) or len(pair) != _PAIR:
            second = "path" if files else "value"
            raise S3BadKey(
                pair,
                f"pairs of a key and a {second} are expected, and this is none",
                f"give a list of them: [(key, {second}), ...]",
            )
        key, second = pair
        items.append(S3PutObject(key, path=second) if files else S3PutObject(key, second))
    for item in items:
        if hasattr(item.value, "read"):
            first = open_files.setdefault(id(item.value), item)
            if first is not item:
                why = f"the same open file is given for '{first.key}', too, and can be read once"
                raise S3BadValue(item.key, item.value, why, "read it, and give its bytes for both")
    return items


def name_of(key: Key) -> str:
    """Give the key of what is to be read."""
    return key.key if isinstance(key, S3GetObject) else key


def check_range(key: S3GetObject, url: str) -> tuple[int, int | None]:
    """Give the offset and the length of a range. Raises S3InvalidRange.

    Args:
        key: What was asked for.
        url: The object's URL, for messages.
    """
    offset = _check_number(key.offset, "offset", 0, url)
    return offset, None if key.length is None else _check_number(key.length, "length", 1, url)


def _check_number(value: Any, name: str, least: int, url: str) -> int:
    fix = (
        "give an offset of 0 or more, and a length of 1 or more; without a length, or with None, "
        "all from the offset on is read"
    )
    try:
        number = operator.index(value)  # also of NumPy's whole numbers
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        said = f"its {name} is {value!r}, of type {type(value).__name__}, and no whole number"
        raise S3InvalidRange(url, said, fix)
    if number < least:
        raise S3InvalidRange(url, f"its {name} is {number}, and the least is {least}", fix)
    return number


def check_item(item: S3PutObject) -> Labels:
    """Look at what is to be written, without reading it, and give what is to be said of it.

    Raises:
        S3BadValue: It is nothing that can be written.
        S3BadFile: Its file is none that can be read.
        S3BadLabel: Its kind or its metadata can't be kept.
    """
    if item.path is not None:
        _check_file(item)
    elif isinstance(item.value, str) and not item.value.isascii():
        _encode(item, item.value)
    elif not hasattr(item.value, "read"):
        _check_type(item, item.value)
    return _check_labels(item)


def _check_type(item: S3PutObject, value: Any) -> None:
    if not isinstance(value, str | bytes | bytearray | memoryview):
        raise S3BadValue(item.key, value)


def _check_file(item: S3PutObject) -> None:
    try:
        kind = os.stat(path_of(item)).st_mode
        if not stat.S_ISREG(kind):
            said = "it is a folder" if stat.S_ISDIR(kind) else "it is no ordinary file"
            raise S3BadFile(item.key, item.path, said)
        with open(path_of(item), "rb"):
            return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise S3BadFile(item.key, item.path, f"the system says: {reason}") from error


def path_of(item: S3PutObject) -> str:
    """Give the path of the file to write. Raises S3BadFile if it is no path."""
    path: Any = item.path
    if not isinstance(path, str | bytes | os.PathLike):
        raise S3BadFile(item.key, path, f"it is of type {type(path).__name__}, and no path")
    return os.fsdecode(path)


def _check_labels(item: S3PutObject) -> Labels:
    kind = item.content_type
    if kind is not None and not (isinstance(kind, str) and _CONTENT_TYPE.match(kind)):
        said = f"it is {kind!r}, and may only be a line of visible characters of ASCII"
        raise S3BadLabel(item.key, "content_type", said)
    given: Any = item.metadata
    if given is not None and not isinstance(given, Mapping):
        raise S3BadLabel(item.key, "metadata", f"it is of type {type(given).__name__}, and no dict")
    try:
        kept = encode_metadata(given)
    except (TypeError, ValueError, RecursionError) as error:
        raise S3BadLabel(item.key, "metadata", f"JSON does not know it: {error}") from error
    size = len(kept.get(METADATA, ""))
    if size > _METADATA_ROOM:
        said = f"as JSON it has {size} bytes, and S3 takes {_METADATA_ROOM}"
        raise S3BadLabel(item.key, "metadata", said)
    return Labels(kind, kept)


def read_value(item: S3PutObject) -> bytes | bytearray:
    """Give the bytes to write; an open file is read. Raises S3BadValue."""
    value = item.value
    if hasattr(value, "read"):
        try:
            value = value.read()
        except (OSError, ValueError) as error:
            fix = "give a file that is open for reading, or its path by put_files()"
            raise S3BadValue(item.key, value, f"reading it fails: {error}", fix) from error
    _check_type(item, value)
    if isinstance(value, str):
        value = _encode(item, value)
    if isinstance(value, memoryview):
        value = value.tobytes()  # of any shape; the library takes none
    if len(value) > _LARGEST_PUT:
        said = f"it has {len(value)} bytes, and one request takes 5 GB"
        fix = "write it to a file, and put that by put_files(), which sends it in parts"
        raise S3BadValue(item.key, value, said, fix)
    found: bytes | bytearray = value
    return found


def _encode(item: S3PutObject, value: str) -> bytes:
    try:
        return str.encode(value, "utf-8")
    except UnicodeEncodeError as error:
        fix = "give bytes: text.encode('utf-8', 'surrogateescape'), if it came from a file's name"
        raise S3BadValue(item.key, value, f"it is no text in UTF-8: {error}", fix) from error
