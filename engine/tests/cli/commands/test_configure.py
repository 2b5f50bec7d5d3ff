"""`plait configure`: settings for all flows, set, shown, copied and removed."""

from __future__ import annotations

import io
import json
import os
import sys

import click
import pytest

from plait.cli.commands.configure import mask
from plait.cli.plait import call_plait

S3, URL = "PLAIT_DATASTORE_SYSROOT_S3", "PLAIT_S3_ENDPOINT_URL"


class Person:
    """Somebody with a home of their own, who types commands."""

    def __init__(self, home, capsys, monkeypatch) -> None:
        self.home, self._capsys, self._monkeypatch = home, capsys, monkeypatch

    def configure(self, *arguments: str, text: str = "", terminal: bool = False) -> str:
        """Call `plait configure` with something to read, and give what was printed."""
        source = io.TextIOWrapper(io.BytesIO(text.encode()))
        source.isatty = lambda: terminal  # type: ignore[method-assign]  # what it pretends
        self._monkeypatch.setattr(sys, "stdin", source)
        self.code = call_plait(["configure", *arguments])
        said = self._capsys.readouterr()
        self.err = said.err
        return said.out

    def kept(self, name: str = "config.json") -> dict[str, str]:
        """Give what a profile's file says."""
        return json.loads((self.home / name).read_text())


