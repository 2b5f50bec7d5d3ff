"""What every storage must do, as checks that each implementation's tests run.

A check takes a new, empty storage and raises AssertionError with a sentence if it does not keep the
Protocol's promises. `CHECKS` has all of them; `check_storage` runs all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from plait.storage.errors import BadKey
from plait.storage.protocol import MissingKey, Storage

Check = Callable[[Storage], None]

_BAD_KEYS = (
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/..",
    "../a",
    "a/../b",
    "./a",
    "a/.",
    "a\\b",
    "a\0b",
    "a/\ud800",
)
_ODD_KEYS = (
    "a",
    "...",
    ".hidden/..b",
    "with space/and 'quotes'",
    "Grüße/日本/🧶",
    "percent%20/question?/#hash",
    "line\nbreak",
    "~/$HOME/*",
    "-rf",
)
_LARGE = 3 << 20
_MINUTE = 60.0


def _expect(actual: object, wanted: object, promise: str) -> None:
    if actual != wanted:
        raise AssertionError(f"{promise}: expected {wanted!r:.200}, got {actual!r:.200}")


def _expect_missing(action: Callable[[], object], promise: str) -> None:
    try:
        action()
    except MissingKey:
        return
    raise AssertionError(f"{promise}: expected MissingKey")


def check_what_is_put_is_read(storage: Storage) -> None:
    """All parts are kept, one after another, and every way of reading gives them."""
    _expect(storage.put("a/b", [b"one", bytearray(b"two"), memoryview(b"three")]), True, "put")
    _expect(storage.get("a/b"), b"onetwothree", "get")
    _expect(bytes(storage.view("a/b")), b"onetwothree", "view")
    _expect(storage.size("a/b"), 11, "size")
    _expect(storage.has("a/b"), True, "has")


def check_an_empty_object_is_an_object(storage: Storage) -> None:
    """An object of no bytes is there, and differs from none."""
    _expect(storage.put("empty", []), True, "put of no parts")
    _expect(storage.put("empty", [b"x"]), False, "put over an empty object")
    _expect(storage.put("empty", []), False, "put of no parts over an empty object")
    _expect(storage.has("empty"), True, "has")
    _expect(storage.get("empty"), b"", "get")
    _expect(storage.get_range("empty", 0, 10), b"", "get_range")
    _expect(len(storage.view("empty")), 0, "length of view")
    _expect(storage.size("empty"), 0, "size")


def check_large_objects(storage: Storage) -> None:
    """Objects of several megabytes come back as they were, whole and in part."""
    data = bytes(range(256)) * (_LARGE // 256)
    storage.put("large", [data[:7], data[7 : _LARGE // 2], b"", data[_LARGE // 2 :]])
    _expect(storage.size("large"), _LARGE, "size")
    _expect(storage.get("large") == data, True, "get gives what was put")
    _expect(storage.view("large") == data, True, "view gives what was put")
    _expect(storage.get_range("large", 5, _LARGE) == data[5:], True, "get_range of all but five")


def check_ranges(storage: Storage) -> None:
    """A range gives what there is of it, and takes no memory for what there is not."""
    storage.put("key", [b"0123456789"])
    _expect(storage.get_range("key", 2, 3), b"234", "a range inside")
    _expect(storage.get_range("key", 8, 5), b"89", "a range over the end")
    _expect(storage.get_range("key", 10, 5), b"", "a range at the end")
    _expect(storage.get_range("key", 99, 5), b"", "a range beyond the end")
    _expect(storage.get_range("key", 4, 0), b"", "a range of nothing")
    _expect(storage.get_range("key", 1, 1 << 62), b"123456789", "a range of exabytes")


def check_put_is_exclusive(storage: Storage) -> None:
    """The first put of a key counts; later ones say so and change nothing."""
    _expect(storage.put("key", [b"first"]), True, "the first put")
    _expect(storage.put("key", [b"second"]), False, "the second put")
    _expect(storage.get("key"), b"first", "get")


def check_a_failed_put_leaves_nothing(storage: Storage) -> None:
    """If the parts can't all be had, nothing appears under the key, which stays free."""

    def parts() -> Iterator[bytes]:
        yield bytes(_LARGE)
        raise LookupError

    try:
        storage.put("a/key", parts())
    except LookupError:
        pass  # the caller's own error, and not another one
    else:
        raise AssertionError("put: expected the error of its parts")
    _expect(storage.has("a/key"), False, "has")
    _expect(list(storage.iter_keys("a")), [], "iter_keys")
    _expect(storage.put("a/key", [b"x"]), True, "a later put")


