"""The command `plait`, and the tutorials that it lists, shows and copies."""

from __future__ import annotations

import sys

import pytest

from plait.base.version import VERSION
from plait.cli.plait import call_plait, main


def test_alone_it_shows_what_it_can_do(capsys):
    """Without a command, help is printed."""
    assert call_plait([]) == 0
    assert "\nLearn:\n" in capsys.readouterr().out


def test_the_program_leaves_with_its_exit_code(monkeypatch, capsys):
    """`plait version` prints the version and ends with 0."""
    monkeypatch.setattr(sys, "argv", ["plait", "version"])

    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code == 0
    assert capsys.readouterr().out.startswith(f"plait {VERSION} ")


@pytest.mark.parametrize(
    "arguments", [["tutorials"], ["tutorials", "--help"], ["help", "tutorials"]]
)
def test_help_of_tutorials(arguments, capsys):
    """A group of commands without a command shows its help."""
    assert call_plait(arguments) == 0
    assert "pull  Copy one, or all." in capsys.readouterr().out


def test_tutorials_are_listed(capsys):
    """Each has a name and a line about it."""
    assert call_plait(["tutorials", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "00-hello           a first flow",
        "01-playlist        branches, a file, and a notebook",
        "02-statistics      one task a group",
        "03-playlist-redux  one flow reads what another found",
    ]


@pytest.mark.parametrize("name", ["00-hello", "00", "hello"])
def test_a_tutorial_is_found_by_number_or_name(name, capsys):
    """Its number, its name, or both."""
    assert call_plait(["tutorials", "info", name]) == 0
    assert capsys.readouterr().out.startswith("# 00-hello: a first flow\n")


def test_an_unknown_tutorial(capsys):
    """The nearest name is offered."""
    assert call_plait(["tutorials", "info", "helo"]) == 2
    assert capsys.readouterr().err.splitlines()[:2] == [
        "error[unknown-tutorial]: there is no tutorial 'helo'",
        "  why: did you mean '00-hello'?",
    ]


def test_a_tutorial_is_copied(tmp_path, capsys):
    """All of its files are there, and nothing that running it left behind."""
    assert call_plait(["tutorials", "pull", "statistics", "--to", str(tmp_path)]) == 0
    copied = sorted(path.name for path in (tmp_path / "02-statistics").iterdir())
    assert copied == ["DATA.md", "README.md", "convert.py", "movies.csv", "stats.ipynb", "stats.py"]
    assert capsys.readouterr().out.startswith("02-statistics is in ")


def test_nothing_is_overwritten(tmp_path, capsys):
    """When one of them is in the way, none is copied."""
    (tmp_path / "02-statistics").mkdir()

    assert call_plait(["tutorials", "pull", "--to", str(tmp_path)]) == 2

    assert capsys.readouterr().err.startswith("error[tutorial-in-the-way]: ")
    assert [path.name for path in tmp_path.iterdir()] == ["02-statistics"]


def test_an_unknown_command(capsys):
    """Mistakes are told as everywhere."""
    assert call_plait(["tutorial"]) == 2
    assert "did you mean 'tutorials'?" in capsys.readouterr().err
