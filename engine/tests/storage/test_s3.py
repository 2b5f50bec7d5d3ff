"""The S3 storage keeps every promise, on two servers, and asks them for little."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace

import pytest

from plait.base.layout import data_key, seal_key
from plait.base.pathspec import AttemptKey
from plait.s3 import lanes, reading, writing
from plait.s3.connection import S3Connection
from plait.s3.errors import S3AccessDenied
from plait.s3.location import Location
from plait.storage import conformance, s3, s3_ahead, s3_place, s3_writing
from plait.storage.conformance import CHECKS
from plait.storage.errors import StorageFailed, StorageFull
from plait.storage.local import LocalStorage
from plait.storage.protocol import UPLOAD, MissingKey
from plait_harness.faults import Fault, FaultProxy, Plan, Rule

MB = 1 << 20
ADDRESS = "ab" + 62 * "0"

# What servers differ in: how they list, what they take for a key, how writes exclude each other.
DIFFERENCES = (
    conformance.check_an_empty_object_is_an_object,
    conformance.check_put_is_exclusive,
    conformance.check_missing_keys,
    conformance.check_listing,
    conformance.check_folders,
    conformance.check_prune,
    conformance.check_odd_keys,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_conforms(make_storage, check):
    """Every promise of a storage is kept."""
    check(make_storage())


@pytest.mark.parametrize("check", DIFFERENCES, ids=lambda check: check.__name__)
def test_it_conforms_on_another_server(make_on_disk, check):
    """And those that a server may break are kept on another one."""
    check(make_on_disk())


@pytest.mark.parametrize(
    "check",
    [
        conformance.check_put_is_exclusive,
        conformance.check_commit_is_exclusive,
        conformance.check_append,
    ],
    ids=lambda check: check.__name__,
)
def test_it_conforms_without_conditional_writes(make_storage, check):
    """Where a server does not heed them, it looks before it writes."""
    check(make_storage(conditional=False))


@pytest.fixture
def parts(monkeypatch):
    """Parts as small as S3 allows."""
    for module in (lanes, reading, writing, s3, s3_writing):
        monkeypatch.setattr(module, "PART", 5 * MB)


@pytest.fixture
def faulty(moto, make_storage):
    """Gives a storage whose requests go wrong as rules say."""
    with FaultProxy(moto.url, Plan()) as proxy:
        connection = S3Connection(proxy.url, sleep=lambda _: None)

        def make(*rules, **more):
            proxy.plan.rules[:] = rules
            proxy.plan.seen.clear()
            return make_storage(connection, conditional=True, **more)

        make.seen = proxy.plan.seen
        make.rules = proxy.plan.rules
        yield make


def test_what_it_wrote_itself_it_need_not_ask_for(faulty):
    """One request for a small object, and none for reading it, or a part of it, or its size."""
    storage = faulty()
    storage.put("F/runs/1/a", [b"0123"])

    assert (storage.get("F/runs/1/a"), storage.get_range("F/runs/1/a", 1, 2)) == (b"0123", b"12")
    assert storage.size("F/runs/1/a") == 4
    assert len(faulty.seen) == 1


def test_a_value_is_read_once(faulty):
    """It stays in the machine's cache by its address; refreshed, it is read again."""
    key = data_key("F", ADDRESS)
    storage = faulty()
    storage.put(key, [b"value"])
    faulty.seen.clear()

    assert bytes(storage.view(key)) == bytes(storage.view(key)) == b"value"
    assert len(faulty.seen) == 1
    assert storage.refresh(key)
    assert bytes(storage.view(key)) == b"value"
    assert len(faulty.seen) == 2


@pytest.mark.parametrize("way", ["put", "upload"])
def test_what_is_kept_again_is_young(faulty, monkeypatch, way):
    """A value of the same bytes is written anew once it is old, so that no cleaning takes it."""
    key = data_key("F", ADDRESS)
    storage = faulty()

    def write():
        if way == "put":
            return storage.put(key, [b"value"])
        with storage.upload() as upload:
            upload.write(b"value")
            return upload.commit(key)

    assert write()
    faulty.seen.clear()
    assert not write()
    assert [line.split()[0] for line in faulty.seen] == ["PUT", "HEAD"]
    faulty.seen.clear()
    now = time.time()
    monkeypatch.setattr(s3_place.time, "time", lambda: now + 50_000)
    assert not write()
    assert [line.split()[0] for line in faulty.seen] == ["PUT", "HEAD", "PUT"]
    assert storage.get(key) == b"value"