def check_an_upload_appears_at_commit(storage: Storage) -> None:
    """Nobody sees an upload before its commit, and all of it afterwards."""
    with storage.upload() as upload:
        upload.write(b"one")
        upload.write(memoryview(bytearray(b"two")))
        _expect(storage.has("a/b"), False, "has, before the commit")
        _expect(list(storage.iter_keys("a")), [], "iter_keys, before the commit")
        _expect(upload.commit("a/b"), True, "commit")
        _expect(storage.get("a/b"), b"onetwo", "get")
    _expect(storage.get("a/b"), b"onetwo", "get, after the upload's end")


def check_an_upload_keeps_its_bytes(storage: Storage) -> None:
    """What was written is kept as it was then, whatever happens to the buffer afterwards."""
    buffer = bytearray(b"before")
    with storage.upload() as upload:
        upload.write(buffer)
        buffer[:] = b"after!"
        upload.commit("key")
    _expect(storage.get("key"), b"before", "get")


def check_commit_is_exclusive(storage: Storage) -> None:
    """The first commit of a key counts; later ones say so and change nothing."""
    with storage.upload() as first, storage.upload() as second:
        first.write(b"first")
        second.write(b"second")
        _expect(second.commit("key"), True, "the first commit")
        _expect(first.commit("key"), False, "the second commit")
    _expect(storage.get("key"), b"second", "get")
    _expect(storage.put("key", [b"third"]), False, "a put after it")


def check_an_upload_without_commit_is_dropped(storage: Storage) -> None:
    """What was not committed appears under no key, also if the upload ended by an error."""
    with storage.upload() as upload:
        upload.write(b"x" * 100)
    with suppress(LookupError), storage.upload() as upload:
        upload.write(b"x" * 100)
        raise LookupError
    storage.put("other/key", [])
    _expect(list(storage.iter_keys("other")), ["other/key"], "iter_keys")
    storage.sweep()
    _expect(list(storage.iter_keys("other")), ["other/key"], "iter_keys, after a sweep")


def check_missing_keys(storage: Storage) -> None:
    """Reading what is not there raises MissingKey, and so does reading a folder."""
    storage.put("folder/key", [b"x"])
    for key in ("none", "folder", "folder/none", "folder/key/below"):
        _expect(storage.has(key), False, f"has '{key}'")
        _expect_missing(partial(storage.get, key), f"get '{key}'")
        _expect_missing(partial(storage.get_range, key, 0, 1), f"get_range '{key}'")
        _expect_missing(partial(storage.view, key), f"view '{key}'")
        _expect_missing(partial(storage.size, key), f"size '{key}'")


def check_views_are_private(storage: Storage) -> None:
    """Writing to a view changes neither the object nor another view, small or large."""
    for key, size in (("small", 10), ("large", _LARGE)):
        storage.put(key, [bytes(size)])
        mine, other = storage.view(key), storage.view(key)
        _expect(mine.readonly, False, "readonly")
        _expect((mine.format, mine.ndim), ("B", 1), "format and dimensions")
        mine[0] = mine[size - 1] = 7
        _expect((mine[0], other[0], storage.get(key)[0]), (7, 0, 0), "mine, other's, stored")


def check_views_outlive_their_objects(storage: Storage) -> None:
    """A view stays as it is when its object is deleted."""
    storage.put("key", [b"\1" * _LARGE])
    view = storage.view("key")
    storage.delete("key")
    _expect(view[_LARGE - 1], 1, "the last byte")


