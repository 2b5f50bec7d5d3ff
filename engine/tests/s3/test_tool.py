"""`S3` for users: what is put is got, listed and described, and mistakes are told by name."""

from __future__ import annotations

import copy
import io
import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import plait
from plait import S3, S3GetObject, S3PutObject
from plait.base.errors import PlaitError
from plait.base.settings import BadSetting
from plait.s3 import lean, many, tool
from plait.s3.errors import (
    S3AccessDenied,
    S3BadKey,
    S3BadRoot,
    S3BadURL,
    S3BadValue,
    S3Closed,
    S3InvalidRange,
    S3NoSuchBucket,
    S3NotFound,
    S3ScratchFailed,
)
from plait.s3.lean import LeanReader, find_target
from plait.s3.many import Fetcher
from plait.s3.wire import Unusual
from plait.s3.writing import write_object
from plait_harness.faults import Fault, Rule


@pytest.fixture
def s3(root, tmp_path):
    """An `S3` of a prefix."""
    with S3(str(tmp_path), s3root=str(root)) as opened:
        yield opened


def test_what_is_put_is_got(s3, root):
    """Text, bytes and open files; with all that is known of them."""
    assert (
        s3.put("a/text", "Grüße", content_type="text/plain", metadata={"N": [1]})
        == f"{root}/a/text"
    )
    s3.put("file", io.BytesIO(b"bytes"))
    found = s3.get("a/text")

    assert (found.text, found.blob) == ("Grüße", "Grüße".encode())
    assert (found.url, found.key, found.prefix) == (f"{root}/a/text", "a/text", None)
    assert (found.exists, found.downloaded, found.has_info) == (True, True, True)
    assert (found.size, found.content_type, found.metadata) == (7, "text/plain", {"N": [1]})
    assert found.last_modified > 1_700_000_000
    assert repr(found) == f"S3Object('{root}/a/text', 7 bytes, read)"
    assert s3.get("file").blob == b"bytes"


def test_many_come_in_order(s3, tmp_path):
    """Whatever order they were read in, empty and missing ones among them."""
    pairs = [(f"k{number}", str(number)) for number in range(40)] + [("empty", "")]
    assert [key for key, _ in s3.put_many(pairs)] == [key for key, _ in pairs]
    found = s3.get_many([*(key for key, _ in pairs), "none"], return_missing=True)

    assert [each.text for each in found] == [*(text for _, text in pairs), None]
    assert (found[-1].exists, found[-1].size, found[-1].path) == (False, None, None)
    assert (found[-1].metadata, found[-1].content_type, found[-1].last_modified) == (None,) * 3
    assert repr(found[-1]).endswith("/none', not there)")


def test_files_go_and_leave_with_the_manager(root, tmp_path):
    """What was read lies below tmproot, and nothing is left of it."""
    (tmp_path / "in").write_bytes(b"of a file")
    with S3(str(tmp_path), s3root=str(root)) as s3:
        more = S3PutObject("b", path=str(tmp_path / "in"), content_type="text/x")
        s3.put_files([("a", str(tmp_path / "in")), more])
        found = s3.get("a")
        assert found.path.startswith(str(tmp_path))
        assert s3.info("b").content_type == "text/x"
    assert os.listdir(tmp_path) == ["in"]
    with pytest.raises(FileNotFoundError, match=f"the bytes of {root}/a are asked for after"):
        found.blob  # noqa: B018  # reading it is what fails


@pytest.mark.parametrize(
    "use",
    [
        lambda s3: s3.get("a"),
        lambda s3: s3.get(S3GetObject("a", 1, 1)),
        lambda s3: s3.get_many([]),
        lambda s3: s3.get_all(),
        lambda s3: s3.info("a"),
        lambda s3: s3.list_paths(),
        lambda s3: s3.put("a", "x"),
        lambda s3: s3.put_many([]),
        lambda s3: s3.__enter__(),
    ],
)
def test_it_is_not_used_after_its_end(root, use):
    """No request is made, and it is said when it ended; closing it again is nothing."""
    with S3(s3root=str(root)) as s3:
        pass
    s3.close()
    with pytest.raises(S3Closed, match="after the end of its 'with'"):
        use(s3)