@pytest.fixture
def person(tmp_path, capsys, monkeypatch) -> Person:
    """Somebody who has set nothing yet."""
    for name in [name for name in os.environ if name.startswith("PLAIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PLAIT_HOME", str(tmp_path / "home"))
    return Person(tmp_path / "home", capsys, monkeypatch)


def test_options_set_values(person) -> None:
    """Others stay; an empty one takes a value away; the file is its owner's alone."""
    said = person.configure("aws", "--datastore-sysroot-s3", "s3://bucket-b/p")
    assert said == f"1 setting is in {person.home}/config.json\n"
    person.configure("aws", "--s3-endpoint-url=http://127.0.0.1:1", "--datastore-sysroot-s3=")

    assert person.kept() == {URL: "http://127.0.0.1:1"}
    assert (person.home / "config.json").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_a_value_is_not_set(person) -> None:
    """A place in S3 is a URL of S3, and a server has a URL; nothing of the rest is set then."""
    for given in (["--datastore-sysroot-s3", "nourl"], ["--s3-endpoint-url", "127.0.0.1:9000"]):
        person.configure("aws", "--datastore-sysroot-s3=s3://bucket-a", *given)
        assert person.code == 2
        assert f"={given[1]!r} is not a value of '{given[0][2:]}'" in person.err
        assert "fix: write it like " in person.err
    person.configure("aws", text=f"{S3}=s3://B\n")
    assert "why: the standard input says so; " in person.err
    assert not (person.home / "config.json").exists()


def test_lines_set_values(person) -> None:
    """Where there is no terminal; a line that sets nothing is refused, and then nothing is set."""
    person.configure("aws", text=f"# mine\n\n{S3} = s3://bucket-b\n{URL}=\n")
    assert person.kept() == {S3: "s3://bucket-b"}

    for line in ("what", "PLAIT_USER=ada"):
        person.configure("aws", text=f"{S3}=s3://bucket-c\n{line}\n")
        assert person.code == 2
        assert "error[bad-configure-line]: line 2 of" in person.err
    assert person.kept() == {S3: "s3://bucket-b"}


def test_a_terminal_is_asked(person, monkeypatch) -> None:
    """Each value, with what it is now; leaving at a question changes nothing."""
    person.configure("aws", "--datastore-sysroot-s3", "s3://bucket-b/p")
    answers = {f"  {S3}": "s3://bucket-b/p", f"  {URL}": " http://x "}

    def prompt(text: str, default: str, **_: object) -> str:
        assert default == {f"  {S3}": "s3://bucket-b/p"}.get(text, "")
        return answers[text]

    monkeypatch.setattr(click, "prompt", prompt)
    assert "The place in S3" in person.configure("aws", terminal=True)
    assert person.kept() == {S3: "s3://bucket-b/p", URL: "http://x"}

    def leave(*_: object, **__: object) -> str:
        raise click.Abort

    monkeypatch.setattr(click, "prompt", leave)
    person.configure("aws", terminal=True)
    assert person.code == 130


def test_values_are_shown_with_their_sources(person, monkeypatch) -> None:
    """Environment, file, default; what this plait does not know too; secrets never whole."""
    assert "config.json  (not there yet)\n" in person.configure("show")
    monkeypatch.setenv("PLAIT_WORKERS", "spawn")
    given = {"PLAIT_USER": "ada", "PLAIT_SERVICE_AUTH_KEY": "abcdefghijklmnop", "PLAIT_X": "1"}
    person.configure("import", "-", text=json.dumps(given))
    lines = {
        line.split()[0]: line.split()[1:] for line in person.configure("show").splitlines()[1:]
    }

    assert lines["PLAIT_WORKERS"] == ["spawn", "the", "environment"]
    assert lines["PLAIT_USER"] == ["ada", "the", "file"]
    assert lines["PLAIT_DATASTORE"] == ["local", "default"]
    assert lines["PLAIT_SERVICE_AUTH_KEY"][:3] == ["****mnop", "the", "file;"]
    assert lines["PLAIT_X"][0] == "1"


def test_secrets_are_masked() -> None:
    """A short one altogether, and a password within a URL."""
    assert mask("PLAIT_S3_SECRET", "short") == "****"
    assert mask("PLAIT_S3_TOKEN", "0123456789abcdef") == "****cdef"
    assert mask("PLAIT_URL", "http://ada:pw@host/x") == "http://ada:****@host/x"
    for url in ("postgresql://ada:pw/x@h@host/x", "postgresql://ada@host/x?Password=pw&a=b"):
        assert "pw" not in mask("PLAIT_SERVICE_DB", url)
    assert mask("PLAIT_USER", "ada") == "ada"
    assert mask("PLAIT_S3_ENDPOINT_URL", "http://t0ken@host:1") == "http://****@host:1"


def test_a_profile_travels(person, tmp_path) -> None:
    """What one exports, another imports under any name; the copy is its owner's alone too."""
    person.configure("aws", "--datastore-sysroot-s3", "s3://bucket-b/p")
    copy = tmp_path / "copy.json"
    person.configure("export", str(copy))
    person.configure("import", str(copy), "--profile", "test")

    assert copy.stat().st_mode & 0o777 == 0o600
    assert person.kept("config_test.json") == person.kept()
    assert json.loads(person.configure("export", "-", "--profile", "test")) == person.kept()
    assert "config_test.json\n" in person.configure("show", "--profile", "test")
    person.configure("reset", "--profile", "test", "--force")
    assert os.listdir(person.home) == ["config.json"]
    person.configure("import", str(tmp_path / "none.json"), "--profile", "x")
    assert (person.code, "error[system-refused]" in person.err) == (1, True)


def test_what_is_there_is_not_lost_unasked(person, tmp_path, monkeypatch) -> None:
    """Without a terminal it is refused, unless told so; in one, the answer counts."""
    copy = tmp_path / "copy.json"
    copy.write_text('{"PLAIT_USER": "grace"}')
    person.configure("aws", "--datastore-sysroot-s3", "s3://bucket-b/p")
    for arguments in (("export", str(copy)), ("import", str(copy)), ("reset",)):
        person.configure(*arguments)
        assert person.code == 2
        assert "error[file-in-the-way]" in person.err
    monkeypatch.setattr(click, "confirm", lambda _question: False)
    person.configure("reset", terminal=True)
    assert (person.code, person.kept()) == (2, {S3: "s3://bucket-b/p"})

    person.configure("import", str(copy), "--force")
    assert person.kept() == {"PLAIT_USER": "grace"}
    monkeypatch.setattr(click, "confirm", lambda _question: True)
    assert "is gone" in person.configure("reset", terminal=True)
    assert "nothing to do" in person.configure("reset")
    assert os.listdir(person.home) == []


def test_what_cannot_hold_is_not_imported(person) -> None:
    """A value that its setting does not allow, and what is no profile at all."""
    person.configure("import", "-", text='{"PLAIT_WORKERS": "forks"}')
    assert "error[bad-setting]: PLAIT_WORKERS='forks'" in person.err
    person.configure("import", "-", text="no")
    assert "error[bad-profile]: - holds no settings" in person.err
    assert not person.home.exists()


def test_a_profile_counts_for_flows(person, past, monkeypatch) -> None:
    """Options have their defaults from it; a broken one is told, and by PLAIT_DEBUG alone more."""
    person.configure("import", "-", text='{"PLAIT_USER": "ada", "PLAIT_WORKERS": "inline"}')
    assert "default: inline" in " ".join(past.call("--help").out.split())

    monkeypatch.setenv("PLAIT_PROFILE", "none")
    assert past.call("check").err.startswith("error[no-such-profile]: there is no profile 'none'")