@pytest.mark.parametrize("size", [5, 3 * MB])
def test_a_reader_leaves_nothing_but_the_cache(make_storage, size):
    """No scratch folder is made for it, as it may have no store here; no file is left in either."""
    value = data_key("F", ADDRESS)
    writer, reader = make_storage(name=f"left-{size}"), make_storage(name=f"left-{size}")
    for key in (value, "F/runs/1/a"):
        writer.put(key, [bytes(size)])
    for key in (value, "F/runs/1/a"):
        assert len(reader.view(key)) == size

    assert not os.path.exists(reader._here.scratch)
    left = [name for _, _, names in os.walk(reader.cache_folder) for name in names]
    assert sorted(left) == [".evicted", ADDRESS]


def test_a_cache_that_cannot_be_written_is_done_without(make_storage, tmp_path):
    """What is read goes through the scratch folder then, and is read again the next time."""
    (tmp_path / "file").write_text("")
    key = data_key("F", ADDRESS)
    storage = make_storage()
    storage._here.cache.folder = str(tmp_path / "file" / "below")
    storage.put(key, [bytes(3 * MB)])

    assert len(storage.view(key)) == len(storage.view(key)) == 3 * MB
    storage.sweep()
    storage._here.scratch = str(tmp_path / "file" / "below")
    with pytest.raises(StorageFailed, match="Not a directory"):
        storage.view(key)


def test_a_value_that_is_cut_short_is_mended_by_who_keeps_it_again(make_storage):
    """By its size it is seen that what is there is not what its address says."""
    key = data_key("F", ADDRESS)
    storage = make_storage()
    storage.put(key, [b"value"])
    writing.write_object(storage._here.connection, storage._here.at(key), b"val")

    assert not storage.put(key, [b"value"])
    assert storage.get(key) == b"value"


def test_a_value_is_read_past_the_cache(make_storage):
    """For who wants to know whether it is whole in the store; the cache keeps what it has."""
    key = data_key("F", ADDRESS)
    storage = make_storage()
    with storage.upload() as upload:
        upload.write(b"value")
        upload.commit(key)
    writing.write_object(storage._here.connection, storage._here.at(key), b"other")

    assert bytes(storage.view_anew(key)) == b"other"
    assert bytes(storage.view(key)) == b"value"
    storage.refresh(key)
    assert bytes(storage.view_anew(key)) == b"other"
    assert storage._here.cache.find(ADDRESS) is None
    with pytest.raises(MissingKey):
        storage.view_anew(data_key("F", "cd" + ADDRESS[2:]))


def elsewhere(storage, scratch):
    """Give the same store as another machine has it, or another process of this one."""
    return s3.S3Storage(replace(storage._here, scratch=str(scratch)))


def test_many_are_brought_near_at_once(faulty, tmp_path):
    """For one read each; small ones, and not what is missing."""
    writer = faulty()
    keys = [f"F/runs/1/s/{number}.0.attempt" for number in range(40)]
    writer.put_all([(key, [key.encode()]) for key in keys])
    writer.put("F/runs/1/large", [bytes(MB + 1)])
    reader = elsewhere(writer, tmp_path / "reader")
    reader.bring([*keys, "F/runs/1/large", "F/runs/1/missing"])
    faulty.seen.clear()

    assert [reader.get(key) for key in keys] == [key.encode() for key in keys]
    assert not faulty.seen
    assert reader.get("F/runs/1/large") == bytes(MB + 1)
    with pytest.raises(MissingKey):
        reader.get("F/runs/1/missing")
    assert len(faulty.seen) == 2


def test_what_is_kept_near_is_there_for_other_processes_of_the_run(faulty, tmp_path):
    """Until its scratch folder is swept."""
    writer = faulty()
    writer.put("F/runs/1/a", [b"value"])
    elsewhere(writer, tmp_path / "run").bring(["F/runs/1/a"], keep=True)
    faulty.seen.clear()
    task = elsewhere(writer, tmp_path / "run")
    task.bring(["F/runs/1/a"])
    assert task.get("F/runs/1/a") == task.get("F/runs/1/a") == b"value"
    assert not faulty.seen
    task.sweep()
    assert task.get("F/runs/1/a") == b"value"
    assert len(faulty.seen) == 1


