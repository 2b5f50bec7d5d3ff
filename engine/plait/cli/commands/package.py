"""The commands `package list`, `save` and `info`: what travels as the flow's code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plait.cli.command import Command, Entry, Option, Program
from plait.cli.house import count, format_size
from plait.cli.screen import Screen
from plait.cli.session import Session

if TYPE_CHECKING:
    from plait.packaging.manifest import Code

_HERE = "plait.cli.commands.package"

F = TypeVar("F", bound=Callable[..., Any])


def _plait_option(function: F) -> F:
    """Add the option that says whether plait itself is part of the package."""
    option = click.option(
        "--plait/--no-plait",
        "with_plait",
        cls=Option,
        default=True,
        show_default=True,
        help="With plait itself, for machines that have it not. What a run keeps is without it.",
    )
    decorated: F = option(function)
    return decorated


@click.command("list", cls=Command, examples={"": "see what travels, and what is left out"})
@_plait_option
@click.pass_obj
def list_(session: Session, /, *, with_plait: bool) -> None:
    """Print the files that travel, one a line, plait's own in one; and what is left out."""
    screen = Screen(sys.stdout)
    code = _read(session, with_plait=with_plait)
    own = {chosen.name for chosen in code.selection.files}
    rest = [len(data) for name, (data, _) in code.contents.items() if name not in own]
    for name in sorted(own):
        size = format_size(len(code.contents[name][0]))
        screen.line(f"{_printable(name)}  {screen.paint(size, 'dim')}")
    if rest:
        told = f"{count(len(rest), 'file')}, {format_size(sum(rest))}"
        screen.line(f"plait/...  {screen.paint(told, 'dim')}")
    for name, why in code.selection.left_out:
        screen.line(screen.paint(f"left out: {_printable(name) or '.'}: {why}", "yellow"))


@click.command(cls=Command, examples={"code.tgz": "write the archive that would travel"})
@click.argument("file", metavar="FILE")
@_plait_option
@click.pass_obj
def save(session: Session, /, file: str, *, with_plait: bool) -> None:
    """Write the archive to FILE. Of the same files it always has the same bytes."""
    from plait.packaging.archive import write_archive

    code = _read(session, with_plait=with_plait)
    archive = write_archive(code)
    draft = f"{file}.{os.getpid()}.part"
    try:
        with open(draft, "wb") as target:
            target.write(archive)
        os.replace(draft, file)
    except OSError as error:
        error.filename = file  # the draft is not what anybody asked for
        if os.path.exists(draft):
            os.unlink(draft)
        raise
    told = f"{count(len(code.contents), 'file')}, {format_size(len(archive))}"
    Screen(sys.stdout).line(f"the code of {session.flow_name} is in {file}: {told}")


@click.command(cls=Command, examples={"--no-plait": "describe what the next run would keep"})
@_plait_option
@click.pass_obj
def info(session: Session, /, *, with_plait: bool) -> None:
    """Print the description that is in the archive, as JSON, with its address beside it."""
    import json

    code = _read(session, with_plait=with_plait)
    described = {"address": code.address, **json.loads(code.info)}
    Screen(sys.stdout).line(json.dumps(described, indent=1))


def _read(session: Session, *, with_plait: bool) -> Code:
    from plait.packaging.manifest import read_code

    definition = session.read_definition()
    suffixes = session.choices.package_suffixes
    return read_code(definition.name, definition.file, suffixes, with_plait=with_plait)


def _printable(name: str) -> str:
    """Give a name as one line of text; one on the disk may be any bytes."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


package = Program(
    "package",
    entries=(
        Entry("list", f"{_HERE}:list_", "Print the files that travel.", "Commands"),
        Entry("save", f"{_HERE}:save", "Write the archive to a file.", "Commands"),
        Entry("info", f"{_HERE}:info", "Print its description as JSON.", "Commands"),
    ),
    help="What travels to other machines as the flow's code.",
)
