"""The storage in a folder: the promises of every storage, and those that only files can break."""

import errno
import gc
import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from plait.storage.conformance import CHECKS
from plait.storage.errors import StorageFailed, StorageForbidden, StorageFull
from plait.storage.local import LocalStorage
from plait.storage.protocol import MissingKey

_LARGE = 2 << 20


@pytest.fixture
def folder(tmp_path):
    """A folder whose name has what careless code would trip over."""
    return tmp_path / "with space, é and 日本"


@pytest.fixture
def storage(folder):
    """A new storage in that folder."""
    return LocalStorage(str(folder / "store"), str(folder / "scratch" / "run"))


def _no_links(number):
    def link(path, target):
        raise OSError(number, os.strerror(number), path, None, target)

    return link


def _files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@contextmanager
def _limit(kind, value):
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


@contextmanager
def _forbidden(folder):
    """Take away every right to *folder*; from root too, who else may do anything."""
    folder.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o700)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_conformance(check, storage):
    """Each check of the suite passes."""
    check(storage)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_conformance_without_hard_links(check, folder):
    """Each check passes too on a file system that has no hard links."""
    check(LocalStorage(str(folder / "store"), str(folder / "scratch"), link=_no_links(errno.EPERM)))


def test_an_object_is_a_file_of_its_key(storage, folder):
    """Other programs find an object's bytes at root/key, and nothing else lies there."""
    storage.put("a/b", [b"one", b"two"])

    assert storage.place == str(folder / "store")
    assert _files(folder) == ["store/a/b"]
    assert (folder / "store/a/b").read_bytes() == b"onetwo"


def test_relative_folders_are_kept_in_mind(tmp_path, monkeypatch):
    """A later change of the working directory does not move the store."""
    monkeypatch.chdir(tmp_path)
    storage = LocalStorage("store", "scratch")
    monkeypatch.chdir("/")

    storage.put("key", [b"x"])

    assert (tmp_path / "store/key").read_bytes() == b"x"


def test_files_of_others_are_not_listed(storage, folder):
    """A name that can't be a key, such as one that is not UTF-8, is passed over."""
    storage.put("a/key", [b""])
    os.close(os.open(os.fsencode(folder / "store/a") + b"/\xff", os.O_CREAT))

    assert list(storage.iter_keys("a")) == ["a/key"]