def check_append(storage: Storage) -> None:
    """A log is made by its first append and grows at its end, for everybody after a flush."""
    storage.append("a/log", b"one\n")
    storage.flush("a/log")
    _expect(storage.get("a/log"), b"one\n", "get after the first append")
    storage.append("a/log", memoryview(b"two\n"))
    storage.append("a/log", b"")
    storage.flush("a/log")
    storage.flush("a/log")
    storage.flush("a/none")
    _expect(storage.has("a/none"), False, "has, after a flush of nothing")
    _expect(storage.get("a/log"), b"one\ntwo\n", "get after the others")
    _expect(storage.get_range("a/log", 4, 100), b"two\n", "get_range")
    _expect(storage.put("a/log", [b"x"]), False, "put over a log")


def check_listing(storage: Storage) -> None:
    """Keys are listed whole and sorted, and a prefix is a folder, not the beginning of a name."""
    keys = ["a/1", "a/10", "a/2", "a/b", "a/b.c", "a/b0", "a/d/e/f", "ab/1", "z"]
    keys.remove("a/b")  # is a folder below
    keys += ["a/b/c", "a/b/a", "a/b-"]
    for key in reversed(keys):
        storage.put(key, [b""])
    wanted = sorted(key for key in keys if key.startswith("a/"))
    _expect(list(storage.iter_keys("a")), wanted, "iter_keys 'a'")
    _expect(list(storage.iter_keys("a/b")), ["a/b/a", "a/b/c"], "iter_keys 'a/b'")
    _expect(list(storage.iter_keys("a/d")), ["a/d/e/f"], "iter_keys 'a/d'")
    _expect(list(storage.iter_keys("none")), [], "iter_keys of no folder")
    _expect(list(storage.iter_keys("z")), [], "iter_keys of a key")


def check_folders(storage: Storage) -> None:
    """Folders are listed by their own names, sorted, one level at a time."""
    _expect(list(storage.iter_folders()), [], "iter_folders of an empty storage")
    for key in ("b/x/1", "a/2", "a.b/y/z/3", "b/x.y/4", "b/5", "c"):
        storage.put(key, [b""])
    _expect(list(storage.iter_folders()), ["a", "a.b", "b"], "iter_folders")
    _expect(list(storage.iter_folders("b")), ["x", "x.y"], "iter_folders 'b'")
    _expect(list(storage.iter_folders("a.b/y")), ["z"], "iter_folders 'a.b/y'")
    _expect(list(storage.iter_folders("none")), [], "iter_folders of no folder")
    _expect(list(storage.iter_folders("c")), [], "iter_folders of a key")


def check_prune(storage: Storage) -> None:
    """Pruning removes folders without keys, and no key."""
    for key in ("a/x/1", "a/y/2", "b/3"):
        storage.put(key, [b""])
    storage.delete("a/x/1")
    storage.prune("a")
    storage.prune("none")
    storage.prune("b/3")
    _expect(list(storage.iter_folders("a")), ["y"], "iter_folders, after pruning")
    _expect([*storage.iter_keys("a"), *storage.iter_keys("b")], ["a/y/2", "b/3"], "iter_keys")
    storage.delete("a/y/2")
    storage.prune("a")
    _expect(list(storage.iter_folders()), ["b"], "iter_folders, after pruning all")
    _expect(storage.put("a/x/1", [b""]), True, "put into a pruned folder")


def check_delete(storage: Storage) -> None:
    """A deleted key is free again; deleting what is not there does nothing."""
    storage.put("a/key", [b"first"])
    storage.delete("a/key")
    storage.delete("a/key")
    storage.delete("none/at/all")
    _expect(storage.has("a/key"), False, "has")
    _expect(list(storage.iter_keys("a")), [], "iter_keys")
    _expect(storage.put("a/key", [b"second"]), True, "put")
    storage.delete("a")
    _expect(storage.get("a/key"), b"second", "get, after deleting the folder's name")


