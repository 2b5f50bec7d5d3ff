"""The code that a run kept, read back: what it was, where it lies, a copy of it."""

from __future__ import annotations

import os

import pytest

from plait.client.run import Run
from plait.client.task import Task
from plait.packaging.errors import MissingPackage, UnsafePackage
from plait.packaging.manifest import read_code
from plait.packaging.store import CodeStore


@pytest.fixture
def kept(world, tmp_path):
    """A run that kept its code, with one task."""
    (tmp_path / "flow.py").write_text("print('\u00e9')\n", encoding="utf-8")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "more.py").write_text("more = 1\n")
    code = read_code("HelloFlow", str(tmp_path / "flow.py"))
    address = CodeStore(world.storage, "HelloFlow").keep(code)
    facts = {"code": address, "script": "flow.py", "plait": "0.1.0", "platform": "linux-x86_64"}
    run = world.begin(facts=facts)
    world.task(run, "start")
    return Run(str(run))


def test_a_run_gives_its_code(kept) -> None:
    """Its description, the flow's source, the archive, and where that lies."""
    code = kept.code

    assert code.info["files"][0]["name"] == "flow.py"
    assert (code.script_name, code.flowspec) == ("flow.py", "print('\u00e9')\n")
    assert code.tarball.getnames() == ["INFO", "flow.py", "lib/more.py"]
    assert code.path.endswith(f"HelloFlow/code/{code.address[:2]}/{code.address}.tgz")
    assert repr(code) == f"Code('{code.path}')"


def test_a_task_gives_the_code_of_its_run(kept) -> None:
    """And among what is known of where it ran, the code's address and the version of plait."""
    task = Task(f"{kept.pathspec}/start/1")

    assert task.code.address == kept.code.address
    assert task.environment_info == {
        "platform": "linux-x86_64", "plait": "0.1.0",
        "code": kept.code.address, "pid": 7,
    }  # fmt: skip
    assert task.metadata_dict["code"] == kept.code.address
    assert kept["start"].environment_info == task.environment_info


def test_code_is_unpacked_where_one_likes(kept, tmp_path) -> None:
    """Into a temporary folder that goes with its object, or into one of one's own, over nothing."""
    folder = kept.code.extract()
    assert sorted(os.listdir(folder.name)) == ["INFO", "flow.py", "lib"]
    folder.cleanup()
    assert not os.path.exists(folder.name)

    target = tmp_path / "to" / "here"
    assert kept.code.extract_to(target) == ["INFO", "flow.py", "lib/more.py"]
    assert (target / "lib" / "more.py").read_text() == "more = 1\n"
    with pytest.raises(UnsafePackage):
        kept.code.extract_to(target)


def test_a_run_without_code_has_none(world) -> None:
    """Because the person wanted none, or an earlier plait made the run."""
    run = world.begin()
    world.task(run, "start")

    assert Run(str(run)).code is None
    assert Task(f"{run}/start/1").code is None


def test_code_that_is_gone_is_said(world) -> None:
    """The run can be read all the same."""
    code = Run(str(world.begin(facts={"code": "00" * 32}))).code
    with pytest.raises(MissingPackage, match="is gone"):
        code.info  # noqa: B018  # reading it is what fails
    with pytest.raises(MissingPackage):
        code.extract()
