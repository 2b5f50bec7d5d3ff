"""Other interpreters: which one a name means, what it lacks, and how an environment is made."""

from __future__ import annotations

import os
import sys

import pytest

from plait_harness.interpreters import (
    FOLDER_VARIABLE,
    find_lack_of_python,
    find_python,
    interpreter_of,
    main,
    make_environments,
)
from plait_harness.mistakes import Mistake

OWN = f"python{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(autouse=True)
def forgotten():
    """Begin with nothing found yet, and leave nothing found."""
    find_python.cache_clear()
    yield
    find_python.cache_clear()


@pytest.fixture
def make_python(tmp_path):
    """Give a function that makes a program in the place of an interpreter."""

    def make(place: str, script: str) -> str:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """Have no interpreter on the PATH, and none of pyenv."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    return tmp_path


def test_this_interpreter_is_found_by_its_version():
    """Wherever the PATH leads."""
    assert find_python(OWN, ("plait",)) == sys.executable
    assert find_lack_of_python(OWN, ("plait",)) is None


def test_others_are_found_where_they_were_made(nowhere, make_python, monkeypatch):
    """In the folder of environments, then on the PATH, then among those of pyenv."""
    pyenv = make_python("pyenv/versions/9.9.1/bin/python9.9", "exit 0")
    assert find_python("python9.9") == pyenv
    find_python.cache_clear()
    on_path = make_python("bin/python9.9", "exit 0")
    assert find_python("python9.9") == on_path
    find_python.cache_clear()
    made = make_python("made/python9.9/bin/python9.9", "exit 0")
    monkeypatch.setenv(FOLDER_VARIABLE, str(nowhere / "made"))
    assert find_python("python9.9") == made


def test_one_without_plait_is_passed_over(nowhere, make_python):
    """Of those of a name, the first that can import what is needed is the one."""
    make_python("bin/python9.9", "echo 'ModuleNotFoundError: plait' >&2; exit 1")
    good = make_python("pyenv/versions/9.9.1/bin/python9.9", "exit 0")

    assert find_python("python9.9", ("plait",)) == good


def test_what_is_missing_is_said(nowhere, make_python):
    """No interpreter; or one that can't import what a case needs, in its own words."""
    assert find_lack_of_python("python9.9", ("plait",)) == "there is no interpreter 'python9.9'"
    find_python.cache_clear()
    path = make_python("bin/python9.9", 'case "$2" in *plait*) echo none >&2; exit 1;; esac')

    assert find_lack_of_python("python9.9", ("plait",)) == f"{path} can't import plait: none"
    assert interpreter_of("python9.9") == path


def test_environments_are_made_of_what_there_is(nowhere, make_python, capfd):
    """Each with its own pip; this interpreter's version needs none."""
    make_python(
        "bin/python9.9",
        'if [ "$1" = -c ]; then exit 0; fi; echo "$@" >> "$0.log"\n'
        'test "$2" != venv || { /bin/mkdir -p "$4/bin" && /bin/cp "$0" "$4/bin/python"; }',
    )
    home = nowhere / "made" / "python9.9"

    assert make_environments(str(nowhere / "made"), [OWN[6:], "9.9"], ["it"]) == [str(home / "bin")]
    log = (home / "bin" / "python.log").read_text()
    assert log == "-m pip install --quiet --disable-pip-version-check it\n"


def test_an_environment_that_can_not_be_made_is_a_mistake(nowhere, make_python, capsys):
    """Without an interpreter, or where it fails."""
    folder = os.path.join(nowhere, "made")
    assert main([folder, "9.9", "it"]) == 2
    assert "there is no interpreter 'python9.9' to make" in capsys.readouterr().err
    find_python.cache_clear()
    make_python("bin/python9.9", 'test "$1" = -c')
    with pytest.raises(Mistake, match=r"python9\.9 could not be prepared"):
        make_environments(folder, ["9.9"], ["it"])
    assert main([folder, OWN[6:]]) == 0
