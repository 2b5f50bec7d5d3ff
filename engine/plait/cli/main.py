"""The program that every flow is: `python flow.py COMMAND`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from plait.base.settings import SETTINGS, resolve_kept
from plait.cli.boundary import call_guarded
from plait.cli.command import LINE_VARIABLE, Entry, Option, Program, Words, offering
from plait.cli.session import Choices, Session, describe_start

_COMMANDS = "plait.cli.commands"

ENTRIES = (
    Entry("run", f"{_COMMANDS}.run:run", "Run the flow.", "Run"),
    Entry("resume", f"{_COMMANDS}.resume:resume", "Go on where a run failed.", "Run"),
    Entry("spin", f"{_COMMANDS}.spin:spin", "Run one step on a past task's inputs.", "Run"),
    Entry("dump", f"{_COMMANDS}.dump:dump", "Print or save artifacts of a run.", "Read results"),
    Entry("logs", f"{_COMMANDS}.logs:logs", "Print what tasks printed.", "Read results"),
    Entry("tag", f"{_COMMANDS}.tag:tag", "Change or list the tags of a run.", "Read results"),
    Entry("card", f"{_COMMANDS}.card:card", "Show the pages that tasks left.", "Read results"),
    Entry("report", f"{_COMMANDS}.report:report_own", "Write a run as a page.", "Read results"),
    Entry("check", f"{_COMMANDS}.check:check", "Validate the flow.", "Look at the flow"),
    Entry(
        "show", f"{_COMMANDS}.show:show", "Print its steps and where each goes.", "Look at the flow"
    ),
    Entry(
        "output-dot",
        f"{_COMMANDS}.output:output_dot",
        "Print the graph for Graphviz.",
        "Look at the flow",
    ),
    Entry(
        "output-raw",
        f"{_COMMANDS}.output:output_raw",
        "Print the graph as JSON.",
        "Look at the flow",
    ),
    Entry(
        "package",
        f"{_COMMANDS}.package:package",
        "What travels to other machines as the flow's code.",
        "Look at the flow",
    ),
    Entry("version", f"{_COMMANDS}.about:version", "Print plait's version.", "About"),
    Entry("help", f"{_COMMANDS}.about:help_", "Print this, or the help of a command.", "About"),
    # Called by machines: no heading, so that help leaves them out.
    Entry("init", f"{_COMMANDS}.init:init", "Record a run without starting it."),
    Entry("step", f"{_COMMANDS}.step:step", "Run one attempt at one task."),
)

_METAVARS = {
    "datastore-root": "FOLDER",
    "event-logger": "NAME[:ARGUMENT]",
    "monitor": "NAME[:ARGUMENT]",
}
"""What stands for the value of an option that may have any."""


def run_flow_script(flow_class: type) -> None:
    """Run a flow's command line and leave the process with its exit code.

    Args:
        flow_class: The user's class.
    """
    prepare_streams()
    program, command = describe_start()
    code = call_command_line(Session(flow_class, program, command), sys.argv[1:])
    sys.exit(code)


def prepare_streams() -> None:
    """Make this process's standard streams such as nothing that follows can trip over."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # Started without it (`>&-`). The next file or pipe opened would get its number, and a
            # task's output would go there. As the lowest free one, this one gets it.
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal cannot show must not end a run. What replaces the streams
        # in a notebook or a test may lack the method.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and not stream.closed:
            reconfigure(errors="backslashreplace")


def call_command_line(session: Session, arguments: Sequence[str]) -> int:
    """Do what *arguments* say with the flow of *session*, and give the exit code."""
    return call_guarded(lambda: _call(session, arguments))


def _call(session: Session, arguments: Sequence[str]) -> int | None:
    program = make_program(session)
    if LINE_VARIABLE in os.environ:
        from plait.cli.completing import print_completions

        return print_completions(program, os.environ.pop(LINE_VARIABLE), 2, session)
    # Not `program.main()`: that prints errors and leaves in click's own way, and looks for
    # requests of shell completion.
    context = program.make_context(
        session.program,
        list(arguments),
        obj=session,
        auto_envvar_prefix="PLAIT",
        max_content_width=100,
    )
    with context:
        code: int | None = program.invoke(context)
    return code


