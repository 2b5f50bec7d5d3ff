"""The mistakes of a command line: click's own usage errors, told as what, why and fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click
from click.core import ParameterSource

from plait.base.errors import Finding, PlaitError, UsageError, nearest


class UnknownCommand(UsageError):
    """There is no command of that name."""

    slug = "unknown-command"

    def __init__(self, name: str, known: Iterable[str], program: str, how: str = "--help") -> None:
        super().__init__(
            f"there is no command '{name}'",
            why=nearest(name, known),
            fix=f"'{program} {how}' lists the commands",
        )


class UnknownOption(UsageError):
    """The command has no option of that name."""

    slug = "unknown-option"

    def __init__(
        self, option: str, known: Sequence[str], path: str, elsewhere: tuple[str, str] | None = None
    ) -> None:
        command = path.rpartition(" ")[2]
        why, fix = elsewhere or (nearest(option, known), f"'{path} --help' lists its options")
        super().__init__(f"'{command}' has no option '{option}'", why=why, fix=fix)


class BadOption(UsageError):
    """An option or argument has a value that it can't take, or none where it needs one."""

    slug = "bad-option"

    def __init__(self, name: str, problem: str, path: str, variable: str = "") -> None:
        super().__init__(
            f"{name}: {problem}",
            why=f"the value comes from the environment variable {variable}" if variable else "",
            fix=f"'{path} --help' says what it takes",
        )


class MissingArgument(UsageError):
    """A command was not given something that it can't do without."""

    slug = "missing-argument"

    def __init__(self, name: str, usage: str) -> None:
        super().__init__(f"{name} is missing", fix=f"write it as: {usage}")


class UnexpectedArgument(UsageError):
    """A command was given more than it takes."""

    slug = "unexpected-argument"

    def __init__(self, command: str, extra: Sequence[str], usage: str) -> None:
        words = " and ".join(f"'{word}'" for word in extra)
        super().__init__(
            f"'{command}' does not know what to do with {words}",
            why="an option's name begins with '--', and values with spaces need quotes",
            fix=f"write it as: {usage}",
        )


class SystemRefused(PlaitError):
    """The operating system refused something, such as a folder that may not be written."""

    slug = "system-refused"

    def __init__(self, error: OSError) -> None:
        place = f": '{error.filename}'" if error.filename else ""
        super().__init__(
            f"the system refused: {error.strerror or error}{place}",
            why=f"{type(error).__name__}, errno {error.errno}",
            fix="check that the place exists, that you may use it, and that it is not full",
        )


class PlaitBug(PlaitError):
    """Something in plait itself went wrong; never the user's mistake."""

    slug = "bug"

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            f"this is a bug of plait: {type(error).__name__}: {error}",
            why="plait met a state that it should never be in; your flow is not to blame",
            fix="run it again with PLAIT_DEBUG=1 to see plait's traceback, and report it with that",
        )


def translate_usage(error: click.UsageError) -> UsageError:
    """Tell a usage error of click in plait's form, with the names the user wrote."""
    context = error.ctx
    if context is None:
        return _other_usage(error.message, "plait")
    path, command = context.command_path, context.command
    if isinstance(error, click.NoSuchOption):
        return UnknownOption(
            error.option_name, _options_of(context), path, _where_else(error.option_name, context)
        )
    if isinstance(error, click.MissingParameter):
        name = error.param.human_readable_name if error.param is not None else "something"
        usage = " ".join([path, *command.collect_usage_pieces(context)])
        if error.param is not None and error.param.param_type_name == "option":
            name = error.param.opts[0]
            usage = f"{usage} {name} VALUE"
        return MissingArgument(name, usage)
    if isinstance(error, click.BadParameter) and error.param is not None:
        return BadOption(
            _name_of(error.param), _sentence(error.message), path, _variable(error.param, context)
        )
    if isinstance(error, click.BadOptionUsage):
        return BadOption(error.option_name, _sentence(error.message), path)
    return _other_usage(error.message, path)


def find_all(
    first: click.UsageError, command: click.Command, ctx: click.Context, args: Sequence[str]
) -> UsageError:
    """Give all that is wrong with a command line, of which click tells the first alone.

    Args:
        first: What click told.
        command: The command or program that was called.
        ctx: Its context.
        args: What it was given.
    """
    told = translate_usage(first)
    found = list(told.findings)
    for more in _find_more(command, ctx, args):
        found += [each for each in more if each not in found]
    told.findings = tuple(found)
    return told


def _find_more(
    command: click.Command, ctx: click.Context, args: Sequence[str]
) -> Iterator[Sequence[Finding]]:
    ctx.ignore_unknown_options = True
    try:
        opts, rest, _ = command.make_parser(ctx).parse_args(args=list(args))
    except click.UsageError as error:
        error.ctx = error.ctx or ctx
        yield translate_usage(error).findings
        return  # an option without its value: what is a value and what is not can't be told
    known = {name for one in command.get_params(ctx) for name in (*one.opts, *one.secondary_opts)}
    marked = args[: args.index("--")] if "--" in args else args
    for word in rest:
        if isinstance(command, click.Group) and not word.startswith("-"):
            break  # the command, whose options are its own
        name = word.partition("=")[0]
        if name.startswith("--") and name not in known and word in marked:
            yield translate_usage(click.NoSuchOption(name, ctx=ctx)).findings
    # Options alone: behind an unknown one nobody knows which words are arguments.
    for parameter in command.get_params(ctx):
        if isinstance(parameter, click.Option) and not parameter.is_eager:
            try:
                parameter.handle_parse_result(ctx, opts, [])
            except click.UsageError as error:
                error.ctx = error.ctx or ctx
                yield translate_usage(error).findings
    find = getattr(command, "find_mistakes", None)
    if find is not None:
        yield find(ctx)


def _other_usage(message: str, path: str) -> UsageError:
    return UsageError(_sentence(message), fix=f"'{path} --help' shows how it is used")


def _sentence(message: str) -> str:
    """Give click's message as the middle of a sentence: no capital first, no full stop."""
    text = message.strip().removesuffix(".")
    return text[:1].lower() + text[1:]


def _name_of(parameter: click.Parameter) -> str:
    if parameter.param_type_name == "option":
        return parameter.opts[0]
    return parameter.human_readable_name


def _options_of(context: click.Context) -> list[str]:
    return [
        name
        for parameter in context.command.get_params(context)
        if parameter.param_type_name == "option" and not getattr(parameter, "hidden", False)
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    ]


def _where_else(option: str, context: click.Context) -> tuple[str, str] | None:
    """Say why and how to write it where *option* stands on the wrong side of the command."""
    program = context.command
    if isinstance(program, click.Group):
        for name in program.list_commands(context):
            command = program.get_command(context, name)
            # Only its own options: a flow's parameters may not be readable yet.
            if command is not None and any(option in one.opts for one in command.params):
                return (
                    f"it is an option of '{name}'",
                    f"write it after the command: {context.command_path} {name} {option} ...",
                )
        return None
    above = context.parent
    if above is not None and option in _options_of(above):
        return (
            "it is an option of the program",
            f"write it before the command: {above.command_path} {option} ... {context.info_name}",
        )
    return None


def _variable(parameter: click.Parameter, context: click.Context) -> str:
    """Give the environment variable that *parameter*'s value came from; empty if none did."""
    if parameter.name is None or context.auto_envvar_prefix is None:
        return ""
    if context.get_parameter_source(parameter.name) is not ParameterSource.ENVIRONMENT:
        return ""
    return f"{context.auto_envvar_prefix}_{parameter.name.upper()}"