def test_many_threads_may_use_one(s3):
    """Each gets the bytes that it asked for, in files of their own."""

    def use(number):
        keys = [f"{number}/{each}" for each in range(5)]
        s3.put_many([(key, key) for key in keys])
        found = s3.get_many(keys)
        paths = [each.path for each in found]
        assert [each.size for each in s3.info_many(keys)] == [len(key) for key in keys]
        return [each.text for each in found] == keys, paths

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(use, range(16)))
    assert all(right for right, _ in done)
    assert len({path for _, paths in done for path in paths}) == 80


def test_it_is_no_artifact(s3):
    """What pickles it, or copies it, is told what to keep instead."""
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="keep the URLs that put"):
            copied(s3)


def test_a_full_disk_is_told(s3, monkeypatch):
    """By the folder of what is read, with the way to another; the connection is no worse for it."""
    monkeypatch.setattr(lean, "SMALL", 10)
    s3.put("a", b"x" * 100)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(many.os, "pwrite", full)
        with pytest.raises(S3ScratchFailed, match="No space left"):
            s3.get("a")
    assert s3.get("a").blob == b"x" * 100


def test_an_s3_that_is_closed_while_it_reads(s3, monkeypatch):
    """By another thread: what is being read then is told so."""
    monkeypatch.setattr(lean, "SMALL", 10)
    s3.put("a", b"x" * 100)
    new_path = s3._shelf.new_path

    def close_before(*_):
        path = new_path()
        s3.close()
        return path

    monkeypatch.setattr(s3._shelf, "new_path", close_before)
    with pytest.raises(S3Closed, match=r"/a is being read"):
        s3.get("a")


def test_what_is_there_may_stay(s3):
    """Without overwrite, only what was not there is written, and said to be."""
    s3.put("a", "first")
    assert s3.put_many([("a", "second"), ("b", "second")], overwrite=False) == [
        ("b", s3.info("b").url)
    ]
    assert s3.get("a").text == "first"
    s3.put("a", "third")
    assert s3.get("a").text == "third"


@pytest.mark.parametrize(("overwrite", "kept"), [(True, "39"), (False, "0")])
def test_of_several_values_for_one_key_it_is_clear_which_counts(s3, overwrite, kept):
    """The last, as if written one after another; the first, if none is to be overwritten."""
    pairs = [("same", str(number)) for number in range(40)]
    written = s3.put_many([("a", "x"), *pairs, ("b", "x")], overwrite=overwrite)

    assert [key for key, _ in written] == ["a", "same", "b"]
    assert s3.get("same").text == kept


@pytest.mark.parametrize("text", ["{no json", "[1]", "7", ""])
def test_metadata_of_others_is_given_as_it_is(s3, root, text):
    """Also under the name that plait uses."""
    client = s3._connection.client()
    kept = {"plait-metadata": text, "by": "ada"}
    client.put_object(Bucket=root.bucket, Key=f"{root.key}/a", Body=b"", Metadata=kept)
    assert s3.get("a").metadata == s3.info("a").metadata == kept


@pytest.mark.parametrize("return_missing", [True, False])
def test_facts_in_a_bucket_that_is_not_there(root, return_missing):
    """It is told by them as by the bytes, which an answer without a body does not allow for."""
    url = "s3://no-such-bucket/a"
    with S3() as bare:
        for use in (bare.info, bare.get):
            with pytest.raises(S3NoSuchBucket):
                use(url, return_missing=return_missing)


def test_why_facts_are_missing_is_asked_once(faulty, root, monkeypatch):
    """One more request for the first object that is not there, and none for others."""
    monkeypatch.setattr(tool, "share_connection", faulty)
    with S3(s3root=str(root)) as s3:
        assert not s3.info("a", return_missing=True).exists
        assert [each.exists for each in s3.info_many(["b", "c"], return_missing=True)] == [
            False
        ] * 2
    assert sorted(line.split()[0] for line in faulty.seen) == ["GET", "HEAD", "HEAD", "HEAD"]


