"""A flow's parameters as options of the commands that start a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from plait.cli.command import Command, Option
from plait.cli.session import Session

if TYPE_CHECKING:
    from plait.flow.parameters import Parameter

_GIVEN = "plait.cli.given_parameters"


class ParameterCommand(Command):
    """A command whose options include the parameters of the flow it is called for.

    Class attributes:
        hidden_parameters: Whether help leaves them out, since they are taken only to be refused.
    """

    hidden_parameters = False

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Give the flow's parameters, then the command's own options."""
        # Asked for many times in one call, and each option is to be the same object each time.
        options: list[click.Parameter] | None = ctx.meta.get(f"{_GIVEN}.options")
        if options is None:
            options = ctx.meta[f"{_GIVEN}.options"] = _make_options(
                ctx, hidden=self.hidden_parameters
            )
        return [*options, *super().get_params(ctx)]


class ResumeCommand(ParameterCommand):
    """A command that knows the flow's parameters only to say that it takes none."""

    hidden_parameters = True


def given_parameters(ctx: click.Context) -> dict[str, object]:
    """Give the text that the command line gave for each parameter, by the parameter's name."""
    given: dict[str, object] = ctx.meta.get(_GIVEN, {})
    return given


def _make_options(ctx: click.Context, *, hidden: bool) -> list[click.Parameter]:
    session = ctx.find_object(Session)
    assert session is not None, "only a flow's program has parameters"
    definition = session.read_definition()
    section = f"Parameters of {definition.name}"
    return [
        _make_option(parameter, position, section, hidden=hidden)
        for position, parameter in enumerate(definition.parameters.values())
    ]


def _make_option(parameter: Parameter, position: int, section: str, *, hidden: bool) -> Option:
    from plait.flow.parameters import describe
    from plait.flow.types import Scalar

    about = describe(parameter)

    def keep(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.meta.setdefault(_GIVEN, {})[about.name] = value

    words = about.words[:1].upper() + about.words[1:]
    notes = [f"{about.help.rstrip('.')}. {words}." if about.help else f"{words}."]
    if about.default is not None:
        notes.append(f"[default: {about.default}]")
    if about.required:
        notes.append("[required]")
    # `_` and `-` are the same in a parameter's name.
    spellings = dict.fromkeys(
        f"--{name}"
        for name in (about.name, about.name.replace("_", "-"), about.name.replace("-", "_"))
    )
    # A truth value may be given by its name alone.
    alone: dict[str, Any] = (
        {"is_flag": False, "flag_value": "true"} if parameter.kind == Scalar(bool) else {}
    )
    return Option(
        # A name of its own for click, so that no parameter is taken for an option of the command.
        [*spellings, f"parameter_{position}"],
        type=str,
        metavar="|".join(about.choices) or "VALUE",
        help="  ".join(notes),
        section=section,
        hidden=hidden,
        expose_value=False,
        # `resolve_parameters` reads the environment itself, and knows more of it.
        allow_from_autoenv=False,
        callback=keep,
        **alone,
    )
