"""Archives of code: the same bytes for the same code, checked when read, safe to unpack."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import pytest

from plait.packaging import manifest
from plait.packaging.archive import (
    check_archive,
    extract_archive,
    open_archive,
    read_info,
    read_member,
    write_archive,
)
from plait.packaging.errors import (
    DamagedPackage,
    MissingPackage,
    NoCode,
    TooMuchCode,
    UnreadableCode,
    UnsafePackage,
)
from plait.packaging.manifest import Code, parse_info, read_code
from plait.packaging.store import CodeStore
from plait.storage.memory import MemoryStorage


def code_of(folder: Path, **files: str) -> Code:
    """Write files, `name__py` for `name.py`, and give the code of the flow among them."""
    folder.mkdir(exist_ok=True)
    for name, text in {"flow__py": "flow", **files}.items():
        (folder / name.replace("__", ".")).write_text(text)
    return read_code("F", str(folder / "flow.py"))


def archive_of(**members: bytes | str) -> bytes:
    """Give an archive made by other hands; a text makes a link to it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def test_equal_code_gives_equal_bytes(tmp_path) -> None:
    """Wherever it lies, whenever and in whatever order written; a changed letter changes all."""
    one = code_of(tmp_path / "one", a__py="a", b__py="b")
    two = code_of(tmp_path / "two", b__py="b", a__py="a")
    os.utime(tmp_path / "two" / "a.py", (1, 1))
    again = read_code("F", str(tmp_path / "two" / "flow.py"))

    assert one.address == two.address == again.address
    assert write_archive(one) == write_archive(two) == write_archive(again)
    assert code_of(tmp_path / "three", a__py="a", b__py="c").address != one.address


def test_no_time_and_no_owner_are_in_it(tmp_path) -> None:
    """Members have one fixed time, nobody's id, and of the rights only whether it is executable."""
    code_of(tmp_path, a__py="a")
    (tmp_path / "a.py").chmod(0o700)
    data = write_archive(read_code("F", str(tmp_path / "flow.py")))

    assert data[4:8] == b"\0\0\0\0"
    with open_archive(data, "x.tgz") as archive:
        seen = [(m.name, m.mode, m.uid, m.gid, m.uname, m.mtime) for m in archive]
    assert seen == [
        ("INFO", 0o644, 0, 0, "", 315_532_800),
        ("a.py", 0o755, 0, 0, "", 315_532_800),
        ("flow.py", 0o644, 0, 0, "", 315_532_800),
    ]


def test_odd_names_come_back(tmp_path) -> None:
    """Spaces, line ends, other scripts, names of no encoding, long ones: all as they were."""
    odd = [b"a b.py", b"line\nbreak.py", "日本.py".encode(), b"\xff\xfe.py", b"x" * 200 + b".py"]
    for name in odd:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(name)
    code = code_of(tmp_path)
    data = write_archive(code)
    target = tmp_path / "unpacked"
    target.mkdir()
    extract_archive(data, str(target), "x.tgz")

    check_archive(data, code.address, "x.tgz")
    assert sorted(os.listdir(os.fsencode(target))) == sorted([*odd, b"flow.py", b"INFO"])