def test_listing(s3, root):
    """One level, or all; what is found can be asked for again by its key."""
    s3.put_many([(key, key) for key in ("x", "d/a", "d/e/f", "dd")])
    first = s3.list_paths()

    assert [(each.key, each.exists) for each in first] == [("dd", True), ("x", True), ("d/", False)]
    assert [each.key for each in s3.list_paths(["d"])] == ["d/a", "d/e/"]
    found = s3.list_recursive(["d", "none"])
    assert [(each.key, each.prefix, each.size) for each in found] == [
        ("d/a", f"{root}/d/", 3),
        ("d/e/f", f"{root}/d/", 5),
    ]
    assert (found[0].has_info, found[0].metadata, found[0].blob) == (False, None, None)
    assert repr(found[0]) == f"S3Object('{root}/d/a', 3 bytes)"
    assert [each.text for each in s3.get_recursive(["d"])] == ["d/a", "d/e/f"]
    assert sorted(each.text for each in s3.get_all()) == ["d/a", "d/e/f", "dd", "x"]


def test_info(s3):
    """Without reading; what is not there is an error, unless it is asked for."""
    s3.put("a", b"12")
    there, missing = s3.info_many(["a", "b"], return_missing=True)

    assert (there.size, there.downloaded, there.exists, missing.exists) == (2, False, True, False)
    assert there.metadata == {}
    with pytest.raises(S3NotFound):
        s3.info("b")
    with pytest.raises(S3NotFound):
        s3.get("b")


def test_ranges(s3):
    """A part of an object, and how large the whole is."""
    s3.put("a", b"0123456789")
    found = s3.get(S3GetObject("a", 2, 3))

    assert (found.blob, found.size, found.range_info) == (b"234", 10, (10, 2, 3))
    assert s3.get(S3GetObject("a", 8)).blob == b"89"
    assert not s3.get(S3GetObject("none", 1, 1), return_missing=True).exists
    with pytest.raises(S3NotFound):
        s3.get(S3GetObject("none", 1, 1))
    with pytest.raises(S3InvalidRange):
        s3.get(S3GetObject("a", 10, 1))


def test_whole_urls(root, s3):
    """Without a root, keys are URLs, and so are those that are given back."""
    with S3() as bare:
        url = bare.put(f"{root}/u", "x")
        assert bare.get(url).key == url
        assert [each.key for each in bare.list_paths([str(root)])] == [url]
        with pytest.raises(S3BadKey, match="without run= and s3root="):
            bare.get("u")
        with pytest.raises(S3BadURL):
            bare.get("s3://B/u")
        with pytest.raises(S3BadRoot, match="there is no 'all'"):
            bare.get_all()


@pytest.mark.parametrize(
    "key", ["", "/a", "../a", "a/../b", "./a", "a/..", "s3://bucket/a", 7, "\0"]
)
def test_keys_stay_below_the_root(s3, key):
    """What could lead out of it is refused, before anything is asked for."""
    for use in (s3.get, s3.info, lambda key: s3.put(key, "")):
        with pytest.raises(S3BadKey):
            use(key)


def test_one_text_is_no_list_of_keys(s3):
    """It would be read letter by letter."""
    with pytest.raises(S3BadKey, match="a list of keys"):
        s3.get_many("abc")


def test_an_open_file_is_for_one_key(s3):
    """It can be read once; nothing is written where it is given for two."""
    file = io.BytesIO(b"same")
    with pytest.raises(S3BadValue, match="given for 'a', too"):
        s3.put_many([("a", file), ("b", file)])
    assert s3.list_paths() == []
    s3.put_many([("a", io.BytesIO(b"same")), ("b", io.BytesIO(b"same"))])
    assert [found.text for found in s3.get_many(["a", "b"])] == ["same", "same"]


def test_values_are_bytes_or_text(s3):
    """Others are artifacts."""
    with pytest.raises(S3BadValue, match="'a' is of type dict"):
        s3.put("a", {})


class _Flow:
    def __init__(self, place, origin=None):
        self.place, self.origin = place, origin

    def __plait_run__(self):
        return self.place

    def __plait_origin__(self):
        return self.origin