def make_program(session: Session) -> Program:
    """Make the command line of the flow of *session*."""
    import inspect

    doc = inspect.getdoc(session.flow_class) or ""
    # A class without a docstring shows its base's, which is plait's own.
    own = doc if session.flow_class.__doc__ else ""
    return Program(
        session.flow_name,
        entries=ENTRIES,
        invoke_without_command=True,
        help=own or f"The flow {session.flow_name}.",
        params=[*_options(), *_flow_options(session)],
        callback=_take_choices,
        examples={
            "": "validate the flow, and say how to go on",
            "run --help": "see the flow's parameters",
            "--with retry run": "run it, every step up to three times more",
        },
    )


def _options() -> list[click.Parameter]:
    section = "Options, before the command"
    return [
        Option(
            ["--quiet/--no-quiet"],
            default=resolve_kept("quiet").value == "1",
            section=section,
            help="Print only what tasks print, and errors.",
        ),
        Option(
            ["--lint/--no-lint"],
            default=True,
            show_default=True,
            section=section,
            help="Refuse a flow also for mistakes that it could run with.",
        ),
        Option(
            ["--coverage/--no-coverage"],
            default=False,
            section=section,
            help="Measure which lines of the flow's code a run reaches.",
        ),
        Option(
            ["--with"],
            multiple=True,
            type=Words(),
            metavar="NAME:KEY=VALUE,...",
            section=section,
            shell_complete=offering("complete_decorator"),
            help="Put a decorator on every step that has not got it; may be given often.",
        ),
        *(
            Option(
                [f"--{name}"],
                default=resolve_kept(name).value,
                type=click.Choice(SETTINGS[name].choices) if SETTINGS[name].choices else str,
                metavar=_METAVARS.get(name),
                show_default=SETTINGS[name].default is not None,
                section=section,
                help=SETTINGS[name].meaning,
            )
            for name in (
                "workers",
                "environment",
                "metadata",
                "datastore",
                "datastore-root",
                "event-logger",
                "monitor",
            )
        ),
        Option(
            ["--package-suffixes"],
            default=resolve_kept("package-suffixes").value,
            metavar=".csv,.txt,...",
            section=section,
            help=SETTINGS["package-suffixes"].meaning,
        ),
        *(
            Option(
                [name],
                nargs=2,
                multiple=True,
                metavar=f"NAME {what}",
                # Each config has variables of its own, so that one can be set without the others.
                allow_from_autoenv=False,
                section=section,
                help=meaning,
            )
            for name, what, meaning in (
                ("--config", "FILE", "Read a config of the flow from a file; may be given often."),
                ("--config-value", "JSON", "Give a config a value; may be given often."),
            )
        ),
    ]


def _flow_options(session: Session) -> list[click.Parameter]:
    """Give the options that decorators of the flow bring."""
    return [
        Option(
            [f"--{option.name}/--no-{option.name}" if option.is_flag else f"--{option.name}"],
            default=None,
            metavar=None if option.is_flag else "TEXT",
            section=f"Options of @{decorator}, before the command",
            help=option.help,
        )
        for decorator, option in session.find_flow_options()
    ]


@click.pass_context
def _take_choices(context: click.Context, /, **chosen: Any) -> int | None:
    session: Session = context.obj
    # `with` is a word of Python's own, and what PLAIT_WITH is named after.
    given = {option.key: chosen.pop(option.key) for _, option in session.find_flow_options()}
    session.choices = Choices(
        decorators=chosen.pop("with"),
        flow_options={key: value for key, value in given.items() if value is not None},
        **chosen,
    )
    if context.invoked_subcommand is not None:
        return None
    from plait.cli.commands.check import greet

    return greet(session)