def check_times(storage: Storage) -> None:
    """The time of writing is known, to a minute, of what is there."""
    storage.put("key", [b"x"])
    written = storage.modified("key")
    if written is None or abs(written - time.time()) > _MINUTE:
        raise AssertionError(f"modified: expected about {time.time()}, got {written}")
    _expect(storage.modified("none"), None, "modified of what is not there")


def check_refresh(storage: Storage) -> None:
    """Forgetting what is kept near changes nothing of what is stored."""
    storage.put("key", [b"x"])
    storage.refresh("key")
    _expect(storage.refresh("none") in (True, False), True, "refresh of what is not there")
    _expect(storage.get("key"), b"x", "get, after a refresh")


def check_odd_keys(storage: Storage) -> None:
    """Spaces, Unicode and what a shell or URL would take for its own are parts of keys."""
    for number, key in enumerate(_ODD_KEYS):
        _expect(storage.put(f"odd/{number}/{key}", [key.encode()]), True, f"put {key!r}")
    for number, key in enumerate(_ODD_KEYS):
        _expect(storage.get(f"odd/{number}/{key}"), key.encode(), f"get {key!r}")
    wanted = sorted(f"odd/{number}/{key}" for number, key in enumerate(_ODD_KEYS))
    _expect(list(storage.iter_keys("odd")), wanted, "iter_keys")


def check_bad_keys(storage: Storage) -> None:
    """What is no key is refused by everything that takes one."""
    actions: dict[str, Callable[[str], object]] = {
        "get": storage.get,
        "get_range": lambda key: storage.get_range(key, 0, 1),
        "view": storage.view,
        "put": lambda key: storage.put(key, [b"x"]),
        "append": lambda key: storage.append(key, b"x"),
        "flush": storage.flush,
        "refresh": storage.refresh,
        "modified": storage.modified,
        "has": storage.has,
        "size": storage.size,
        "iter_keys": lambda key: list(storage.iter_keys(key)),
        "delete": storage.delete,
        "prune": storage.prune,
    }
    for key in _BAD_KEYS:
        for name, action in actions.items():
            _expect_bad_key(action, key, name)
        with storage.upload() as upload:
            _expect_bad_key(upload.commit, key, "commit")


def _expect_bad_key(action: Callable[[str], object], key: str, name: str) -> None:
    try:
        action(key)
    except BadKey:
        return
    raise AssertionError(f"{name} of {key!r}: expected BadKey")


def check_sweep(storage: Storage) -> None:
    """A sweep leaves every object, may be repeated, and uploads work after it."""
    storage.sweep()
    storage.put("key", [b"x"])
    storage.sweep()
    storage.sweep()
    _expect(storage.get("key"), b"x", "get")
    with storage.upload() as upload:
        upload.write(b"y")
        _expect(upload.commit("other"), True, "commit")


def check_warm(storage: Storage) -> None:
    """To be warmed changes nothing, however often, and whatever was written before."""
    storage.put("before", [b"x"])
    storage.warm()
    storage.warm()

    storage.put("after", [b"y"])
    _expect((storage.get("before"), storage.get("after")), (b"x", b"y"), "get after warm")


CHECKS: tuple[Check, ...] = (
    check_what_is_put_is_read,
    check_an_empty_object_is_an_object,
    check_large_objects,
    check_ranges,
    check_put_is_exclusive,
    check_a_failed_put_leaves_nothing,
    check_an_upload_appears_at_commit,
    check_an_upload_keeps_its_bytes,
    check_commit_is_exclusive,
    check_an_upload_without_commit_is_dropped,
    check_missing_keys,
    check_views_are_private,
    check_views_outlive_their_objects,
    check_append,
    check_listing,
    check_folders,
    check_delete,
    check_prune,
    check_times,
    check_refresh,
    check_odd_keys,
    check_bad_keys,
    check_sweep,
    check_warm,
)


def check_storage(make: Callable[[], Storage]) -> None:
    """Run every check, each on a storage of its own.

    Args:
        make: Gives a new, empty storage.
    """
    for check in CHECKS:
        check(make())