class _Run:
    path_components = ("F", "17")


def test_objects_of_a_run(root, monkeypatch):
    """`self` in a step and a run of the client mean the same place."""
    monkeypatch.setenv("PLAIT_DATASTORE_SYSROOT_S3", f"{root}/")
    with S3(run=_Flow(("F", "17"))) as mine, S3(run=_Run()) as read:
        url = mine.put("a", "x")
        assert url == f"{root}/F/objects/17/a"
        assert read.get("a").text == "x"


def test_runs_of_one_number_have_places_of_their_own(root, monkeypatch):
    """Two stores of facts give the same numbers; a run's own word tells them apart."""
    monkeypatch.setenv("PLAIT_DATASTORE_SYSROOT_S3", f"{root}/")
    mine, yours = _Flow(("F", "17", "ab")), _Flow(("F", "17", "cd"))
    with S3(run=mine) as first, S3(run=yours) as second:
        assert first.put("a", "x") == f"{root}/F/objects/17-ab/a"
        assert second.get("a", return_missing=True).exists is False
        assert second.get_all() == []


def test_what_a_resumed_run_does_not_have_may_be_its_origins(root, monkeypatch):
    """It is said where the objects are that finished steps put, which did not run again."""
    monkeypatch.setenv("PLAIT_DATASTORE_SYSROOT_S3", str(root))
    with S3(run=_Flow(("F", "18"), ("F", "17"))) as resumed, S3(run=_Flow(("F", "19"))) as new:
        for use in (
            resumed.get,
            resumed.info,
            lambda key: resumed.get(S3GetObject(key, 1, 1)),
            lambda key: resumed.get_many([key, key]),
        ):
            with pytest.raises(S3NotFound, match=r"S3\(run=Run\('F/17'\)\)") as raised:
                use("a")
            assert raised.value.url == f"{root}/F/objects/18/a"
        with pytest.raises(S3NotFound) as raised:
            new.get("a")
        assert "goes on from" not in str(raised.value)


@pytest.mark.parametrize("slashes", ["", "/"])
def test_the_end_of_a_prefix_changes_nothing(root, monkeypatch, slashes):
    """For the tool as for the store; what could be another folder is refused by both."""
    monkeypatch.setenv("PLAIT_DATASTORE_SYSROOT_S3", f"{root}{slashes}")
    with S3(s3root=f"{root}{slashes}") as s3, S3(run=_Run()) as run:
        assert s3.put("a", "x") == f"{root}/a"
        assert run.put("a", "x") == f"{root}/F/objects/17/a"
    for odd in ("//", "/../x", "/./x"):
        with pytest.raises(S3BadURL, match="a part of it is empty"):
            S3(s3root=f"{root}{odd}")
        monkeypatch.setenv("PLAIT_DATASTORE_SYSROOT_S3", f"{root}{odd}")
        with pytest.raises(BadSetting, match="no part of the prefix"):
            S3(run=_Run())


def test_where_objects_are_has_to_be_clear(root, monkeypatch):
    """Two answers, no run, and no bucket are each told."""
    monkeypatch.delenv("PLAIT_DATASTORE_SYSROOT_S3", raising=False)
    with pytest.raises(S3BadRoot, match="both given"):
        S3(run=_Run(), s3root="s3://bucket")
    with pytest.raises(S3BadRoot, match="SYSROOT_S3"):
        S3(run=_Run())
    monkeypatch.setenv("PLAIT_DATASTORE_SYSROOT_S3", str(root))
    for other in (_Flow(None), 17):
        with pytest.raises(S3BadRoot, match="in no run"):
            S3(run=other)
    with pytest.raises(S3BadURL):
        S3(s3root="bucket")


def test_it_is_all_exported():
    """From plait itself, errors as well."""
    names = {name for name in plait.__all__ if name.startswith("S3")}
    assert {"S3", "S3Object", "S3NotFound", "S3AccessDenied", "S3InvalidRange"} <= names
    assert all(issubclass(getattr(plait, name), object) for name in names)
    assert issubclass(plait.S3Error, PlaitError)


