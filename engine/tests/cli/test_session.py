"""How a flow's program was started, and how it is started again."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from plait.cli.session import Choices, Session, describe_start


def test_a_script_is_named_as_it_was_typed(monkeypatch, tmp_path):
    """Messages repeat what the user typed; what starts it again works from any folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=None))
    monkeypatch.setattr(sys, "argv", ["my flow.py", "run"])

    assert describe_start() == (
        "python 'my flow.py'",
        (sys.executable, str(tmp_path / "my flow.py")),
    )


def test_a_module_is_named_by_its_dots(monkeypatch):
    """A package run with -m is its `__main__`."""
    spec = SimpleNamespace(name="flows.train.__main__")
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=spec))

    assert describe_start() == ("python -m flows.train", (sys.executable, "-m", "flows.train"))


def test_the_choices_are_made_again():
    """A program that is started again has the stores and decorators of the first."""
    chosen = Choices(datastore_root="/data", decorators=("retry",))
    session = Session(object, "python f.py", ("python", "f.py"), chosen)

    assert session.respawn_command(["catch:var=x"]) == (
        "python",
        "f.py",
        "--metadata=local",
        "--datastore=local",
        "--datastore-root=/data",
        "--with=retry",
        "--with=catch:var=x",
    )


def test_the_nearest_store_needs_no_option():
    """Without --datastore-root none is handed on."""
    assert Session(object, "p", ("python",)).respawn_command() == (
        "python",
        "--metadata=local",
        "--datastore=local",
    )


@pytest.mark.parametrize("script", ["", "-", "-c"])
def test_what_came_from_a_pipe_cannot_be_started_again(monkeypatch, script):
    """Only the first process could read it."""
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=None))
    monkeypatch.setattr(sys, "argv", [script, "run"])
    program, command = describe_start()

    assert program == f"python {script}".strip()
    assert Session(object, program, command).respawn_command(["retry"]) == ()


def test_a_script_that_changes_the_folder_is_still_found(monkeypatch, tmp_path):
    """Its full name is that of when it was started."""
    main = SimpleNamespace(__spec__=None, __file__="/flows/train.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(sys, "argv", ["train.py", "run"])

    assert describe_start() == ("python train.py", (sys.executable, "/flows/train.py"))