def test_what_was_brought_and_not_asked_for_goes(faulty, tmp_path, monkeypatch):
    """Whoever brings many near and goes away leaves no more than a bound in memory."""
    monkeypatch.setattr(s3_ahead, "_MOST", 2)
    writer = faulty()
    keys = [f"F/runs/1/{number}" for number in range(6)]
    writer.put_all([(key, [b"v"]) for key in keys])
    reader = elsewhere(writer, tmp_path / "reader")
    for key in keys:
        reader.bring([key])
        assert len(reader._ahead) <= 3
    reader.refresh(keys[-1])
    faulty.seen.clear()
    assert reader.get(keys[-1]) == b"v"
    assert len(faulty.seen) == 1


def test_writing_many_tells_what_went_wrong(faulty):
    """As writing one does."""
    denied = b"<Error><Code>AccessDenied</Code></Error>"
    storage = faulty(Rule(Fault.ERROR, "PUT", times=None, body=denied, status=403))
    with pytest.raises(S3AccessDenied):
        storage.put_all([("a", [b"1"]), ("b", [b"2"])])


def test_large_objects_go_in_parts(faulty, parts):
    """From put and from uploads, and what is there already is not sent again."""
    data = bytes(12 * MB)
    storage = faulty()
    assert storage.put("a", [data[: 6 * MB], data[6 * MB :]])
    assert bytes(storage.view("a")) == data
    faulty.seen.clear()
    assert not storage.put("a", [data])
    assert [line.split()[0] for line in faulty.seen] == ["HEAD"]


def test_a_sweep_drops_what_a_killed_task_had_begun(faulty, parts, make_storage):
    """The uploads that are noted in the scratch folder; notes that are none are passed over."""
    storage = faulty()
    client = storage._here.connection.client()
    target = {"Bucket": storage._here.root.bucket, "Key": "begun"}
    upload_id = client.create_multipart_upload(**target)["UploadId"]
    scratch = storage._here.scratch
    os.makedirs(scratch, exist_ok=True)
    for name, text in (("a", json.dumps(["begun", upload_id])), ("b", "{"), ("c", '["x", "y"]')):
        with open(os.path.join(scratch, f"{name}{UPLOAD}"), "w") as file:
            file.write(text)
    denied = b"<Error><Code>AccessDenied</Code></Error>"
    faulty.rules.append(Rule(Fault.ERROR, "DELETE .*uploadId=y", body=denied, status=403))
    storage.sweep()

    left = client.list_multipart_uploads(Bucket=target["Bucket"], Prefix="begun")
    assert "Uploads" not in left
    assert not os.path.exists(scratch)


def test_what_a_killed_run_had_begun_is_ended_by_who_cleans(faulty, parts, tmp_path):
    """By its notes, which stay as long as the server can't be asked, and where no S3 is kept."""
    storage = faulty()
    client = storage._here.connection.client()
    target = {"Bucket": storage._here.root.bucket, "Key": "killed"}
    upload_id = client.create_multipart_upload(**target)["UploadId"]
    folder = tmp_path / "F-1-ab"
    folder.mkdir()
    note = folder / f"1-0{UPLOAD}"
    note.write_text(json.dumps([target["Bucket"], "killed", upload_id]))
    denied = b"<Error><Code>AccessDenied</Code></Error>"
    faulty.rules.append(Rule(Fault.ERROR, "DELETE", body=denied, status=403))

    storage.sweep(str(folder))
    LocalStorage(str(tmp_path / "store"), str(tmp_path / "scratch")).sweep(str(folder))
    assert note.exists()
    storage.sweep(str(folder))
    assert not folder.exists()
    assert "Uploads" not in client.list_multipart_uploads(Bucket=target["Bucket"], Prefix="killed")


def test_a_second_writer_of_a_log_goes_on_with_it(make_storage):
    """As after a resume, or another attempt at writing what was printed."""
    first = make_storage(name="shared-log")
    first.append("log", b"one\n")
    first.flush("log")
    second = make_storage(name="shared-log")
    second.append("log", b"two\n")
    second.flush("log")

    assert second.get("log") == b"one\ntwo\n"


def test_a_long_log_is_sent_now_and_then(make_storage, monkeypatch):
    """So that it can be followed."""
    monkeypatch.setattr(s3, "_PUSH_SECONDS", 0.0)
    storage, reader = make_storage(name="long-log"), make_storage(name="long-log")
    storage.append("log", b"one\n")
    assert reader.get("log") == b"one\n"
    storage.append("log", b"two\n")
    assert reader.get("log") == b"one\ntwo\n"