@pytest.mark.parametrize(
    "fault", [Fault.THROTTLED, Fault.RESET, Fault.TRUNCATED, Fault.CORRUPT, Fault.ERROR]
)
def test_a_fetch_that_goes_wrong_is_made_by_the_library(faulty, root, tmp_path, fault):
    """It knows what to do, and the bytes are the right ones."""
    write_object(faulty(), root, b"some bytes")
    fetcher = Fetcher(faulty(Rule(fault, "GET")))

    fetcher.fetch(root, str(tmp_path / "x"))
    fetcher.close()
    assert (tmp_path / "x").read_bytes() == b"some bytes"


def test_a_denied_fetch_is_told(faulty, root, tmp_path, monkeypatch):
    """After one more request, and no third."""
    connection = faulty()
    monkeypatch.setattr(tool, "share_connection", lambda: connection)
    body = b"<Error><Code>AccessDenied</Code></Error>"
    faulty(Rule(Fault.ERROR, "GET", times=None, body=body, status=403))

    with S3(s3root=str(root)) as s3, pytest.raises(S3AccessDenied):
        s3.get_many(["a"])
    assert len(faulty.seen) == 2


def test_large_objects_are_fetched_in_parts(faulty, root, tmp_path, monkeypatch):
    """The first of them is not read twice."""
    from plait.s3 import lean, reading

    for module in (lean, reading, many):
        monkeypatch.setattr(module, "PART", 1000)
    monkeypatch.setattr(lean, "SMALL", 100)
    write_object(faulty(), root, bytes(range(250)) * 10)
    fetcher = Fetcher(faulty())

    body, facts = fetcher.fetch(root, str(tmp_path / "x"))
    fetcher.close()
    assert (tmp_path / "x").read_bytes() == bytes(range(250)) * 10
    assert (body, facts.size, len(faulty.seen)) == (None, 2500, 3)


@pytest.mark.parametrize("without", ["credentials", "proxy"])
def test_where_only_the_library_knows_the_way(root, faulty, tmp_path, monkeypatch, without):
    """Without credentials of the usual kind, and through a proxy, it makes all requests."""
    connection = faulty()
    write_object(connection, root, b"x")
    if without == "credentials":
        monkeypatch.setattr(many, "find_target", lambda _: None)
    else:
        monkeypatch.setenv("http_proxy", faulty.url)
        monkeypatch.setenv("no_proxy", "")
        assert find_target(connection) is None
        return
    fetcher = Fetcher(connection)

    assert fetcher.fetch(root, str(tmp_path / "x"))[1].size == 1
    with pytest.raises(S3NotFound):
        fetcher.fetch(root.child("none"), str(tmp_path / "y"))


def test_how_requests_are_signed(monkeypatch):
    """As AWS's documentation says, checked against the library; tokens are among what is signed."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    from plait.s3 import lean

    target = lean.Target("h.example", 443, True, "", "eu-west-1", "AK", "SK", "TOKEN")
    request = AWSRequest("GET", "https://h.example/b/k%20k", headers={"Range": "bytes=0-16777215"})
    request.context["payload_signing_enabled"] = False
    S3SigV4Auth(Credentials("AK", "SK", "TOKEN"), "s3", "eu-west-1").add_auth(request)
    then = time.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ")
    monkeypatch.setattr(lean.time, "gmtime", lambda: then)

    signed = LeanReader(target)._sign("/b/k%20k", 0, lean.PART).decode()
    assert f"\r\nauthorization:{request.headers['Authorization']}\r\n\r\n" in signed


def test_odd_answers_are_left_to_the_library():
    """A date that is none, a host that does not resolve over TLS."""
    from plait.s3 import lean

    with pytest.raises(Unusual, match="is no date"):
        lean._read_date("yesterday")
    target = lean.Target("127.0.0.1", 9, True, "", "eu-west-1", "AK", "SK", None)
    with pytest.raises(Unusual):
        LeanReader(target).read(lean.Location("bucket", "key"), lambda _: lambda _: None)
    assert lean._named({"x-amz-server-side-encryption": "aws:kms"})["ServerSideEncryption"]