def test_an_unpacked_flow_runs_with_the_plait_in_it(tmp_path) -> None:
    """With plait itself in the archive, a Python that has no plait runs the flow."""
    source = (
        "from plait import FlowSpec, step\nclass F(FlowSpec):\n"
        "    @step\n    def start(self):\n        self.next(self.end)\n"
        "    @step\n    def end(self):\n        pass\nF()\n"
    )
    (tmp_path / "flow.py").write_text(source)
    code = read_code("F", str(tmp_path / "flow.py"), with_plait=True)
    target = tmp_path / "elsewhere"
    target.mkdir()
    extract_archive(write_archive(code), str(target), "x.tgz")
    show = "import plait, runpy; print(plait.__file__); runpy.run_path('flow.py')"
    done = subprocess.run(
        [sys.executable, "-c", show], cwd=target, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[:2] == [
        f"{target}/plait/__init__.py",
        "F is valid: 2 steps.",
    ]


def test_a_description_names_its_package(tmp_path) -> None:
    """What is read is compared with the address; another description is damage."""
    code = code_of(tmp_path)
    data = write_archive(code)
    info = read_info(data, code.address, "x.tgz")

    assert (info["flow"], info["script"], info["whole_folder"]) == ("F", "flow.py", True)
    assert read_member(data, "flow.py", "x.tgz") == b"flow"
    with pytest.raises(DamagedPackage, match=r"x\.tgz is damaged"):
        read_info(data, "00" * 32, "x.tgz")
    with pytest.raises(DamagedPackage, match="is damaged") as raised:
        read_member(data, "none.py", "x.tgz")
    assert "it holds no 'none.py'" in str(raised.value)


def test_a_description_of_another_form_is_refused() -> None:
    """A later plait's, or no description at all."""
    for info in (b"[]", b'{"format": 99}'):
        with pytest.raises(ValueError, match="not a description"):
            parse_info(info)
    from hashlib import sha256

    with pytest.raises(DamagedPackage):
        read_info(archive_of(INFO=b"[]"), sha256(b"[]").hexdigest(), "x.tgz")


def test_every_file_is_compared(tmp_path) -> None:
    """A member that is changed, missing or added is found by name."""
    code = code_of(tmp_path)
    check_archive(write_archive(code), code.address, "x.tgz")
    for members, said in (
        ({"flow.py": b"other"}, "member 'flow.py' is not as it was written"),
        ({}, "it holds no 'flow.py'"),
        ({"flow.py": b"flow", "more.py": b""}, "member 'more.py'"),
    ):
        with pytest.raises(DamagedPackage) as raised:
            check_archive(archive_of(INFO=code.info, **members), code.address, "x.tgz")
        assert said in str(raised.value)


def test_what_is_no_archive_is_damage(tmp_path) -> None:
    """Cut short, or something else altogether."""
    data = write_archive(code_of(tmp_path, a__py="".join(map(str, range(30_000)))))
    for broken in (b"", b"something else", data[:60], data[: len(data) // 2], data[:-10]):
        with pytest.raises(DamagedPackage):
            check_archive(broken, read_code("F", str(tmp_path / "flow.py")).address, "x.tgz")
    bad = bytearray(data)
    bad[len(bad) // 2] ^= 255
    # What is packed well and is no archive, or one whose later members have no head.
    torn = zlib.decompress(data, wbits=31)[:1024] + b"x" * 1024
    for broken in (bytes(bad), gzip.compress(b"nothing"), gzip.compress(b""), gzip.compress(torn)):
        with pytest.raises(DamagedPackage):
            check_archive(broken, read_code("F", str(tmp_path / "flow.py")).address, "x.tgz")


@pytest.mark.parametrize(
    "name", ["../out.py", "/out.py", "a/../../out.py", "a//b.py", "./a.py", "there.py", "link/a.py"]
)
def test_nothing_lands_outside_or_over_another(tmp_path, name) -> None:
    """One such member, and nothing at all is unpacked."""
    target = tmp_path / "in"
    target.mkdir()
    (target / "there.py").write_text("mine")
    (target / "link").symlink_to(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UnsafePackage, match="is not unpacked"):
        extract_archive(archive_of(**{"good.py": b"", name: b"bad"}), str(target), "x.tgz")

    assert sorted(tmp_path.rglob("*")) == before
    assert (target / "there.py").read_text() == "mine"


def test_only_plain_files_are_unpacked(tmp_path) -> None:
    """A link in an archive is refused, wherever it leads."""
    with pytest.raises(UnsafePackage) as raised:
        extract_archive(archive_of(link="flow.py"), str(tmp_path), "x.tgz")
    assert "it is no plain file" in str(raised.value)


def test_code_that_is_not_there_or_too_large(tmp_path, monkeypatch) -> None:
    """No file, a file that cannot be read, more bytes than a package takes: each says so."""
    with pytest.raises(NoCode, match="flow 'F' has no folder"):
        read_code("F", "")
    with pytest.raises(UnreadableCode, match=r"gone\.py"):
        read_code("F", str(tmp_path / "gone.py"))
    monkeypatch.setattr(manifest, "MOST_BYTES", 3)
    with pytest.raises(TooMuchCode, match="more than that"):
        code_of(tmp_path)


def test_equal_code_is_kept_once(tmp_path) -> None:
    """A second keeping writes nothing; what is gone is said with its place."""
    storage = MemoryStorage()
    store = CodeStore(storage, "F")
    code = code_of(tmp_path)
    address = store.keep(code)
    put = storage.put
    storage.put = None  # type: ignore[assignment, method-assign]  # a second writing would fail

    assert store.keep(code) == address == code.address
    storage.put = put  # type: ignore[method-assign]  # as it was
    assert store.get(address) == write_archive(code)
    assert store.path(address).endswith(f"F/code/{address[:2]}/{address}.tgz")
    with pytest.raises(MissingPackage, match="is gone"):
        store.get("00" * 32)


def test_the_packer_writes_what_every_gzip_reads(tmp_path) -> None:
    """The archive is a plain gzip file."""
    data = write_archive(code_of(tmp_path))
    assert zlib.decompress(data, wbits=31)[:4] == b"INFO"