def test_it_finds_out_about_conditional_writes_once(moto, make_storage, tmp_path):
    """And notes it for the other processes of the run."""
    storage = make_storage()
    assert storage.excludes()
    with open(os.path.join(storage._here.scratch, "conditional")) as file:
        assert file.read() == "yes"
    storage._here.conditional = None
    assert storage.excludes()


def test_a_server_that_knows_no_conditional_writes(faulty, make_storage):
    """It may refuse them, or take them for any other; either way plait looks first."""
    refused = b"<Error><Code>NotImplemented</Code></Error>"
    storage = faulty(Rule(Fault.ERROR, "PUT", skip=1, body=refused, status=501))
    storage._here.conditional = None

    assert not storage.excludes()


def test_a_scratch_folder_that_cannot_be_made(make_storage, tmp_path):
    """Objects are written all the same; only what needs a file is an error."""
    (tmp_path / "file").write_text("")
    storage = make_storage()
    storage._here.scratch = str(tmp_path / "file" / "below")

    assert storage.put("a", [b"x"])
    assert storage.get("a") == b"x"
    storage.sweep()
    with pytest.raises(OSError, match="Not a directory"):
        storage.upload()


def test_errors_of_the_server_go_through(faulty):
    """They are sentences for people already."""
    denied = b"<Error><Code>AccessDenied</Code></Error>"
    storage = faulty(Rule(Fault.ERROR, times=None, body=denied, status=403))
    for use in (storage.get, storage.view, storage.size, lambda key: storage.put(key, [b"x"])):
        with pytest.raises(S3AccessDenied):
            use("a")


def test_a_seal_is_read_once(faulty, monkeypatch):
    """However many of its values are asked for, unless it is large, or somebody found damage."""
    storage, other = faulty(name="seals"), faulty(name="seals")
    keys = [seal_key(AttemptKey("F", "1", "s", str(number), 0)) for number in range(3)]
    for key in keys:
        other.put(key, [b"0123456789"])
    monkeypatch.setattr(s3, "_RECENT", 2)
    faulty.seen.clear()

    assert [storage.get_range(keys[0], at, 2) for at in (0, 4, 20)] == [b"01", b"45", b""]
    assert (storage.size(keys[0]), len(faulty.seen)) == (10, 1)
    assert storage.refresh(keys[0])
    assert (storage.get_range(keys[0], 0, 1), len(faulty.seen)) == (b"0", 2)
    for key in keys:
        storage.get_range(key, 0, 1)
    assert (list(storage._recent), len(faulty.seen)) == (keys[1:], 4)
    monkeypatch.setattr(s3, "_NEAR", 5)
    assert (storage.get_range(keys[0], 8, 2), len(faulty.seen)) == (b"89", 6)
    with pytest.raises(MissingKey):
        storage.get_range(seal_key(AttemptKey("F", "1", "s", "none", 0)), 0, 1)


def test_a_disk_that_is_full_is_told(make_storage, monkeypatch):
    """By the file that could not be written."""
    storage = make_storage()
    key = data_key("F", ADDRESS)
    storage.put(key, [b"x" * 10])

    def full(*_):
        raise OSError(28, "No space left on device")

    for module in (s3, s3_writing):
        monkeypatch.setattr(module, "write_all", full, raising=False)
    monkeypatch.setattr(s3, "write_local", full)
    with pytest.raises(StorageFull):
        storage.view(key)
    with pytest.raises(StorageFull):
        storage.append("log", b"x")
    with storage.upload() as upload, pytest.raises(StorageFull):
        upload.write(b"x")


def test_the_place_is_a_url(make_storage):
    """As messages and errors show it."""
    storage = make_storage(name="place")
    assert storage.place == "s3://plait-tests/test-place"
    with pytest.raises(MissingKey, match="s3://plait-tests/test-place"):
        storage.get("none")


def test_the_root_of_a_bucket(moto, make_storage):
    """May be a store's, too."""
    storage = make_storage(name="root-of-all")
    storage._here.root = Location(storage._here.root.bucket, "")
    storage.put("RootFlow/a", [b"x"])

    assert list(storage.iter_keys("RootFlow")) == ["RootFlow/a"]
    assert "RootFlow" in list(storage.iter_folders())
    storage.delete("RootFlow/a")
