"""The commands `configure aws`, `show`, `export`, `import` and `reset`: settings for all flows."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import click

from plait.base.errors import UsageError
from plait.base.profile import (
    find_file,
    format_profile,
    load_profile,
    parse_profile,
    save_profile,
    write_private,
)
from plait.base.settings import SETTINGS, Setting, check_value, hide_login, resolve
from plait.cli.command import Command, Entry, Option, Program
from plait.cli.screen import Screen

_HERE = "plait.cli.commands.configure"

F = TypeVar("F", bound=Callable[..., Any])

_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD")
_PASSWORD = re.compile(r"(password=)[^&\s]+", re.IGNORECASE)
_LONG_ENOUGH = 12
"""Of a secret so long, the last four characters are shown: enough to tell two apart."""


class FileInTheWay(UsageError):
    """What a command would write over was not to be lost without asking."""

    slug = "file-in-the-way"

    def __init__(self, file: str) -> None:
        super().__init__(
            f"'{file}' is there, and what is in it would be lost",
            why="only you can say whether it may",
            fix="add --force if it may go",
        )


class BadLine(UsageError):
    """A line that should set something does not."""

    slug = "bad-configure-line"

    def __init__(self, number: int, known: Mapping[str, Setting]) -> None:
        super().__init__(
            f"line {number} of the standard input sets nothing that 'configure aws' knows",
            why="each line is NAME=VALUE, and the names are: " + ", ".join(known),
            fix="mend the line, or give the values as options: see 'plait configure aws --help'",
        )


def _profile_option(function: F) -> F:
    """Add the option that says which profile is meant."""
    option = click.option(
        "--profile",
        cls=Option,
        metavar="NAME",
        envvar="PLAIT_PROFILE",
        help="The profile.  [default: the one without a name]",
    )
    decorated: F = option(function)
    return decorated


def _force_option(function: F) -> F:
    """Add the option that says not to ask."""
    option = click.option(
        "--force", cls=Option, is_flag=True, help="Do not ask; what was there goes."
    )
    decorated: F = option(function)
    return decorated


def aws_settings() -> dict[str, Setting]:
    """Give the settings that `configure aws` asks for, by their variables."""
    return {setting.env: setting for setting in SETTINGS.values() if setting.section == "aws"}


def _aws_options(function: F) -> F:
    for setting in reversed(aws_settings().values()):
        function = click.option(
            f"--{setting.name}",
            setting.env,
            cls=Option,
            metavar="TEXT",
            allow_from_autoenv=False,
            help=setting.meaning,
        )(function)
    return function


@click.command(
    cls=Command,
    examples={
        "": "be asked for each value",
        "--datastore-sysroot-s3 s3://bucket/plait": "set one",
        "--profile test < values.txt": "set what lines NAME=VALUE say, in a profile",
    },
)
@_aws_options
@_profile_option
def aws(profile: str | None, **given: str | None) -> None:
    """Set what plait has to know to use your S3, or a server like it.

    Without options it asks in a terminal; elsewhere it reads lines NAME=VALUE from the standard
    input. An empty value takes the setting away. Your keys are not plait's business: they are where
    AWS's own programs look for them.
    """
    file = find_file(profile, os.environ)
    before = _load(file)
    chosen = {name: value for name, value in given.items() if value is not None}
    reads = not chosen and not sys.stdin.isatty()
    if not chosen:
        chosen = dict(_read_lines() if reads else _ask(before))
    known = aws_settings()
    for name, value in chosen.items():
        if value:
            check_value(known[name], value, "the standard input" if reads else name)
    after = {**before, **chosen}
    for name, value in chosen.items():
        if not value:
            del after[name]
    _save(file, after)


def _ask(before: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for setting in aws_settings().values():
        click.echo(setting.meaning)
        now = before.get(setting.env, "")
        yield setting.env, click.prompt(f"  {setting.env}", default=now, type=str).strip()


def _read_lines() -> Iterator[tuple[str, str]]:
    known = aws_settings()
    for number, line in enumerate(sys.stdin, 1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if line.isspace() or name.startswith("#"):
            continue
        if not equals or name not in known:
            raise BadLine(number, known)
        yield name, value.strip()


@click.command(cls=Command, examples={"": "see every setting and where its value comes from"})
@_profile_option
def show(profile: str | None) -> None:
    """Print every setting that has a value, and where that comes from; secrets are masked."""
    screen = Screen(sys.stdout)
    environ = _environ(profile)
    file, kept = load_profile(environ)
    there = "" if os.path.exists(file) else "  (not there yet)"
    screen.line(f"{file}{there}")
    rows = []
    for setting in SETTINGS.values():
        value = resolve(setting.name, environ)
        if value.value:
            rows.append((setting.env, mask(setting.env, value.value), _where(value.source, file)))
    known = {setting.env for setting in SETTINGS.values()}
    rows.extend(
        (name, mask(name, kept[name]), "the file; not known to this plait")
        for name in sorted(kept.keys() - known)
    )
    names = max(len(row[0]) for row in rows)
    values = max(len(row[1]) for row in rows)
    for name, text, source in rows:
        screen.line(f"  {name:<{names}}  {text:<{values}}  {screen.paint(source, 'dim')}")


def _where(source: str, file: str) -> str:
    if source == file:
        return "the file"
    return source if source == "default" else "the environment"


@click.command(cls=Command, examples={"plait.json": "copy the settings, secrets included"})
@click.argument("target", metavar="FILE")
@_profile_option
@_force_option
def export(target: str, profile: str | None, *, force: bool) -> None:
    """Write the settings of a profile to FILE, secrets included; - prints them."""
    _, kept = load_profile(_environ(profile))
    content = format_profile(kept)
    if target == "-":
        Screen(sys.stdout).write(content.decode())
        return
    _make_way(target, force=force)
    write_private(target, content)
    Screen(sys.stdout).line(f"{_count(kept)} in {target}, which only you can read")


@click.command(
    "import",
    cls=Command,
    examples={"plait.json --profile test": "make a profile of what was exported"},
)
@click.argument("source", metavar="FILE")
@_profile_option
@_force_option
def import_(source: str, profile: str | None, *, force: bool) -> None:
    """Take the settings of a profile from FILE, in the place of what it has; - reads them."""
    if source == "-":
        content = sys.stdin.buffer.read()
    else:
        with open(source, "rb") as opened:
            content = opened.read()
    settings = parse_profile(content, source)
    for setting in SETTINGS.values():
        if setting.env in settings:
            check_value(setting, settings[setting.env], source)
    file = find_file(profile, os.environ)
    _make_way(file, force=force)
    _save(file, settings)


@click.command(cls=Command, examples={"--profile test": "remove a profile"})
@_profile_option
@_force_option
def reset(profile: str | None, *, force: bool) -> None:
    """Remove a profile, with all settings in it."""
    file = find_file(profile, os.environ)
    screen = Screen(sys.stdout)
    if not os.path.exists(file):
        screen.line(f"{file} is not there; nothing to do")
        return
    _make_way(file, force=force)
    os.unlink(file)
    screen.line(f"{file} is gone; everything has its default again")


def mask(name: str, value: str) -> str:
    """Give a value as it may be shown: of a secret, the last characters at most."""
    if _SECRET.search(name):
        return "****" + (value[-4:] if len(value) >= _LONG_ENOUGH else "")
    return _PASSWORD.sub(r"\1****", hide_login(value))


def _environ(profile: str | None) -> dict[str, str]:
    environ = dict(os.environ)
    if profile:
        environ["PLAIT_PROFILE"] = profile
    return environ


def _load(file: str) -> dict[str, str]:
    if not os.path.exists(file):
        return {}
    with open(file, "rb") as source:
        return parse_profile(source.read(), file)


def _save(file: str, settings: Mapping[str, str]) -> None:
    save_profile(file, settings)
    Screen(sys.stdout).line(f"{_count(settings)} in {file}")


def _count(settings: Mapping[str, str]) -> str:
    return "1 setting is" if len(settings) == 1 else f"{len(settings)} settings are"


def _make_way(file: str, *, force: bool) -> None:
    """Ask before something is lost. Raises FileInTheWay if nobody can be asked."""
    if force or not os.path.exists(file):
        return
    if not sys.stdin.isatty():
        raise FileInTheWay(file)
    if not click.confirm(f"{file} is there. May what is in it go?"):
        raise FileInTheWay(file)


configure = Program(
    "configure",
    entries=(
        Entry("aws", f"{_HERE}:aws", "Set what S3 needs.", "Commands"),
        Entry("show", f"{_HERE}:show", "Print all settings and their sources.", "Commands"),
        Entry("export", f"{_HERE}:export", "Write a profile to a file.", "Commands"),
        Entry("import", f"{_HERE}:import_", "Take a profile from a file.", "Commands"),
        Entry("reset", f"{_HERE}:reset", "Remove a profile.", "Commands"),
    ),
    help="Settings for all of your flows, kept in a file of yours; one for each profile.",
)
