"""What every command shares: options in groups, examples, and help read from a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from plait.cli.mistakes import UnexpectedArgument, UnknownCommand
from plait.cli.screen import Screen

OPTIONS = "Options"
"""The heading of options that name no group of their own."""


LINE_VARIABLE = "PLAIT_INTERNAL_COMPLETE"
"""Set by the scripts of `plait completion` to the command line up to the cursor. A program that
finds it prints what could come next, and does nothing else."""


def offering(name: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """Give what asks the function *name* of `completing`, which is loaded only for completion."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        offered: list[Any] = getattr(import_module("plait.cli.completing"), name)(
            ctx, parameter, incomplete
        )
        return offered

    return complete


class Option(click.Option):
    """An option under a heading of the help text.

    Args:
        declarations: As click takes them: `("--max-workers",)`.
        section: The heading.
        attributes: As click takes them.
    """

    def __init__(
        self,
        declarations: Sequence[str] | None = None,
        *,
        section: str = OPTIONS,
        **attributes: Any,
    ) -> None:
        super().__init__(declarations, **attributes)
        self.section = section


if TYPE_CHECKING:
    from plait.base.errors import Finding

    _Text = click.ParamType[str]
else:
    # It takes no type at run time before click 8.2.
    _Text = click.ParamType


class Words(_Text):
    """Text; where an environment variable gives many, quotes keep one with spaces together."""

    name = "text"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Split the value of an environment variable as a shell would."""
        import shlex

        try:
            return shlex.split(rv)
        except ValueError as error:
            raise click.BadParameter(f"{rv!r}: {error}") from None


class Command(click.Command):
    """A command whose help groups its options and ends in examples.

    Args:
        name: What it is called.
        examples: Arguments after the command's name, each with what it does.
        attributes: As click takes them.
    """

    def __init__(
        self,
        name: str | None,
        *,
        examples: Mapping[str, str] | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(name, add_help_option=False, **attributes)
        self.examples = dict(examples or {})
        self.params.append(_help_option())
        # Told here and not by click, in order to say it in plait's words.
        self.allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the command's options and arguments.

        Raises:
            UsageError: With everything that is wrong with them.
        """
        with _telling_all(self, ctx, args):
            return super().parse_args(ctx, args)

    def find_mistakes(self, ctx: click.Context) -> Sequence[Finding]:  # noqa: ARG002  # for overrides
        """Give what is wrong with what click takes as it is, such as a flow's parameters."""
        return ()

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises UnexpectedArgument for arguments that it does not take."""
        if ctx.args:
            usage = " ".join([ctx.command_path, *self.collect_usage_pieces(ctx)])
            error = UnexpectedArgument(str(ctx.info_name), ctx.args, usage)
            error.findings = (*error.findings, *self.find_mistakes(ctx))
            raise error
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, each under its heading."""
        write_options(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(ctx.command_path, self.examples, formatter)


@dataclass(frozen=True, slots=True)
class Entry:
    """A command in a program's table, so that help lists it without importing it.

    Args:
        name: What the user types.
        target: `module:attribute` of the command.
        summary: One line of help.
        section: The heading in the list of commands; empty to leave it out.
    """

    name: str
    target: str
    summary: str
    section: str = ""


class Program(click.Group):
    """A program of commands, each imported when it is called.

    Args:
        name: What it is called.
        entries: The commands.
        examples: Arguments after the program's name, each with what it does.
        attributes: As click takes them.
    """

    def __init__(
        self,
        name: str,
        *,
        entries: Iterable[Entry],
        examples: Mapping[str, str] | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(name, no_args_is_help=False, add_help_option=False, **attributes)
        self.entries = {entry.name: entry for entry in entries}
        self.examples = dict(examples or {})
        self.params.append(_help_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the options before the command; without anything, print the help."""
        if not args and not self.invoke_without_command:
            _show_help(ctx, self.params[-1], value=True)
        with _telling_all(self, ctx, args):
            return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Give the names of the commands, in the order of the table."""
        return list(self.entries)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Import the command called *cmd_name*; None if there is none."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that *args* begin with. Raises UnknownCommand."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None:
            shown = [entry.name for entry in self.entries.values() if entry.section]
            # Programs have it; a group of commands, such as `tag`, has only the option.
            how = "help" if "help" in self.entries else "--help"
            raise UnknownCommand(name, shown, ctx.command_path, how)
        return name, command, args[1:]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Offer the commands that help lists, without importing any, or the options."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(entry.name, help=entry.summary)
            for entry in self.entries.values()
            if entry.section and entry.name.startswith(incomplete)
        ]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options that go before them."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for entry in self.entries.values():
            if entry.section:
                sections.setdefault(entry.section, []).append((entry.name, entry.summary))
        widest = max((len(name) for name in self.entries), default=0)
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(widest), summary) for name, summary in rows])
        write_options(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(ctx.command_path, self.examples, formatter)


def write_options(
    parameters: Iterable[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    """Write *parameters* of a command as lists under their headings, `Options` last."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is not None:
            sections.setdefault(getattr(parameter, "section", OPTIONS), []).append(record)
    last = sections.pop(OPTIONS, None)
    if last:
        sections[OPTIONS] = last
    for heading, rows in sections.items():
        with formatter.section(heading):
            formatter.write_dl(rows)


def write_examples(path: str, examples: Mapping[str, str], formatter: click.HelpFormatter) -> None:
    """Write *examples* as lines to copy, each with what it does above it."""
    if not examples:
        return
    with formatter.section("Examples"):
        for arguments, meaning in examples.items():
            formatter.write(f"{'':{formatter.current_indent}}# {meaning}\n")
            formatter.write(f"{'':{formatter.current_indent}}{path} {arguments}".rstrip() + "\n")


@contextmanager
def _telling_all(command: click.Command, ctx: click.Context, args: Sequence[str]) -> Iterator[None]:
    """Turn click's first complaint about *args* into all that is wrong with them."""
    given = list(args)  # click takes from the list that it is given
    try:
        yield
    except click.UsageError as error:
        # Click leaves it out where an option lacks its value.
        error.ctx = error.ctx or ctx
        if ctx.resilient_parsing:
            raise
        from plait.cli.mistakes import find_all

        raise find_all(error, command, ctx, given) from error


def _help_option() -> click.Option:
    return Option(
        ["-h", "--help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        # A variable PLAIT_RUN_HELP is a parameter's business, not a wish for help.
        allow_from_autoenv=False,
        help="Show this and stop.",
        callback=_show_help,
    )


def _show_help(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001  # click's signature
    if value and not ctx.resilient_parsing:
        Screen(sys.stdout).line(ctx.get_help())
        ctx.exit()
