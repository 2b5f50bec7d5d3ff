"""What of a folder travels with its flow, and what stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plait.packaging import selection
from plait.packaging.errors import TooMuchCode
from plait.packaging.selection import (
    SUFFIXES,
    find_folder,
    parse_suffixes,
    select_code,
    select_plait,
    select_script,
)


def make(folder: Path, *names: str) -> str:
    """Make files with their own names in them, and give the flow's."""
    for name in ("flow.py", *names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return str(folder / "flow.py")


def names(file: str, suffixes: tuple[str, ...] = SUFFIXES) -> list[str]:
    """Give the names that travel with the flow in *file*."""
    return [chosen.name for chosen in select_code(file, suffixes).files]


def test_code_below_the_folder_travels_sorted(tmp_path) -> None:
    """Files with a suffix of code, in all folders below, by name; data and hidden things stay."""
    file = make(
        tmp_path,
        "b/two.py", "b/one.py", "a.py", "query.sql", "conf.toml", "data.csv", ".secret.py",
        ".git/hook.py", ".plait/x.py", "__pycache__/flow.py", "node_modules/m.py",
    )  # fmt: skip

    assert names(file) == ["a.py", "b/one.py", "b/two.py", "conf.toml", "flow.py", "query.sql"]


def test_an_environment_of_python_stays_and_is_named(tmp_path) -> None:
    """Whatever its folder is called: its own mark says what it is."""
    file = make(tmp_path, "here/lib/mod.py", "here/pyvenv.cfg", "conda/conda-meta/x", "conda/y.py")
    chosen = select_code(file, SUFFIXES)

    assert [each.name for each in chosen.files] == ["flow.py"]
    assert [each.name for each in chosen.left_out] == ["conda", "here"]


def test_a_project_inside_of_an_environment_travels(tmp_path) -> None:
    """The flow's own folder is taken whatever it holds."""
    assert names(make(tmp_path, "pyvenv.cfg", "a.py")) == ["a.py", "flow.py"]


def test_links_are_followed_but_not_in_circles(tmp_path) -> None:
    """What a link leads to travels under its name; a circle and a broken link are left out."""
    outside = tmp_path / "outside"
    make(outside, "shared.py")
    folder = tmp_path / "project"
    file = make(folder)
    (folder / "linked").symlink_to(outside)
    (folder / "one.py").symlink_to(outside / "shared.py")
    (folder / "round").symlink_to(folder)
    (outside / "again").symlink_to(outside)
    (folder / "gone.py").symlink_to(folder / "nowhere.py")
    os.mkfifo(folder / "pipe.py")
    chosen = select_code(file, SUFFIXES)

    assert [each.name for each in chosen.files] == [
        "flow.py", "linked/flow.py", "linked/shared.py", "one.py",
        "round/flow.py", "round/linked/flow.py", "round/linked/shared.py", "round/one.py",
    ]  # fmt: skip
    assert {each.name for each in chosen.left_out} == {
        "gone.py", "linked/again", "round/gone.py", "round/linked/again", "round/round",
    }  # fmt: skip


def test_a_module_of_a_package_takes_the_package_along(tmp_path) -> None:
    """The folder is the one that the package lies in, so that it can be imported by its name."""
    make(tmp_path, "pkg/__init__.py", "pkg/sub/__init__.py", "pkg/sub/flow.py", "beside.py")
    file = str(tmp_path / "pkg" / "sub" / "flow.py")
    chosen = select_code(file, SUFFIXES)

    assert find_folder(file) == str(tmp_path)
    assert chosen.script == "pkg/sub/flow.py"
    assert "beside.py" in [each.name for each in chosen.files]
    assert [each.name for each in select_script(file).files] == ["pkg/sub/flow.py"]


def test_a_package_at_the_root_of_all_ends_the_search(monkeypatch) -> None:
    """There is nothing above the root."""
    monkeypatch.setattr(os.path, "exists", lambda _path: True)
    assert find_folder("/flow.py") == "/"


def test_suffixes_come_on_top(tmp_path) -> None:
    """What a person names travels beside what always does, with or without its dot."""
    assert parse_suffixes(" csv,.txt,,.py") == (*SUFFIXES, ".csv", ".txt")
    file = make(tmp_path, "data.csv", "notes.md", "INFO")
    assert names(file, parse_suffixes("csv")) == ["data.csv", "flow.py"]


def test_the_flow_travels_whatever_it_is_called(tmp_path) -> None:
    """A script without a suffix is the flow all the same; nothing takes the description's place."""
    file = make(tmp_path, "INFO", "script")
    chosen = select_code(str(tmp_path / "script"), ("",))

    assert [each.name for each in chosen.files] == ["flow.py", "script"]
    assert [each.name for each in chosen.left_out] == ["INFO"]
    assert [each.name for each in select_code(file, (".no",)).files] == ["flow.py"]


def test_a_folder_that_cannot_be_read_is_left_out(tmp_path, monkeypatch) -> None:
    """It is named with the system's word, and the rest travels."""
    file = make(tmp_path, "shut/a.py", "b.py")
    real = os.scandir

    def scandir(path: str):
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(selection.os, "scandir", scandir)
    chosen = select_code(file, SUFFIXES)

    assert [each.name for each in chosen.files] == ["b.py", "flow.py"]
    assert chosen.left_out == (("shut", "Permission denied"),)


def test_too_many_files_are_refused(tmp_path, monkeypatch) -> None:
    """More code than a package takes, or more names than are looked at, is said with the folder."""
    file = make(tmp_path, *(f"m{number}.py" for number in range(5)))
    monkeypatch.setattr(selection, "MOST_FILES", 5)
    with pytest.raises(TooMuchCode, match="6 files of code, and a code package takes at most 5"):
        select_code(file, SUFFIXES)

    monkeypatch.setattr(selection, "MOST_ENTRIES", 5)
    with pytest.raises(TooMuchCode, match="more than 5 files and folders"):
        select_code(file, SUFFIXES)


def test_plait_itself_can_travel() -> None:
    """All of its files, under its name, and no compiled ones."""
    found = [chosen.name for chosen in select_plait()]

    assert "plait/__init__.py" in found
    assert "plait/py.typed" in found
    assert found == sorted(found)
    assert not [name for name in found if "__pycache__" in name]
