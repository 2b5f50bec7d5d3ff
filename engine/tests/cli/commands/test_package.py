"""`package`: what travels as the flow's code, listed, written and described; and what runs keep."""

from __future__ import annotations

import json
import re
import sys
import tarfile
from types import ModuleType

import pytest

from plait.cli.main import call_command_line
from plait.cli.session import Session
from plait.packaging import manifest, selection


@pytest.fixture
def coded(project, monkeypatch):
    """A project with a module, data, and an environment of Python's beside its flow."""
    module = ModuleType("trial")
    module.__file__ = str(project.script)
    monkeypatch.setitem(sys.modules, "trial", module)  # as when the script is started
    (project.folder / "lib").mkdir()
    (project.folder / "lib" / "more.py").write_text("more = 1\n")
    (project.folder / "odd\nname.csv").write_text("1,2\n")
    (project.folder / "here").mkdir()
    (project.folder / "here" / "pyvenv.cfg").touch()
    return project


def test_what_travels_is_listed(coded) -> None:
    """One file a line with its size, how many are plait's, and what is left out with the reason."""
    said = coded.call("package", "list")

    *files, plait, left = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert [line.split()[0] for line in files] == ["lib/more.py", "trial.py"]
    assert re.fullmatch(r"plait/\.\.\.  \d{3} files, \d+\.\d .B; --plait names them", plait)
    every = coded.call("package", "list", "--plait").out.splitlines()
    assert {line.split()[0] for line in every} > {"lib/more.py", "plait/cli/main.py", "trial.py"}
    assert len(every) == 3 + int(plait.split()[1])
    assert left == "left out: here: it is an environment of Python's"
    said = coded.call("--package-suffixes", "csv", "package", "list", "--no-plait")
    assert said.out.splitlines()[:3] == [
        "lib/more.py  9 bytes",
        "odd\\nname.csv  4 bytes",
        f"trial.py  {(coded.folder / 'trial.py').stat().st_size / 1000:.1f} kB",
    ]


def test_the_suffixes_come_from_the_environment_too(coded, monkeypatch) -> None:
    """PLAIT_PACKAGE_SUFFIXES is the option for all calls."""
    monkeypatch.setenv("PLAIT_PACKAGE_SUFFIXES", ".csv")
    assert "name.csv" in coded.call("package", "list", "--no-plait").out


def test_the_archive_is_written(coded) -> None:
    """The same bytes each time, with or without plait."""
    one, two = coded.folder / "one.tgz", coded.folder / "two.tgz"
    said = coded.call("package", "save", str(one), "--no-plait")
    coded.call("package", "save", str(two), "--no-plait")

    assert said.out.startswith(f"the code of TrialFlow is in {one}: 2 files, ")
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        assert archive.getnames() == ["INFO", "lib/more.py", "trial.py"]
    coded.call("package", "save", str(one), "--plait")
    with tarfile.open(one) as archive:
        assert "plait/cli/main.py" in archive.getnames()


def test_a_place_that_cannot_be_written_is_said(coded, tmp_path_factory) -> None:
    """With the name that the person gave, and nothing half-written is left."""
    folder = tmp_path_factory.mktemp("place")
    said = coded.call("package", "save", str(folder))
    assert (said.code, f"'{folder}'" in said.err) == (1, True)
    assert coded.call("package", "save", str(folder / "no" / "x.tgz")).code == 1
    assert list(folder.parent.glob("*.part")) == []


def test_the_description_is_what_a_run_keeps(coded) -> None:
    """`info --no-plait` gives the address under which the next run keeps its code."""
    about = json.loads(coded.call("package", "info", "--no-plait").out)
    assert [each["name"] for each in about["files"]] == ["lib/more.py", "trial.py"]
    counted = json.loads(coded.call("package", "info").out)
    assert counted.pop("plait_files") > 200
    assert counted == about
    with_plait = json.loads(coded.call("package", "info", "--plait").out)
    assert "plait/cli/main.py" in [each["name"] for each in with_plait["files"]]
    assert with_plait["address"] != about["address"]
    coded.call("run")
    coded.call("run")

    kept = [path.name for path in coded.store.glob("store/TrialFlow/code/*/*")]
    assert kept == [f"{about['address']}.tgz"]


def test_a_run_keeps_no_code_if_one_says_so(coded, monkeypatch) -> None:
    """PLAIT_KEEP_CODE=0."""
    monkeypatch.setenv("PLAIT_KEEP_CODE", "0")
    assert coded.call("run").code == 0
    assert list(coded.store.glob("store/TrialFlow/code/*/*")) == []


def test_a_folder_that_is_too_large_stops_no_run(coded, monkeypatch) -> None:
    """The run keeps the flow's own file and says so; if that is too large too, nothing."""
    monkeypatch.setattr(selection, "MOST_FILES", 1)
    said = coded.call("run")
    assert said.code == 0
    assert "of its code the run keeps only the flow's own file: '" in said.out
    (kept,) = coded.store.glob("store/TrialFlow/code/*/*")
    with tarfile.open(kept) as archive:
        assert archive.getnames() == ["INFO", "trial.py"]
    assert coded.call("package", "list").err.startswith("error[too-much-code]: ")

    monkeypatch.setattr(manifest, "MOST_BYTES", 10)
    said = coded.call("run")
    assert said.code == 0
    assert "the run keeps no copy of its code: " in said.out


def test_a_flow_of_no_file_has_no_code(coded, capsys) -> None:
    """It runs, and `package` says why there is nothing."""
    session: Session = coded.session()
    session.flow_class.__module__ = "nowhere"
    root = f"--datastore-root={coded.store}"

    assert call_command_line(session, [root, "package", "info"]) == 1
    assert "error[no-code]: flow 'TrialFlow' has no folder" in capsys.readouterr().err
    session = coded.session()
    session.flow_class.__module__ = "nowhere"
    assert call_command_line(session, [root, "--workers=inline", "run"]) == 0


def test_init_keeps_the_code_too(coded) -> None:
    """A run that others start has its code in the store before."""
    assert coded.call("init").code == 0
    assert len(list(coded.store.glob("store/TrialFlow/code/*/*"))) == 1


def test_there_is_one_environment(coded, monkeypatch) -> None:
    """`--environment local`; another is refused with what there is, from wherever it comes."""
    assert coded.call("--environment", "local", "check").code == 0
    said = coded.call("--environment", "conda", "check")
    assert said.code == 2
    assert "local" in said.err
    monkeypatch.setenv("PLAIT_ENVIRONMENT", "conda")
    assert coded.call("check").code == 2
