"""Whatever happens inside of a command ends as an exit code and a message."""

from __future__ import annotations

import click
import pytest

from plait.base.errors import Finding, InvalidFlow, PlaitError, UsageError
from plait.cli.boundary import call_guarded
from plait.cli.screen import ReaderGone


def fail(error: BaseException):
    def body() -> int:
        raise error

    return body


@pytest.mark.parametrize(("given", "code"), [(None, 0), (0, 0), (1, 1), (202, 202)])
def test_a_command_gives_its_exit_code(given, code):
    """None stands for: all is well."""
    assert call_guarded(lambda: given) == code


def test_an_error_of_a_person_is_what_why_and_fix(capsys):
    """A PlaitError is printed as it formats itself."""
    assert call_guarded(fail(PlaitError("a went wrong", why="b", fix="c"))) == 1
    assert capsys.readouterr().err == "error[plait-error]: a went wrong\n  why: b\n  fix: c\n"


def test_wrong_usage_ends_with_2(capsys):
    """An error of usage has an exit code of its own."""
    assert call_guarded(fail(UsageError("x"))) == 2
    assert capsys.readouterr().err == "error[usage]: x\n"


def test_every_finding_is_printed(capsys):
    """An error with many findings prints all of them."""
    findings = [Finding("no-end", "there is no end"), Finding("no-next", "start goes nowhere")]

    assert call_guarded(fail(InvalidFlow("F", findings))) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error[no-end]: there is no end",
        "error[no-next]: start goes nowhere",
    ]


def test_a_bug_is_called_one(capsys, monkeypatch):
    """An exception of plait's own is no mistake of the user, and shows no traceback."""
    monkeypatch.delenv("PLAIT_DEBUG", raising=False)

    assert call_guarded(fail(AssertionError("a task ended twice"))) == 1

    err = capsys.readouterr().err
    assert err.startswith(
        "error[bug]: this is a bug of plait: AssertionError: a task ended twice\n"
    )
    assert "PLAIT_DEBUG=1" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("error", [AssertionError("x"), UsageError("x")])
def test_debugging_shows_the_traceback(error, capsys, monkeypatch):
    """With PLAIT_DEBUG=1, the traceback comes before the message."""
    monkeypatch.setenv("PLAIT_DEBUG", "1")

    call_guarded(fail(error))

    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):")
    assert "error[" in err


def test_an_error_of_the_system_is_none_of_plaits(capsys):
    """What the operating system refuses is told in its words."""
    assert call_guarded(fail(PermissionError(13, "Permission denied", "/data/.plait"))) == 1
    assert capsys.readouterr().err.splitlines()[:2] == [
        "error[system-refused]: the system refused: Permission denied: '/data/.plait'",
        "  why: PermissionError, errno 13",
    ]


def test_an_error_of_the_system_without_a_file(capsys):
    """Not all of them name one."""
    assert call_guarded(fail(OSError("odd"))) == 1
    assert "the system refused: odd\n" in capsys.readouterr().err


def test_an_interrupt_ends_with_130(capsys):
    """Ctrl-C in any command is no error."""
    assert call_guarded(fail(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_left_is_no_error(capsys):
    """`| head` has what it wanted."""
    assert call_guarded(fail(ReaderGone())) == 0
    assert capsys.readouterr().err == ""


def test_an_error_that_nobody_reads_is_still_one(monkeypatch):
    """The exit code tells where the message cannot."""
    import io
    import sys

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Broken())

    assert call_guarded(fail(PlaitError("x"))) == 1


def test_click_may_leave_early():
    """`--help` ends a command with the exit code that click gives it."""
    assert call_guarded(fail(click.exceptions.Exit(3))) == 3


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (click.UsageError("Something is odd."), "error[usage]: something is odd\n"),
        (click.ClickException("Odd."), "error[usage]: Odd.\n"),
        (
            click.UsageError("Odd", click.Context(click.Command("go"), info_name="go")),
            "'go --help'",
        ),
        (
            click.BadOptionUsage("--x", "Odd.", click.Context(click.Command("go"), info_name="go")),
            "error[bad-option]: --x: odd\n",
        ),
        (
            click.MissingParameter(ctx=click.Context(click.Command("go"), info_name="go")),
            "error[missing-argument]: something is missing\n",
        ),
    ],
)
def test_other_complaints_of_click(error, text, capsys):
    """What click says in no form of plait's own is put into one."""
    assert call_guarded(fail(error)) in (1, 2)
    assert text in capsys.readouterr().err


def test_leaving_at_a_question_is_an_interruption(capsys):
    """Ctrl-C, or the end of the input, where a command asks something."""
    assert call_guarded(fail(click.Abort())) == 130
    assert capsys.readouterr().err == ""


def test_a_broken_profile_does_not_hide_what_is_told(capsys, monkeypatch):
    """Whether to show plait's traceback is asked last of all."""
    monkeypatch.delenv("PLAIT_DEBUG", raising=False)
    monkeypatch.setenv("PLAIT_PROFILE", "none")
    assert call_guarded(fail(UsageError("x"))) == 2
    assert capsys.readouterr().err == "error[usage]: x\n"
