"""The commands `package list`, `save` and `info`: what travels as the flow's code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plait.base.text import show_name
from plait.cli.command import Command, Entry, Option, Program
from plait.cli.house import count, format_size
from plait.cli.screen import Screen
from plait.cli.session import Session

if TYPE_CHECKING:
    from plait.packaging.manifest import Code

_HERE = "plait.cli.commands.package"

F = TypeVar("F", bound=Callable[..., Any])


_WITH_PLAIT = "With plait itself, for machines that have it not. What a run keeps is without it."
_COUNTED = "With plait's own files, or as if there were none.  [default: only how many there are]"


def _plait_option(text: str, *, default: bool | None) -> Callable[[F], F]:
    """Add the option that says whether plait itself is part of the package."""
    return click.option(
        "--plait/--no-plait",
        "with_plait",
        cls=Option,
        default=default,
        show_default=default is not None,
        help=text,
    )


@click.command(
    "list",
    cls=Command,
    examples={
        "": "see what travels, and what is left out",
        "--plait": "see plait's own files, too",
    },
)
@_plait_option(_COUNTED, default=None)
@click.pass_obj
def list_(session: Session, /, *, with_plait: bool | None) -> None:
    """Print the files that travel, one a line, how many are plait's own, and what is left out."""
    screen = Screen(sys.stdout)
    code = _read(session, with_plait=with_plait is not False)
    own = {chosen.name for chosen in code.selection.files}
    rest = {name: len(data) for name, (data, _) in code.contents.items() if name not in own}
    for name in code.contents if with_plait else sorted(own):
        size = format_size(len(code.contents[name][0]))
        screen.line(f"{show_name(name)}  {screen.paint(size, 'dim')}")
    if rest and not with_plait:
        told = f"{count(len(rest), 'file')}, {format_size(sum(rest.values()))}; --plait names them"
        screen.line(f"plait/...  {screen.paint(told, 'dim')}")
    for name, why in code.selection.left_out:
        screen.line(screen.paint(f"left out: {show_name(name) or '.'}: {why}", "yellow"))


@click.command(cls=Command, examples={"code.tgz": "write the archive that would travel"})
@click.argument("file", metavar="FILE")
@_plait_option(_WITH_PLAIT, default=True)
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


@click.command(
    cls=Command,
    examples={
        "": "describe what the next run would keep",
        "--plait": "describe what 'package save' writes",
    },
)
@_plait_option(_COUNTED, default=None)
@click.pass_obj
def info(session: Session, /, *, with_plait: bool | None) -> None:
    """Print the description that is in the archive, as JSON, with its address beside it.

    How many files plait itself has is told beside it, as `plait_files`.
    """
    import json

    code = _read(session, with_plait=with_plait is True)
    described = {"address": code.address, **json.loads(code.info)}
    if with_plait is None:
        from plait.packaging.selection import select_plait

        described["plait_files"] = len(select_plait())
    Screen(sys.stdout).line(json.dumps(described, indent=1))


def _read(session: Session, *, with_plait: bool) -> Code:
    from plait.packaging.manifest import read_code

    definition = session.read_definition()
    suffixes = session.choices.package_suffixes
    return read_code(definition.name, definition.file, suffixes, with_plait=with_plait)


package = Program(
    "package",
    entries=(
        Entry("list", f"{_HERE}:list_", "Print the files that travel.", "Commands"),
        Entry("save", f"{_HERE}:save", "Write the archive to a file.", "Commands"),
        Entry("info", f"{_HERE}:info", "Print its description as JSON.", "Commands"),
    ),
    help="What travels to other machines as the flow's code.",
)