@pytest.mark.parametrize("link", [os.link, _no_links(errno.EOPNOTSUPP)], ids=["links", "none"])
def test_one_of_many_wins(folder, link):
    """When many put one key at the same moment, exactly one is told that it is there."""
    store, scratch = str(folder / "store"), str(folder / "scratch")
    storages = [LocalStorage(store, scratch, link=link) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        for turn in range(10):
            key = f"folder/{turn}"
            won = list(pool.map(lambda n, key=key: storages[n].put(key, [b"%d" % n]), range(8)))

            assert won.count(True) == 1
            assert storages[0].get(key) == b"%d" % won.index(True)
    assert _files(folder / "scratch") == []


def test_a_killed_upload_is_never_seen(storage, folder):
    """What a process leaves behind that is killed while writing has no key, and can be swept."""
    script = (
        "import sys, signal\n"
        "from plait.storage.local import LocalStorage\n"
        "with LocalStorage(sys.argv[1], sys.argv[2]).upload() as upload:\n"
        "    upload.write(b'half')\n"
        "    print('ready', flush=True)\n"
        "    signal.pause()\n"
    )
    scratch = folder / "scratch/run"
    argv = [sys.executable, "-c", script, storage.place, str(scratch)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    storage.put("a/key", [b"whole"])

    assert list(storage.iter_keys("a")) == ["a/key"]
    assert len(_files(scratch)) == 1
    storage.sweep()
    assert not scratch.exists()
    assert storage.get("a/key") == b"whole"


def test_nothing_is_swept_where_no_folder_can_be(folder):
    """What went wrong before is not hidden behind a second mistake."""
    folder.mkdir()
    (folder / "file").write_bytes(b"")

    LocalStorage(str(folder / "file/store"), str(folder / "file/scratch")).sweep()


def test_names_left_by_others_are_passed_over(storage, folder):
    """A file in scratch that has the next name already is left alone and does no harm."""
    with storage.upload():
        [name] = _files(folder / "scratch/run")
    process, number = name.split("-")
    taken = folder / "scratch/run" / f"{process}-{int(number) + 1}"
    taken.write_bytes(b"old")

    assert storage.put("key", [b"new"])

    assert taken.read_bytes() == b"old"
    assert storage.get("key") == b"new"


def test_a_swept_upload_says_so(storage):
    """An upload whose file was removed meanwhile fails by name, and gives no key to anything."""
    with storage.upload() as upload:
        upload.write(b"x")
        storage.sweep()
        with pytest.raises(StorageFailed, match=r"could not write '.*/a/key'"):
            upload.commit("a/key")
    assert not storage.has("a/key")


def test_a_full_disk_at_put(storage, folder):
    """An object that does not fit is a named mistake and leaves no byte."""
    with (
        _limit(resource.RLIMIT_FSIZE, _LARGE // 2),
        pytest.raises(StorageFull, match=r"no room to write '.*scratch.*'(.|\n)*make room"),
    ):
        storage.put("key", [bytes(_LARGE)])

    assert _files(folder) == []


def test_a_full_disk_at_append(storage, folder):
    """Lines that do not fit are left out whole; the log stays as it was."""
    storage.append("a/log", bytes(_LARGE // 2))
    with (
        _limit(resource.RLIMIT_FSIZE, _LARGE),
        pytest.raises(StorageFull, match=r"no room to write '.*/a/log'"),
    ):
        storage.append("a/log", bytes(_LARGE))

    assert storage.size("a/log") == _LARGE // 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_no_space_left(storage, folder):
    """The system's own word for a full disk is a named mistake."""
    (folder / "store").mkdir(parents=True)
    (folder / "store/log").symlink_to("/dev/full")

    with pytest.raises(StorageFull, match="No space left"):
        storage.append("log", b"x")


@pytest.mark.parametrize(
    "action",
    [
        lambda storage: storage.put("a/new", [b"x"]),
        lambda storage: storage.append("a/key", b"x"),
        lambda storage: storage.get("a/key"),
        lambda storage: storage.has("a/key"),
        lambda storage: list(storage.iter_keys("a")),
        lambda storage: storage.delete("a/key"),
        lambda storage: storage.sweep(),
    ],
    ids=["put", "append", "get", "has", "iter_keys", "delete", "sweep"],
)
def test_a_forbidden_folder(storage, folder, action):
    """Whatever the user may not do is a mistake that names the path and the cure."""
    storage.put("a/key", [b"x"])
    with (
        _forbidden(folder),
        pytest.raises(StorageForbidden, match=r"plait may not \w+ '.*with space") as caught,
    ):
        action(storage)
    assert "give yourself the right" in str(caught.value)


def test_a_forbidden_store_at_commit(storage, folder):
    """If the root may not be written, what was uploaded for it does not stay in scratch."""
    storage.put("a/key", [b"x"])
    store = folder / "store"
    with storage.upload() as upload:
        upload.write(b"x")
        with _forbidden(store), pytest.raises(StorageForbidden, match="store/a/b"):
            upload.commit("a/b")
    assert _files(folder / "scratch") == []


def test_a_forbidden_scratch_at_the_end(storage, folder):
    """An upload that can't be removed is said, unless another error is on its way already."""
    scratch = folder / "scratch/run"
    upload, other = storage.upload(), storage.upload()
    with _forbidden(scratch), pytest.raises(StorageForbidden, match="may not remove"):
        upload.__exit__(None, None, None)
    with _forbidden(scratch), pytest.raises(LookupError), other:
        {}["what its user did wrong"]


@pytest.mark.parametrize("name", ["store", "scratch"])
def test_a_file_in_the_way(tmp_path, name):
    """A file where a folder should be is a named mistake."""
    (tmp_path / name).write_bytes(b"")
    storage = LocalStorage(str(tmp_path / "store"), str(tmp_path / "scratch" / "run"))

    with pytest.raises(StorageFailed, match=f"could not write '.*/{name}.*'"):
        storage.put("key", [b"x"])


def test_a_folder_in_the_way(storage):
    """A key that is the folder of others is refused, not taken for written."""
    storage.put("a/b", [b"x"])

    with pytest.raises(StorageFailed, match="there is a folder of that name"):
        storage.put("a", [b"x"])


def test_a_name_too_long(storage):
    """What the file system can't name is a named mistake."""
    with pytest.raises(StorageFailed, match=r"could not write(.|\n)*File name too long"):
        storage.put("x" * 300, [b"x"])
    with pytest.raises(StorageFailed, match=r"could not read(.|\n)*File name too long"):
        storage.view("x" * 300)


def test_unfinished_uploads_of_failing_code_are_gone(storage, folder):
    """An error in the middle of an upload leaves no file, and is what its caller gets."""
    with pytest.raises(UnicodeDecodeError), storage.upload() as upload:
        upload.write(b"\xff".decode().encode())
    assert _files(folder) == []


def test_views_without_descriptors(storage):
    """A large view is had also when the process may open no other file."""
    storage.put("key", [b"\1" * _LARGE])
    free = os.dup(0)
    os.close(free)
    # One more file may be opened, to read; Python before 3.13 needs another for the mapping.
    with _limit(resource.RLIMIT_NOFILE, free + 1):
        view = storage.view("key")

    assert len(view) == _LARGE
    assert view[-1] == 1
    assert not view.readonly


def test_views_keep_no_descriptors_after_use(storage):
    """A mapping goes when nobody refers to its view."""
    storage.put("key", [bytes(_LARGE)])
    gc.collect()  # what other tests left
    before = len(os.listdir("/dev/fd"))
    views = [storage.view("key") for _ in range(10)]
    del views
    gc.collect()

    assert len(os.listdir("/dev/fd")) == before


def test_missing_keys_say_where_was_looked(storage):
    """The mistake names the key and the store's folder."""
    with pytest.raises(MissingKey, match=r"'no/key'(.|\n)*with space") as caught:
        storage.get("no/key")
    assert caught.value.key == "no/key"
